/* usage: NAME [FILE...]   -- the target's own inputs, then the files'. An input it aborts on is
 * printed in hex. */
#include "fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds for one input, which takes microseconds: more than any machine is slow by. */
enum { TIME_MAX = 60 };

static uint8_t input[FUZZ_INPUT_MAX];
static size_t length;

static void print_input(void)
{
    fprintf(stderr, "input (a file, by xxd -r -p):\n");
    for (size_t i = 0; i < length; i++)
        fprintf(stderr, "%02x", input[i]);
    fprintf(stderr, "\n");
}

static void end_by(int number)
{
    print_input();
    signal(number, SIG_DFL);
    raise(number);
}

/* From a buffer of just that length, so that reading beyond is noticed. */
static void try(void)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    FUZZ_ASSERT(copy != NULL);
    alarm(TIME_MAX);
    memcpy(copy, input, length);
    LLVMFuzzerTestOneInput(copy, length);
    free(copy);
}

static int try_file(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    length = fread(input, 1, sizeof input, file);
    fclose(file);
    try();
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct fuzz_random random = {.state = UINT64_C(0x2545f4914f6cdd1d)};

    LLVMFuzzerInitialize(&argc, &argv);
    signal(SIGABRT, end_by);
    signal(SIGALRM, end_by);
    for (unsigned i = 0; i < fuzz_rounds; i++) {
        length = fuzz_make_input(&random, input);
        try();
    }
    for (int i = 1; i < argc; i++)
        if (try_file(argv[i]) != EXIT_SUCCESS)
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
