/*
 * table/validate_rrset.c: the short way through a plain RRset accepts nothing that the long way
 * would refuse, and never takes more of it.
 */
#include "table/validate_rrset.h"

#include "message/codes.h"
#include "unit.h"

#include <string.h>

enum { TTL_HIGH = 0, TTL_LOW = 60, ROOM = 128 };

#define RR_OF(type, ...) 0xc0, 0x0c, 0, type, 0, CLASS_IN, 0, 0, TTL_HIGH, TTL_LOW, 0, __VA_ARGS__

static const struct validate_owner owner = {
    .labels = (const uint8_t *)"\3www", .length = 4, .name_length = 13};

/* An RRset as it is stored, with twice the room it needs behind it. */
struct stored {
    _Alignas(8) uint8_t octets[ROOM];
    size_t length;
};

static struct stored store(uint16_t type, const uint16_t *pointers, uint16_t count,
                           const uint8_t *rrs, uint16_t length)
{
    const struct table_rrset head = {
        .type = type, .count = count, .length = length, .pointers = count};
    struct stored stored = {.length = sizeof head + count * sizeof *pointers + length + length % 2};

    assert_true(2 * stored.length <= ROOM);
    memcpy(stored.octets, &head, sizeof head);
    memcpy(stored.octets + sizeof head, pointers, count * sizeof *pointers);
    memcpy(stored.octets + sizeof head + count * sizeof *pointers, rrs, length);
    return stored;
}

static struct stored one_address(void)
{
    static const uint8_t rrs[] = {RR_OF(TYPE_A, 4, 192, 0, 2, 1)};
    static const uint16_t pointers[] = {0};

    return store(TYPE_A, pointers, 1, rrs, sizeof rrs);
}

static struct stored two_texts(void)
{
    static const uint8_t rrs[] = {RR_OF(TYPE_TXT, 2, 1, 'a'), RR_OF(TYPE_TXT, 3, 2, 'b', 'c')};
    static const uint16_t pointers[] = {0, 14};

    return store(TYPE_TXT, pointers, 2, rrs, sizeof rrs);
}

/* The size by the long way, 0 if that refuses it. */
static size_t examine(const struct stored *stored, size_t available)
{
    struct rrset_walk walk = {.next = stored->octets, .left = 1, .owner_length = 13};
    size_t size = validate_rrset_size(stored->octets, available);
    struct rrset rrset;

    if (size == 0)
        return 0;
    rrset_next(&walk, &rrset);
    return validate_rrset(&rrset, &owner) == NULL ? size : 0;
}

static void a_plain_rrset_is_accepted(void **state)
{
    const struct stored sets[] = {one_address(), two_texts()};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(validate_plain_rrset(sets[i].octets, sets[i].length), sets[i].length);
        assert_int_equal(examine(&sets[i], sets[i].length), sets[i].length);
        for (size_t available = 0; available < sets[i].length; available++)
            assert_int_equal(validate_plain_rrset(sets[i].octets, available), 0);
    }
}

/* Every octet with every other value. */
static void what_is_accepted_is_sound(void **state)
{
    struct stored sets[] = {one_address(), two_texts()};
    unsigned accepted = 0, refused = 0;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t at = 0; at < sets[i].length; at++) {
            const uint8_t before = sets[i].octets[at];
            for (unsigned value = 0; value < 256; value++) {
                sets[i].octets[at] = (uint8_t)value;
                size_t size = validate_plain_rrset(sets[i].octets, ROOM);
                if (size != 0)
                    assert_int_equal(examine(&sets[i], ROOM), size);
                accepted += size != 0;
                refused += size == 0;
            }
            sets[i].octets[at] = before;
        }
    /* TTLs, RDATA and padding are anything; the rest is not. */
    assert_true(accepted > 256 && refused > 256);
}

/* Sound, but more than plain: for the long way. */
static void other_rrsets_are_left_alone(void **state)
{
    static const uint8_t name_server[] = {RR_OF(TYPE_NS, 3, 1, 'a', 0)};
    static const uint16_t pointers[] = {0};
    struct stored stored = store(TYPE_NS, pointers, 1, name_server, sizeof name_server);
    struct table_rrset head = {.type = TYPE_A};

    (void)state;
    assert_int_equal(examine(&stored, stored.length), stored.length);
    assert_int_equal(validate_plain_rrset(stored.octets, stored.length), 0);
    /* One that cannot be sent at all. */
    memcpy(stored.octets, &head, sizeof head);
    assert_int_equal(examine(&stored, sizeof head), sizeof head);
    assert_int_equal(validate_plain_rrset(stored.octets, sizeof head), 0);
    /* With signatures. */
    stored = one_address();
    memcpy(&head, stored.octets, sizeof head);
    head.pointers |= RRSET_SIGNED;
    memcpy(stored.octets, &head, sizeof head);
    assert_int_equal(validate_plain_rrset(stored.octets, ROOM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_rrset_is_accepted),
        cmocka_unit_test(what_is_accepted_is_sound),
        cmocka_unit_test(other_rrsets_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
