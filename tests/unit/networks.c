/* server/protection/networks.c: against counts kept by hand. */
#include "server/protection/networks.h"
#include "unit.h"

#include <stdlib.h>

enum { MOST = 64, STEPS = 20000, NETWORKS = 100 };

/* The network of that number, and any client in it. */
static struct client client_of(unsigned number, unsigned any)
{
    if (number % 2 == 0)
        return (struct client){.length = 4, .address = {10, 0, (uint8_t)number, (uint8_t)any}};
    return (struct client){.length = 16,
                           .address = {10, 0, 0, 0, 0, 0, (uint8_t)number, (uint8_t)any}};
}

static unsigned heaviest_of(const unsigned *counts)
{
    unsigned heaviest = 0;

    for (unsigned i = 0; i < NETWORKS; i++)
        heaviest = counts[i] > heaviest ? counts[i] : heaviest;
    return heaviest;
}

static unsigned count_of(const struct networks *networks, const struct client *client)
{
    const struct network *network = networks_find(networks, client);

    return network != NULL ? network->connections : 0;
}

static void counts_are_right(void **state)
{
    struct {
        struct network *network;
        unsigned number;
    } held[MOST];
    unsigned counts[NETWORKS] = {0}, count = 0, seed = 7;
    struct networks networks;

    (void)state;
    assert_int_equal(networks_open(&networks, MOST, 42), 0);
    assert_null(networks_heaviest(&networks));
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned number = (unsigned)rand_r(&seed) % NETWORKS;
        struct client client = client_of(number, step);
        assert_int_equal(count_of(&networks, &client), counts[number]);
        if (count < MOST && rand_r(&seed) % 2 == 0) {
            held[count].network = networks_add(&networks, &client);
            held[count++].number = number;
            assert_int_equal(held[count - 1].network->connections, ++counts[number]);
        } else if (count > 0) {
            unsigned gone = (unsigned)rand_r(&seed) % count;
            counts[held[gone].number]--;
            networks_remove(&networks, held[gone].network);
            held[gone] = held[--count];
        }
        const struct network *heaviest = networks_heaviest(&networks);
        assert_int_equal(heaviest != NULL ? heaviest->connections : 0, heaviest_of(counts));
    }
    networks_close(&networks);
}

/* One place, taken and left. */
static void one_is_enough(void **state)
{
    struct networks networks;

    (void)state;
    assert_int_equal(networks_open(&networks, 1, 42), 0);
    for (unsigned i = 0; i < NETWORKS; i++) {
        struct client client = client_of(i, 1);
        struct network *network = networks_add(&networks, &client);
        assert_ptr_equal(networks_heaviest(&networks), network);
        networks_remove(&networks, network);
        assert_int_equal(count_of(&networks, &client), 0);
    }
    networks_close(&networks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_right),
        cmocka_unit_test(one_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
