/*
 * The whole server as one function: a query goes in, a response comes out.
 *
 * Pure: no heap, no clock, no system call, no state between calls but what the caller passes. UDP,
 * TCP, tests, fuzzers and benchmarks call the same code.
 */
#ifndef SORREL_ANSWER_ANSWER_H
#define SORREL_ANSWER_ANSWER_H

#include "answer/access.h"
#include "answer/chaos.h"
#include "answer/client.h"
#include "answer/cookie.h"
#include "answer/lookup.h"
#include "answer/tsig.h"
#include "message/query.h"
#include "table/table.h"

#include <stddef.h>
#include <stdint.h>

struct answer_settings {
    const struct table *table;
    uint16_t udp_payload_max;   /* ceiling for UDP responses and what OPT announces: 512-65535 */
    uint16_t keepalive;         /* for edns-tcp-keepalive (RFC 7828), in 100 ms; 0: never sent */
    const uint8_t *nsid;        /* RFC 5001; NULL: never sent */
    uint16_t nsid_length;       /* at most ANSWER_NSID_MAX */
    struct chaos chaos;         /* what is told of the server itself */
    const struct cookie_secrets *cookies; /* NULL: COOKIE options are ignored */
    uint32_t now;               /* for cookies and TSIG: seconds since 1970, modulo 2^32 */
    const struct access *transfers; /* who may have which zone transferred; NULL: nobody */
    bool transfers_busy;        /* no other transfer can begin now */
    const struct tsig_keys *keys; /* NULL: none */
    const struct access *access; /* who may ask about which zone; NULL: everyone */
    bool cookies_required;      /* over UDP, of clients that know cookies: else BADCOOKIE */
    struct answer_recent *recent; /* NULL, or kept from one query to the next */
};

/* The zone of the last query, which is a good guess for the next: it saves the hashes of the labels
 * from the apex up, and the directory. Whoever changes `table` empties it. */
struct answer_recent {
    const struct table_section *zone; /* NULL: none */
};

/* The payload size that avoids IP fragments nearly everywhere (DNS flag day 2020). */
enum { ANSWER_UDP_PAYLOAD_DEFAULT = 1232 };

/* Beside the longest question (259 octets) OPT with all its options must fit into 512 octets. */
enum { ANSWER_NSID_MAX = 128 };

/* What a response is to those who limit how many there are. */
enum answer_kind {
    ANSWER_ERROR, /* nothing was looked up */
    ANSWER_DATA,
    ANSWER_NODATA,
    ANSWER_NXDOMAIN,
    ANSWER_REFERRAL,
    ANSWER_TRANSFER, /* no response yet: it is the messages of a transfer (transfer.h) */
};

/* What the answer was, for counters and limits. */
struct answer_report {
    enum query_verdict verdict;
    uint16_t qtype; /* 0 if the question could not be read, or does not fit into the response */
    uint16_t rcode; /* extended RCODE included; meaningless if no response */
    uint8_t opcode;
    bool truncated;
    bool edns;
    bool dnssec_ok;
    uint8_t kind;       /* enum answer_kind */
    enum cookie_state cookie;
    uint64_t source;    /* a hash of the name it is from: QNAME; where names are made up at will,
                           the apex of the zone; the zone cut. 0 for errors */
};

/*
 * Answers one message. `reply` has room for `reply_max` octets (at least 512; 65535 for TCP) and
 * must not overlap `query`. Returns the length of the response, or 0 for silence; 0, too, if the
 * report says ANSWER_TRANSFER, as it may for TCP.
 */
size_t answer(const struct answer_settings *settings, const struct client *client,
              const uint8_t *query, size_t query_length, uint8_t *reply, size_t reply_max,
              struct answer_report *report);

/*
 * The same in steps, so that the cache misses of many queries overlap: begin all, look ahead for
 * all, and so on. Each asks for the memory that the next one reads. Steps of one query must come in
 * this order; `task` carries what is between them and needs no clean-up. answer() is exactly these.
 */
struct answer_task {
    const uint8_t *wire;
    enum query_verdict verdict;
    struct query query;
    const struct table_section *zone; /* NULL: in none of ours */
    struct guess guess;               /* in that zone */
    struct closest closest;           /* to QNAME, in that zone */
    const char *told;                 /* class CH: the text to answer with, or NULL */
    enum cookie_state cookie_state;
    uint8_t cookie[COOKIE_SIZE];      /* for the response, unless COOKIE_ABSENT */
    struct asked asked;               /* QNAME */
};

/* True if there is a zone yet to be found: otherwise the next two steps would do nothing, and may
 * be left out. */
bool answer_begin(struct answer_task *task, const struct answer_settings *settings,
                  const uint8_t *query, size_t query_length);
void answer_look_ahead(struct answer_task *task, const struct answer_settings *settings);
void answer_look_into_zone(struct answer_task *task, const struct answer_settings *settings);
void answer_look_closer(struct answer_task *task);
size_t answer_finish(struct answer_task *task, const struct answer_settings *settings,
                     const struct client *client, uint8_t *reply, size_t reply_max,
                     struct answer_report *report);

/*
 * After answer_finish(): what to send a client that cannot be told from one whose address is used
 * to flood it, in place of the answer: no records, and how to get them. That is BADCOOKIE with a
 * cookie for whoever sent a COOKIE option (RFC 7873 §5.2.3), TC for others. Returns its length, at
 * most 512, and brings the report up to date.
 */
size_t answer_slip(const struct answer_task *task, const struct answer_settings *settings,
                   const struct client *client, uint8_t *reply, struct answer_report *report);

#endif
