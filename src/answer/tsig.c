#include "answer/tsig.h"

#include "message/codes.h"
#include "message/wire.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
    TIME_SIZE = 6,
    FUDGE = 300,       /* §10: recommended */
    NUMBERS_SIZE = 16, /* of the RDATA, all but algorithm, MAC and other data */
};

/* A record as the wire has it. */
struct record {
    uint8_t name[NAME_OCTETS_MAX]; /* the owner, uncompressed */
    size_t name_length;
    struct tsig_name algorithm, mac, other;
    uint64_t time;
    uint16_t fudge, original_id, error;
};

static uint64_t read_time(const uint8_t *at)
{
    return (uint64_t)wire_read_u16(at) << 32 | wire_read_u32(at + 2);
}

static void write_time(uint8_t *at, uint64_t time)
{
    wire_write_u16(at, (uint16_t)(time >> 32));
    wire_write_u32(at + 2, (uint32_t)time);
}

static const char *const algorithms[HMAC_HASHES] = {
    [HMAC_SHA256] = "\13hmac-sha256",
    [HMAC_SHA384] = "\13hmac-sha384",
    [HMAC_SHA512] = "\13hmac-sha512",
};

struct tsig_name tsig_algorithm(enum hmac_hash hash)
{
    return (struct tsig_name){(const uint8_t *)algorithms[hash], strlen(algorithms[hash]) + 1};
}

/* --- reading --------------------------------------------------------------------- */

/* §4.2: class ANY, TTL 0, and RDATA that ends with the message. */
static bool read_frame(const uint8_t *fixed, size_t available)
{
    return available >= WIRE_RR_FIXED_SIZE && wire_read_u16(fixed + 2) == CLASS_ANY &&
           wire_read_u32(fixed + 4) == 0 &&
           wire_read_u16(fixed + 8) == available - WIRE_RR_FIXED_SIZE;
}

/* Reads what stands behind the algorithm, which fills `length` octets. */
static bool read_rest(struct record *record, const uint8_t *at, size_t length)
{
    if (length < NUMBERS_SIZE)
        return false;
    record->time = read_time(at);
    record->fudge = wire_read_u16(at + 6);
    record->mac = (struct tsig_name){at + 10, wire_read_u16(at + 8)};
    if (length - NUMBERS_SIZE < record->mac.length)
        return false;
    at += 10 + record->mac.length;
    record->original_id = wire_read_u16(at);
    record->error = wire_read_u16(at + 2);
    record->other = (struct tsig_name){at + 6, wire_read_u16(at + 4)};
    return length - NUMBERS_SIZE - record->mac.length == record->other.length;
}

/* Reads the owner, which some compress. Returns the octets it takes; 0 if it is malformed. */
static size_t read_owner(struct record *record, const uint8_t *query, size_t length, size_t start)
{
    size_t at = start, end = 0, least = start; /* each pointer leads further back */

    record->name_length = 0;
    for (;;) {
        size_t label = at < length ? query[at] : NAME_LABEL_OCTETS_MAX + 1u;
        if (label >= WIRE_POINTER_TAG >> 8 && at + 1 < length) {
            size_t target = wire_read_u16(query + at) & WIRE_POINTER_MAX;
            if (target >= least)
                return 0;
            end = end != 0 ? end : at + WIRE_POINTER_SIZE;
            at = least = target;
            continue;
        }
        if (label > NAME_LABEL_OCTETS_MAX || label >= length - at ||
            record->name_length + label + 1 > NAME_OCTETS_MAX)
            return 0;
        memcpy(record->name + record->name_length, query + at, label + 1);
        record->name_length += label + 1;
        at += label + 1;
        if (label == 0)
            return (end != 0 ? end : at) - start;
    }
}

static bool read_record(struct record *record, const uint8_t *query, size_t length, size_t at)
{
    const uint8_t *end = query + length;
    size_t taken = read_owner(record, query, length, at);
    const uint8_t *fixed = query + at + taken;
    if (taken == 0 || !read_frame(fixed, (size_t)(end - fixed)))
        return false;
    record->algorithm.octets = fixed + WIRE_RR_FIXED_SIZE;
    record->algorithm.length =
        name_measure(record->algorithm.octets, (size_t)(end - record->algorithm.octets));
    const uint8_t *rest = record->algorithm.octets + record->algorithm.length;
    return record->algorithm.length != 0 && read_rest(record, rest, (size_t)(end - rest));
}

/* --- what is signed ---------------------------------------------------------------- */

static void add_u16(struct hmac *hmac, size_t value)
{
    uint8_t octets[2];

    wire_write_u16(octets, (uint16_t)value);
    hmac_add(hmac, octets, sizeof octets);
}

static void add_time(struct hmac *hmac, uint64_t time, uint16_t fudge)
{
    uint8_t octets[TIME_SIZE];

    write_time(octets, time);
    hmac_add(hmac, octets, sizeof octets);
    add_u16(hmac, fudge);
}

/* §4.3.3: names in canonical form. */
static void add_variables(struct hmac *hmac, const struct tsig_key *key,
                          const struct record *record)
{
    static const uint8_t class_and_ttl[] = {0, CLASS_ANY, 0, 0, 0, 0};
    struct tsig_name algorithm = tsig_algorithm(key->hmac.hash);

    hmac_add(hmac, key->name.octets, key->name.length);
    hmac_add(hmac, class_and_ttl, sizeof class_and_ttl);
    hmac_add(hmac, algorithm.octets, algorithm.length);
    add_time(hmac, record->time, record->fudge);
    add_u16(hmac, record->error);
    add_u16(hmac, record->other.length);
    hmac_add(hmac, record->other.octets, record->other.length);
}

/* §4.3.2: the query as it was before it was signed. */
static void add_query(struct hmac *hmac, const struct record *record, const uint8_t *query,
                      size_t length)
{
    uint8_t header[WIRE_HEADER_SIZE];

    memcpy(header, query, sizeof header);
    wire_write_u16(header, record->original_id);
    wire_write_u16(header + 10, (uint16_t)(wire_read_u16(header + 10) - 1));
    hmac_add(hmac, header, sizeof header);
    hmac_add(hmac, query + sizeof header, length - sizeof header);
}

/* --- checking ------------------------------------------------------------------------ */

static bool is_name(struct tsig_name wire, const uint8_t *octets, size_t length)
{
    uint8_t lower[NAME_OCTETS_MAX];

    if (wire.length != length)
        return false;
    name_copy_lower(lower, wire.octets, length);
    return memcmp(lower, octets, length) == 0;
}

static const struct tsig_key *find_key(const struct tsig_keys *keys, const struct record *record)
{
    for (size_t i = 0; keys != NULL && i < keys->count; i++) {
        const struct tsig_key *key = &keys->keys[i];
        struct tsig_name algorithm = tsig_algorithm(key->hmac.hash);
        if (is_name((struct tsig_name){record->name, record->name_length}, key->name.octets,
                    key->name.length) &&
            is_name(record->algorithm, algorithm.octets, algorithm.length))
            return key;
    }
    return NULL;
}

/* §5.2.2.1. Truncated ones are not accepted, but not malformed. */
static bool is_mac_length(const struct tsig_key *key, size_t length)
{
    size_t most = hmac_length(&key->hmac);

    return length >= most / 2 && length >= 10 && length <= most;
}

/* §5.2.2; `at` is the query's length without the record. */
static enum tsig_error check_mac(const struct tsig_key *key, const struct record *record,
                                 const uint8_t *query, size_t at)
{
    uint8_t expected[HMAC_OCTETS_MAX];
    struct hmac hmac;

    hmac_begin(&hmac, &key->hmac);
    add_query(&hmac, record, query, at);
    add_variables(&hmac, key, record);
    hmac_end(&hmac, expected);
    return CRYPTO_memcmp(expected, record->mac.octets, record->mac.length) == 0 ? TSIG_NO_ERROR
                                                                                : TSIG_BADSIG;
}

/* §5.2.3 */
static bool is_timely(const struct record *record, uint64_t now)
{
    uint64_t apart = now > record->time ? now - record->time : record->time - now;

    return apart <= record->fudge;
}

/* §5.2: what is wrong with it first. */
static enum tsig_error check(const struct tsig_key *key, const struct record *record, uint64_t now,
                             const uint8_t *query, size_t at)
{
    enum tsig_error error = check_mac(key, record, query, at);

    if (error != TSIG_NO_ERROR)
        return error;
    if (!is_timely(record, now))
        return TSIG_BADTIME;
    return record->mac.length < hmac_length(&key->hmac) ? TSIG_BADTRUNC : TSIG_NO_ERROR;
}

bool tsig_read(struct tsig *tsig, const struct tsig_keys *keys, uint64_t now, const uint8_t *query,
               size_t length, size_t at)
{
    struct record record;

    if (!read_record(&record, query, length, at))
        return false;
    *tsig = (struct tsig){.key = find_key(keys, &record),
                          .algorithm = record.algorithm,
                          .error = TSIG_BADKEY,
                          .time = record.time,
                          .fudge = record.fudge,
                          .original_id = record.original_id};
    if (tsig->key == NULL) {
        memcpy(tsig->unknown, record.name, record.name_length);
        tsig->name = (struct tsig_name){tsig->unknown, record.name_length};
        return true;
    }
    if (!is_mac_length(tsig->key, record.mac.length))
        return false;
    tsig->name = (struct tsig_name){tsig->key->name.octets, tsig->key->name.length};
    tsig->algorithm = tsig_algorithm(tsig->key->hmac.hash);
    tsig->error = check(tsig->key, &record, now, query, at);
    if (tsig->error == TSIG_BADSIG)
        return true;
    tsig->mac_length = (uint16_t)record.mac.length;
    memcpy(tsig->mac, record.mac.octets, record.mac.length);
    return true;
}

/* --- signing ------------------------------------------------------------------------- */

/* §5.3.2: what nobody vouches for is answered without a MAC; who has the key gets all else signed.
 */
static bool is_signed(const struct tsig *tsig)
{
    return tsig->error != TSIG_BADSIG && tsig->error != TSIG_BADKEY;
}

static size_t mac_length(const struct tsig *tsig)
{
    return is_signed(tsig) ? hmac_length(&tsig->key->hmac) : 0;
}

size_t tsig_length(const struct tsig *tsig)
{
    return tsig->name.length + WIRE_RR_FIXED_SIZE + tsig->algorithm.length + NUMBERS_SIZE +
           mac_length(tsig) + (tsig->error == TSIG_BADTIME ? TIME_SIZE : 0);
}

/* §5.3: the first message has all variables, the others only the time. The ID is the one that the
 * client will have in its place (§4.3.2), whatever a proxy has made of it. */
static void make_mac(struct tsig *tsig, const struct record *record, const uint8_t *wire,
                     size_t length)
{
    struct hmac hmac;

    hmac_begin(&hmac, &tsig->key->hmac);
    add_u16(&hmac, tsig->mac_length);
    hmac_add(&hmac, tsig->mac, tsig->mac_length);
    add_u16(&hmac, record->original_id);
    hmac_add(&hmac, wire + WIRE_ID_SIZE, length - WIRE_ID_SIZE);
    if (tsig->continued)
        add_time(&hmac, record->time, record->fudge);
    else
        add_variables(&hmac, tsig->key, record);
    hmac_end(&hmac, tsig->mac);
    tsig->mac_length = (uint16_t)hmac_length(&tsig->key->hmac);
    tsig->continued = true;
}

static uint8_t *put(uint8_t *to, const void *octets, size_t length)
{
    memcpy(to, octets, length);
    return to + length;
}

static uint8_t *put_u16(uint8_t *to, size_t value)
{
    wire_write_u16(to, (uint16_t)value);
    return to + 2;
}

static uint8_t *write_record(const struct tsig *tsig, const struct record *record, uint8_t *to)
{
    to = put(to, tsig->name.octets, tsig->name.length);
    to = put_u16(to, TYPE_TSIG);
    to = put_u16(to, CLASS_ANY);
    to = put(to, "\0\0\0", 4); /* TTL */
    to = put_u16(to, tsig_length(tsig) - tsig->name.length - WIRE_RR_FIXED_SIZE);
    to = put(to, tsig->algorithm.octets, tsig->algorithm.length);
    write_time(to, record->time);
    to = put_u16(to + TIME_SIZE, record->fudge);
    to = put_u16(to, mac_length(tsig));
    to = put(to, tsig->mac, mac_length(tsig));
    to = put_u16(to, record->original_id);
    to = put_u16(to, record->error);
    to = put_u16(to, record->other.length);
    return put(to, record->other.octets, record->other.length);
}

size_t tsig_sign(struct tsig *tsig, uint64_t now, uint8_t *wire, size_t length)
{
    uint8_t server_time[TIME_SIZE];
    struct record record = {.time = now,
                            .fudge = FUDGE,
                            .original_id = tsig->original_id,
                            .error = (uint16_t)tsig->error,
                            .other = {server_time, 0}};
    size_t added = tsig_length(tsig);

    if (tsig->error != TSIG_NO_ERROR) {
        record.time = tsig->time;
        record.fudge = tsig->fudge;
    }
    if (tsig->error == TSIG_BADTIME) {
        write_time(server_time, now);
        record.other.length = sizeof server_time;
    }
    if (is_signed(tsig))
        make_mac(tsig, &record, wire, length);
    const uint8_t *end = write_record(tsig, &record, wire + length);
    assert(end == wire + length + added);
    (void)end;
    wire_write_u16(wire + 10, (uint16_t)(wire_read_u16(wire + 10) + 1));
    return length + added;
}
