#include "flow.h"

#include "message/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECEIVE_BUFFER = 8 << 20, FLAG_QR = 0x80, FLAG_TC = 0x02, RCODE_MASK = 0x0F };

/* One thread drives all flows, so one set of buffers serves them. */
static struct mmsghdr received[FLOW_WIDTH];
static struct iovec received_vector[FLOW_WIDTH];
static uint8_t reply[FLOW_WIDTH][FLOW_REPLY_MAX + 64];

uint64_t flow_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool flow_open(struct flow *flow, uint16_t port, unsigned window)
{
    const struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int size = RECEIVE_BUFFER;

    *flow = (struct flow){.window = window, .free_count = window};
    flow->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (flow->socket < 0)
        return false;
    if (setsockopt(flow->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(flow->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (unsigned i = 0; i < window; i++) {
        flow->free[i] = (uint16_t)(window - 1 - i);
        flow->slot[i].id = (uint16_t)i;
    }
    for (unsigned i = 0; i < FLOW_WIDTH; i++) {
        received_vector[i] = (struct iovec){reply[i], FLOW_REPLY_MAX};
        received[i].msg_hdr = (struct msghdr){.msg_iov = &received_vector[i], .msg_iovlen = 1};
    }
    return connect(flow->socket, (const struct sockaddr *)&server, sizeof server) == 0;
}

void flow_close(struct flow *flow)
{
    close(flow->socket);
}

struct flow_slot *flow_prepare(struct flow *flow, const struct questions *questions,
                               uint32_t number, uint64_t since)
{
    struct flow_slot *slot = &flow->slot[flow->free[--flow->free_count]];

    slot->length = (uint16_t)questions_write(questions, number, slot->query);
    slot->id = (uint16_t)(slot->id + flow->window); /* the slot is the ID modulo the window */
    wire_write_u16(slot->query, slot->id);
    slot->since = since;
    return slot;
}

void flow_send(struct flow *flow, struct flow_slot *const *slots, unsigned count,
               struct flow_counts *counts)
{
    struct mmsghdr message[FLOW_WIDTH];
    struct iovec vector[FLOW_WIDTH];

    for (unsigned i = 0; i < count; i++) {
        vector[i] = (struct iovec){slots[i]->query, slots[i]->length};
        message[i].msg_hdr = (struct msghdr){.msg_iov = &vector[i], .msg_iovlen = 1};
    }
    for (unsigned sent = 0; sent < count;) {
        int n = sendmmsg(flow->socket, message + sent, count - sent, 0);
        if (n > 0)
            sent += (unsigned)n;
        else if (errno == ECONNREFUSED)
            counts->refused++; /* for an earlier one; this one has not been tried */
        else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS)
            break; /* what was not sent is lost in time */
    }
    counts->sent += count;
}

static void release(struct flow *flow, struct flow_slot *slot)
{
    slot->since = 0;
    flow->free[flow->free_count++] = (uint16_t)(slot - flow->slot);
}

/* Is this the answer to what the slot asks? A responder may leave the question out of an error. */
static bool is_answer(const struct flow_slot *slot, const uint8_t *message, size_t length)
{
    size_t question = slot->length - WIRE_HEADER_SIZE;

    if (slot->query[11] != 0)
        question -= 11; /* without OPT */
    if (slot->since == 0 || slot->id != wire_read_u16(message) || (message[2] & FLAG_QR) == 0)
        return false;
    if (wire_read_u16(message + 4) == 0)
        return (message[3] & RCODE_MASK) != 0;
    return length >= WIRE_HEADER_SIZE + question &&
           memcmp(message + WIRE_HEADER_SIZE, slot->query + WIRE_HEADER_SIZE, question) == 0;
}

unsigned flow_receive(struct flow *flow, struct flow_counts *counts, flow_answered *answered,
                      void *context)
{
    int n = recvmmsg(flow->socket, received, FLOW_WIDTH, MSG_DONTWAIT, NULL);

    if (n <= 0) {
        counts->refused += n < 0 && errno == ECONNREFUSED;
        return 0;
    }
    uint64_t now = flow_clock();
    for (int i = 0; i < n; i++) {
        const uint8_t *message = reply[i];
        size_t length = received[i].msg_len;
        struct flow_slot *slot = &flow->slot[wire_read_u16(message) % flow->window];
        if (length < WIRE_HEADER_SIZE || !is_answer(slot, message, length)) {
            counts->strange++;
            continue;
        }
        counts->answered++;
        counts->octets += length;
        counts->truncated += (message[2] & FLAG_TC) != 0;
        counts->rcode[message[3] & RCODE_MASK]++;
        if (answered != NULL)
            answered(context, slot->since, now);
        release(flow, slot);
    }
    return (unsigned)n;
}

void flow_expire(struct flow *flow, uint64_t then, struct flow_counts *counts)
{
    for (unsigned i = 0; i < flow->window; i++) {
        struct flow_slot *slot = &flow->slot[i];
        if (slot->since != 0 && slot->since < then) {
            counts->lost++;
            release(flow, slot);
        }
    }
}
