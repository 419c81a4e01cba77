#include "workload.h"

#include "../loss/child.h"
#include "signed.h"
#include "zonetext.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NOERROR = 0, NXDOMAIN = 3, MANY = 10000000 };

const struct workload workload_all[WORKLOAD_COUNT] = {
    {"thousand",
     "1,000 names: A",
     "thousand",
     {.pattern = "n#######.names.bench", .type = "A"},
     1,
     NOERROR,
     false},
    {"million",
     "1,000,000 names at random: A",
     "million",
     {.pattern = "n#######.names.bench", .type = "A"},
     1,
     NOERROR,
     false},
    {"nxdomain",
     "names that are not among 1,000,000: NXDOMAIN",
     "million",
     {.pattern = "x#######.names.bench", .type = "A"},
     0,
     NXDOMAIN,
     false},
    {"delegations",
     "1,000,000 delegations at random: referrals",
     "delegations",
     {.pattern = "www.d#######.tld.bench", .type = "A"},
     1,
     NOERROR,
     false},
    {"signed-referral",
     "1,000,000 delegations, NSEC3 with opt-out, DO: referrals",
     "signed",
     {.pattern = "www.d#######.signed.bench", .type = "A", .dnssec = true},
     1,
     NOERROR,
     false},
    {"signed-positive",
     "100,000 signed names beside them, DO: A",
     "signed",
     {.pattern = "s#######.signed.bench", .type = "A", .dnssec = true},
     10,
     NOERROR,
     false},
    {"signed-nxdomain",
     "names that are not there, NSEC3, DO: NXDOMAIN",
     "signed",
     {.pattern = "x#######.signed.bench", .type = "A", .dnssec = true},
     0,
     NXDOMAIN,
     false},
    {"zones",
     "100,000 zones at random: A",
     "zones",
     {.pattern = "www.z######.bench", .type = "A"},
     1,
     NOERROR,
     false},
    {"root", "the root zone, real names: referrals", "root", {.type = "A"}, 1, NOERROR, true},
};

void workload_sets(struct zoneset sets[WORKLOAD_SETS], uint32_t names_max,
                   const struct workload_root *root)
{
    const struct zoneset all[WORKLOAD_SETS] = {
        {.name = "thousand",
         .title = "one zone, 1,000 A",
         .origin = "names.bench",
         .zones = 1,
         .names = 1000,
         .write = zonetext_names},
        {.name = "million",
         .title = "one zone, 1,000,000 A",
         .origin = "names.bench",
         .zones = 1,
         .names = 1000000,
         .write = zonetext_names},
        {.name = "delegations",
         .title = "one zone, 1,000,000 delegations, 3,000,000 records",
         .origin = "tld.bench",
         .zones = 1,
         .names = 1000000,
         .write = zonetext_delegations},
        {.name = "signed",
         .title = "one zone, 1,000,000 delegations, 50,000 of them with DS, "
                  "100,000 A; NSEC3, opt-out; 3,600,000 records",
         .origin = "signed.bench",
         .zones = 1,
         .names = 1000000,
         .write = signed_write,
         .is_signed = true},
        {.name = "zones",
         .title = "100,000 zones of four records",
         .origin = "z######.bench",
         .zones = 100000,
         .names = 100000,
         .write = zonetext_zones},
        {.name = "root",
         .title = "the root zone",
         .origin = ".",
         .zones = 1,
         .names = 1,
         .file = root->zone},
    };

    memcpy(sets, all, sizeof all);
    for (unsigned i = 0; i < WORKLOAD_SETS; i++) {
        if (sets[i].names > names_max)
            sets[i].names = names_max;
        if (sets[i].zones > 1)
            sets[i].zones = sets[i].names;
    }
}

/* Lines NAME become lines NAME TYPE. */
static void write_root_questions(const char *path, const char *names)
{
    FILE *from = fopen(names, "re"), *to = fopen(path, "we");
    char line[512];

    if (from == NULL || to == NULL)
        child_fail("cannot copy %s to %s: %s", names, path, strerror(errno));
    while (fgets(line, sizeof line, from) != NULL) {
        line[strcspn(line, " \t\r\n")] = '\0';
        if (line[0] != '\0')
            fprintf(to, "%s A\n", line);
    }
    fclose(from);
    if (fclose(to) != 0)
        child_fail("cannot write %s: %s", path, strerror(errno));
}

struct questions *workload_questions(const struct workload *workload, const struct zoneset *set,
                                     const char *directory, const struct workload_root *root)
{
    struct questions_settings settings = workload->questions;
    char path[PATH_MAX];

    settings.count = workload->parts == 0 ? MANY : set->names / workload->parts;
    if (settings.count == 0)
        settings.count = 1;
    if (settings.pattern == NULL) {
        snprintf(path, sizeof path, "%s/questions", directory);
        write_root_questions(path, root->names);
        settings.file = path;
    }
    struct questions *questions = questions_open(&settings);
    if (questions == NULL)
        child_fail("workload %s has no questions", workload->name);
    return questions;
}
