#include "answer/nsec3.h"

/* The one-shot and EVP interfaces allocate; these, though deprecated, do not. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <assert.h>
#include <string.h>

static_assert(NSEC3_HASH_SIZE == SHA_DIGEST_LENGTH, "NSEC3 hash");

void nsec3_hash(const struct table_section *zone, const uint8_t *name, size_t length,
                uint8_t hash[NSEC3_HASH_SIZE])
{
    const uint8_t *salt = section_at(zone, zone->nsec3_salt);
    SHA_CTX context;

    for (unsigned i = 0; i <= zone->nsec3_iterations; i++) {
        SHA1_Init(&context);
        SHA1_Update(&context, i == 0 ? name : hash, i == 0 ? length : NSEC3_HASH_SIZE);
        SHA1_Update(&context, salt, zone->nsec3_salt_length);
        SHA1_Final(hash, &context);
    }
}

static uint64_t hash_key(const uint8_t hash[NSEC3_HASH_SIZE])
{
    uint64_t key = 0;

    for (unsigned i = 0; i < sizeof key; i++)
        key = key << 8 | hash[i];
    return key;
}

/* Writes the owner label of an NSEC3 RR: base32hex without padding (RFC 4648 §7), lower case. */
static void hash_to_label(const uint8_t hash[NSEC3_HASH_SIZE], uint8_t label[33])
{
    static const char digits[32] = "0123456789abcdefghijklmnopqrstuv";
    uint64_t bits = 0;
    unsigned held = 0, at = 0;

    label[0] = 32;
    for (unsigned i = 0; i < NSEC3_HASH_SIZE; i++) {
        bits = bits << 8 | hash[i];
        for (held += 8; held >= 5; held -= 5)
            label[++at] = (uint8_t)digits[bits >> (held - 5) & 31];
    }
}

/* Hashes with equal keys are rare enough to compare owner labels, whose order is that of the
 * hashes. */
static bool is_behind(const struct table_section *zone, uint32_t ref,
                      const uint8_t hash[NSEC3_HASH_SIZE])
{
    uint8_t label[33];

    hash_to_label(hash, label);
    return memcmp(node_owner(section_node(zone, ref)), label, sizeof label) > 0;
}

/*
 * Hashes are spread evenly, so the place of one among n is about hash * n / 2^64. From that guess
 * steps that double enclose the place, and bisection ends it: a few cache misses for a million
 * hashes, where bisection alone has twenty.
 */
static uint32_t count_not_behind(const struct table_section *zone, uint64_t key)
{
    const uint64_t *keys = section_at(zone, zone->nsec3_keys);
    uint32_t count = zone->nsec3_count;
    uint32_t low = (uint32_t)((key >> 32) * count >> 32), high = low;

    for (uint32_t step = 8; low > 0 && keys[low] > key; step *= 2)
        low = low > step ? low - step : 0;
    for (uint32_t step = 8; high < count && keys[high] <= key; step *= 2)
        high = count - high > step ? high + step : count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (keys[middle] <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t nsec3_find(const struct table_section *zone, const uint8_t hash[NSEC3_HASH_SIZE])
{
    const uint64_t *keys = section_at(zone, zone->nsec3_keys);
    const uint32_t *nodes = section_at(zone, zone->nsec3_nodes);
    uint64_t key = hash_key(hash);
    uint32_t not_behind = count_not_behind(zone, key);

    while (not_behind > 0 && keys[not_behind - 1] == key &&
           is_behind(zone, nodes[not_behind - 1], hash))
        not_behind--;
    return nodes[not_behind > 0 ? not_behind - 1 : zone->nsec3_count - 1];
}
