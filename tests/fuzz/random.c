#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

/* xorshift64. */
uint32_t fuzz_below(struct fuzz_random *random, uint32_t limit)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return (uint32_t)((random->state >> 32) * limit >> 32);
}

_Noreturn void fuzz_fail(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
    abort();
}
