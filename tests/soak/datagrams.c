/* Datagrams that are no queries, or hardly. */
#include "hostile.h"

#include "../fuzz/fuzz.h"
#include "../loss/question.h"
#include "message/wire.h"
#include "place.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKETS = 24,
    SENT_MAX = 9000, /* longer than any daemon reads */
    REPLY_MAX = 4096,
    REMEMBERED = 1024, /* IDs of each socket: some ten seconds' */
    BURST = 2,         /* at a time, ... */
    PAUSE_US = 1000,   /* ... and then a pause */
};

struct sender {
    int fd;
    unsigned sent;
    uint16_t ids[REMEMBERED];
};

struct datagram {
    size_t length;
    uint8_t octets[SENT_MAX];
};

static void fill(struct fuzz_random *random, struct datagram *d, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        d->octets[i] = (uint8_t)fuzz_below(random, 256);
    d->length = to;
}

/* --- kinds of datagrams, made of a query that is valid -------------------------------------- */

static void leave_valid(struct fuzz_random *random, struct datagram *d)
{
    (void)random;
    (void)d;
}

static void mutate(struct fuzz_random *random, struct datagram *d)
{
    for (unsigned n = 1 + fuzz_below(random, 8); n > 0; n--)
        d->octets[fuzz_below(random, (uint32_t)d->length)] ^= (uint8_t)(1 << fuzz_below(random, 8));
}

static void cut_off(struct fuzz_random *random, struct datagram *d)
{
    d->length = fuzz_below(random, (uint32_t)d->length);
}

static void make_noise(struct fuzz_random *random, struct datagram *d)
{
    fill(random, d, 0, fuzz_below(random, 600));
}

static void make_long(struct fuzz_random *random, struct datagram *d)
{
    fill(random, d, d->length, d->length + fuzz_below(random, SENT_MAX - QUESTION_LENGTH));
}

static void make_response(struct fuzz_random *random, struct datagram *d)
{
    d->octets[2] |= 0x80;
    d->octets[3] = (uint8_t)fuzz_below(random, 256);
}

/* QNAME points at itself, or at another place. */
static void make_loop(struct fuzz_random *random, struct datagram *d)
{
    wire_write_u16(d->octets + WIRE_HEADER_SIZE,
                   (uint16_t)(WIRE_POINTER_TAG | fuzz_below(random, 2 * WIRE_HEADER_SIZE)));
}

static void count_wrong(struct fuzz_random *random, struct datagram *d)
{
    fill(random, d, 4, WIRE_HEADER_SIZE);
    d->length = QUESTION_LENGTH;
}

/* A name of more than 255 octets. */
static void name_long(struct fuzz_random *random, struct datagram *d)
{
    uint8_t *at = d->octets + WIRE_HEADER_SIZE;

    for (unsigned labels = 4 + fuzz_below(random, 3); labels > 0; labels--, at += 64) {
        memset(at, 'x', 64);
        *at = 63;
    }
    memset(at, 0, 5);
    d->length = (size_t)(at + 5 - d->octets);
}

static void ask_for_nothing(struct fuzz_random *random, struct datagram *d)
{
    d->octets[WIRE_HEADER_SIZE + 1 + fuzz_below(random, 8)] = 'y';
}

/* An OPT record with whatever behind it. */
static void add_options(struct fuzz_random *random, struct datagram *d)
{
    static const uint8_t opt[] = {0, 0, 41, 4, 208, 0, 0, 128, 0};
    size_t start = d->length + sizeof opt;

    memcpy(d->octets + d->length, opt, sizeof opt);
    d->octets[11] = 1;
    fill(random, d, start, start + 2 + fuzz_below(random, 64));
    d->octets[start] = 0;
    if (fuzz_below(random, 2) == 0)
        d->octets[start + 1] = (uint8_t)(d->length - start - 2);
}

static void (*const kinds[])(struct fuzz_random *, struct datagram *) = {
    leave_valid, mutate,      cut_off,   make_noise,      make_long,   make_response,
    make_loop,   count_wrong, name_long, ask_for_nothing, add_options,
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* --- sending and receiving ------------------------------------------------------------------ */

static void send_one(const struct hostile_part *part, struct fuzz_random *random,
                     struct sender *sender)
{
    struct datagram d = {.length = QUESTION_LENGTH};

    question_write(d.octets, fuzz_below(random, 2 * part->names), part->names,
                   (uint16_t)fuzz_below(random, 65536));
    kinds[fuzz_below(random, KINDS)](random, &d);
    if (send(sender->fd, d.octets, d.length, 0) < 0)
        return; /* the kernel has no room */
    sender->ids[sender->sent++ % REMEMBERED] = wire_read_u16(d.octets);
    atomic_fetch_add(&part->board->datagrams, 1);
}

static bool has_sent(const struct sender *sender, uint16_t id)
{
    for (unsigned i = 0; i < REMEMBERED && i < sender->sent; i++)
        if (sender->ids[i] == id)
            return true;
    return false;
}

static void receive_all(const struct hostile_part *part, const struct sender *sender)
{
    uint8_t reply[REPLY_MAX + 1];
    ssize_t length;

    while ((length = recv(sender->fd, reply, sizeof reply, 0)) >= 0) {
        atomic_fetch_add(&part->board->replies, 1);
        if (length < WIRE_HEADER_SIZE || length > REPLY_MAX || (reply[2] & 0x80) == 0 ||
            !has_sent(sender, wire_read_u16(reply)))
            atomic_fetch_add(&part->board->strange, 1);
    }
}

static void open_all(const struct hostile_part *part, struct sender senders[SOCKETS])
{
    for (unsigned i = 0; i < SOCKETS; i++)
        senders[i].fd = hostile_connect(part, SOCK_DGRAM, 1 + i % PLACE_HOSTILE_NETWORKS, 1 + i);
}

_Noreturn void datagrams_run(const struct hostile_part *part)
{
    static struct sender senders[SOCKETS];
    struct fuzz_random random = {part->seed};

    open_all(part, senders);
    for (;;) {
        if (atomic_load(&part->board->paused))
            hostile_rest(part);
        for (unsigned i = 0; i < BURST; i++)
            send_one(part, &random, &senders[fuzz_below(&random, SOCKETS)]);
        for (unsigned i = 0; i < SOCKETS; i++)
            receive_all(part, &senders[i]);
        hostile_wait(PAUSE_US);
    }
}
