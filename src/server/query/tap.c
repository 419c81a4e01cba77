#include "server/query/tap.h"

#include "answer/client.h"
#include "message/wire.h"
#include "server/dnstap/rings.h"

#include <string.h>
#include <sys/socket.h>

void tap_init(struct tap *tap, const struct tap_settings *settings, struct ring *ring,
              const union address *server)
{
    *tap = (struct tap){
        .settings = settings, .ring = ring, .server = server, .until_sample = settings->sample};
}

/* Is it this one's turn? */
static bool is_sampled(struct tap *tap)
{
    if (--tap->until_sample > 0)
        return false;
    tap->until_sample = tap->settings->sample;
    return true;
}

/* What gets no answer for it is none is no query either (enum counters_drop). */
static bool is_query(const uint8_t *octets, size_t length)
{
    return length >= WIRE_HEADER_SIZE && (octets[2] & 0x80) == 0;
}

/* Returns how many octets it has. */
static uint8_t copy_address(uint8_t to[16], in_port_t *port, const union address *from)
{
    struct client client;

    *port = address_port(from);
    address_to_client(from, TRANSPORT_UDP, &client);
    memcpy(to, client.address, client.length);
    return client.length;
}

static void put(struct tap *tap, struct ring_record *record, const uint8_t *query, size_t length,
                const uint8_t *response, size_t response_length)
{
    if (tap->settings->messages != TAP_RESPONSES)
        record->query_length = (uint16_t)length;
    if (tap->settings->messages != TAP_QUERIES)
        record->response_length = (uint16_t)response_length;
    unsigned messages =
        (record->query_length > 0 ? 1u : 0u) + (record->response_length > 0 ? 1u : 0u);
    if (messages > 0 && !ring_put(tap->ring, record, query, response))
        rings_count_dropped(tap->settings->rings, tap->ring, messages);
}

static struct ring_record begin(const struct tap *tap, enum transport transport,
                                const union address *client)
{
    struct ring_record record = {.query_time = tap->received, .transport = (uint8_t)transport};

    record.address_length = copy_address(record.client, &record.client_port, client);
    return record;
}

/* --- datagrams ----------------------------------------------------------------------------- */

/* A wildcard address is not the one that was asked; the kernel has told which was. */
static void set_asked(struct ring_record *record, const struct batch *batch, unsigned i)
{
    struct msghdr header = batch->receive[i].msg_hdr;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c != NULL; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(record->server, &info.ipi_addr, sizeof info.ipi_addr);
            record->server_known = 1;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            address_octets_v6(&info.ipi6_addr, record->server);
            record->server_known = 1;
        }
    }
}

static void put_datagram(struct tap *tap, const struct batch *batch, unsigned i, uint64_t now)
{
    uint8_t fate = atomic_load_explicit(&batch->fate[i], memory_order_relaxed);
    struct ring_record record = begin(tap, TRANSPORT_UDP, &batch->peer[i]);

    record.response_time = now;
    copy_address(record.server, &record.server_port, tap->server);
    record.server_known = !batch->reply_from_asked;
    if (batch->reply_from_asked)
        set_asked(&record, batch, i);
    put(tap, &record, batch->query[i], batch_query_length(batch, i), batch->reply[i],
        fate == BATCH_GIVEN_UP ? 0 : batch->reply_length[i]);
}

void tap_batch(struct tap *tap, const struct batch *batch)
{
    uint64_t now = tap_time();

    for (unsigned i = 0; i < batch->taken; i++)
        if (is_query(batch->query[i], batch_query_length(batch, i)) && is_sampled(tap))
            put_datagram(tap, batch, i, now);
}

/* --- connections ----------------------------------------------------------------------------- */

void tap_stream(struct tap *tap, int fd, const uint8_t *query, size_t length,
                const uint8_t *response, size_t response_length)
{
    union address client = {0}, server = {0};
    socklen_t room = sizeof client, server_room = sizeof server;

    if (!is_query(query, length) || !is_sampled(tap) || getpeername(fd, &client.any, &room) != 0)
        return;
    struct ring_record record = begin(tap, TRANSPORT_TCP, &client);
    record.response_time = tap_time();
    if (getsockname(fd, &server.any, &server_room) == 0) {
        copy_address(record.server, &record.server_port, &server);
        record.server_known = 1;
    }
    put(tap, &record, query, length, response, response_length);
}
