#include "server/query/batch.h"

#include <assert.h>
#include <netinet/udp.h>
#include <string.h>

static enum batch_stage stage_of(const struct batch *batch)
{
    return (enum batch_stage)atomic_load_explicit(&batch->stage, memory_order_relaxed);
}

static void enter(struct batch *batch, enum batch_stage stage)
{
    batch_write(&batch->stage, stage);
}

static enum batch_fate fate_of(const struct batch *batch, unsigned i)
{
    return (enum batch_fate)atomic_load_explicit(&batch->fate[i], memory_order_relaxed);
}

/* Puts entry i of the receiving side back to what recvmmsg is to find. */
static void clear_query(struct batch *batch, unsigned i)
{
    struct mmsghdr *entry = &batch->receive[i];

    entry->msg_len = 0;
    entry->msg_hdr.msg_namelen = sizeof batch->peer[i];
    entry->msg_hdr.msg_controllen = batch->reply_from_asked ? BATCH_CONTROL_MAX : 0;
    entry->msg_hdr.msg_flags = 0;
    batch_decide(batch, i, BATCH_PENDING);
}

/* The pointers are the same for every worker, so this changes nothing but what a crash has damaged.
 */
static void point_headers(struct batch *batch)
{
    for (unsigned i = 0; i < BATCH_WIDTH; i++) {
        struct msghdr *header = &batch->receive[i].msg_hdr;
        batch->receive_iov[i] = (struct iovec){batch->query[i], BATCH_QUERY_MAX};
        header->msg_name = &batch->peer[i];
        header->msg_iov = &batch->receive_iov[i];
        header->msg_iovlen = 1;
        header->msg_control = batch->reply_from_asked ? batch->receive_control[i] : NULL;
    }
}

static unsigned count_taken(const struct batch *batch)
{
    unsigned taken = BATCH_WIDTH;

    while (taken > 0 && batch->receive[taken - 1].msg_len == 0)
        taken--;
    return taken;
}

static unsigned bounded(uint32_t count)
{
    return count <= BATCH_WIDTH ? count : BATCH_WIDTH;
}

/* The queries that the message send[k] answers have that fate. Whatever has become of the record:
 * it may be a crashed worker's. */
static void decide_message(struct batch *batch, unsigned k, enum batch_fate fate)
{
    for (unsigned at = batch->first[k]; at < bounded(batch->first[k + 1]); at++)
        batch_decide(batch, batch->order[at] % BATCH_WIDTH, fate);
}

/* What was not settled yet was not counted either. */
static void forget_written(struct batch *batch)
{
    for (unsigned i = 0; i < bounded(batch->taken); i++)
        if (fate_of(batch, i) == BATCH_WRITTEN)
            batch_decide(batch, i, BATCH_PENDING);
}

/* Brings what a predecessor left, if anything, to ANSWERING. May be cut short and repeated at any
 * point. */
static void settle(struct batch *batch)
{
    switch (stage_of(batch)) {
    case BATCH_RECEIVING:
        batch->taken = count_taken(batch);
        break;
    case BATCH_ANSWERING:
        forget_written(batch);
        break;
    case BATCH_SENDING:
        for (unsigned k = 0; k < bounded(batch->ready); k++)
            if (batch->send[k].msg_len != 0)
                decide_message(batch, k, BATCH_SENT);
        break;
    default:
        break;
    }
    if (stage_of(batch) != BATCH_EMPTY)
        enter(batch, BATCH_ANSWERING);
}

unsigned batch_take_over(struct batch *batch, bool reply_from_asked)
{
    settle(batch);
    batch->reply_from_asked = reply_from_asked;
    point_headers(batch);
    batch_look_at(batch, BATCH_NO_QUERY);
    batch->taken = bounded(batch->taken);
    if (stage_of(batch) == BATCH_ANSWERING && batch->taken > 0)
        return batch->taken;
    batch->taken = BATCH_WIDTH;
    batch_close(batch);
    return 0;
}

unsigned batch_sent(const struct batch *batch)
{
    unsigned sent = 0;

    for (unsigned i = 0; i < batch->taken; i++)
        sent += fate_of(batch, i) == BATCH_SENT;
    return sent;
}

void batch_receive(struct batch *batch)
{
    enter(batch, BATCH_RECEIVING);
}

void batch_received(struct batch *batch, unsigned count)
{
    assert(count <= BATCH_WIDTH);
    batch->taken = count;
    enter(batch, count > 0 ? BATCH_ANSWERING : BATCH_EMPTY);
}

static size_t put_control(uint8_t *at, int level, int type, const void *data, size_t size)
{
    struct cmsghdr *cmsg = (struct cmsghdr *)(void *)at;

    cmsg->cmsg_level = level;
    cmsg->cmsg_type = type;
    cmsg->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(cmsg), data, size);
    return CMSG_SPACE(size);
}

/* Turns what the kernel said of query i's destination into what tells it the source of message k.
 */
static size_t arrange_source(struct batch *batch, unsigned k, unsigned i)
{
    struct msghdr *received = &batch->receive[i].msg_hdr;
    uint8_t *control = batch->send_control[k];

    for (struct cmsghdr *c = CMSG_FIRSTHDR(received); c != NULL; c = CMSG_NXTHDR(received, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            info.ipi_ifindex = 0;
            return put_control(control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            /* A link-local address means nothing without its interface; any other is left to
             * routing. */
            if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
                info.ipi6_ifindex = 0;
            return put_control(control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
        }
    }
    return 0;
}

/* Has the kernel cut message k into as many datagrams as it has answers. */
static size_t arrange_segments(struct batch *batch, unsigned k, size_t used, unsigned i)
{
    const uint16_t length = batch->reply_length[i];

    return put_control(batch->send_control[k] + used, SOL_UDP, UDP_SEGMENT, &length, sizeof length);
}

/* Message k: the answer to query i, and to those behind it in its bundle. Their buffers have been
 * listed. */
static void arrange_message(struct batch *batch, unsigned k, unsigned i)
{
    struct mmsghdr *entry = &batch->send[k];
    struct msghdr *header = &entry->msg_hdr;
    size_t control = 0;

    entry->msg_len = 0;
    header->msg_name = &batch->peer[i];
    header->msg_namelen = batch->receive[i].msg_hdr.msg_namelen;
    header->msg_iov = &batch->send_iov[batch->first[k]];
    header->msg_iovlen = batch_answers_in(batch, k);
    if (batch->reply_from_asked)
        control = arrange_source(batch, k, i);
    if (header->msg_iovlen > 1)
        control += arrange_segments(batch, k, control, i);
    header->msg_control = control > 0 ? batch->send_control[k] : NULL;
    header->msg_controllen = control;
}

static void list_answer(struct batch *batch, unsigned at, unsigned i)
{
    batch->order[at] = (uint8_t)i;
    batch->send_iov[at] = (struct iovec){batch->reply[i], batch->reply_length[i]};
}

/* Returns the number of messages. */
static unsigned arrange_single(struct batch *batch)
{
    unsigned k = 0;

    for (unsigned i = 0; i < batch->taken; i++)
        if (batch_is_ready(batch, i)) {
            batch->first[k] = (uint8_t)k;
            batch->first[k + 1] = (uint8_t)(k + 1);
            list_answer(batch, k, i);
            arrange_message(batch, k++, i);
        }
    return k;
}

static unsigned arrange_bundles(struct batch *batch, const struct batch_bundles *bundles)
{
    unsigned k = 0, at = 0;

    for (unsigned i = 0; i < batch->taken; i++) {
        if (!batch_is_ready(batch, i) || bundles->follows[i])
            continue;
        batch->first[k] = (uint8_t)at;
        for (unsigned j = i; j != BATCH_BUNDLE_END; j = bundles->next[j])
            list_answer(batch, at++, j);
        batch->first[k + 1] = (uint8_t)at;
        arrange_message(batch, k++, i);
    }
    return k;
}

unsigned batch_send(struct batch *batch, const struct batch_bundles *bundles)
{
    batch->ready = bundles != NULL ? arrange_bundles(batch, bundles) : arrange_single(batch);
    enter(batch, BATCH_SENDING);
    return batch->ready;
}

unsigned batch_send_singly(struct batch *batch)
{
    settle(batch);
    return batch_send(batch, NULL);
}

void batch_unsendable(struct batch *batch, unsigned k)
{
    for (unsigned at = batch->first[k]; at < batch->first[k + 1]; at++)
        batch->reply_length[batch->order[at]] = 0;
    decide_message(batch, k, BATCH_DONE);
}

void batch_close(struct batch *batch)
{
    enter(batch, BATCH_EMPTY);
    for (unsigned i = 0; i < batch->taken; i++)
        clear_query(batch, i);
    batch->taken = 0;
    batch->ready = 0;
    batch->unexplained = 0;
}

bool batch_blame(struct batch *batch, bool crashed, const uint8_t **query, size_t *length)
{
    unsigned current = atomic_load_explicit(&batch->current, memory_order_relaxed);

    if (!crashed || stage_of(batch) == BATCH_EMPTY)
        return false;
    if (stage_of(batch) != BATCH_ANSWERING || current >= bounded(batch->taken)) {
        batch->unexplained++;
        return false;
    }
    batch_decide(batch, current, BATCH_GIVEN_UP);
    batch_look_at(batch, BATCH_NO_QUERY);
    *query = batch->query[current];
    *length = batch->receive[current].msg_len;
    if (*length > BATCH_QUERY_MAX)
        *length = BATCH_QUERY_MAX;
    return true;
}

struct batch_remains batch_drop(struct batch *batch)
{
    struct batch_remains remains = {0};

    settle(batch);
    if (stage_of(batch) == BATCH_EMPTY)
        return remains;
    batch->taken = bounded(batch->taken);
    remains.taken = batch->taken;
    remains.sent = batch_sent(batch);
    for (unsigned i = 0; i < batch->taken; i++)
        remains.given_up += fate_of(batch, i) == BATCH_PENDING || fate_of(batch, i) == BATCH_READY;
    batch_close(batch);
    return remains;
}
