/* server/host/quota.h: what may be done when, and what may not. */
#include "server/host/quota.h"
#include "unit.h"

static unsigned take_all(struct quota *quota, double now)
{
    unsigned taken = 0;

    while (quota_take(quota, now))
        taken++;
    return taken;
}

static void some_at_once_and_some_a_second(void **state)
{
    static const struct {
        double now;
        unsigned taken;
    } steps[] = {
        {1000, 10},   {1000, 0},    {1000.0625, 0}, {1000.125, 1}, {1000.5, 3},
        {1001.25, 6}, {1001.25, 0}, {5000, 10},     {5000, 0},
    };
    struct quota quota = {.most = 10, .per_second = 8, .left = 10};

    (void)state;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        unsigned taken = take_all(&quota, steps[i].now);
        if (taken != steps[i].taken)
            fail_msg("at %g: %u, expected %u", steps[i].now, taken, steps[i].taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_at_once_and_some_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
