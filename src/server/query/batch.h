/*
 * A batch of UDP queries under way, and the record by which a worker's successor finishes it.
 *
 * A batch lies in memory that the supervisor maps, shared, before it forks; every worker of the
 * slot therefore finds it at the same address. It is written so that it tells the truth at *every*
 * instant, for its worker can die at any:
 *
 *   EMPTY ------> RECEIVING ------> ANSWERING ------> SENDING ------> EMPTY
 *     all of the     recvmmsg          fate[] changes    sendmmsg
 *     record is 0
 *
 *   - recvmmsg(2) writes msg_len behind each datagram it has taken off the queue, sendmmsg(2)
 * behind each it has sent (net/socket.c). Both are 0 before. So in RECEIVING receive[i].msg_len
 * tells which queries were taken, and in SENDING send[k].msg_len which answers are out, though the
 * call never returned. (An empty datagram cannot be told from none, and needs no answer.)
 *   - In ANSWERING and SENDING fate[i] tells what became of query i.
 *   - `current` is the query being looked at. If the worker crashes there, the supervisor gives the
 * query up (batch_blame); the successor answers all others. After any other death nothing is given
 * up.
 *
 * Each change of the record is one store, in program order: the compiler is told not to move them
 * (batch_write), and what a process has stored when it dies is what its successor finds.
 */
#ifndef SORREL_SERVER_BATCH_H
#define SORREL_SERVER_BATCH_H

#include "message/wire.h"
#include "server/host/address.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    /* CPU time a query, one saturated worker on loopback, average of runs: 8: 2.84 us, 16: 2.81,
     * 32: 2.78, 64: 2.70, 128: 2.62. What is left to gain beyond 64 is small, the last of a full
     * batch waits 0.2 ms already, and the tasks of 64 queries still fit the L2 cache. */
    BATCH_WIDTH = 64,

    /* A query is a name of at most 255 octets and a few EDNS options; what is longer is cut off by
     * the kernel and answered as a header without a question (FORMERR). */
    BATCH_QUERY_MAX = 4096,
    /* The largest payload that may be configured. */
    BATCH_REPLY_MAX = 4096,

    /* Buffers one cache line more than 4096 apart, lest all headers fall into one set of the L1
       cache. */
    BATCH_STRIDE = 4096 + 64,

    BATCH_CONTROL_MAX = CMSG_SPACE(sizeof(struct in6_pktinfo)),
    BATCH_SEND_CONTROL_MAX = BATCH_CONTROL_MAX + CMSG_SPACE(sizeof(uint16_t)),
    BATCH_NO_QUERY = UINT32_MAX >> 1,
};

enum batch_stage { BATCH_EMPTY, BATCH_RECEIVING, BATCH_ANSWERING, BATCH_SENDING };

enum batch_fate {
    BATCH_PENDING,  /* taken off the queue, not answered yet */
    BATCH_WRITTEN,  /* its answer is in the reply buffer; the worker has yet to settle whether it is
                       to be sent. For a successor it is pending. */
    BATCH_READY,    /* its answer is in the reply buffer, to be sent, or being sent */
    BATCH_SENT,     /* its answer is out: noted when what was sent is gone through */
    BATCH_DONE,     /* impossible to send, or not to be answered */
    BATCH_GIVEN_UP, /* a worker died on it */
};

struct batch {
    _Atomic uint32_t stage;   /* enum batch_stage */
    _Atomic uint32_t current; /* query being looked at, or BATCH_NO_QUERY */
    uint32_t taken;           /* queries; from ANSWERING on */
    uint32_t ready;           /* messages in send[]; in SENDING */
    uint32_t unexplained;     /* crashes on this batch with no query to blame */
    bool reply_from_asked; /* bound to a wildcard address: answers leave from the address asked */
    _Atomic uint8_t fate[BATCH_WIDTH];
    /* send[k] has the answers to the queries order[first[k]] ... order[first[k + 1] - 1]. */
    uint8_t order[BATCH_WIDTH];
    uint8_t first[BATCH_WIDTH + 1];
    uint16_t reply_length[BATCH_WIDTH];
    struct mmsghdr receive[BATCH_WIDTH];
    struct mmsghdr send[BATCH_WIDTH];
    struct iovec receive_iov[BATCH_WIDTH];
    struct iovec send_iov[BATCH_WIDTH]; /* in the order of order[] */
    union address peer[BATCH_WIDTH];
    _Alignas(struct cmsghdr) uint8_t receive_control[BATCH_WIDTH][BATCH_CONTROL_MAX];
    _Alignas(struct cmsghdr) uint8_t send_control[BATCH_WIDTH][BATCH_SEND_CONTROL_MAX];
    _Alignas(64) uint8_t query[BATCH_WIDTH][BATCH_STRIDE];
    _Alignas(64) uint8_t reply[BATCH_WIDTH][BATCH_STRIDE];
};

/* Answers that are to leave as one message: made by bundle.h. */
struct batch_bundles {
    uint8_t next[BATCH_WIDTH]; /* the answer behind this one in its bundle, or BATCH_BUNDLE_END */
    bool follows[BATCH_WIDTH]; /* another answer of its bundle: it is no bundle's first */
};

enum { BATCH_BUNDLE_END = UINT8_MAX };

/* --- by the worker -------------------------------------------------------- */

/* Makes a batch ready for use by a new worker, whatever its predecessor left: points the headers at
 * the buffers and returns the number of queries in a batch that was not closed, and so has not been
 * counted, though there may be nothing left to answer in it. It is then in ANSWERING; if it is 0,
 * EMPTY. */
unsigned batch_take_over(struct batch *batch, bool reply_from_asked);

/* ANSWERING, after batch_take_over(): answers that are out already. */
unsigned batch_sent(const struct batch *batch);

/* EMPTY -> RECEIVING: call right before recvmmsg(batch->receive). */
void batch_receive(struct batch *batch);

/* RECEIVING -> ANSWERING with the `count` > 0 queries that recvmmsg took, or -> EMPTY if 0. */
void batch_received(struct batch *batch, unsigned count);

/* A store that the compiler keeps between what stands before and behind it. */
#define batch_write(place, value)                                                                  \
    do {                                                                                           \
        atomic_signal_fence(memory_order_seq_cst);                                                 \
        atomic_store_explicit((place), (value), memory_order_relaxed);                             \
        atomic_signal_fence(memory_order_seq_cst);                                                 \
    } while (0)

/* ANSWERING: query `i` is about to be looked at; BATCH_NO_QUERY: none any more. */
static inline void batch_look_at(struct batch *batch, unsigned i)
{
    batch_write(&batch->current, i);
}

static inline bool batch_is_pending(const struct batch *batch, unsigned i)
{
    return atomic_load_explicit(&batch->fate[i], memory_order_relaxed) == BATCH_PENDING;
}

static inline bool batch_is_ready(const struct batch *batch, unsigned i)
{
    return atomic_load_explicit(&batch->fate[i], memory_order_relaxed) == BATCH_READY;
}

/* Has a batch been begun, and not finished? Anyone may ask. */
static inline bool batch_is_under_way(const struct batch *batch)
{
    return atomic_load_explicit(&batch->stage, memory_order_relaxed) != BATCH_EMPTY;
}

/* Was query `i` longer than BATCH_QUERY_MAX? */
static inline bool batch_is_cut_off(const struct batch *batch, unsigned i)
{
    return (batch->receive[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
}

/* The octets of query `i` that there are to read: all, or those of its header if it was cut off. */
static inline size_t batch_query_length(const struct batch *batch, unsigned i)
{
    return batch_is_cut_off(batch, i) ? WIRE_HEADER_SIZE : batch->receive[i].msg_len;
}

static inline void batch_decide(struct batch *batch, unsigned i, enum batch_fate fate)
{
    batch_write(&batch->fate[i], (uint8_t)fate);
}

/* Query `i` has an answer of that length in batch->reply[i]; batch_answered() is to follow. */
static inline void batch_written(struct batch *batch, unsigned i, size_t reply_length)
{
    assert(reply_length > 0 && reply_length <= BATCH_REPLY_MAX);
    batch->reply_length[i] = (uint16_t)reply_length;
    batch_decide(batch, i, BATCH_WRITTEN);
}

/* Query `i` has its answer in batch->reply[i]; 0: none is to be sent. */
static inline void batch_answered(struct batch *batch, unsigned i, size_t reply_length)
{
    assert(reply_length <= BATCH_REPLY_MAX);
    batch->reply_length[i] = (uint16_t)reply_length;
    batch_decide(batch, i, reply_length > 0 ? BATCH_READY : BATCH_DONE);
}

/* ANSWERING -> SENDING, each answer a message of its own, unless there are bundles. Returns the
 * number of messages, which now are send[0], send[1] ... */
unsigned batch_send(struct batch *batch, const struct batch_bundles *bundles);

/* SENDING: answers in all messages. */
static inline unsigned batch_answers(const struct batch *batch)
{
    return batch->ready > 0 ? batch->first[batch->ready] : 0;
}

/* Answers in the message send[k]. */
static inline unsigned batch_answers_in(const struct batch *batch, unsigned k)
{
    return (unsigned)batch->first[k + 1] - batch->first[k];
}

/* SENDING: what has not been sent is, from now on, arranged as one message for each answer. As
 * batch_send(). */
unsigned batch_send_singly(struct batch *batch);

/* SENDING: the message send[k] cannot be sent, now or later. */
void batch_unsendable(struct batch *batch, unsigned k);

/* SENDING -> EMPTY. */
void batch_close(struct batch *batch);

/* --- by the supervisor, while the slot has no worker ---------------------- */

/* The worker has died; gives up the query it was looking at if that was by a crash. True if a query
 * was given up; then `query` and `length` are its octets, valid until the next worker starts. */
bool batch_blame(struct batch *batch, bool crashed, const uint8_t **query, size_t *length);

/* What a batch that was dropped comes to. */
struct batch_remains {
    unsigned taken; /* queries; 0: there was no batch */
    unsigned sent;  /* answers that are out */
    unsigned given_up;
};

/* Ends the batch as it stands, as a last resort against one that kills every worker. What it comes
 * to is for the caller to count. */
struct batch_remains batch_drop(struct batch *batch);

#endif
