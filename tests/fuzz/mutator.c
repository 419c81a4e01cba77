/* What libFuzzer tries next: its own change of an earlier input; now and then an input of the
 * target's own making, which changes of octets take long to come upon. */
#include "fuzz.h"

#include <string.h>

enum { OWN_EVERY = 32 };

/* libFuzzer's interface; the first is its own. */
size_t LLVMFuzzerMutate(uint8_t *input, size_t length, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *input, size_t length, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *input, size_t length, size_t room, unsigned seed)
{
    static uint8_t own[FUZZ_INPUT_MAX];
    struct fuzz_random random = {.state = (UINT64_C(0x9e3779b97f4a7c15) * seed) | 1};

    if (seed % OWN_EVERY != 0)
        return LLVMFuzzerMutate(input, length, room);
    length = fuzz_make_input(&random, own);
    if (length > room)
        length = room;
    memcpy(input, own, length);
    return length;
}
