/*
 * A fuzz target: a function that takes any octets and aborts if what is tested breaks a promise. A
 * fuzzer drives it by libFuzzer's entry point; `make check` drives it by replay.c, with inputs that
 * the target makes itself and with its corpus, where what once went wrong is, too; see README.
 */
#ifndef SORREL_TESTS_FUZZ_H
#define SORREL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_INPUT_MAX = 4096 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

/* Pseudo-random numbers, the same in every run. */
struct fuzz_random {
    uint64_t state; /* not 0 */
};

#define FUZZ_RANDOM_START UINT64_C(0x2545f4914f6cdd1d)

uint32_t fuzz_below(struct fuzz_random *random, uint32_t limit);

/* Makes an input that is likely to get far. Returns its length. */
size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX]);

/* How many of these `make check` tries: a few seconds' worth under a sanitizer. */
extern const unsigned fuzz_rounds;

/* Says what was promised, and aborts. */
_Noreturn void fuzz_fail(const char *file, int line, const char *promise);

#define FUZZ_ASSERT(promise)                                                                       \
    do {                                                                                           \
        if (!(promise))                                                                            \
            fuzz_fail(__FILE__, __LINE__, #promise);                                               \
    } while (0)

#endif
