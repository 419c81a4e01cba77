#include "server/dnstap/rings.h"

#include "server/host/mappings.h"
#include "server/steering/steering.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static const size_t rings_size = sizeof(struct rings) + STEERING_SLOTS_MAX * sizeof(struct ring);

/* In a memory file, of which only what is used is taken from the system, however strict that is
 * about what it has promised (overcommit_memory in proc(5)). */
static void *map_memory(void)
{
    int fd = memfd_create("sorrel-dnstap", MFD_CLOEXEC);
    void *memory = MAP_FAILED;

    if (fd < 0)
        return MAP_FAILED;
    if (ftruncate(fd, (off_t)rings_size) == 0)
        memory = mappings_add(mmap(NULL, rings_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
                              rings_size);
    int reason = errno;
    close(fd);
    errno = reason;
    return memory;
}

struct rings *rings_open(void)
{
    void *memory = map_memory();

    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, rings_size, MADV_DONTDUMP);
    return memory;
}

void rings_close(struct rings *rings)
{
    mappings_remove(rings);
}

void rings_use(struct rings *rings, unsigned slot)
{
    assert(slot < STEERING_SLOTS_MAX);
    if (rings->used <= slot)
        rings->used = slot + 1;
}

uint32_t rings_used(const struct rings *rings)
{
    uint32_t used = atomic_load_explicit(&rings->used, memory_order_relaxed);

    return used < STEERING_SLOTS_MAX ? used : STEERING_SLOTS_MAX;
}

struct ring *rings_keep_only(struct rings *rings, unsigned slot)
{
    struct ring *kept = &rings->ring[slot], *end = &rings->ring[STEERING_SLOTS_MAX];

    if (kept > rings->ring)
        munmap(rings->ring, (size_t)((char *)kept - (char *)rings->ring));
    if (kept + 1 < end)
        munmap(kept + 1, (size_t)((char *)end - (char *)(kept + 1)));
#ifdef MADV_POPULATE_WRITE
    /* Or every page would cost the first query that needs it a fault. */
    madvise(kept, sizeof *kept, MADV_POPULATE_WRITE);
#endif
    return kept;
}

void rings_count_dropped(const struct rings *rings, struct ring *ring, unsigned messages)
{
    uint32_t state = atomic_load_explicit(&rings->state, memory_order_relaxed);

    rings_add(state == RINGS_WRITING ? &ring->dropped_slow : &ring->dropped_away, messages);
}

struct rings_sums rings_sum(const struct rings *rings)
{
    struct rings_sums sums = {.written = rings->written, .damaged = rings->damaged};

    for (uint32_t i = 0; i < rings_used(rings); i++) {
        sums.dropped_slow += rings->ring[i].dropped_slow;
        sums.dropped_away += rings->ring[i].dropped_away;
    }
    return sums;
}
