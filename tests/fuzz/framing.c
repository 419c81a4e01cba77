/*
 * DNS over TCP (query/tcp.c): whatever is sent, in whatever pieces, each whole message that
 * answer() has a reply to gets just that reply, behind its length, in the order they came; nothing
 * else is sent; and the connection ends when its client is done, or gone.
 *
 * Input: three octets that choose (enum choice; where the stream is cut; how often the rest is
 * repeated), then what is sent. The connection is accepted from a Unix socket, for speed; accept4()
 * is wrapped to tell where the client would be.
 */
#include "server/query/framing.h"

#include "fuzz.h"
#include "message/wire.h"
#include "pieces.h"
#include "queries.h"
#include "server/query/tcp.h"

#include "../unit/tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD = 3, REPEATS_MAX = 20, STREAM_MAX = REPEATS_MAX * FUZZ_INPUT_MAX };

enum choice {
    CHOOSES_IPV6 = 1,
    CHOOSES_NARROW = 2,  /* the kernel takes few octets of a reply at a time */
    CHOOSES_SLOW = 4,    /* the client reads nothing before it has sent all it can */
    CHOOSES_LEAVING = 8, /* the client leaves amid it all */
    CHOOSES_KEEPALIVE = 16,
    CHOOSES_NSID = 32,
    CHOOSES_COOKIES = 64,
    CHOOSES_ACCESS = 128,
};

enum {
    RECEIVED_MAX = 1 << 20, /* more than that from one input shows nothing new */
    READ_AT_ONCE = 1 << 16,
    NARROW = 1, /* what the kernel makes the least it can of */

    /* Turns of the event loop in which nothing need be seen of what it does. */
    IDLE_TURNS_MAX = 64,
};

const unsigned fuzz_rounds = 2000;

static struct {
    struct sealed_table sealed;
    struct ev_loop *loop;
    struct sockaddr_un address;
    socklen_t address_length;
    struct slot_memory *memory;
    struct answer_settings settings;
    struct tcp *tcp;
    uint8_t choice; /* of the input being tried */
} server;

int __real_accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);

int __wrap_accept4(int socket, struct sockaddr *address, socklen_t *length, int flags)
{
    const int narrow = NARROW;
    union address peer = {.v4 = {.sin_family = AF_INET}};
    int fd = __real_accept4(socket, NULL, NULL, flags);

    peer.v4.sin_addr.s_addr = htonl(0xc0000201);
    if ((server.choice & CHOOSES_IPV6) != 0)
        peer.v6 =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    FUZZ_ASSERT(*length >= sizeof peer);
    memcpy(address, &peer, sizeof peer);
    *length = address_length(&peer);
    if (fd >= 0 && (server.choice & CHOOSES_NARROW) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &narrow, sizeof narrow);
    return fd;
}

/* --- the server ------------------------------------------------------------------------------ */

static int listen_anywhere(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    server.address.sun_family = AF_UNIX;
    server.address_length = sizeof server.address;
    FUZZ_ASSERT(bind(fd, (struct sockaddr *)&server.address, sizeof(sa_family_t)) == 0);
    FUZZ_ASSERT(listen(fd, 1) == 0);
    FUZZ_ASSERT(getsockname(fd, (struct sockaddr *)&server.address, &server.address_length) == 0);
    return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const zones[] = {
        SOURCE_DIRECTORY "/zones",
        SOURCE_DIRECTORY "/tests/fuzz/zones",
        SOURCE_DIRECTORY "/tests/zones/unsigned/rrset-huge.test.zone",
    };
    static struct protection protection = {.tcp_connections = 2, .tcp_idle = 10};
    static struct listener_sockets sockets = {.udp = -1};
    static struct answer_recent recent;
    size_t size = slot_memory_size(1);

    (void)argc;
    (void)argv;
    tables_load(&server.sealed, zones, sizeof zones / sizeof zones[0]);
    queries_learn(&server.sealed.table);
    sockets.tcp = listen_anywhere();
    server.loop = ev_loop_new(EVFLAG_AUTO);
    server.memory = aligned_alloc(64, (size + 63) / 64 * 64);
    FUZZ_ASSERT(server.loop != NULL && server.memory != NULL);
    memset(server.memory, 0, size);
    server.settings = (struct answer_settings){
        .table = &server.sealed.table, .udp_payload_max = 1232, .recent = &recent};
    server.tcp = tcp_start(server.loop, &sockets, 1, server.memory, &server.settings, &protection,
                           NULL);
    FUZZ_ASSERT(server.tcp != NULL);
    return 0;
}

static void choose_settings(uint8_t choice)
{
    static const struct cookie_secrets secrets = {.count = 2};
    static const struct access_list nobody;
    static const struct access access = {.others = &nobody};
    static const uint8_t nsid[] = "worker 3";

    server.choice = choice;
    server.settings.keepalive = (choice & CHOOSES_KEEPALIVE) != 0 ? 100 : 0;
    server.settings.nsid = (choice & CHOOSES_NSID) != 0 ? nsid : NULL;
    server.settings.nsid_length = sizeof nsid - 1;
    server.settings.cookies = (choice & CHOOSES_COOKIES) != 0 ? &secrets : NULL;
    server.settings.access = (choice & CHOOSES_ACCESS) != 0 ? &access : NULL;
}

/* --- inputs that get far --------------------------------------------------------------------- */

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    enum { QUERY_ROOM = 600 };
    size_t length = HEAD;

    input[0] = (uint8_t)fuzz_below(random, 256);
    input[1] = (uint8_t)fuzz_below(random, 256);
    input[2] = fuzz_below(random, 8) == 0 ? (uint8_t)fuzz_below(random, 256) : 0;
    for (uint32_t left = 1 + fuzz_below(random, 8);
         left > 0 && length + FRAMING_PREFIX + QUERY_ROOM <= FUZZ_INPUT_MAX; left--) {
        size_t query = queries_make(random, input + length + FRAMING_PREFIX, QUERY_ROOM);
        uint32_t odd = fuzz_below(random, 40);
        size_t told = odd == 0 ? fuzz_below(random, 65536) : query;
        wire_write_u16(input + length, (uint16_t)told);
        length += FRAMING_PREFIX + (odd == 1 ? fuzz_below(random, (uint32_t)query + 1) : query);
    }
    return length;
}

/* --- what is to come ------------------------------------------------------------------------- */

/* Replies that are due, made as they are needed. */
struct due {
    const struct client client;
    const uint8_t *next; /* of the stream: behind the messages that were replied to */
    size_t left;         /* from there */
    uint8_t reply[FRAMING_ROOM];
    size_t reply_length;
    size_t reply_compared;
};

/* Makes the next reply; false if no more is due. */
static bool make_reply(struct due *due)
{
    struct answer_settings settings = server.settings;
    struct answer_report report;

    settings.recent = NULL;
    due->reply_length = due->reply_compared = 0;
    while (due->reply_length == 0) {
        size_t length = due->left >= FRAMING_PREFIX ? wire_read_u16(due->next) : 0;
        if (due->left < FRAMING_PREFIX || due->left - FRAMING_PREFIX < length)
            return false;
        size_t reply = answer(&settings, &due->client, due->next + FRAMING_PREFIX, length,
                              due->reply + FRAMING_PREFIX, WIRE_MESSAGE_MAX, &report);
        wire_write_u16(due->reply, (uint16_t)reply);
        due->reply_length = reply > 0 ? FRAMING_PREFIX + reply : 0;
        due->next += FRAMING_PREFIX + length;
        due->left -= FRAMING_PREFIX + length;
    }
    return true;
}

static void compare(struct due *due, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        if (due->reply_compared == due->reply_length)
            FUZZ_ASSERT(make_reply(due));
        size_t part = due->reply_length - due->reply_compared;
        if (part > length)
            part = length;
        FUZZ_ASSERT(memcmp(due->reply + due->reply_compared, octets, part) == 0);
        due->reply_compared += part;
        octets += part;
        length -= part;
    }
}

/* --- the client ------------------------------------------------------------------------------ */

struct visit {
    int socket;
    struct pieces pieces;
    struct due *due;
    size_t received;
    bool was_told; /* the server that nothing more comes */
    bool ended;    /* the server has closed the connection */
};

/* Reads what has come; returns the number of octets. */
static size_t receive(struct visit *visit)
{
    static uint8_t octets[READ_AT_ONCE];
    ssize_t length = recv(visit->socket, octets, sizeof octets, MSG_DONTWAIT);

    if (length < 0) {
        FUZZ_ASSERT(errno == EAGAIN || errno == EINTR || errno == ECONNRESET);
        visit->ended = errno == ECONNRESET;
        return 0;
    }
    visit->ended = length == 0;
    compare(visit->due, octets, (size_t)length);
    visit->received += (size_t)length;
    return (size_t)length;
}

/* Sends, has the server do its turn, reads. Has anything happened that the client sees? */
static bool take_turn(struct visit *visit)
{
    size_t sent = pieces_send(&visit->pieces, visit->socket);
    size_t received = 0;

    if (visit->pieces.left == 0 && !visit->was_told) {
        FUZZ_ASSERT(shutdown(visit->socket, SHUT_WR) == 0);
        visit->was_told = true;
        sent++;
    }
    ev_run(server.loop, EVRUN_NOWAIT);
    if (sent == 0 || (server.choice & CHOOSES_SLOW) == 0)
        received = receive(visit);
    return sent > 0 || received > 0;
}

/* Until the server ends the connection, which it does once all is answered; or the client leaves.
 */
static void converse(struct visit *visit)
{
    size_t leaves_at = (server.choice & CHOOSES_LEAVING) != 0 ? visit->pieces.left / 2 : 0;
    unsigned idle_turns = 0;

    while (!visit->ended && visit->received < RECEIVED_MAX &&
           (leaves_at == 0 || visit->pieces.left > leaves_at)) {
        idle_turns = take_turn(visit) ? 0 : idle_turns + 1;
        FUZZ_ASSERT(idle_turns <= IDLE_TURNS_MAX);
    }
    if (!visit->ended)
        return;
    FUZZ_ASSERT(visit->was_told && visit->due->reply_compared == visit->due->reply_length);
    FUZZ_ASSERT(!make_reply(visit->due));
}

static struct client client_of(uint8_t choice)
{
    struct client client = {.transport = TRANSPORT_TCP, .length = 4, .address = {192, 0, 2, 1}};

    if ((choice & CHOOSES_IPV6) != 0)
        client = (struct client){.transport = TRANSPORT_TCP, .length = 16, .address = {[15] = 1}};
    return client;
}

static void visit_server(uint8_t seed, const uint8_t *stream, size_t length)
{
    struct due due = {.client = client_of(server.choice), .next = stream, .left = length};
    struct visit visit = {.due = &due};

    visit.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_ASSERT(connect(visit.socket, (struct sockaddr *)&server.address, server.address_length) ==
                0);
    pieces_start(&visit.pieces, seed, stream, length);
    converse(&visit);
    close(visit.socket);
    ev_run(server.loop, EVRUN_NOWAIT);
    for (unsigned turns = 0; tcp_has_connections(server.tcp); turns++) {
        FUZZ_ASSERT(turns <= IDLE_TURNS_MAX);
        ev_run(server.loop, EVRUN_NOWAIT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    static uint8_t stream[STREAM_MAX];

    if (length < HEAD)
        return 0;
    size_t once = length - HEAD;
    if (once > FUZZ_INPUT_MAX)
        once = FUZZ_INPUT_MAX;
    unsigned repeats = 1 + input[2] % REPEATS_MAX;
    for (unsigned i = 0; i < repeats; i++)
        memcpy(stream + i * once, input + HEAD, once);
    choose_settings(input[0]);
    visit_server(input[1], stream, repeats * once);
    return 0;
}
