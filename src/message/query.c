#include "message/query.h"

#include "message/codes.h"
#include "message/wire.h"

/* What is left to read of a message. */
struct cursor {
    const uint8_t *wire;
    size_t at;
    size_t end;
};

/* Passes over a name that may be compressed: records behind the question are not ours to follow. */
static bool skip_name(struct cursor *cursor)
{
    while (cursor->at < cursor->end) {
        uint8_t label = cursor->wire[cursor->at];
        if (label == 0) {
            cursor->at++;
            return true;
        }
        if (label >= WIRE_POINTER_TAG >> 8) {
            cursor->at += WIRE_POINTER_SIZE;
            return cursor->at <= cursor->end;
        }
        if (label > NAME_LABEL_OCTETS_MAX)
            return false;
        cursor->at += 1u + label;
    }
    return false;
}

enum { OPTION_HEADER_SIZE = 4 };

/* RFC 7873 §4, §5.2.2. */
static bool is_cookie_length(size_t length)
{
    return length == 8 || (length >= 16 && length <= 40);
}

/* `at` is the message offset of an option. Of several cookies the first counts. */
static void note_option(struct query *query, const uint8_t *wire, size_t at)
{
    uint16_t code = wire_read_u16(wire + at);
    uint16_t length = wire_read_u16(wire + at + 2);

    query->has_options = true;
    if (code == OPTION_NSID) {
        query->wants_nsid = true;
    } else if (code == OPTION_TCP_KEEPALIVE) {
        query->wants_keepalive = true;
    } else if (code == OPTION_COOKIE && query->cookie == 0) {
        query->cookie = (uint16_t)(at + OPTION_HEADER_SIZE);
        query->cookie_length = is_cookie_length(length) ? (uint8_t)length : 0;
    }
}

/* RFC 6891 §6.1.2: the options, from message offset `at`, end exactly at `end`. Unknown ones are
 * passed over. */
static bool read_options(struct query *query, const uint8_t *wire, size_t at, size_t end)
{
    while (end - at >= OPTION_HEADER_SIZE) {
        size_t size = OPTION_HEADER_SIZE + (size_t)wire_read_u16(wire + at + 2);
        if (size > end - at)
            return false;
        note_option(query, wire, at);
        at += size;
    }
    return at == end;
}

/* RFC 6891 §6.1.2, §6.1.3: CLASS is the payload size; TTL holds version and flags. `fixed` points
 * at TYPE. */
static void note_opt(struct query *query, const uint8_t *fixed)
{
    uint16_t payload = wire_read_u16(fixed + 2);

    query->edns = true;
    query->udp_payload = payload < WIRE_UDP_PLAIN_MAX ? WIRE_UDP_PLAIN_MAX : payload;
    query->edns_version = fixed[5];
    query->dnssec_ok = fixed[6] >> 7;
}

/* `at` is the message offset of TYPE. */
static bool read_opt(struct query *query, const uint8_t *wire, size_t at)
{
    size_t options = at + WIRE_RR_FIXED_SIZE;

    if (!read_options(query, wire, options, options + wire_read_u16(wire + options - 2))) {
        query->cookie_length = 0; /* a cookie in there is none, for no OPT goes back */
        return false;
    }
    note_opt(query, wire + at);
    return query->cookie == 0 || query->cookie_length != 0;
}

/* `end` is the message offset behind the RDATA, which ends with five numbers (RFC 1035 §3.3.13). */
static void note_soa(struct query *query, size_t end, size_t rdlength)
{
    enum { NUMBERS_SIZE = 20 };

    if (query->qtype == TYPE_IXFR && query->serial == 0 && rdlength > NUMBERS_SIZE)
        query->serial = (uint16_t)(end - NUMBERS_SIZE);
}

/* Reads one record; false if the message is malformed by it. */
static bool read_record(struct query *query, struct cursor *cursor, bool additional)
{
    size_t owner = cursor->at;

    /* RFC 8945 §5.1: behind TSIG there is nothing. */
    if (query->tsig != 0 || !skip_name(cursor) || cursor->end - cursor->at < WIRE_RR_FIXED_SIZE)
        return false;
    size_t at = cursor->at;
    const uint8_t *fixed = cursor->wire + at;
    size_t rdlength = wire_read_u16(fixed + 8);
    if (cursor->end - cursor->at - WIRE_RR_FIXED_SIZE < rdlength)
        return false;
    cursor->at += WIRE_RR_FIXED_SIZE + rdlength;
    if (wire_read_u16(fixed) == TYPE_SOA && !additional)
        note_soa(query, cursor->at, rdlength);
    if (wire_read_u16(fixed) == TYPE_TSIG) {
        query->tsig = (uint16_t)owner;
        query->has_options = true;
        return additional;
    }
    if (wire_read_u16(fixed) != TYPE_OPT)
        return true;
    /* One, in the additional section, owned by the root (RFC 6891 §6.1.1). */
    return additional && !query->edns && cursor->wire[owner] == 0 &&
           read_opt(query, cursor->wire, at);
}

/* Reads what most queries have behind the question: nothing, or an OPT record without options.
 * False if it is something else. */
static bool read_plain_rest(struct query *query, const struct cursor *cursor)
{
    const uint8_t *opt = cursor->wire + cursor->at;

    if (wire_read_u32(cursor->wire + 6) != 0)
        return false;
    if (wire_read_u16(cursor->wire + 10) == 0)
        return true;
    if (wire_read_u16(cursor->wire + 10) > 1 ||
        cursor->end - cursor->at != 1 + WIRE_RR_FIXED_SIZE || opt[0] != 0 ||
        wire_read_u16(opt + 1) != TYPE_OPT || wire_read_u16(opt + 9) != 0)
        return false;
    note_opt(query, opt + 1);
    return true;
}

static bool read_records(struct query *query, struct cursor *cursor)
{
    unsigned before_additional =
        (unsigned)wire_read_u16(cursor->wire + 6) + wire_read_u16(cursor->wire + 8);
    unsigned additional = wire_read_u16(cursor->wire + 10);

    for (unsigned i = 0; i < before_additional + additional; i++)
        if (!read_record(query, cursor, i >= before_additional))
            return false;
    return true;
}

static bool read_question(struct query *query, struct name *qname, struct cursor *cursor)
{
    size_t name = name_read(qname, cursor->wire + cursor->at, cursor->end - cursor->at);

    if (name == 0 || cursor->end - cursor->at - name < 4)
        return false;
    const uint8_t *behind = cursor->wire + cursor->at + name;
    query->qtype = wire_read_u16(behind);
    query->qclass = wire_read_u16(behind + 2);
    query->question_length = (uint16_t)(name + 4);
    cursor->at += name + 4;
    return true;
}

/* RFC 7873 §5.4: without a question, all that is asked for is a cookie. */
static bool is_cookie_query(struct query *query, struct cursor *cursor)
{
    return query->opcode == OPCODE_QUERY && wire_read_u16(cursor->wire + 4) == 0 &&
           read_records(query, cursor) && query->cookie_length != 0;
}

static bool is_known_opcode(uint8_t opcode)
{
    return opcode == OPCODE_QUERY || opcode == OPCODE_NOTIFY || opcode == OPCODE_UPDATE;
}

enum query_verdict query_parse(struct query *query, struct name *qname, const uint8_t *wire,
                               size_t length)
{
    struct cursor cursor = {wire, WIRE_HEADER_SIZE, length};

    *query = (struct query){.length = (uint16_t)length, .udp_payload = WIRE_UDP_PLAIN_MAX};
    if (length < WIRE_HEADER_SIZE || wire[2] & 0x80)
        return QUERY_SILENCE;
    query->opcode = wire[2] >> 3 & 0x0F;

    /* RFC 9619 §4: exactly one question. The opcodes we know have one too (RFC 1996 §3.7, RFC 2136
     * §2.3); of others nothing may be assumed, not even that they are malformed. */
    bool has_question = wire_read_u16(wire + 4) == 1 && read_question(query, qname, &cursor);
    bool is_well_formed =
        has_question && (read_plain_rest(query, &cursor) || read_records(query, &cursor));
    if (!is_known_opcode(query->opcode))
        return QUERY_NOTIMP;
    if (!has_question && is_cookie_query(query, &cursor))
        return query->edns_version != 0 ? QUERY_BADVERS : QUERY_COOKIE;
    if (!has_question)
        return QUERY_FORMERR_HEADER;
    if (!is_well_formed)
        return QUERY_FORMERR;
    if (query->edns_version != 0)
        return QUERY_BADVERS;
    if (query->opcode != OPCODE_QUERY)
        return QUERY_REFUSED;
    return query->qtype == TYPE_AXFR || query->qtype == TYPE_IXFR ? QUERY_TRANSFER : QUERY_ANSWER;
}
