#include "descriptors.h"

#include "fuzz.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { COUNTED_MAX = 1024 };

const int *descriptors_get(size_t count)
{
    static int descriptors[DESCRIPTORS_MAX];

    FUZZ_ASSERT(count <= DESCRIPTORS_MAX);
    if (descriptors[0] == 0)
        descriptors[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
    FUZZ_ASSERT(descriptors[0] > 0);
    for (size_t i = 1; i < count; i++)
        descriptors[i] = descriptors[0]; /* the receiver gets one of its own for each */
    return descriptors;
}

/* One system call for all. */
size_t descriptors_count(void)
{
    static struct pollfd all[COUNTED_MAX];
    size_t count = 0;

    for (int i = 0; i < COUNTED_MAX; i++)
        all[i] = (struct pollfd){.fd = i};
    FUZZ_ASSERT(poll(all, COUNTED_MAX, 0) >= 0);
    for (int i = 0; i < COUNTED_MAX; i++)
        count += (all[i].revents & POLLNVAL) == 0;
    return count;
}
