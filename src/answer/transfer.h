/*
 * Zone transfers: AXFR (RFC 5936), and IXFR (RFC 1995) answered with the whole zone, for older
 * versions are not kept.
 *
 * transfer_judge() decides what a client gets. If that is the zone, transfer_begin() and then
 * transfer_next() until transfer_has_ended() write it message by message: the SOA, every other RR
 * once, the SOA again. A transfer is of one table from its first message to its last.
 */
#ifndef SORREL_ANSWER_TRANSFER_H
#define SORREL_ANSWER_TRANSFER_H

#include "answer/access.h"
#include "answer/client.h"
#include "answer/cookie.h"
#include "answer/tsig.h"
#include "message/query.h"
#include "message/record.h"
#include "message/response.h"
#include "table/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What transfers depend on besides the query. */
struct transfer_terms {
    const struct table *table;
    const struct access *access; /* who may have which zone; NULL: nobody */
    const struct tsig_key *key;  /* that the query is signed with; NULL: none */
    bool busy;                   /* no other transfer can begin now */
};

struct transfer_verdict {
    const struct table_section *zone; /* if RCODE is NOERROR */
    uint16_t rcode;
    int ede;    /* enum ede_code */
    bool whole; /* the zone is to be sent; else its SOA alone (RFC 1995 §2) */
};

/* Judges a query, at `wire`, that query_parse() calls QUERY_TRANSFER. */
struct transfer_verdict transfer_judge(const struct transfer_terms *terms,
                                       const struct client *client, const struct query *query,
                                       const struct name *qname, const uint8_t *wire);

/* Writes the zone's SOA into the answer section of a message that asks for its apex. False if there
 * is no room. */
bool transfer_put_soa(struct response *response, const struct table_section *zone);

enum { TRANSFER_QUERY_MAX = WIRE_HEADER_SIZE + NAME_OCTETS_MAX + 4 };

/* What is stored with an RRset, in the order that it is written. */
enum transfer_part { TRANSFER_RRS, TRANSFER_SIGNATURES, TRANSFER_GLUE, TRANSFER_PARTS };

enum transfer_stage {
    TRANSFER_START,
    TRANSFER_NODES, /* all but the SOA */
    TRANSFER_LAST,  /* the SOA again */
    TRANSFER_ENDED,
};

/* How far a transfer has come. */
struct transfer {
    const struct table_section *zone;
    enum transfer_stage stage;
    uint64_t node;                   /* octets from the start of the section */
    uint32_t rrset;                  /* RRsets of the node that are written */
    uint32_t part;                   /* enum transfer_part of the next one */
    struct record_position position; /* in that */
    bool is_signed;                  /* each message, as the query was */
    struct tsig tsig;
    bool with_opt; /* the first message has an OPT record, as the query had */
    bool dnssec_ok;
    uint16_t payload;            /* that it announces */
    uint16_t asked_cookie;       /* offset and length of what the query's COOKIE option has; ... */
    uint8_t asked_cookie_length; /* ... 0: it has none */
    bool with_cookie;            /* so has the first message */
    uint8_t cookie[COOKIE_SIZE];
    uint16_t question_length;
    uint8_t query[TRANSFER_QUERY_MAX]; /* header and question */
};

/* Begins the transfer that `query` asks for, and transfer_judge() grants from this table. `keys`:
 * that it may be signed with; they outlive the transfer. `payload`: the size of UDP messages that
 * we accept. */
void transfer_begin(struct transfer *transfer, const struct table *table,
                    const struct tsig_keys *keys, const uint8_t *query, size_t length,
                    uint16_t payload);

/* Has the first message answer the COOKIE option, if there is one, of the query that the transfer
 * began with (RFC 7873 §5.2). `now`: seconds since 1970, modulo 2^32. */
void transfer_add_cookie(struct transfer *transfer, const struct cookie_secrets *secrets,
                         const struct client *client, uint32_t now, const uint8_t *query);

/* Writes the next message, of at most WIRE_MESSAGE_MAX octets, to `wire`. Returns its length; 0
 * if an RR is so large that it does not fit beside the signature, and the transfer cannot go on.
 * `now`: seconds since 1970. */
size_t transfer_next(struct transfer *transfer, uint64_t now, uint8_t *wire);

/* Was the last message written? */
static inline bool transfer_has_ended(const struct transfer *transfer)
{
    return transfer->stage == TRANSFER_ENDED;
}

#endif
