/* zone/nsec3_chain.c: hashes, and where a name falls. (Choosing a chain is tested with zone text in
 * compile.c.) */
#include "zone/nsec3_chain.h"

#include "unit.h"
#include "zone/presentation.h"

#include <string.h>

static const struct {
    const char *name; /* wire form */
    size_t length;
    const char *hash;
} appendix_a[] = {
    /* RFC 5155 Appendix A: salt aabbccdd, 12 iterations; by hash */
    {"\7example", 9, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
    {"\3ns1\7example", 13, "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
    {"\1x\1y\1w\7example", 15, "2vptu5timamqttgl4luu9kg21e0aor3s"},
    {"\1a\7example", 11, "35mthgpgcu1qg68fab165klnsnk3dpvl"},
    {"\1x\1w\7example", 13, "b4um86eghhds6nea196smvmlo4ors995"},
    {"\2ai\7example", 12, "gjeqe526plbf1g8mklp59enfd789njgi"},
    {"\1y\1w\7example", 13, "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
    {"\1w\7example", 11, "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
    {"\3ns2\7example", 13, "q04jkcevqvmu85r014c7dkba38o0ji5r"},
    {"\1*\1w\7example", 13, "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
    {"\2xx\7example", 12, "t644ebqk9bibcna874givr6joj62mlhv"},
};

enum { NAMES = sizeof appendix_a / sizeof appendix_a[0] };

static struct nsec3_entry entries[NAMES];
static struct nsec3_chain chain = {
    .iterations = 12,
    .salt_length = 4,
    .salt = (const uint8_t *)"\xaa\xbb\xcc\xdd",
    .count = NAMES,
    .entries = entries,
};

static void decode(const char *text, uint8_t hash[NSEC3_HASH_OCTETS])
{
    size_t length;

    assert_null(presentation_base32hex(text, strlen(text), hash, NSEC3_HASH_OCTETS, &length));
    assert_int_equal(length, NSEC3_HASH_OCTETS);
}

static void names_are_hashed(void **state)
{
    (void)state;
    uint8_t expected[NSEC3_HASH_OCTETS], hash[NSEC3_HASH_OCTETS];

    for (size_t i = 0; i < NAMES; i++) {
        decode(appendix_a[i].hash, expected);
        nsec3_chain_hash(&chain, (const uint8_t *)appendix_a[i].name, appendix_a[i].length, hash);
        assert_memory_equal(hash, expected, NSEC3_HASH_OCTETS);
    }
}

static void hashes_match_or_are_covered(void **state)
{
    (void)state;
    static const struct {
        const char *hash;
        size_t entry;
        bool matches;
    } cases[] = {
        {"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", 0, true},
        {"k8udemvp1j2f7eg6jebps17vp3n8i58h", 7, true},
        {"t644ebqk9bibcna874givr6joj62mlhv", 10, true},
        {"0p9mhaveqvm6t7vbl5lop2u3t2rp3ton", 0, false},
        {"k8udemvp1j2f7eg6jebps17vp3n8i58g", 6, false},
        {"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv", 10, false},
        {"00000000000000000000000000000000", 10, false}, /* the last one covers both ends */
    };

    for (size_t i = 0; i < NAMES; i++)
        decode(appendix_a[i].hash, entries[i].hash);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t hash[NSEC3_HASH_OCTETS];
        bool matches;
        decode(cases[i].hash, hash);
        const struct nsec3_entry *entry = nsec3_chain_find(&chain, hash, &matches);
        assert_int_equal(entry - entries, cases[i].entry);
        assert_int_equal(matches, cases[i].matches);
    }
}

static void keys_are_the_first_octets(void **state)
{
    (void)state;
    const uint8_t hash[NSEC3_HASH_OCTETS] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

    assert_true(nsec3_chain_key(hash) == 0x0102030405060708);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_hashed),
        cmocka_unit_test(hashes_match_or_are_covered),
        cmocka_unit_test(keys_are_the_first_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
