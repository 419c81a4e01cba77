#include "question.h"

#include "message/wire.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TYPE_A = 1,
    TYPE_MX = 15,
    CLASS_IN = 1,
    LABEL_DIGITS = 7,
    LABEL_LENGTH = 1 + LABEL_DIGITS,
    FLAG_QR = 0x80,
    FLAG_AA = 0x04,
    FLAG_TC = 0x02,
    OPCODE_MASK = 0x78,
    RCODE_MASK = 0x0F,
};

/* The origin on the wire. */
static const uint8_t origin[] = "\4loss\4test";

enum { NAME_LENGTH = 1 + LABEL_LENGTH + sizeof origin };

/* The longest label and the compressed names of others count in: any name an answer may hold. */
enum { EXPANDED_MAX = 256 };

static void write_name(uint8_t at[NAME_LENGTH], uint32_t i)
{
    char label[LABEL_LENGTH + 2];

    snprintf(label, sizeof label, "n%0*u", LABEL_DIGITS, i % QUESTION_NAMES_MAX);
    at[0] = LABEL_LENGTH;
    memcpy(at + 1, label, LABEL_LENGTH);
    memcpy(at + 1 + LABEL_LENGTH, origin, sizeof origin);
}

static void write_address(uint8_t at[4], uint32_t i)
{
    wire_write_u32(at, 10U << 24 | (i & 0xFFFFFF));
}

static uint16_t type_of(uint64_t n, uint32_t names)
{
    return n / names % 2 == 0 ? TYPE_A : TYPE_MX;
}

void question_write(uint8_t query[QUESTION_LENGTH], uint64_t n, uint32_t names, uint16_t id)
{
    uint8_t *at = query + WIRE_HEADER_SIZE;

    static_assert(WIRE_HEADER_SIZE + NAME_LENGTH + 4 == QUESTION_LENGTH, "one question");
    memset(query, 0, WIRE_HEADER_SIZE);
    wire_write_u16(query, id);
    wire_write_u16(query + 4, 1);
    write_name(at, (uint32_t)(n % names));
    wire_write_u16(at + NAME_LENGTH, type_of(n, names));
    wire_write_u16(at + NAME_LENGTH + 2, CLASS_IN);
}

/* --- reading an answer ------------------------------------------------------ */

struct reader {
    const uint8_t *message;
    size_t length;
    size_t at;
};

struct record {
    uint8_t owner[EXPANDED_MAX];
    uint16_t type;
    uint32_t ttl;
    size_t rdata; /* offset */
    size_t rdlength;
};

/* Expands the name at `from` (RFC 1035 §4.1.4). Returns the octets it takes where it stands, 0 if
 * it is damaged. A pointer has to lead backwards, so the walk ends. */
static size_t expand(const struct reader *r, size_t from, uint8_t name[EXPANDED_MAX])
{
    size_t at = from, taken = 0, used = 0;

    while (at < r->length) {
        uint8_t label = r->message[at];
        if (label >= 0xC0) {
            if (at + 2 > r->length)
                return 0;
            size_t to = wire_read_u16(r->message + at) & WIRE_POINTER_MAX;
            if (to >= at)
                return 0;
            if (taken == 0)
                taken = at + 2 - from;
            at = to;
            continue;
        }
        if (label > 63 || at + 1U + label > r->length || used + 1U + label > EXPANDED_MAX)
            return 0;
        memcpy(name + used, r->message + at, 1U + label);
        used += 1U + label;
        at += 1U + label;
        if (label == 0)
            return taken != 0 ? taken : at - from;
    }
    return 0;
}

static bool read_record(struct reader *r, struct record *record)
{
    size_t name = expand(r, r->at, record->owner);

    if (name == 0 || r->at + name + WIRE_RR_FIXED_SIZE > r->length)
        return false;
    const uint8_t *fixed = r->message + r->at + name;
    record->type = wire_read_u16(fixed);
    record->ttl = wire_read_u32(fixed + 4);
    record->rdlength = wire_read_u16(fixed + 8);
    record->rdata = r->at + name + WIRE_RR_FIXED_SIZE;
    r->at = record->rdata + record->rdlength;
    return r->at <= r->length;
}

static bool is_address_of(const struct reader *r, const struct record *record, uint32_t i)
{
    uint8_t address[4];

    write_address(address, i);
    return record->rdlength == sizeof address &&
           memcmp(r->message + record->rdata, address, sizeof address) == 0;
}

static bool is_exchange_of(const struct reader *r, const struct record *record, uint32_t i,
                           uint32_t names)
{
    uint8_t expected[NAME_LENGTH], found[EXPANDED_MAX];

    if (record->rdlength < 3 || wire_read_u16(r->message + record->rdata) != (uint16_t)i)
        return false;
    write_name(expected, question_target(i, names));
    return expand(r, record->rdata + 2, found) != 0 &&
           memcmp(found, expected, sizeof expected) == 0;
}

static bool is_header_right(const uint8_t *message, const uint8_t *query)
{
    return message[0] == query[0] && message[1] == query[1] &&
           (message[2] & (FLAG_QR | OPCODE_MASK | FLAG_AA | FLAG_TC)) == (FLAG_QR | FLAG_AA) &&
           (message[3] & RCODE_MASK) == 0 && wire_read_u16(message + 4) == 1 &&
           wire_read_u16(message + 6) == 1;
}

/* The record of the answer section, which is the only one there. */
static bool is_answer_right(const struct reader *r, const struct record *record,
                            const uint8_t *query, uint32_t i, uint32_t names)
{
    const uint8_t *name = query + WIRE_HEADER_SIZE;

    if (record->type != wire_read_u16(name + NAME_LENGTH) ||
        memcmp(record->owner, name, NAME_LENGTH) != 0)
        return false;
    return record->type == TYPE_A ? is_address_of(r, record, i)
                                  : is_exchange_of(r, record, i, names);
}

/* Records beside the answer may be there or not; the exchange's address, if there, has to be its
 * own. */
static bool is_other_right(const struct reader *r, const struct record *record, uint32_t i,
                           uint32_t names)
{
    uint8_t target[NAME_LENGTH];

    write_name(target, question_target(i, names));
    if (record->type != TYPE_A || memcmp(record->owner, target, sizeof target) != 0)
        return true;
    return is_address_of(r, record, question_target(i, names));
}

enum question_verdict question_check(const uint8_t *message, size_t length,
                                     const uint8_t query[QUESTION_LENGTH], uint64_t n,
                                     uint32_t names, uint32_t *version)
{
    struct reader r = {message, length, QUESTION_LENGTH};
    const size_t question = QUESTION_LENGTH - WIRE_HEADER_SIZE;
    const uint32_t i = (uint32_t)(n % names);
    struct record record = {.type = 0};

    if (length < QUESTION_LENGTH || !is_header_right(message, query) ||
        memcmp(message + WIRE_HEADER_SIZE, query + WIRE_HEADER_SIZE, question) != 0)
        return QUESTION_WRONG;
    if (!read_record(&r, &record) || !is_answer_right(&r, &record, query, i, names))
        return QUESTION_WRONG;
    *version = record.ttl;

    unsigned others = (unsigned)wire_read_u16(message + 8) + wire_read_u16(message + 10);
    while (others-- > 0) {
        if (!read_record(&r, &record) || !is_other_right(&r, &record, i, names))
            return QUESTION_WRONG;
        if (record.ttl != *version)
            return QUESTION_MIXED;
    }
    return r.at == length ? QUESTION_ANSWERED : QUESTION_WRONG;
}

/* --- writing an answer ------------------------------------------------------ */

static uint8_t *put_record(uint8_t *at, uint16_t owner, uint16_t type, uint32_t version,
                           uint16_t rdlength)
{
    wire_write_u16(at, (uint16_t)(WIRE_POINTER_TAG | owner));
    wire_write_u16(at + 2, type);
    wire_write_u16(at + 4, CLASS_IN);
    wire_write_u32(at + 6, version);
    wire_write_u16(at + 10, rdlength);
    return at + WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE;
}

static uint32_t number_of(const uint8_t *query)
{
    char digits[LABEL_DIGITS + 1] = "";

    memcpy(digits, query + WIRE_HEADER_SIZE + 2, LABEL_DIGITS);
    return (uint32_t)strtoul(digits, NULL, 10);
}

size_t question_answer(uint8_t answer[QUESTION_ANSWER_MAX], const uint8_t *query, size_t length,
                       uint32_t names, uint32_t version)
{
    uint8_t *at = answer + QUESTION_LENGTH;

    if (length != QUESTION_LENGTH)
        return 0;
    memcpy(answer, query, QUESTION_LENGTH);
    answer[2] = FLAG_QR | FLAG_AA;
    wire_write_u16(answer + 6, 1);
    uint32_t i = number_of(query);
    if (wire_read_u16(query + WIRE_HEADER_SIZE + NAME_LENGTH) == TYPE_A) {
        at = put_record(at, WIRE_HEADER_SIZE, TYPE_A, version, 4);
        write_address(at, i);
        return (size_t)(at + 4 - answer);
    }
    at = put_record(at, WIRE_HEADER_SIZE, TYPE_MX, version, 2 + NAME_LENGTH);
    wire_write_u16(at, (uint16_t)i);
    write_name(at + 2, question_target(i, names));
    uint16_t target = (uint16_t)(at + 2 - answer);
    at = put_record(at + 2 + NAME_LENGTH, target, TYPE_A, version, 4);
    write_address(at, question_target(i, names));
    wire_write_u16(answer + 10, 1);
    return (size_t)(at + 4 - answer);
}
