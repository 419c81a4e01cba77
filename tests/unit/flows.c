/* server/query/flows.c: how many flows there are, and which are the heaviest. */
#include "server/query/flows.h"
#include "unit.h"

#include <arpa/inet.h>

static union address client(int family, unsigned number)
{
    union address address = {.any.sa_family = (sa_family_t)family};

    if (family == AF_INET) {
        address.v4.sin_addr.s_addr = htonl(0x7f000001 + number / 5000);
        address.v4.sin_port = htons((uint16_t)(1024 + number % 5000));
    } else {
        address.v6.sin6_addr.s6_addr[15] = (uint8_t)(number / 5000 + 1);
        address.v6.sin6_port = htons((uint16_t)(1024 + number % 5000));
    }
    return address;
}

static void note_one(struct flows *flows, union address address)
{
    flows_note(flows, &address, 1);
}

/* Flows that are numbered one after the other, seen three times, by two workers. */
static void distinct_flows_are_estimated(void **state)
{
    static const struct {
        unsigned flows, off; /* that the estimate may be */
    } cases[] = {{0, 0}, {1, 0}, {2, 0}, {16, 1}, {100, 4}, {1000, 40}, {20000, 1000}};

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (unsigned f = 0; f < 2; f++) {
            static struct flows workers[2];
            uint64_t seen[FLOWS_WORDS] = {0};
            memset(workers, 0, sizeof workers);
            for (unsigned i = 0; i < 3 * cases[c].flows; i++)
                note_one(&workers[i % 2], client(f == 0 ? AF_INET : AF_INET6, i % cases[c].flows));
            flows_take_seen(&workers[0], seen);
            flows_take_seen(&workers[1], seen);
            uint64_t estimate = flows_estimate(seen);
            assert_in_range(estimate, cases[c].flows - cases[c].off, cases[c].flows + cases[c].off);
        }
}

/* In batches as wide as the flows are many, so that each has its place in all of them. */
static void no_flow_hides_in_wide_batches(void **state)
{
    static struct flows flows;
    uint64_t seen[FLOWS_WORDS] = {0};
    union address batch[64];

    (void)state;
    for (unsigned i = 0; i < 64; i++)
        batch[i] = client(AF_INET, i);
    for (unsigned i = 0; i < 200; i++)
        flows_note(&flows, batch, 64);
    flows_take_seen(&flows, seen);
    assert_in_range(flows_estimate(seen), 62, 67);
}

static void what_was_taken_is_not_seen_again(void **state)
{
    static struct flows flows;
    uint64_t seen[3][FLOWS_WORDS] = {0};

    (void)state;
    for (unsigned look = 0; look < 3; look++) {
        for (unsigned i = 0; i < look; i++)
            note_one(&flows, client(AF_INET, 100 * look + i));
        flows_take_seen(&flows, seen[look]);
        assert_int_equal(flows_estimate(seen[look]), look);
    }
}

static void samples_stand_for_their_batches(void **state)
{
    static struct flows flows;
    static struct flows_sample samples[FLOWS_SAMPLES];
    union address batch[64];
    uint32_t position = 0;
    uint64_t weight = 0;

    (void)state;
    /* Three of four queries are client 0's. */
    for (unsigned i = 0; i < 64; i++)
        batch[i] = client(AF_INET, i % 4 == 0 ? i : 0);
    for (unsigned i = 0; i < 200; i++)
        flows_note(&flows, batch, i % 2 == 0 ? 64 : 4);
    size_t count = flows_take_samples(&flows, &position, samples, FLOWS_SAMPLES);
    assert_int_equal(count, 200);
    assert_int_equal(flows_take_samples(&flows, &position, samples + count, 1), 0);
    for (size_t i = 0; i < count; i++)
        weight += samples[i].weight;
    assert_int_equal(weight, 100 * 64 + 100 * 4);
    count = flows_merge(samples, count, 5);
    assert_int_equal(count, 5);
    union address heaviest = client(AF_INET, 0);
    assert_true(address_is_equal(&samples[0].client, &heaviest));
    assert_in_range(100 * samples[0].weight / weight, 65, 85);
    for (size_t i = 1; i < count; i++)
        assert_true(samples[i].weight <= samples[i - 1].weight);
}

/* The worker goes round while nobody looks. */
static void only_the_last_samples_are_kept(void **state)
{
    static struct flows flows;
    static struct flows_sample samples[FLOWS_SAMPLES];
    uint32_t position = 0;

    (void)state;
    for (unsigned i = 0; i < 3 * FLOWS_SAMPLES; i++)
        note_one(&flows, client(AF_INET, i));
    size_t count = flows_take_samples(&flows, &position, samples, FLOWS_SAMPLES);
    assert_in_range(count, FLOWS_SAMPLES - 1, FLOWS_SAMPLES);
    for (size_t i = 0; i < count; i++) {
        union address expected = client(AF_INET, (unsigned)(3 * FLOWS_SAMPLES - count + i));
        assert_true(address_is_equal(&samples[i].client, &expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct_flows_are_estimated),
        cmocka_unit_test(no_flow_hides_in_wide_batches),
        cmocka_unit_test(what_was_taken_is_not_seen_again),
        cmocka_unit_test(samples_stand_for_their_batches),
        cmocka_unit_test(only_the_last_samples_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
