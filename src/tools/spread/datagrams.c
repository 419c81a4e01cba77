#include "tools/spread/datagrams.h"

#include "message/wire.h"
#include "tools/spread/cpus.h"
#include "tools/spread/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BURST_MAX = 8, /* queries of one flow in a row, if there are few flows */
    WIDTH = 16,    /* answers taken off a socket at once */
    EVENTS = 64,
    TICK_MS = 20, /* how long to wait for an answer before the clock is looked at */

    EMPTY = UINT32_MAX, /* no key: flows are below TRAFFIC_FLOWS_MAX */
};

/* One of the queries under way. The key is its flow and ID; apart from the times, so that a search
 * runs through a few cache lines only. */
struct under_way {
    uint32_t keys[TRAFFIC_WINDOW];
    uint64_t sent_at[TRAFFIC_WINDOW];
    unsigned count;
};

struct run {
    const struct traffic *traffic;
    struct traffic_tally *tally;
    struct under_way under_way;
    struct cpus cpus;
    int *sockets;
    int epoll;
    unsigned burst;
    uint64_t random; /* state of the generator */
    uint64_t started;
    uint64_t last_answer;
    uint64_t expired; /* when lost queries were last looked for */

    struct packet queries[BURST_MAX];
    uint8_t replies[WIDTH][PACKET_REPLY_MAX];
    struct mmsghdr messages[WIDTH];
    struct iovec vectors[WIDTH];
};

/* --- queries under way -------------------------------------------------------------- */

static uint32_t key_of(unsigned flow, uint16_t id)
{
    return (uint32_t)flow << 16 | id;
}

/* The place of a key; TRAFFIC_WINDOW if it is not there. */
static unsigned find(const struct under_way *under_way, uint32_t key)
{
    unsigned i = 0;

    while (i < TRAFFIC_WINDOW && under_way->keys[i] != key)
        i++;
    return i;
}

static void add(struct under_way *under_way, uint32_t key, uint64_t now)
{
    unsigned i = find(under_way, EMPTY);

    under_way->keys[i] = key;
    under_way->sent_at[i] = now;
    under_way->count++;
}

static void take_out(struct under_way *under_way, unsigned i)
{
    under_way->keys[i] = EMPTY;
    under_way->count--;
}

static void expire(struct run *run, uint64_t now)
{
    const uint64_t patience = (uint64_t)TRAFFIC_PATIENCE_MS * 1000000;
    struct under_way *under_way = &run->under_way;

    if (now - run->expired < patience / 16)
        return;
    run->expired = now;
    for (unsigned i = 0; i < TRAFFIC_WINDOW; i++)
        if (under_way->keys[i] != EMPTY && now - under_way->sent_at[i] > patience) {
            take_out(under_way, i);
            run->tally->lost++;
        }
}

/* --- sending ------------------------------------------------------------------------ */

/* An ID that no query under way of this flow has (Marsaglia's xorshift64*). */
static uint16_t draw_id(struct run *run, unsigned flow)
{
    uint16_t id;

    do {
        run->random ^= run->random >> 12;
        run->random ^= run->random << 25;
        run->random ^= run->random >> 27;
        id = (uint16_t)(run->random * 0x2545F4914F6CDD1Du >> 48);
    } while (find(&run->under_way, key_of(flow, id)) < TRAFFIC_WINDOW);
    return id;
}

/* Sends `count` queries of one flow. What the kernel does not take counts as lost in time. */
static void send_burst(struct run *run, unsigned flow, unsigned count)
{
    struct mmsghdr messages[BURST_MAX] = {0};
    struct iovec vectors[BURST_MAX];
    uint64_t now = traffic_clock();

    for (unsigned i = 0; i < count; i++) {
        uint16_t id = draw_id(run, flow);
        wire_write_u16(run->queries[i].octets, id);
        add(&run->under_way, key_of(flow, id), now);
        vectors[i] = (struct iovec){run->queries[i].octets, run->queries[i].length};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    unsigned done = 0;
    /* An error is one of an earlier datagram's (ECONNREFUSED): once it is told the next call works.
     */
    for (unsigned tries = 0; done < count && tries <= BURST_MAX; tries++) {
        int n = sendmmsg(run->sockets[flow], messages + done, count - done, 0);
        done += n > 0 ? (unsigned)n : 0;
    }
    run->tally->sent += count;
}

/* Sends while there is room, flow after flow. False once nothing more is to be sent. */
static bool fill(struct run *run)
{
    const struct traffic *traffic = run->traffic;

    while (run->tally->sent < traffic->queries) {
        uint64_t left = traffic->queries - run->tally->sent;
        unsigned count = left < run->burst ? (unsigned)left : run->burst;
        unsigned flow = (unsigned)(run->tally->sent / run->burst % traffic->flows);
        if (TRAFFIC_WINDOW - run->under_way.count < count)
            return true;
        if (traffic->by_cpu)
            cpus_enter(&run->cpus, flow, traffic->flows);
        send_burst(run, flow, count);
    }
    return false;
}

/* --- receiving ---------------------------------------------------------------------- */

static void take_reply(struct run *run, unsigned flow, const uint8_t *octets, size_t length,
                       uint64_t now)
{
    struct packet_reply reply;

    if (!packet_read(&reply, octets, length))
        return;
    unsigned i = find(&run->under_way, key_of(flow, reply.id));
    if (i == TRAFFIC_WINDOW)
        return; /* too late, or sent twice */
    traffic_count(run->traffic, run->tally, &reply, now - run->under_way.sent_at[i]);
    run->last_answer = now;
    take_out(&run->under_way, i);
}

static void receive(struct run *run, unsigned flow)
{
    int n;

    do {
        n = recvmmsg(run->sockets[flow], run->messages, WIDTH, MSG_DONTWAIT, NULL);
        uint64_t now = traffic_clock();
        for (int i = 0; i < n; i++)
            take_reply(run, flow, run->replies[i], run->messages[i].msg_len, now);
    } while (n == WIDTH);
}

static void receive_all(struct run *run)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(run->epoll, events, EVENTS, TICK_MS);

    for (int i = 0; i < n; i++)
        receive(run, events[i].data.u32);
    expire(run, traffic_clock());
}

/* --- beginning and end -------------------------------------------------------------- */

int datagrams_open(const union address *server)
{
    int fd = socket(server->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int room = 1 << 20;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(fd, &server->any, address_length(server)) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static bool open_flow(struct run *run, unsigned flow)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = flow};
    int fd = datagrams_open(run->traffic->server);

    run->sockets[flow] = fd;
    return fd >= 0 && epoll_ctl(run->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void prepare_buffers(struct run *run)
{
    for (unsigned i = 0; i < BURST_MAX; i++)
        run->queries[i] = *run->traffic->question;
    for (unsigned i = 0; i < WIDTH; i++) {
        run->vectors[i] = (struct iovec){run->replies[i], PACKET_REPLY_MAX};
        run->messages[i].msg_hdr = (struct msghdr){.msg_iov = &run->vectors[i], .msg_iovlen = 1};
    }
    memset(run->under_way.keys, 0xFF, sizeof run->under_way.keys);
}

static bool open_all(struct run *run, char error[TRAFFIC_ERROR_MAX])
{
    unsigned flows = run->traffic->flows;

    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    run->sockets = malloc(flows * sizeof *run->sockets);
    if (run->epoll < 0 || run->sockets == NULL) {
        snprintf(error, TRAFFIC_ERROR_MAX, "%s", strerror(errno));
        return false;
    }
    memset(run->sockets, 0xFF, flows * sizeof *run->sockets);
    for (unsigned flow = 0; flow < flows; flow++)
        if (!open_flow(run, flow)) {
            snprintf(error, TRAFFIC_ERROR_MAX, "no socket for flow %u of %u: %s", flow + 1, flows,
                     strerror(errno));
            return false;
        }
    return true;
}

static void close_all(struct run *run)
{
    for (unsigned flow = 0; run->sockets != NULL && flow < run->traffic->flows; flow++)
        if (run->sockets[flow] >= 0)
            close(run->sockets[flow]);
    free(run->sockets);
    if (run->epoll >= 0)
        close(run->epoll);
}

static void exchange(struct run *run)
{
    run->started = run->last_answer = run->expired = traffic_clock();
    bool more = true;
    while ((more || run->under_way.count > 0) && !interrupt_came()) {
        uint64_t now = traffic_clock();
        more = more && !traffic_is_time_up(run->traffic, run->started, now) && fill(run);
        traffic_tell(run->traffic, run->tally, run->started);
        receive_all(run);
    }
    run->tally->seconds = (double)(run->last_answer - run->started) / 1e9;
}

bool datagrams_run(const struct traffic *traffic, struct traffic_tally *tally,
                   char error[TRAFFIC_ERROR_MAX])
{
    static struct run run;

    memset(tally, 0, sizeof *tally);
    run = (struct run){.traffic = traffic, .tally = tally, .epoll = -1};
    run.burst = TRAFFIC_WINDOW / traffic->flows;
    run.burst = run.burst < 1 ? 1 : run.burst > BURST_MAX ? BURST_MAX : run.burst;
    while (run.random == 0)
        if (getrandom(&run.random, sizeof run.random, 0) < 0)
            run.random = traffic_clock();
    prepare_buffers(&run);
    cpus_start(&run.cpus);
    bool opened = open_all(&run, error);
    if (opened)
        exchange(&run);
    cpus_finish(&run.cpus);
    close_all(&run);
    return opened;
}
