#include "coverage.h"

#include "fuzz.h"

#include <stdint.h>
#include <sys/mman.h>

/* Counters of edges, from the linker; both NULL without -fsanitize=fuzzer. */
extern uint8_t __start___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak, visibility("hidden")));

static uint8_t *shared;

static size_t counter_count(void)
{
    return (uintptr_t)__stop___sancov_cntrs - (uintptr_t)__start___sancov_cntrs;
}

void coverage_share(void)
{
    if (counter_count() == 0)
        return;
    shared = mmap(NULL, counter_count(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FUZZ_ASSERT(shared != MAP_FAILED);
}

void coverage_give(void)
{
    for (size_t i = 0; shared != NULL && i < counter_count(); i++)
        shared[i] = __start___sancov_cntrs[i];
}

void coverage_take(void)
{
    for (size_t i = 0; shared != NULL && i < counter_count(); i++)
        if (__start___sancov_cntrs[i] < shared[i])
            __start___sancov_cntrs[i] = shared[i];
}
