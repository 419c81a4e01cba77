/* TCP connections as they should not be: more than there is room for, slow, silent, greedy, cut. */
#include "hostile.h"

#include "../fuzz/fuzz.h"
#include "../loss/question.h"
#include "message/wire.h"
#include "place.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS = 160, /* of which a worker serves 64 (place.c) */
    FRAME = 2 + QUESTION_LENGTH,
    PIPELINED = 64,
    PAUSE_US = 1000,
};

struct client {
    const struct hostile_part *part;
    struct fuzz_random random;
    int fds[CONNECTIONS]; /* -1: none */
};

static void write_frame(struct client *client, uint8_t frame[FRAME])
{
    uint32_t names = client->part->names;

    wire_write_u16(frame, QUESTION_LENGTH);
    question_write(frame + 2, fuzz_below(&client->random, 2 * names), names,
                   (uint16_t)fuzz_below(&client->random, 65536));
}

static void close_one(int *fd)
{
    close(*fd);
    *fd = -1;
}

/* --- what is done with a connection ------------------------------------------------------- */

static void send_half(struct client *client, int *fd)
{
    uint8_t frame[FRAME];

    write_frame(client, frame);
    send(*fd, frame, 1 + fuzz_below(&client->random, FRAME - 1), 0);
}

static void send_octet(struct client *client, int *fd)
{
    uint8_t octet = (uint8_t)fuzz_below(&client->random, 256);

    send(*fd, &octet, 1, 0);
}

/* And nothing is read: the replies fill the buffers. */
static void send_many(struct client *client, int *fd)
{
    uint8_t frames[PIPELINED][FRAME];

    for (unsigned i = 0; i < PIPELINED; i++)
        write_frame(client, frames[i]);
    send(*fd, frames, sizeof frames, 0);
}

static void send_damaged(struct client *client, int *fd)
{
    uint8_t frame[FRAME];

    write_frame(client, frame);
    for (unsigned i = 0; i < 4; i++)
        frame[fuzz_below(&client->random, FRAME)] = (uint8_t)fuzz_below(&client->random, 256);
    send(*fd, frame, sizeof frame, 0);
}

static void read_some(struct client *client, int *fd)
{
    uint8_t octets[4096];

    (void)client;
    if (recv(*fd, octets, sizeof octets, 0) == 0)
        close_one(fd);
}

static void half_close(struct client *client, int *fd)
{
    (void)client;
    shutdown(*fd, SHUT_WR);
}

static void reset(struct client *client, int *fd)
{
    const struct linger at_once = {.l_onoff = 1};

    (void)client;
    setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_one(fd);
}

static void leave(struct client *client, int *fd)
{
    (void)client;
    close_one(fd);
}

static void do_nothing(struct client *client, int *fd)
{
    (void)client;
    (void)fd;
}

static void (*const deeds[])(struct client *, int *) = {
    send_half, send_octet, send_many, send_damaged, read_some,
    read_some, half_close, reset,     leave,        do_nothing,
};

enum { DEEDS = sizeof deeds / sizeof deeds[0] };

/* --- all of them ----------------------------------------------------------------------------- */

static void open_one(struct client *client, int *fd)
{
    struct hostile_board *board = client->part->board;
    unsigned network = 1 + fuzz_below(&client->random, PLACE_HOSTILE_NETWORKS);

    *fd = hostile_connect(client->part, SOCK_STREAM, network, 1 + fuzz_below(&client->random, 250));
    atomic_fetch_add(*fd >= 0 ? &board->connections : &board->refused, 1);
}

static void close_all(struct client *client)
{
    for (unsigned i = 0; i < CONNECTIONS; i++)
        if (client->fds[i] >= 0)
            close_one(&client->fds[i]);
}

_Noreturn void streams_run(const struct hostile_part *part)
{
    static struct client client;

    client.part = part;
    client.random.state = part->seed;
    memset(client.fds, -1, sizeof client.fds);
    for (;;) {
        if (atomic_load(&part->board->paused)) {
            close_all(&client);
            hostile_rest(part);
        }
        int *fd = &client.fds[fuzz_below(&client.random, CONNECTIONS)];
        if (*fd < 0)
            open_one(&client, fd);
        else
            deeds[fuzz_below(&client.random, DEEDS)](&client, fd);
        hostile_wait(PAUSE_US);
    }
}
