/*
 * What a worker counts, in memory that it shares with the supervisor (slot_memory.h).
 *
 * Each counter has one writer, grows only, and outlives the workers of its slot. Readers may come
 * at any time and get numbers that are each right and never go backwards, though those of one
 * moment may be a batch apart.
 *
 * What is counted of each answer is its place in two tables: (question, RCODE) and the set of its
 * features. That is two additions a query; the sums by QTYPE, opcode and RCODE are for the reader
 * to make (counters_sums).
 */
#ifndef SORREL_SERVER_COUNTERS_H
#define SORREL_SERVER_COUNTERS_H

#include "answer/answer.h"
#include "message/codes.h"
#include "message/wire.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic uint64_t counter;

/* The QTYPEs that are counted by name. */
#define COUNTERS_TYPES(X)                                                                          \
    X(A)                                                                                           \
    X(NS)                                                                                          \
    X(CNAME) X(SOA) X(PTR) X(MX) X(TXT) X(AAAA) X(SRV) X(NAPTR) X(DNAME) X(DS) X(RRSIG) X(NSEC)    \
        X(DNSKEY) X(NSEC3PARAM) X(TLSA) X(CDS) X(SVCB) X(HTTPS) X(IXFR) X(AXFR) X(ANY) X(CAA)

/* What was asked: a QTYPE, or for other opcodes than QUERY the opcode. */
enum counters_question {
    COUNTERS_TYPE_OTHER, /* any other QTYPE, or none that could be read */
#define COUNTERS_QUESTION(name) COUNTERS_TYPE_##name,
    COUNTERS_TYPES(COUNTERS_QUESTION)
#undef COUNTERS_QUESTION
        COUNTERS_NOTIFY,
    COUNTERS_UPDATE,
    COUNTERS_OPCODE_OTHER,
    COUNTERS_QUESTIONS,
    COUNTERS_TYPE_COUNT = COUNTERS_NOTIFY,
};

/* What the answer was: RCODEs 0 to 5 stand for themselves. */
enum counters_outcome {
    COUNTERS_BADVERS = 6,
    COUNTERS_RCODE_OTHER,
    COUNTERS_OUTCOMES,
};

enum counters_feature {
    COUNTERS_EDNS = 1,
    COUNTERS_DNSSEC_OK = 2,
    COUNTERS_TRUNCATED = 4,
    COUNTERS_FEATURE_SETS = 8,
};

/* Why a query got no answer. */
enum counters_drop {
    COUNTERS_DROP_RESPONSE,     /* it was itself a response (QR=1) */
    COUNTERS_DROP_SHORT,        /* shorter than a header */
    COUNTERS_DROP_UNSENDABLE,   /* the kernel would not take the answer, or it is for port 0 */
    COUNTERS_DROP_CRASHED,      /* a worker died on it */
    COUNTERS_DROP_RATE_LIMITED, /* too many for its client's network (rrl.h) */
    COUNTERS_DROPS,
};

enum { COUNTERS_COOKIES = COOKIE_VALID + 1 };

enum { COUNTERS_WIDTHS = 7 /* batches of 1, 2-3, 4-7, ... 64 */ };

/* Of one worker slot. */
struct counters {
    counter heartbeat; /* grows with whatever the worker does */
    counter answers[COUNTERS_QUESTIONS][COUNTERS_OUTCOMES];
    counter features[COUNTERS_FEATURE_SETS]; /* answers by their set of enum counters_feature */
    counter dropped[COUNTERS_DROPS];
    counter slipped;                   /* limited as well, but answered with TC or BADCOOKIE */
    counter cookies[COUNTERS_COOKIES]; /* by enum cookie_state; none for COOKIE_ABSENT */
    counter cut_off;                   /* queries longer than BATCH_QUERY_MAX */
    counter batch_width[COUNTERS_WIDTHS];
    counter wakeups;         /* times that a listening socket was said to have something */
    counter wakeups_empty;   /* ... and had nothing, for another worker had been quicker */
    counter tcp_connections; /* accepted */
    counter tcp_open;        /* now: the one number here that also falls */
    counter tcp_turned_away; /* closed at once: too many */
    counter tcp_timeouts;
};

/* Of one slot and one listening address. */
struct counters_traffic {
    counter udp_queries; /* datagrams taken off the queue */
    counter udp_responses;
    counter tcp_queries;
    counter tcp_responses;
};

/* A plain addition: there is one writer, so the locked instruction would buy nothing. */
static inline void counters_add(counter *place, uint64_t by)
{
    uint64_t value = atomic_load_explicit(place, memory_order_relaxed);

    atomic_store_explicit(place, value + by, memory_order_relaxed);
}

static inline uint64_t counters_read(const counter *place)
{
    return atomic_load_explicit(place, memory_order_relaxed);
}

enum { COUNTERS_TYPE_LIMIT = TYPE_CAA + 1 };

/* enum counters_question of a QTYPE below COUNTERS_TYPE_LIMIT. */
extern const uint8_t counters_question_of_type[COUNTERS_TYPE_LIMIT];

static inline enum counters_question counters_question(const struct answer_report *report)
{
    if (__builtin_expect(report->opcode == OPCODE_QUERY, 1))
        return report->qtype < COUNTERS_TYPE_LIMIT
                   ? (enum counters_question)counters_question_of_type[report->qtype]
                   : COUNTERS_TYPE_OTHER;
    if (report->opcode == OPCODE_NOTIFY)
        return COUNTERS_NOTIFY;
    return report->opcode == OPCODE_UPDATE ? COUNTERS_UPDATE : COUNTERS_OPCODE_OTHER;
}

static inline enum counters_outcome counters_outcome(uint16_t rcode)
{
    if (rcode < COUNTERS_BADVERS)
        return (enum counters_outcome)rcode;
    return rcode == RCODE_BADVERS ? COUNTERS_BADVERS : COUNTERS_RCODE_OTHER;
}

/* After answer_finish(): `length` is what that returned, `query_length` the query's. */
static inline void counters_answered(struct counters *counters, const struct answer_report *report,
                                     size_t query_length, size_t length)
{
    if (__builtin_expect(length == 0, 0)) {
        counters_add(&counters->dropped[query_length < WIRE_HEADER_SIZE ? COUNTERS_DROP_SHORT
                                                                        : COUNTERS_DROP_RESPONSE],
                     1);
        return;
    }
    unsigned features = (report->edns ? COUNTERS_EDNS : 0u) |
                        (report->dnssec_ok ? COUNTERS_DNSSEC_OK : 0u) |
                        (report->truncated ? COUNTERS_TRUNCATED : 0u);
    counters_add(&counters->answers[counters_question(report)][counters_outcome(report->rcode)], 1);
    counters_add(&counters->features[features], 1);
    if (report->cookie != COOKIE_ABSENT)
        counters_add(&counters->cookies[report->cookie], 1);
}

/* A batch of `width` > 0 queries has been worked off. */
static inline void counters_batch(struct counters *counters, unsigned width)
{
    unsigned bucket = 31u - (unsigned)__builtin_clz(width);

    if (bucket >= COUNTERS_WIDTHS)
        bucket = COUNTERS_WIDTHS - 1;
    counters_add(&counters->batch_width[bucket], 1);
}

/* A listening socket was said to have something; `empty`: it had nothing. */
static inline void counters_wakeup(struct counters *counters, bool empty)
{
    counters_add(&counters->heartbeat, 1);
    counters_add(&counters->wakeups, 1);
    counters_add(&counters->wakeups_empty, empty);
}

/* --- by the reader ------------------------------------------------------------------ */

enum { COUNTERS_OPCODES = 4 };

/* One consistent copy, summed up by what people ask for. */
struct counters_sums {
    uint64_t qtypes[COUNTERS_TYPE_COUNT]; /* opcode QUERY */
    uint64_t opcodes[COUNTERS_OPCODES];
    uint64_t rcodes[COUNTERS_OUTCOMES];
    uint64_t edns;
    uint64_t dnssec_ok;
    uint64_t truncated;
    uint64_t dropped[COUNTERS_DROPS];
    uint64_t slipped;
    uint64_t cookies[COUNTERS_COOKIES];
    uint64_t cut_off;
    uint64_t batches;
    uint64_t batch_width[COUNTERS_WIDTHS];
    uint64_t wakeups;
    uint64_t wakeups_empty;
    uint64_t tcp_connections;
    uint64_t tcp_open;
    uint64_t tcp_turned_away;
    uint64_t tcp_timeouts;
};

/* Their names, for documents and metrics. */
extern const char *const counters_qtype_names[COUNTERS_TYPE_COUNT];
extern const char *const counters_opcode_names[COUNTERS_OPCODES];
extern const char *const counters_rcode_names[COUNTERS_OUTCOMES];
extern const char *const counters_drop_names[COUNTERS_DROPS];
extern const char *const counters_width_names[COUNTERS_WIDTHS]; /* the least of each */

/* Adds what stands in `counters` to the sums. */
void counters_sum(struct counters_sums *sums, const struct counters *counters);

#endif
