#include "server/query/tcp.h"

#include "message/wire.h"
#include "server/protection/networks.h"
#include "server/query/framing.h"
#include "server/query/transfers.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* New connections a turn, so that a flood of them lets UDP have its turn too. */
    ACCEPTS_A_TURN = 16,

    FRAME_MAX = FRAMING_PREFIX + WIRE_MESSAGE_MAX,

    /* Answers are gathered until the largest would not fit any more, and sent at once. */
    OUTPUT_ROOM = 2 * FRAME_MAX,

    PAGE = 4096,
    INPUT_PAGES = (FRAMING_ROOM + PAGE - 1) / PAGE,
    OUTPUT_PAGES = (OUTPUT_ROOM + PAGE - 1) / PAGE,
    BUFFER_SIZE = (INPUT_PAGES + OUTPUT_PAGES) * PAGE,
};

/* Seconds from one answered query (or the connection's start) to the next, once the worker retires.
 * Trickling in a query does not prolong it, nor do messages that get no answer. */
static const ev_tstamp idle_limit_retiring = 1;
/* By what --tcp-idle is divided while more than half the places are taken. */
static const ev_tstamp haste_when_crowded = 4;
/* Seconds for which a connection keeps its place whoever comes, so that it can ask. */
static const ev_tstamp young_limit = 1;
/* Seconds a client may take to read the answers that are waiting for it. */
static const ev_tstamp write_limit = 10;
/* Seconds without accepting after the kernel had no descriptor or memory for a connection. */
static const ev_tstamp accept_pause = 0.1;

struct connection {
    ev_io io;
    ev_timer limit;
    struct tcp *tcp;
    struct client client;
    struct network *network;
    ev_tstamp accepted_at;
    ev_tstamp answered_at;            /* all that it had asked, last; at first, accepted */
    struct counters_traffic *traffic; /* of the address it came to */
    struct connection *next_free;
    struct framing input;
    uint8_t *output;
    size_t output_start;
    size_t output_end;
    struct outgoing *transfer; /* under way; NULL: none */
    bool input_ended;          /* the client has sent all it will */
    bool was_answered;         /* since the limit was last set */
    bool has_spilled;          /* over the first page of a buffer */
};

struct acceptor {
    ev_io readable;
    ev_timer pause;
    struct tcp *tcp;
    struct counters_traffic *traffic;
};

struct tcp {
    struct ev_loop *loop; /* the worker's: of timers */
    /* Of connections, which may be thousands: an epoll, embedded in the worker's loop. Nothing that
     * other processes hold may be in there: epoll watches that on after it is closed here, and
     * libev then makes another epoll, of which the loop around it is not told. */
    struct ev_loop *sockets;
    ev_embed embedded;
    struct slot_memory *memory;
    struct answer_settings *settings; /* secrets and time are brought up to date */
    const struct protection *protection;
    struct tap *tap; /* NULL: nobody is told */
    struct acceptor *acceptors;
    size_t acceptor_count;
    unsigned connection_count;
    struct connection *free;
    struct connection *connections; /* protection->tcp_connections of them */
    struct networks networks;
    struct transfers transfers;
    bool retiring;
    bool finishing;
};

/* --- what a connection waits for ------------------------------------------- */

static bool has_output(const struct connection *connection)
{
    return connection->output_start < connection->output_end;
}

static void watch(struct connection *connection, int events)
{
    struct ev_loop *sockets = connection->tcp->sockets;

    if ((connection->io.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(sockets, &connection->io);
    ev_io_modify(&connection->io, events);
    ev_io_start(sockets, &connection->io);
}

static void set_limit(struct connection *connection, ev_tstamp seconds)
{
    connection->limit.repeat = seconds;
    ev_timer_again(connection->tcp->loop, &connection->limit);
}

/* Seconds that a client has for its next query. */
static ev_tstamp idle_limit(const struct tcp *tcp)
{
    ev_tstamp seconds = tcp->protection->tcp_idle;

    if (tcp->retiring)
        return idle_limit_retiring;
    return tcp->connection_count > tcp->protection->tcp_connections / 2
               ? seconds / haste_when_crowded
               : seconds;
}

/* Gives what a large message has taken back to the kernel. */
static void release_buffers(struct connection *connection)
{
    if (!connection->has_spilled)
        return;
    madvise(connection->input.octets + PAGE, (INPUT_PAGES - 1) * PAGE, MADV_DONTNEED);
    madvise(connection->output + PAGE, (OUTPUT_PAGES - 1) * PAGE, MADV_DONTNEED);
}

static void change_connection_count(struct tcp *tcp, int by)
{
    tcp->connection_count += (unsigned)by;
    atomic_store_explicit(&tcp->memory->counters.tcp_open, tcp->connection_count,
                          memory_order_relaxed);
}

static void end_transfer(struct connection *connection)
{
    if (connection->transfer != NULL)
        transfers_end(&connection->tcp->transfers, connection->transfer);
    connection->transfer = NULL;
}

static void close_connection(struct connection *connection)
{
    struct tcp *tcp = connection->tcp;

    end_transfer(connection);
    ev_io_stop(tcp->sockets, &connection->io);
    ev_timer_stop(tcp->loop, &connection->limit);
    close(connection->io.fd);
    release_buffers(connection);
    change_connection_count(tcp, -1);
    networks_remove(&tcp->networks, connection->network);
    connection->next_free = tcp->free;
    tcp->free = connection;
}

/* Is there something to be done without the client doing anything? */
static bool has_answers_due(const struct connection *connection)
{
    return connection->transfer != NULL || framing_has_message(&connection->input);
}

/* Decides what comes next once a turn's work on a connection is done. */
static void settle(struct connection *connection)
{
    bool answers_due = has_answers_due(connection);

    if (!has_output(connection) && !answers_due &&
        (connection->input_ended || connection->tcp->finishing)) {
        close_connection(connection);
        return;
    }
    if (has_output(connection) || answers_due) {
        watch(connection, EV_WRITE);
        return;
    }
    watch(connection, EV_READ);
    if (connection->was_answered) {
        connection->was_answered = false;
        connection->answered_at = ev_now(connection->tcp->loop);
        set_limit(connection, idle_limit(connection->tcp));
    }
}

/* --- output ------------------------------------------------------------------ */

/* Sends what waits; false if the connection is broken. */
static bool send_output(struct connection *connection)
{
    while (has_output(connection)) {
        ssize_t n =
            send(connection->io.fd, connection->output + connection->output_start,
                 connection->output_end - connection->output_start, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            connection->output_start += (size_t)n;
        else if (errno == EAGAIN)
            return true;
        else if (errno != EINTR)
            return false;
    }
    connection->output_start = connection->output_end = 0;
    return true;
}

/* --- answers ----------------------------------------------------------------- */

static void note_query(struct slot_tcp_query *noted, uint32_t address, const uint8_t *query,
                       size_t length)
{
    size_t copied = length < SLOT_TCP_QUERY_MAX ? length : SLOT_TCP_QUERY_MAX;

    noted->address = address;
    memcpy(noted->octets, query, copied);
    batch_write(&noted->length, (uint32_t)copied);
}

static void put_frame(struct connection *connection, uint8_t *frame, size_t length)
{
    wire_write_u16(frame, (uint16_t)length);
    connection->output_end += FRAMING_PREFIX + length;
    connection->was_answered = true;
}

/* Writes a message of it into the output, if it can. */
static size_t write_transfer(struct connection *connection)
{
    struct transfer *transfer = &connection->transfer->transfer;
    struct slot_tcp_query *noted = &connection->tcp->memory->tcp_query;
    uint8_t *frame = connection->output + connection->output_end;

    note_query(noted, SLOT_TCP_COUNTED, transfer->query,
               WIRE_HEADER_SIZE + (size_t)transfer->question_length);
    size_t n = transfer_next(transfer, connection->tcp->settings->now, frame + FRAMING_PREFIX);
    batch_write(&noted->length, 0);
    if (n > 0)
        put_frame(connection, frame, n);
    return n;
}

/* Writes the next message of the transfer that is under way. Returns its length; 0: it cannot, or
 * must not, go on. */
static size_t continue_transfer(struct connection *connection)
{
    struct tcp *tcp = connection->tcp;

    if (transfers_is_overdue(connection->transfer, tcp->settings->table->base,
                             clock_nanoseconds())) {
        counters_add(&tcp->memory->counters.tcp_timeouts, 1);
        return 0;
    }
    size_t n = write_transfer(connection);
    connection->transfer->sent += n;
    if (n == 0 || transfer_has_ended(&connection->transfer->transfer))
        end_transfer(connection);
    return n;
}

/* It takes the place of a slow one if there is no other. */
static size_t begin_transfer(struct connection *connection, const uint8_t *query, size_t length)
{
    struct tcp *tcp = connection->tcp;
    const struct outgoing like = {
        .network = connection->network, .carrier = connection, .started = clock_nanoseconds()};
    struct outgoing *leaver = transfers_find_leaver(&tcp->transfers, like.network, like.started);

    if (leaver != NULL) {
        counters_add(&tcp->memory->counters.tcp_timeouts, 1);
        close_connection(leaver->carrier);
    }
    connection->transfer =
        transfers_begin(&tcp->transfers, &like, tcp->settings, &connection->client, query, length);
    return continue_transfer(connection);
}

static void answer_one(struct connection *connection, const uint8_t *query, size_t length)
{
    struct tcp *tcp = connection->tcp;
    uint8_t *frame = connection->output + connection->output_end;
    struct answer_report report;

    note_query(&tcp->memory->tcp_query, slot_memory_address(tcp->memory, connection->traffic),
               query, length);
    tcp->settings->keepalive = (uint16_t)(10 * idle_limit(tcp));
    tcp->settings->transfers_busy =
        !transfers_have_room(&tcp->transfers, connection->network, clock_nanoseconds());
    size_t n = answer(tcp->settings, &connection->client, query, length, frame + FRAMING_PREFIX,
                      WIRE_MESSAGE_MAX, &report);
    batch_write(&tcp->memory->tcp_query.length, 0);
    counters_add(&connection->traffic->tcp_queries, 1);
    if (n > 0)
        put_frame(connection, frame, n);
    else if (report.kind == ANSWER_TRANSFER)
        n = begin_transfer(connection, query, length);
    counters_answered(&tcp->memory->counters, &report, length, n);
    if (n > 0)
        counters_add(&connection->traffic->tcp_responses, 1);
    if (tcp->tap != NULL)
        tap_stream(tcp->tap, connection->io.fd, query, length, frame + FRAMING_PREFIX, n);
}

/* Answers as many of the messages that have arrived as are sure to find room; but of a transfer it
 * is one message, and what comes behind its question waits. False if a transfer cannot go on. */
static bool answer_input(struct connection *connection)
{
    const uint8_t *query;
    size_t length;

    tap_received(connection->tcp->tap);
    protection_refresh(connection->tcp->protection, connection->tcp->settings);
    if (connection->transfer != NULL && continue_transfer(connection) == 0)
        return false;
    while (connection->transfer == NULL && OUTPUT_ROOM - connection->output_end >= FRAME_MAX &&
           (query = framing_next(&connection->input, &length)) != NULL)
        answer_one(connection, query, length);
    connection->has_spilled |= connection->input.end > PAGE || connection->output_end > PAGE;
    counters_add(&connection->tcp->memory->counters.heartbeat, 1);
    return true;
}

/* --- events ------------------------------------------------------------------ */

/* One read, if it is time for one; false if the connection is broken. */
static bool read_input(struct connection *connection)
{
    size_t room;
    uint8_t *at = framing_room(&connection->input, &room);
    ssize_t n = recv(connection->io.fd, at, room, MSG_DONTWAIT);

    if (n > 0)
        framing_add(&connection->input, (size_t)n);
    else if (n == 0)
        connection->input_ended = true;
    else
        return errno == EAGAIN || errno == EINTR;
    return true;
}

/* A turn: read once or send what waits, answer one buffer full, and let the others have theirs. */
static void serve_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct connection *connection = watcher->data;
    bool drained = false;

    (void)loop;
    bool sound = (events & EV_READ) != 0 ? read_input(connection) : send_output(connection);
    if (sound && !has_output(connection)) {
        drained = true;
        sound = answer_input(connection) && send_output(connection);
    }
    if (!sound) {
        close_connection(connection);
        return;
    }
    if (drained && (has_output(connection) || connection->transfer != NULL))
        set_limit(connection, write_limit);
    settle(connection);
}

static void limit_reached(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct connection *connection = watcher->data;

    (void)loop;
    (void)events;
    counters_add(&connection->tcp->memory->counters.tcp_timeouts, 1);
    close_connection(connection);
}

/* The connection of that network whose last answer is longest ago. */
static struct connection *idlest_of(struct tcp *tcp, const struct network *network)
{
    struct connection *idlest = NULL;

    for (size_t i = 0; i < tcp->protection->tcp_connections; i++) {
        struct connection *connection = &tcp->connections[i];
        if (ev_is_active(&connection->io) && connection->network == network &&
            (idlest == NULL || connection->answered_at < idlest->answered_at))
            idlest = connection;
    }
    return idlest;
}

/* The clock may be set back: then nothing is recent, lest everything is. */
static bool is_recent(ev_tstamp now, ev_tstamp then, ev_tstamp limit)
{
    return now >= then && now - then < limit;
}

/* Does the client still make good use of its place? But one that never has read all its answers is
 * as idle as one that asks nothing, and so is a slow transfer. */
static bool is_spared(const struct connection *connection, ev_tstamp now)
{
    bool at_work = has_output(connection) || framing_has_message(&connection->input);

    if (connection->transfer != NULL)
        return !transfers_is_slow(connection->transfer, clock_nanoseconds(),
                                  TRANSFERS_PLACE_SECONDS);
    return is_recent(now, connection->accepted_at, young_limit) ||
           (at_work && is_recent(now, connection->answered_at, write_limit));
}

/* Of the connections of `own` network and those with more than it has, the one whose last answer is
 * longest ago. NULL: all are spared. */
static struct connection *idlest_for(struct tcp *tcp, const struct network *own)
{
    unsigned count = own != NULL ? own->connections : 0;
    struct connection *idlest = NULL;
    ev_tstamp now = ev_now(tcp->loop);

    for (size_t i = 0; i < tcp->protection->tcp_connections; i++) {
        struct connection *connection = &tcp->connections[i];
        if (ev_is_active(&connection->io) &&
            (connection->network == own || connection->network->connections > count) &&
            (idlest == NULL || connection->answered_at < idlest->answered_at) &&
            !is_spared(connection, now))
            idlest = connection;
    }
    return idlest;
}

/*
 * Whose place does one more connection of the network get (NULL: it has none), now that all are
 * taken? NULL: nobody's. A network with clearly fewer than another gets one of the other's at once,
 * so that no network can keep the others out. And a place is not kept by asking now and then, so
 * that no crowd of networks can.
 */
static struct connection *who_makes_room(struct tcp *tcp, const struct network *own)
{
    const struct network *heaviest = networks_heaviest(&tcp->networks);

    if (heaviest->connections > (own != NULL ? own->connections : 0) + 1)
        return idlest_of(tcp, heaviest);
    return idlest_for(tcp, own);
}

/* Is there a place for one more connection of the network, if need be another's? */
static bool has_place(struct tcp *tcp, const struct network *own)
{
    unsigned most = tcp->protection->tcp_per_network;

    if (most != 0 && own != NULL && own->connections >= most)
        return false;
    if (tcp->free != NULL)
        return true;
    struct connection *leaver = who_makes_room(tcp, own);
    if (leaver == NULL)
        return false;
    counters_add(&tcp->memory->counters.tcp_turned_away, 1);
    close_connection(leaver);
    return true;
}

static void serve_newcomer(struct acceptor *acceptor, int fd, const struct client *client)
{
    struct tcp *tcp = acceptor->tcp;
    struct connection *connection = tcp->free;
    const int on = 1;

    tcp->free = connection->next_free;
    change_connection_count(tcp, 1);
    connection->traffic = acceptor->traffic;
    connection->client = *client;
    connection->network = networks_add(&tcp->networks, client);
    connection->accepted_at = connection->answered_at = ev_now(tcp->loop);
    /* Answers are sent as many at a time as there are; the kernel need not wait for more. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    framing_init(&connection->input, connection->input.octets);
    connection->output_start = connection->output_end = 0;
    connection->transfer = NULL;
    connection->input_ended = false;
    connection->was_answered = connection->has_spilled = false;
    ev_io_init(&connection->io, serve_connection, fd, EV_READ);
    ev_init(&connection->limit, limit_reached);
    connection->io.data = connection->limit.data = connection;
    ev_io_start(tcp->sockets, &connection->io);
    set_limit(connection, idle_limit(tcp));
}

static void open_connection(struct acceptor *acceptor, int fd, const union address *peer)
{
    struct tcp *tcp = acceptor->tcp;
    struct client client;

    counters_add(&tcp->memory->counters.tcp_connections, 1);
    address_to_client(peer, TRANSPORT_TCP, &client);
    if (has_place(tcp, networks_find(&tcp->networks, &client))) {
        serve_newcomer(acceptor, fd, &client);
        return;
    }
    counters_add(&tcp->memory->counters.tcp_turned_away, 1);
    close(fd);
}

static void accept_connections(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct acceptor *acceptor = watcher->data;

    (void)events;
    for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
        union address peer;
        socklen_t length = sizeof peer;
        int fd = accept4(watcher->fd, &peer.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (i == 0)
            counters_wakeup(&acceptor->tcp->memory->counters, fd < 0 && errno == EAGAIN);
        if (fd >= 0) {
            open_connection(acceptor, fd, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The newcomer stays in the kernel's queue, which would wake us again at once. */
            ev_io_stop(loop, watcher);
            ev_timer_again(acceptor->tcp->loop, &acceptor->pause);
            return;
        }
        if (errno == EAGAIN)
            return;
        /* Anything else concerns one connection that is gone already (accept(2)). */
    }
}

static void accept_again(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct acceptor *acceptor = watcher->data;

    (void)events;
    ev_timer_stop(loop, watcher);
    ev_io_start(acceptor->tcp->loop, &acceptor->readable);
}

/* --- start and end ------------------------------------------------------------ */

static void start_acceptor(struct tcp *tcp, struct acceptor *acceptor,
                           struct counters_traffic *traffic, int fd)
{
    acceptor->tcp = tcp;
    acceptor->traffic = traffic;
    ev_io_init(&acceptor->readable, accept_connections, fd, EV_READ);
    ev_init(&acceptor->pause, accept_again);
    acceptor->pause.repeat = accept_pause;
    acceptor->readable.data = acceptor->pause.data = acceptor;
    ev_io_start(tcp->loop, &acceptor->readable);
}

/* Gives every connection its buffers. False: no memory. */
static bool set_up_connections(struct tcp *tcp, size_t count)
{
    uint8_t *buffers = mmap(NULL, count * BUFFER_SIZE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    tcp->connections = calloc(count, sizeof *tcp->connections);
    if (buffers == MAP_FAILED || tcp->connections == NULL)
        return false;
    for (size_t i = count; i-- > 0;) {
        struct connection *connection = &tcp->connections[i];
        connection->tcp = tcp;
        connection->input.octets = buffers + i * BUFFER_SIZE;
        connection->output = connection->input.octets + INPUT_PAGES * PAGE;
        connection->next_free = tcp->free;
        tcp->free = connection;
    }
    return true;
}

struct tcp *tcp_start(struct ev_loop *loop, const struct listener_sockets *sockets, size_t count,
                      struct slot_memory *memory, struct answer_settings *settings,
                      const struct protection *protection, struct tap *tap)
{
    struct tcp *tcp = calloc(1, sizeof *tcp);
    uint64_t seed;

    if (tcp == NULL || getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return NULL;
    *tcp = (struct tcp){.loop = loop,
                        .sockets = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOTIMERFD),
                        .memory = memory,
                        .settings = settings,
                        .protection = protection,
                        .tap = tap,
                        .acceptors = calloc(count, sizeof *tcp->acceptors),
                        .acceptor_count = count};
    if (tcp->sockets == NULL || tcp->acceptors == NULL ||
        !set_up_connections(tcp, protection->tcp_connections) ||
        networks_open(&tcp->networks, protection->tcp_connections, seed) != 0)
        return NULL;
    ev_embed_init(&tcp->embedded, NULL, tcp->sockets);
    ev_embed_start(loop, &tcp->embedded);
    for (size_t i = 0; i < count; i++)
        start_acceptor(tcp, &tcp->acceptors[i], &memory->addresses[i].traffic, sockets[i].tcp);
    return tcp;
}

static bool is_under_way(const struct connection *connection)
{
    return has_output(connection) || connection->transfer != NULL ||
           connection->input.start < connection->input.end;
}

void tcp_retire(struct tcp *tcp)
{
    tcp->retiring = true;
    for (size_t i = 0; i < tcp->protection->tcp_connections; i++) {
        struct connection *connection = &tcp->connections[i];
        if (ev_is_active(&connection->io) && !is_under_way(connection))
            set_limit(connection, idle_limit_retiring);
    }
}

bool tcp_has_connections(const struct tcp *tcp)
{
    return tcp->connection_count > 0;
}

void tcp_leave(struct tcp *tcp)
{
    for (size_t i = 0; i < tcp->acceptor_count; i++) {
        ev_io_stop(tcp->loop, &tcp->acceptors[i].readable);
        ev_timer_stop(tcp->loop, &tcp->acceptors[i].pause);
    }
}

void tcp_finish(struct tcp *tcp)
{
    tcp->finishing = true;
    tcp_leave(tcp);
    for (size_t i = 0; i < tcp->protection->tcp_connections; i++) {
        struct connection *connection = &tcp->connections[i];
        if (!ev_is_active(&connection->io))
            continue;
        if (connection->transfer != NULL)
            close_connection(connection);
        else
            settle(connection);
    }
}

void tcp_leave_table(struct tcp *tcp, const struct sealed_table *table)
{
    transfers_leave_table(&tcp->transfers, table);
}
