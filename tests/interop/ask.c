#include "ask.h"

#include "message/codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 65535,
    PROBE_MILLISECONDS = 500,
};

volatile sig_atomic_t ask_interrupted;

static int connect_to(const struct server *server, int type)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(server->port) };
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), megabytes = 4 << 20, on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &megabytes, sizeof megabytes);
    if (type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool wait_readable(int fd, int milliseconds)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };

    return poll(&poller, 1, milliseconds) > 0;
}

/* What one ask_all() has in hand; the same for UDP and TCP. */
struct run {
    const struct query_list *queries;
    struct reply *replies;
    struct patience patience;
    size_t flight[ASK_WINDOW_MAX]; /* places in the list */
    int attempts[ASK_WINDOW_MAX];
    size_t in_flight;
    size_t next;               /* place not looked at yet */
    bool tcp;
};

static bool run_take_next(struct run *run, size_t *place)
{
    while (run->next < run->queries->count && run->queries->items[run->next].tcp != run->tcp)
        run->next++;
    if (run->next == run->queries->count)
        return false;
    *place = run->next++;
    return true;
}

static void run_land(struct run *run, size_t index)
{
    run->in_flight--;
    run->flight[index] = run->flight[run->in_flight];
    run->attempts[index] = run->attempts[run->in_flight];
}

/* Keeps a reply whose ID is in flight; others are late copies of retried ones. */
static void run_receive(struct run *run, const uint8_t *wire, size_t length)
{
    size_t id = length >= 2 ? (size_t)(wire[0] << 8 | wire[1]) : SIZE_MAX;

    for (size_t i = 0; i < run->in_flight; i++) {
        if (run->flight[i] != id)
            continue;
        run->replies[id].wire = malloc(length);
        memcpy(run->replies[id].wire, wire, length);
        run->replies[id].length = (uint16_t)length;
        run_land(run, i);
        return;
    }
}

static void udp_send(int fd, const struct query *query)
{
    /* A lost or refused datagram is sent again by the retry. */
    if (send(fd, query->wire, query->length, 0) < 0 && errno == ENOBUFS)
        (void)wait_readable(fd, 1);
}

static void udp_retry(struct run *run, int fd)
{
    for (size_t i = run->in_flight; i-- > 0;) {
        if (run->attempts[i]++ < run->patience.attempts)
            udp_send(fd, &run->queries->items[run->flight[i]]);
        else
            run_land(run, i);
    }
}

static void udp_run(struct run *run, int fd)
{
    uint8_t buffer[MESSAGE_MAX];

    for (;;) {
        size_t place;

        while (run->in_flight < run->patience.window && run_take_next(run, &place)) {
            run->attempts[run->in_flight] = 1;
            run->flight[run->in_flight++] = place;
            udp_send(fd, &run->queries->items[place]);
        }
        if (run->in_flight == 0 || ask_interrupted)
            return;
        if (wait_readable(fd, run->patience.milliseconds)) {
            ssize_t length;

            while ((length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) >= 0)
                run_receive(run, buffer, (size_t)length);
        } else {
            udp_retry(run, fd);
        }
    }
}

static bool tcp_send(int fd, const struct query *query)
{
    uint8_t framed[2 + MESSAGE_MAX];

    framed[0] = (uint8_t)(query->length >> 8);
    framed[1] = (uint8_t)query->length;
    memcpy(framed + 2, query->wire, query->length);
    return send(fd, framed, query->length + 2u, MSG_NOSIGNAL) == query->length + 2;
}

static bool tcp_read(int fd, uint8_t *to, size_t length, int milliseconds)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = wait_readable(fd, milliseconds) ? recv(fd, to + done, length - done, 0) : -1;

        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool tcp_fill(struct run *run, int fd)
{
    size_t place;

    while (run->in_flight < run->patience.window && run_take_next(run, &place)) {
        run->attempts[run->in_flight] = 1;
        run->flight[run->in_flight++] = place;
        if (!tcp_send(fd, &run->queries->items[place]))
            return false;
    }
    return true;
}

/* Uses one connection until it ends or stalls; what was in flight stays so. */
static void tcp_use(struct run *run, int fd)
{
    uint8_t prefix[2], buffer[MESSAGE_MAX];

    for (size_t i = 0; i < run->in_flight; i++)
        if (!tcp_send(fd, &run->queries->items[run->flight[i]]))
            return;
    while (!ask_interrupted && tcp_fill(run, fd) && run->in_flight > 0) {
        size_t length;

        if (!tcp_read(fd, prefix, sizeof prefix, run->patience.milliseconds))
            return;
        length = (size_t)(prefix[0] << 8 | prefix[1]);
        if (!tcp_read(fd, buffer, length, run->patience.milliseconds))
            return;
        run_receive(run, buffer, length);
    }
}

/* A connection that brings nothing costs each query in flight an attempt. */
static bool tcp_run(struct run *run, const struct server *server)
{
    do {
        int fd = connect_to(server, SOCK_STREAM);

        if (fd < 0)
            return false;
        tcp_use(run, fd);
        close(fd);
        for (size_t i = run->in_flight; i-- > 0;)
            if (run->attempts[i]++ >= run->patience.attempts)
                run_land(run, i);
    } while (!ask_interrupted && (run->in_flight > 0 || run->next < run->queries->count));
    return true;
}

bool ask_all(struct server *server, const struct query_list *queries, struct patience patience,
             struct reply *replies)
{
    struct run udp = { .queries = queries, .replies = replies, .patience = patience };
    struct run tcp = { .queries = queries, .replies = replies, .patience = patience, .tcp = true };
    int fd = connect_to(server, SOCK_DGRAM);
    bool connected;

    memset(replies, 0, queries->count * sizeof *replies);
    udp_run(&udp, fd);
    close(fd);
    connected = tcp_run(&tcp, server);
    return server_is_alive(server) && connected;
}

void ask_free_replies(struct reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(replies[i].wire);
    free(replies);
}

size_t ask_once(const struct server *server, const uint8_t *query, size_t length, uint8_t *reply,
                size_t reply_max, int milliseconds)
{
    int fd = connect_to(server, SOCK_DGRAM);
    ssize_t got = -1;

    if (fd < 0)
        return 0;
    if (send(fd, query, length, 0) >= 0 && wait_readable(fd, milliseconds))
        got = recv(fd, reply, reply_max, 0);
    close(fd);
    return got > 0 ? (size_t)got : 0;
}

static size_t ask_soa(const struct server *server, const struct zone *zone, uint8_t reply[512])
{
    uint8_t query[12 + NAME_OCTETS_MAX + 4] = { 's', 'o', 0, 0, 0, 1 };
    size_t length = 12;

    memcpy(query + length, zone->origin.octets, zone->origin.length);
    length += zone->origin.length;
    query[length + 1] = TYPE_SOA;
    query[length + 3] = CLASS_IN;
    return ask_once(server, query, length + 4, reply, 512, PROBE_MILLISECONDS);
}

bool ask_is_up(const struct server *server, const struct zone *zone)
{
    uint8_t reply[512];

    return ask_soa(server, zone, reply) >= 12;
}

bool ask_is_served(const struct server *server, const struct zone *zone)
{
    enum { AA = 0x04, RCODE = 0x0F };
    uint8_t reply[512];

    return ask_soa(server, zone, reply) >= 12 && (reply[2] & AA) && (reply[3] & RCODE) == 0;
}
