/*
 * Writes the zones of a set of the benchmark, for tools that are to be run by hand:
 *
 *   zones [-n NAMES] SET DIRECTORY
 */
#include "../loss/child.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn static void usage(void)
{
    struct zoneset sets[WORKLOAD_SETS];
    const struct workload_root none = {NULL, NULL};

    fputs("usage: zones [-n NAMES] SET DIRECTORY\nwhere SET is one of:\n", stderr);
    workload_sets(sets, UINT32_MAX, &none);
    for (unsigned i = 0; i < WORKLOAD_SETS; i++)
        if (sets[i].write != NULL)
            fprintf(stderr, "  %-12s %s\n", sets[i].name, sets[i].title);
    exit(2);
}

int main(int argc, char **argv)
{
    const struct workload_root none = {NULL, NULL};
    struct zoneset sets[WORKLOAD_SETS];
    uint32_t names = UINT32_MAX;
    int option;

    while ((option = getopt(argc, argv, "n:")) == 'n')
        names = (uint32_t)strtoul(optarg, NULL, 10);
    if (option != -1 || optind + 2 != argc || names == 0)
        usage();
    workload_sets(sets, names, &none);
    for (unsigned i = 0; i < WORKLOAD_SETS; i++)
        if (sets[i].write != NULL && strcmp(sets[i].name, argv[optind]) == 0) {
            sets[i].write(argv[optind + 1], sets[i].names);
            return 0;
        }
    usage();
}
