#include "server/dnstap/scribe.h"

#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#ifdef HAVE_DNSTAP

#include "server/dnstap/outlet.h"
#include "server/host/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <time.h>

enum {
    /* Milliseconds between two looks at the rings: while there is something in them, and, each time
     * twice as long, when there is not. Nobody wakes this process up, for that would be a system
     * call of a worker's. */
    LOOK_FIRST = 4,
    LOOK_LAST = 32,

    /* Between two tries to reach the reader, likewise. */
    TRY_FIRST = 100,
    TRY_LAST = 1000,

    /* A few of the longest messages, and many usual ones. */
    BUFFER_OCTETS = 8 * ENCODER_FRAME_MAX,
};

struct scribe {
    const struct scribe_orders *orders;
    struct rings *rings;
    struct outlet outlet;
    bool open;
    int look;         /* milliseconds, as above */
    int delay;        /* likewise, between two tries */
    int64_t next_try; /* by milliseconds() */
    struct iovec frames[OUTLET_FRAMES_MAX];
    uint8_t buffer[BUFFER_OCTETS];
};

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- from a ring to the reader ------------------------------------------------------------- */

/* One batch. */
struct sheaf {
    int count;
    size_t length;
};

static void add_frame(struct scribe *scribe, struct sheaf *sheaf, const struct ring_record *record,
                      const uint8_t *octets, enum encoder_kind kind)
{
    uint8_t *frame = scribe->buffer + sheaf->length;
    size_t length = encoder_write(&scribe->orders->encoder, record, octets, kind, frame);

    scribe->frames[sheaf->count++] = (struct iovec){.iov_base = frame, .iov_len = length};
    sheaf->length += length;
}

/* Is there room for both messages of any record? */
static bool has_room(const struct sheaf *sheaf)
{
    return sheaf->count + 2 <= OUTLET_FRAMES_MAX &&
           sheaf->length + 2 * (size_t)ENCODER_FRAME_MAX <= BUFFER_OCTETS;
}

static struct sheaf gather(struct scribe *scribe, struct ring_reader *reader)
{
    struct sheaf sheaf = {0};
    struct ring_record record;
    const uint8_t *octets;

    while (has_room(&sheaf)) {
        switch (ring_read(reader, &record, &octets)) {
        case RING_NOTHING:
            return sheaf;
        case RING_DAMAGED:
            rings_add(&scribe->rings->damaged, 1);
            return sheaf;
        case RING_RECORD:
            break;
        }
        if (record.query_length > 0)
            add_frame(scribe, &sheaf, &record, octets, ENCODER_QUERY);
        if (record.response_length > 0)
            add_frame(scribe, &sheaf, &record, octets, ENCODER_RESPONSE);
    }
    return sheaf;
}

static void set_state(struct rings *rings, enum rings_state state, int reason)
{
    atomic_store_explicit(&rings->reason, reason, memory_order_relaxed);
    atomic_store_explicit(&rings->state, state, memory_order_release);
}

static void lose_reader(struct scribe *scribe)
{
    scribe->open = false;
    set_state(scribe->rings, RINGS_AWAY, errno);
    scribe->next_try = milliseconds() + scribe->delay;
    scribe->delay = 2 * scribe->delay < TRY_LAST ? 2 * scribe->delay : TRY_LAST;
}

/* One batch of one ring. False: there was nothing in it, or the reader is gone. */
static bool write_batch(struct scribe *scribe, struct ring *ring)
{
    struct ring_reader reader;

    ring_start(&reader, ring);
    struct sheaf sheaf = gather(scribe, &reader);
    if (sheaf.count > 0 && !outlet_write(&scribe->outlet, scribe->frames, sheaf.count)) {
        lose_reader(scribe);
        return false;
    }
    rings_add(&scribe->rings->written, (uint64_t)sheaf.count);
    ring_commit(&reader);
    scribe->delay = sheaf.count > 0 ? TRY_FIRST : scribe->delay;
    return sheaf.count > 0;
}

/* One batch of each ring. False: there was nothing in any. */
static bool write_round(struct scribe *scribe)
{
    bool any = false;

    for (uint32_t i = 0; i < rings_used(scribe->rings) && scribe->open; i++)
        any |= write_batch(scribe, &scribe->rings->ring[i]);
    return any;
}

static void try_to_open(struct scribe *scribe)
{
    scribe->open = outlet_open(&scribe->outlet);
    if (scribe->open)
        set_state(scribe->rings, RINGS_WRITING, 0);
    else
        lose_reader(scribe);
}

/* --- the process ----------------------------------------------------------------------------- */

/* Waits so long, or until the daemon ends or the reader hangs up. */
static void rest(struct scribe *scribe, int duration)
{
    struct pollfd watched[] = {
        {.fd = scribe->orders->channel, .events = POLLIN},
        {.fd = scribe->open ? outlet_connection(&scribe->outlet) : -1, .events = POLLRDHUP}};

    if (poll(watched, 2, duration) <= 0)
        return;
    if (watched[0].revents != 0)
        scribe->outlet.finishing = true;
    if (watched[1].revents != 0) {
        errno = EPIPE;
        outlet_abandon(&scribe->outlet);
        lose_reader(scribe);
    }
}

static void work(struct scribe *scribe)
{
    if (!scribe->open && milliseconds() >= scribe->next_try)
        try_to_open(scribe);
    if (scribe->open && write_round(scribe))
        scribe->look = LOOK_FIRST;
    else
        scribe->look = 2 * scribe->look < LOOK_LAST ? 2 * scribe->look : LOOK_LAST;
}

/* Does a ring hold so much that it is better not to wait? */
static bool is_in_haste(const struct rings *rings)
{
    for (uint32_t i = 0; i < rings_used(rings); i++)
        if (rings->ring[i].head - rings->ring[i].tail > RING_OCTETS / 8)
            return true;
    return false;
}

_Noreturn void scribe_run(const struct scribe_orders *orders)
{
    static struct scribe scribe;

    scribe.orders = orders;
    scribe.rings = orders->rings;
    scribe.look = LOOK_FIRST;
    scribe.delay = TRY_FIRST;
    outlet_init(&scribe.outlet, orders->path, orders->file, orders->channel);
    sandbox_enter_dnstap(orders->path != NULL);
    while (!scribe.outlet.finishing) {
        work(&scribe);
        rest(&scribe, scribe.open && is_in_haste(scribe.rings) ? 0 : scribe.look);
    }
    if (!scribe.open)
        try_to_open(&scribe);
    while (scribe.open && write_round(&scribe))
        ;
    if (scribe.open)
        outlet_close(&scribe.outlet);
    _exit(EXIT_SUCCESS);
}

#else

_Noreturn void scribe_run(const struct scribe_orders *orders)
{
    (void)orders;
    _exit(EXIT_FAILURE);
}

#endif
