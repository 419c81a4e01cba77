#include "server/query/udp.h"

#include "message/response.h"
#include "server/query/bundle.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

enum {
    /* Full batches in a row before the loop looks at TCP and the channel: that costs one poll of
     * the worker's sockets (connections are behind one of them, in an epoll of their own) for 16 *
     * BATCH_WIDTH queries, and makes the others wait some 2 ms at most. */
    BATCHES_A_TURN = 16,

    /* How often and how long a batch waits for room in the socket's send buffer. It empties as fast
     * as the network card sends; answers that find no room in all this time would be late anyway.
     */
    SEND_WAITS = 8,
    SEND_WAIT_MS = 10,
};

/* What a limit may still hold back. */
struct charge {
    bool is_due;
    struct rrl_claim claim;
    struct client client;
    struct answer_report report;
};

/* Between the passes of a batch; worthless after it. */
static struct answer_task tasks[BATCH_WIDTH];
static struct charge charges[BATCH_WIDTH];

/* Looks at query *i, or the next behind it that is pending; false if there is none. */
static inline bool look_at_pending(struct batch *batch, unsigned *i)
{
    while (*i < batch->taken && !batch_is_pending(batch, *i))
        ++*i;
    if (*i == batch->taken)
        return false;
    batch_look_at(batch, *i);
    return true;
}

/* True if there are zones yet to be found. */
static bool begin_all(struct udp *udp)
{
    struct batch *batch = udp->batch;
    bool zones_to_find = false;

    for (unsigned i = 0; look_at_pending(batch, &i); i++)
        zones_to_find |=
            answer_begin(&tasks[i], udp->settings, batch->query[i], batch_query_length(batch, i));
    return zones_to_find;
}

static void find_zones(struct udp *udp)
{
    struct batch *batch = udp->batch;

    for (unsigned i = 0; look_at_pending(batch, &i); i++)
        answer_look_ahead(&tasks[i], udp->settings);
    for (unsigned i = 0; look_at_pending(batch, &i); i++)
        answer_look_into_zone(&tasks[i], udp->settings);
}

static void look_closer_all(struct udp *udp)
{
    struct batch *batch = udp->batch;

    for (unsigned i = 0; look_at_pending(batch, &i); i++)
        answer_look_closer(&tasks[i]);
}

/* Clients that can be reached at their address are not flooded without their doing. */
static bool is_to_be_charged(const struct udp *udp, const struct client *client,
                             const struct answer_report *report, struct rrl_claim *claim)
{
    static const uint8_t classes[] = {[ANSWER_ERROR] = RRL_ERRORS,
                                      [ANSWER_DATA] = RRL_RESPONSES,
                                      [ANSWER_NODATA] = RRL_NODATA,
                                      [ANSWER_NXDOMAIN] = RRL_NXDOMAINS,
                                      [ANSWER_REFERRAL] = RRL_REFERRALS};

    return report->cookie != COOKIE_VALID &&
           rrl_claim(udp->protection->limiter, client, classes[report->kind], report->source,
                     claim);
}

/* Notes answer i for charge_all(). True if there is a limit that it comes under. */
static bool note_charge(const struct udp *udp, unsigned i, const struct client *client,
                        const struct answer_report *report)
{
    struct charge *charge = &charges[i];

    charge->is_due = is_to_be_charged(udp, client, report, &charge->claim);
    if (!charge->is_due)
        return false;
    charge->client = *client;
    charge->report = *report;
    return true;
}

/* What becomes of query i is certain, and with that it is for this worker, and no successor, to
 * count it. */
static inline void decide(struct udp *udp, unsigned i, size_t length)
{
    batch_answered(udp->batch, i, length);
    if (__builtin_expect(batch_is_cut_off(udp->batch, i), 0))
        counters_add(&udp->counters->cut_off, 1);
}

/* Nothing can be sent to port 0, where such a query says that it comes from (RFC 768). */
static inline bool has_no_port(const union address *peer)
{
    /* The port is at the same place in both kinds of address. */
    return peer->v4.sin_port == 0;
}

static void finish_all(struct udp *udp)
{
    struct batch *batch = udp->batch;
    const struct rrl *limiter = udp->protection->limiter;
    struct answer_report report;
    struct client client;

    for (unsigned i = 0; look_at_pending(batch, &i); i++) {
        if (__builtin_expect(has_no_port(&batch->peer[i]), 0)) {
            decide(udp, i, 0);
            counters_add(&udp->counters->dropped[COUNTERS_DROP_UNSENDABLE], 1);
            continue;
        }
        address_to_client(&batch->peer[i], TRANSPORT_UDP, &client);
        size_t length = answer_finish(&tasks[i], udp->settings, &client, batch->reply[i],
                                      BATCH_REPLY_MAX, &report);
        if (limiter != NULL && length > 0 && note_charge(udp, i, &client, &report)) {
            batch_written(batch, i, length);
            continue;
        }
        decide(udp, i, length);
        counters_answered(udp->counters, &report, tasks[i].query.length, length);
    }
    batch_look_at(batch, BATCH_NO_QUERY);
}

/* Holds answer i back, if it is one too many. */
static void charge(struct udp *udp, unsigned i, uint64_t now)
{
    struct batch *batch = udp->batch;
    struct charge *charge = &charges[i];
    size_t length = batch->reply_length[i];

    switch (rrl_settle(udp->protection->limiter, &charge->client, &charge->claim, now)) {
    case RRL_SEND:
        break;
    case RRL_DROP:
        decide(udp, i, 0);
        counters_add(&udp->counters->dropped[COUNTERS_DROP_RATE_LIMITED], 1);
        return;
    case RRL_SLIP:
        counters_add(&udp->counters->slipped, 1);
        /* An error has no records to do without. */
        if (charge->report.kind != ANSWER_ERROR)
            length = answer_slip(&tasks[i], udp->settings, &charge->client, batch->reply[i],
                                 &charge->report);
        break;
    }
    decide(udp, i, length);
    counters_answered(udp->counters, &charge->report, batch_query_length(batch, i), length);
}

/* The accounts were asked for while the other answers were made. */
static void charge_all(struct udp *udp)
{
    struct batch *batch = udp->batch;
    uint64_t now = clock_nanoseconds();

    for (unsigned i = 0; i < batch->taken; i++)
        if (charges[i].is_due) {
            charges[i].is_due = false;
            batch_look_at(batch, i);
            charge(udp, i, now);
        }
    batch_look_at(batch, BATCH_NO_QUERY);
}

static void wait_for_room(int socket)
{
    struct pollfd poll_for = {.fd = socket, .events = POLLOUT};

    poll(&poll_for, 1, SEND_WAIT_MS);
}

/* What sending a batch has come to. */
struct sending {
    unsigned count;  /* messages in send[] */
    unsigned next;   /* the first that is not out */
    unsigned failed; /* answers that cannot be sent */
    unsigned waits;
    bool second_try; /* of the message in front */
    bool was_cut;    /* likewise */
    bool in_doubt;   /* it was the first answer of a bundle that the way there would not cut */
};

/*
 * What would have to be fragmented on its way is not sent (listener.h); whoever asked is told to
 * ask over TCP (RFC 9715 §3.1). Only where the next network takes less than 1,260 octets.
 */
static void cut_short(struct batch *batch, unsigned k)
{
    struct iovec *answer = batch->send[k].msg_hdr.msg_iov;

    answer->iov_len = response_cut(answer->iov_base, answer->iov_len);
    batch->reply_length[batch->order[batch->first[k]]] = (uint16_t)answer->iov_len;
}

/*
 * The bundle in front has failed twice, and goes as single answers; so do all behind it, in this
 * batch. What was wrong may be the client's address, a firewall, a narrow network or no room, which
 * pass or are others' affair. EIO is what the kernel says if the way there cannot cut messages (a
 * network card without checksums, IPsec); whether it was that, the first of the answers will show.
 */
static void take_apart(struct udp *udp, struct sending *sending)
{
    sending->in_doubt = errno == EIO;
    sending->count = batch_send_singly(udp->batch);
    sending->next = 0;
}

/* The message in front has failed twice. */
static void give_up(struct udp *udp, struct sending *sending)
{
    struct batch *batch = udp->batch;

    sending->second_try = false;
    if (batch_answers_in(batch, sending->next) > 1) {
        take_apart(udp, sending);
        return;
    }
    sending->in_doubt = false;
    if (errno == EMSGSIZE && !sending->was_cut) {
        sending->was_cut = true;
        cut_short(batch, sending->next);
        return;
    }
    sending->was_cut = false;
    batch_unsendable(batch, sending->next++);
    counters_add(&udp->counters->dropped[COUNTERS_DROP_UNSENDABLE], 1);
    sending->failed++;
}

/* So many messages in front are out. If the first of them was in doubt, it gets there and its
 * bundle does not: then bundles are done without from now on. */
static void advance(struct udp *udp, struct sending *sending, unsigned count)
{
    if (__builtin_expect(sending->in_doubt, 0))
        udp->bundles = false;
    sending->next += count;
    sending->second_try = sending->was_cut = sending->in_doubt = false;
}

/*
 * Sends send[0..count). sendmmsg stops at the first message that fails, and tells why only when it
 * is called again with that one in front. An error may also be an old one of the socket's, not this
 * message's; so every message has a second try. Returns how many answers cannot be sent.
 */
static unsigned send_all(struct udp *udp, unsigned count)
{
    struct batch *batch = udp->batch;
    struct sending sending = {.count = count};

    while (sending.next < sending.count) {
        int n = sendmmsg(udp->socket, batch->send + sending.next, sending.count - sending.next,
                         MSG_DONTWAIT);
        if (n > 0) {
            advance(udp, &sending, (unsigned)n);
        } else if (errno == EINTR) {
            continue;
        } else if (errno == EAGAIN && sending.waits < SEND_WAITS) {
            sending.waits++;
            wait_for_room(udp->socket);
        } else if (!sending.second_try) {
            sending.second_try = true;
        } else {
            give_up(udp, &sending);
        }
    }
    return sending.failed;
}

/* From ANSWERING to SENDING. Returns the number of messages. */
static unsigned arrange(struct udp *udp)
{
    struct batch_bundles bundles;

    if (!udp->bundles)
        return batch_send(udp->batch, NULL);
    bundle_answers(udp->batch, &bundles);
    return batch_send(udp->batch, &bundles);
}

/* From ANSWERING to EMPTY. So many answers are out already. */
static void finish_batch(struct udp *udp, unsigned sent)
{
    unsigned taken = udp->batch->taken;

    tap_received(udp->tap);
    protection_refresh(udp->protection, udp->settings);
    if (begin_all(udp))
        find_zones(udp);
    look_closer_all(udp);
    finish_all(udp);
    if (udp->protection->limiter != NULL)
        charge_all(udp);
    unsigned messages = arrange(udp);
    unsigned answers = sent + batch_answers(udp->batch);
    if (messages > 0)
        answers -= send_all(udp, messages);
    if (__builtin_expect(udp->tap != NULL, 0))
        tap_batch(udp->tap, udp->batch);
    flows_note(udp->flows, udp->batch->peer, taken);
    counters_add(&udp->counters->heartbeat, 1);
    /* Only now, so that a successor counts the queries of a batch that it has to finish; and right
     * before there is nothing left to finish, lest it counts them again. */
    counters_add(&udp->traffic->udp_queries, taken);
    counters_add(&udp->traffic->udp_responses, answers);
    counters_batch(udp->counters, taken);
    batch_close(udp->batch);
}

unsigned udp_serve(struct udp *udp)
{
    struct batch *batch = udp->batch;

    batch_receive(batch);
    int n = recvmmsg(udp->socket, batch->receive, BATCH_WIDTH, MSG_DONTWAIT, NULL);
    batch_received(batch, n > 0 ? (unsigned)n : 0);
    /* An error is either "none waiting", or was left behind by an earlier answer and is now
     * cleared. */
    if (n <= 0)
        return 0;
    finish_batch(udp, 0);
    return (unsigned)n;
}

static void serve_turn(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct udp *udp = watcher->data;
    unsigned taken = udp_serve(udp);

    (void)loop;
    (void)events;
    counters_wakeup(udp->counters, taken == 0);
    for (unsigned i = 1; i < BATCHES_A_TURN && taken == BATCH_WIDTH; i++)
        taken = udp_serve(udp);
}

/* Does the kernel cut messages into datagrams? (Linux 4.18) */
static bool can_bundle(int socket)
{
    int size;
    socklen_t length = sizeof size;

    return getsockopt(socket, SOL_UDP, UDP_SEGMENT, &size, &length) == 0;
}

void udp_start(struct udp *udp, struct ev_loop *loop, int socket, bool wildcard,
               struct slot_address *address, struct counters *counters,
               struct answer_settings *settings, const struct protection *protection,
               struct tap *tap)
{
    *udp = (struct udp){.socket = socket,
                        .batch = &address->batch,
                        .counters = counters,
                        .traffic = &address->traffic,
                        .flows = &address->flows,
                        .settings = settings,
                        .protection = protection,
                        .tap = tap,
                        .bundles = can_bundle(socket)};
    if (batch_take_over(udp->batch, wildcard) > 0)
        finish_batch(udp, batch_sent(udp->batch));
    ev_io_init(&udp->readable, serve_turn, socket, EV_READ);
    udp->readable.data = udp;
    ev_io_start(loop, &udp->readable);
}

void udp_stop(struct udp *udp, struct ev_loop *loop)
{
    ev_io_stop(loop, &udp->readable);
}
