/*
 * Writing a response (RFC 1035 §4.1): whole RRsets or none, within a limit; counts kept as it goes.
 *
 * A response is a plain struct: copying it marks a place, assigning the copy back returns to it.
 */
#ifndef SORREL_MESSAGE_RESPONSE_H
#define SORREL_MESSAGE_RESPONSE_H

#include "message/edns.h"
#include "message/fragment.h"
#include "message/name.h"
#include "message/octets.h"
#include "message/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL };

struct response {
    uint8_t *wire;
    uint32_t at;    /* where the next octet goes */
    uint32_t limit; /* octets that may be written */
    uint16_t counts[3];
    uint16_t question_end; /* up to here names are not compressed */
};

/* Where a name stands that is to own RRs, and how to write it if it does not stand anywhere yet. */
struct place {
    uint32_t owner; /* message offset of the owner name; 0: it must be written */
    uint32_t base;  /* set by response_put(): where the fragment's octet 0 lies, as far as pointers
                       into its RDATA go; 0 if they cannot be used (past the reach of a pointer) */
    uint32_t rdata; /* set by response_put(): message offset of the first RR's RDATA */
    uint8_t skip;   /* octets by which the owner in the message is longer than the stored one: more
                       than 0 if a wildcard was expanded (RFC 4592 §3.3.1) */

    /* Only if owner == 0: labels, then the name that they end with: the apex, or one below it that
     * stands in the message already. */
    const uint8_t *labels;
    const uint8_t *apex_name;
    uint32_t apex; /* message offset of that name; 0: not there, write apex_name */
    uint8_t labels_length;
    uint8_t apex_length;
};

/* Starts a response with a header (ID, QR, OPCODE, RD and CD of the query) and, with
 * `question_length` octets, its question, byte for byte. `limit` is at least 12 +
 * question_length. */
static inline void response_begin(struct response *response, uint8_t *wire, size_t limit,
                                  const uint8_t *query, size_t question_length)
{
    memcpy(wire, query, 2);
    wire[2] = (uint8_t)(0x80 | (query[2] & 0x79)); /* QR; OPCODE and RD as asked */
    wire[3] = query[3] & 0x10;                     /* CD as asked */
    wire_write_u16(wire + 4, question_length > 0);
    octets_copy(wire + WIRE_HEADER_SIZE, query + WIRE_HEADER_SIZE, question_length);
    response->wire = wire;
    response->at = response->question_end = (uint16_t)(WIRE_HEADER_SIZE + question_length);
    response->limit = (uint32_t)limit;
    memset(response->counts, 0, sizeof response->counts);
}

/*
 * Writes the RRs of `rrs`, and those of `signatures` unless that is NULL, owned by the name at
 * `place`. Updates place->owner (if the name had to be written) and place->base. False if there
 * is no room for all of it; then nothing is written.
 */
bool response_put(struct response *response, enum section section, const struct fragment *rrs,
                  const struct fragment *signatures, struct place *place);

/*
 * The same with `signatures`, or none if that has no octets, for RRs owned by QNAME that are the
 * first after the question. There the pointers of a fragment hold as they are stored.
 */
static inline bool response_put_first(struct response *response, const struct fragment *rrs,
                                      const struct fragment *signatures)
{
    size_t length = (size_t)rrs->length + signatures->length;

    if (length > response->limit - response->at || response->at + length > WIRE_POINTER_MAX)
        return false;
    octets_copy(response->wire + response->at, rrs->octets, rrs->length);
    if (signatures->length > 0)
        octets_copy(response->wire + response->at + rrs->length, signatures->octets,
                    signatures->length);
    response->at += (uint32_t)length;
    response->counts[SECTION_ANSWER] = (uint16_t)(rrs->count + signatures->count);
    return true;
}

/*
 * Writes a run of RRs whose only pointers are their owners (signatures, glue), which mean what they
 * would in the fragment `rrs`, put at `place`. All or nothing, as above.
 */
bool response_put_run(struct response *response, enum section section, const struct fragment *run,
                      const struct fragment *rrs, const struct place *place);

/* Writes a synthesised CNAME (RFC 6672 §3.1) from the owner at `owner` to `prefix_length` octets of
 * labels followed by the name at offset `target`. Sets *rdata to the offset of the target name. */
bool response_put_cname(struct response *response, uint32_t owner, uint32_t ttl,
                        const uint8_t *prefix, size_t prefix_length, uint32_t target,
                        uint32_t *rdata);

/* The message offset that `pointer`, stored in (or beside) the fragment `rrs` put at `place`,
 * stands for; 0 if the name cannot be pointed to. */
uint32_t response_resolve(const struct response *response, const struct fragment *rrs,
                          const struct place *place, uint16_t pointer);

/* Copies the name at `offset` of what was written, uncompressed, case kept. Returns its length. */
size_t response_copy_name(const struct response *response, uint32_t offset,
                          uint8_t to[NAME_OCTETS_MAX]);

/* Reads the possibly compressed name at `offset` of what was written. */
void response_read_name(const struct response *response, uint32_t offset, struct name *name);

/* The offset of the suffix that begins `octets` octets into the name at `offset`, pointers
 * followed. It must begin a label of the name. */
uint32_t response_suffix(const struct response *response, uint32_t offset, unsigned octets);

/* Drops every record, keeping header and question. */
void response_clear(struct response *response);

enum header_flag { FLAG_AA = 0x0400, FLAG_TC = 0x0200 };

/* Completes the header of a response to which an OPT record will be added, or not. */
static inline void response_write_header(const struct response *response, uint16_t flags,
                                         uint16_t rcode, bool with_opt)
{
    uint8_t *wire = response->wire;

    wire[2] |= (uint8_t)(flags >> 8);
    wire[3] |= (uint8_t)(rcode & 0x0F);
    wire_write_u16(wire + 6, response->counts[SECTION_ANSWER]);
    wire_write_u16(wire + 8, response->counts[SECTION_AUTHORITY]);
    wire_write_u16(wire + 10, (uint16_t)(response->counts[SECTION_ADDITIONAL] + with_opt));
}

/* Cuts a finished response down to its header and question, with TC, and without OPT, which a
 * client that has to ask again over TCP can do without. A message whose question does not end loses
 * that, too. `length` is at least 12. Returns what is left of it. */
size_t response_cut(uint8_t *wire, size_t length);

/* Adds OPT (room for which was left below `limit`) and completes the header. Returns the length. */
static inline size_t response_finish(const struct response *response, uint16_t flags,
                                     const struct edns *edns, uint16_t rcode)
{
    response_write_header(response, flags, rcode, edns->present);
    edns_write(edns, response->wire + response->at);
    return response->at + edns_length(edns);
}

#endif
