/* query/transfers.c: who has room, and whom slow transfers make room for. */
#include "server/query/transfers.h"
#include "unit.h"

#define SECONDS(n) ((uint64_t)(n)*1000000000u)

static const char former, current; /* tables */
static const struct network some, other;

/* `count` more of that network, begun at 0, with so many octets sent. */
static void add(struct transfers *transfers, unsigned count, const struct network *network,
                uint64_t sent)
{
    for (unsigned i = 0; i < count; i++)
        transfers->outgoing[transfers->count++] =
            (struct outgoing){.base = &former, .network = network, .sent = sent};
}

static void slow_ones_have_time(void **state)
{
    static const struct {
        unsigned seconds;
        uint64_t sent;
        bool loses_place, is_overdue;
    } cases[] = {
        {30, 0, false, false},
        {31, 0, true, false},
        {31, 30 * TRANSFERS_RATE_LEAST, true, false},
        {31, 31 * TRANSFERS_RATE_LEAST, false, false},
        {300, 0, true, false},
        {301, 0, true, true},
        {301, 16384 * 301 / 10, true, true}, /* a message in ten seconds */
        {301, 301 * TRANSFERS_RATE_LEAST, false, false},
        {36000, 3600ul * TRANSFERS_RATE_LEAST, true, true},
        {36000, 36000ul * TRANSFERS_RATE_LEAST, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct transfers transfers = {0};
        uint64_t start = SECONDS(1000000), now = start + SECONDS(cases[i].seconds);
        add(&transfers, TRANSFERS_PER_NETWORK, &some, cases[i].sent);
        for (unsigned k = 0; k < TRANSFERS_PER_NETWORK; k++)
            transfers.outgoing[k].started = start;
        if (transfers_have_room(&transfers, &some, now) != cases[i].loses_place)
            fail_msg("case %zu: room", i);
        assert_int_equal(transfers_find_leaver(&transfers, &some, now) != NULL,
                         cases[i].loses_place);
        if (transfers_is_overdue(transfers.outgoing, &current, now) != cases[i].is_overdue)
            fail_msg("case %zu: overdue", i);
        assert_false(transfers_is_overdue(transfers.outgoing, &former, now));
    }
}

/* While there is room nobody has to go; then the oldest slow one, and of the network that has its
 * share one of its own. */
static void only_who_is_in_the_way_leaves(void **state)
{
    enum { FAST = 60 * TRANSFERS_RATE_LEAST };
    struct transfers transfers = {0};
    const uint64_t now = SECONDS(60);

    (void)state;
    assert_true(transfers_have_room(&transfers, &some, now));
    add(&transfers, 1, &some, 0);
    add(&transfers, TRANSFERS_PER_NETWORK - 2, &some, FAST);
    assert_true(transfers_have_room(&transfers, &some, now));
    assert_null(transfers_find_leaver(&transfers, &some, now));
    add(&transfers, 1, &some, FAST);
    assert_ptr_equal(transfers_find_leaver(&transfers, &some, now), &transfers.outgoing[0]);
    assert_null(transfers_find_leaver(&transfers, &other, now));
    assert_true(transfers_have_room(&transfers, &other, now));

    add(&transfers, TRANSFERS_MAX - TRANSFERS_PER_NETWORK, &other, FAST);
    assert_ptr_equal(transfers_find_leaver(&transfers, &some, now), &transfers.outgoing[0]);
    assert_null(transfers_find_leaver(&transfers, &other, now));
    assert_false(transfers_have_room(&transfers, &other, now));
    static const struct network third;
    assert_ptr_equal(transfers_find_leaver(&transfers, &third, now), &transfers.outgoing[0]);
    transfers.outgoing[3].sent = 0;
    transfers.outgoing[0].started = 1;
    assert_ptr_equal(transfers_find_leaver(&transfers, &third, now), &transfers.outgoing[3]);
    transfers.outgoing[0].sent = transfers.outgoing[3].sent = FAST;
    assert_false(transfers_have_room(&transfers, &third, now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_ones_have_time),
        cmocka_unit_test(only_who_is_in_the_way_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
