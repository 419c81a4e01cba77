#include "tools/spread/flowmap.h"

#include "message/wire.h"
#include "tools/spread/datagrams.h"
#include "tools/spread/interrupt.h"
#include "tools/spread/roster.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIES = 5, WAIT_MS = 1000 };

bool flowmap_open(struct flowmap *map, const union address *server, char error[FLOWMAP_ERROR_MAX])
{
    memset(map->sockets, 0xFF, sizeof map->sockets);
    bool opened = getrandom(map->ids, sizeof map->ids, 0) == (ssize_t)sizeof map->ids;
    for (unsigned i = 0; i < FLOWMAP_FLOWS && opened; i++) {
        map->sockets[i] = datagrams_open(server);
        opened = map->sockets[i] >= 0;
    }
    if (opened)
        return true;
    snprintf(error, FLOWMAP_ERROR_MAX, "no socket: %s", strerror(errno));
    flowmap_close(map);
    return false;
}

static void send_query(const struct flowmap *map, unsigned flow, const struct packet *question)
{
    struct packet query = *question;

    wire_write_u16(query.octets, map->ids[flow]);
    /* The first call may only be told of an old error; what is lost is sent again anyway. */
    if (send(map->sockets[flow], query.octets, query.length, 0) < 0)
        (void)!send(map->sockets[flow], query.octets, query.length, 0);
}

/* Reads what has come in on a flow. Returns the worker, or ROSTER_NONE. */
static unsigned read_worker(const struct flowmap *map, unsigned flow)
{
    static struct roster roster;
    uint8_t octets[PACKET_REPLY_MAX];
    struct packet_reply reply;
    ssize_t length = recv(map->sockets[flow], octets, sizeof octets, MSG_DONTWAIT);

    if (length < 0 || !packet_read(&reply, octets, (size_t)length) || reply.nsid == NULL ||
        reply.id != map->ids[flow])
        return ROSTER_NONE;
    return roster_find(&roster, reply.nsid, reply.nsid_length);
}

/* Waits for the answers to what was sent; `left` flows have none yet. */
static unsigned collect(const struct flowmap *map, unsigned workers[FLOWMAP_FLOWS], unsigned left)
{
    struct pollfd waiting[FLOWMAP_FLOWS];

    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
        waiting[i] = (struct pollfd){
            .fd = workers[i] == ROSTER_NONE ? map->sockets[i] : -1,
            .events = POLLIN,
        };
    while (left > 0 && poll(waiting, FLOWMAP_FLOWS, WAIT_MS) > 0)
        for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
            if (waiting[i].revents != 0 && (workers[i] = read_worker(map, i)) != ROSTER_NONE) {
                waiting[i].fd = -1;
                left--;
            }
    return left;
}

bool flowmap_ask(const struct flowmap *map, const struct packet *question,
                 unsigned workers[FLOWMAP_FLOWS], char error[FLOWMAP_ERROR_MAX])
{
    unsigned left = FLOWMAP_FLOWS;

    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
        workers[i] = ROSTER_NONE;
    for (unsigned try = 0; try < TRIES && left > 0 && !interrupt_came(); try++) {
        for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
            if (workers[i] == ROSTER_NONE)
                send_query(map, i, question);
        left = collect(map, workers, left);
    }
    if (left > 0)
        snprintf(error, FLOWMAP_ERROR_MAX, "%u of %d flows get no answer", left, FLOWMAP_FLOWS);
    return left == 0;
}

unsigned flowmap_moved(const unsigned before[FLOWMAP_FLOWS], const unsigned now[FLOWMAP_FLOWS])
{
    unsigned moved = 0;

    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
        moved += before[i] != now[i];
    return moved;
}

void flowmap_close(struct flowmap *map)
{
    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
        if (map->sockets[i] >= 0)
            close(map->sockets[i]);
    memset(map->sockets, 0xFF, sizeof map->sockets);
}
