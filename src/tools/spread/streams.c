#include "tools/spread/streams.h"

#include "message/wire.h"
#include "tools/spread/cpus.h"
#include "tools/spread/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PREFIX = 2, /* the length before each message (RFC 1035 §4.2.2) */
    TICK_MS = 20,
    REPLY_ROOM = PREFIX + PACKET_REPLY_MAX,
};

/* A connection: has one query under way, or none while it is being set up. */
struct stream {
    int fd; /* -1: none */
    bool connected;
    uint64_t left; /* queries that it has still to send */
    uint16_t id;
    uint64_t sent_at; /* of the query; or when the connection was begun */
    size_t received;
    uint8_t reply[REPLY_ROOM];
};

struct run {
    const struct traffic *traffic;
    struct traffic_tally *tally;
    struct cpus cpus;
    int epoll;
    unsigned opened; /* flows so far */
    unsigned open;   /* streams now */
    uint64_t started;
    uint64_t last_answer;
    struct stream streams[TRAFFIC_WINDOW];
};

/* --- one connection ------------------------------------------------------------------- */

static void close_stream(struct run *run, struct stream *stream)
{
    close(stream->fd);
    stream->fd = -1;
    run->open--;
}

/* The server has turned it away, or is gone: a query that was under way has no answer. */
static void lose(struct run *run, struct stream *stream)
{
    run->tally->sent += !stream->connected;
    run->tally->lost++;
    close_stream(run, stream);
}

static void send_query(struct run *run, struct stream *stream)
{
    const struct packet *question = run->traffic->question;
    uint8_t frame[PREFIX + PACKET_QUERY_MAX];

    wire_write_u16(frame, question->length);
    memcpy(frame + PREFIX, question->octets, question->length);
    wire_write_u16(frame + PREFIX, ++stream->id);
    stream->sent_at = traffic_clock();
    stream->received = 0;
    stream->left--;
    run->tally->sent++;
    /* Nothing else is in the send buffer: it fits as a whole. */
    if (send(stream->fd, frame, PREFIX + (size_t)question->length, 0) < 0)
        lose(run, stream);
}

/* The connection stands: from now on there are answers to wait for. */
static void begin(struct run *run, struct stream *stream)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
    int reason = 0;
    socklen_t length = sizeof reason;

    getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &reason, &length);
    if (reason != 0 || epoll_ctl(run->epoll, EPOLL_CTL_MOD, stream->fd, &event) != 0) {
        lose(run, stream);
        return;
    }
    stream->connected = true;
    send_query(run, stream);
}

static void take_reply(struct run *run, struct stream *stream)
{
    struct packet_reply reply;
    uint64_t now = traffic_clock();

    if (!packet_read(&reply, stream->reply + PREFIX, stream->received - PREFIX) ||
        reply.id != stream->id) {
        lose(run, stream);
        return;
    }
    traffic_count(run->traffic, run->tally, &reply, now - stream->sent_at);
    run->last_answer = now;
    if (stream->left > 0 && !traffic_is_time_up(run->traffic, run->started, now))
        send_query(run, stream);
    else
        close_stream(run, stream);
}

/* Octets that the reply under way has in all, as far as can be told. */
static size_t wanted(const struct stream *stream)
{
    return stream->received < PREFIX ? PREFIX : PREFIX + (size_t)wire_read_u16(stream->reply);
}

static void receive(struct run *run, struct stream *stream)
{
    while (stream->received < wanted(stream)) {
        if (wanted(stream) > REPLY_ROOM) {
            lose(run, stream);
            return;
        }
        ssize_t n = recv(stream->fd, stream->reply + stream->received,
                         wanted(stream) - stream->received, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            lose(run, stream);
            return;
        }
        stream->received += (size_t)n;
    }
    take_reply(run, stream);
}

/* --- all of them ---------------------------------------------------------------------- */

/* Queries of flow number `flow`: one at least. */
static uint64_t share_of(const struct traffic *traffic, unsigned flow)
{
    uint64_t share = traffic->queries / traffic->flows + (flow < traffic->queries % traffic->flows);

    return share > 0 ? share : 1;
}

static bool open_stream(struct run *run, struct stream *stream, char error[TRAFFIC_ERROR_MAX])
{
    const struct traffic *traffic = run->traffic;
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = stream};

    if (traffic->by_cpu)
        cpus_enter(&run->cpus, run->opened, traffic->flows);
    stream->fd =
        socket(traffic->server->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    stream->connected = false;
    stream->left = share_of(traffic, run->opened++);
    stream->sent_at = traffic_clock();
    if (stream->fd < 0 ||
        (connect(stream->fd, &traffic->server->any, address_length(traffic->server)) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(run->epoll, EPOLL_CTL_ADD, stream->fd, &event) != 0) {
        snprintf(error, TRAFFIC_ERROR_MAX, "no connection: %s", strerror(errno));
        return false;
    }
    run->open++;
    return true;
}

/* Opens as many connections as may be open at once. */
static bool fill(struct run *run, char error[TRAFFIC_ERROR_MAX])
{
    for (unsigned i = 0; i < TRAFFIC_WINDOW; i++) {
        if (run->opened == run->traffic->flows ||
            traffic_is_time_up(run->traffic, run->started, traffic_clock()))
            return true;
        if (run->streams[i].fd < 0 && !open_stream(run, &run->streams[i], error))
            return false;
    }
    return true;
}

static void expire(struct run *run)
{
    const uint64_t patience = (uint64_t)TRAFFIC_PATIENCE_MS * 1000000;
    uint64_t now = traffic_clock();

    for (unsigned i = 0; i < TRAFFIC_WINDOW; i++)
        if (run->streams[i].fd >= 0 && now - run->streams[i].sent_at > patience)
            lose(run, &run->streams[i]);
}

static void serve(struct run *run)
{
    struct epoll_event events[TRAFFIC_WINDOW];
    int n = epoll_wait(run->epoll, events, TRAFFIC_WINDOW, TICK_MS);

    for (int i = 0; i < n; i++) {
        struct stream *stream = events[i].data.ptr;
        if (stream->connected)
            receive(run, stream);
        else
            begin(run, stream);
    }
}

static bool exchange(struct run *run, char error[TRAFFIC_ERROR_MAX])
{
    bool working = true;

    run->started = run->last_answer = traffic_clock();
    while ((working = fill(run, error)) && run->open > 0 && !interrupt_came()) {
        traffic_tell(run->traffic, run->tally, run->started);
        serve(run);
        expire(run);
    }
    run->tally->seconds = (double)(run->last_answer - run->started) / 1e9;
    return working;
}

bool streams_run(const struct traffic *traffic, struct traffic_tally *tally,
                 char error[TRAFFIC_ERROR_MAX])
{
    static struct run run;

    memset(tally, 0, sizeof *tally);
    run = (struct run){.traffic = traffic, .tally = tally, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    for (unsigned i = 0; i < TRAFFIC_WINDOW; i++)
        run.streams[i].fd = -1;
    cpus_start(&run.cpus);
    bool done = exchange(&run, error);
    cpus_finish(&run.cpus);
    for (unsigned i = 0; i < TRAFFIC_WINDOW; i++)
        if (run.streams[i].fd >= 0)
            close(run.streams[i].fd);
    close(run.epoll);
    return done;
}
