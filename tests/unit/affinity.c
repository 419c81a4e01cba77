/* server/host/affinity.c: each worker runs where the steering's datagrams for it are received. */
#include "server/host/affinity.h"
#include "unit.h"

static void workers_run_on_their_cpus(void **state)
{
    static const struct {
        unsigned usable[4], usable_count, slots, idle;
        unsigned expected[6];
    } cases[] = {
        {{0, 1, 2, 3}, 4, 4, 0, {0, 1, 2, 3}},
        {{0, 1, 2, 3}, 4, 2, 0, {0, 1}},
        {{4, 5, 6, 7}, 4, 4, 0, {4, 5, 6, 7}}, /* CPU 4 modulo 4 is slot 0 */
        {{5, 7}, 2, 2, 1, {5, 5}},             /* both are slot 1's; slot 0 gets nothing */
        {{0, 1}, 2, 4, 2, {0, 1, 0, 1}},       /* slots 2 and 3 get nothing */
        {{3}, 1, 1, 0, {3}},
        {{2, 3}, 2, 3, 1, {3, 3, 2}},
    };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct affinity affinity;
        CPU_ZERO(&affinity.usable);
        for (unsigned i = 0; i < cases[c].usable_count; i++)
            CPU_SET(cases[c].usable[i], &affinity.usable);
        for (unsigned slot = 0; slot < cases[c].slots; slot++)
            assert_int_equal(affinity_cpu(&affinity, slot, cases[c].slots),
                             cases[c].expected[slot]);
        assert_int_equal(affinity_idle_slots(&affinity, cases[c].slots), cases[c].idle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_run_on_their_cpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
