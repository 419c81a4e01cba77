/* tools/spread/statistics.c and latency.c. */
#include "tools/spread/latency.h"
#include "tools/spread/statistics.h"

#include "unit.h"

#include <math.h>

static void assert_near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.9g, and %.9g was expected", a, b);
}

/* Where tables of the distribution have 5 %, 1 % and 0.1 %, and some that can be written down. */
static void chi_squared_is_as_in_tables(void **state)
{
    (void)state;
    static const struct {
        double x;
        unsigned degrees;
        double p, tolerance;
    } cases[] = {
        {3.841459, 1, 0.05, 1e-6},
        {6.634897, 1, 0.01, 1e-6},
        {10.827566, 1, 0.001, 1e-7},
        {5.991465, 2, 0.05, 1e-6},
        {7.814728, 3, 0.05, 1e-6},
        {16.266236, 3, 0.001, 1e-7},
        {18.307038, 10, 0.05, 1e-6},
        {124.342113, 100, 0.05, 1e-6},
        {2, 2, 0.36787944117, 1e-10},
        {0, 3, 1, 0},
        {-1, 3, 1, 0},
        {1e6, 3, 0, 1e-300},
        {511, 511, 0.4916793, 1e-4},
        {1e-9, 511, 1, 1e-12},
        {4, 4, 0.406005849710, 1e-10},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_near(statistics_chi_squared(cases[i].x, cases[i].degrees), cases[i].p,
                    cases[i].tolerance);
}

static void chi_squared_only_falls(void **state)
{
    (void)state;

    for (unsigned degrees = 1; degrees < 512; degrees += 5) {
        double before = 1;
        for (double x = 0; x < 4 * degrees + 40; x += 0.37) {
            double p = statistics_chi_squared(x, degrees);
            assert_true(p >= 0 && p <= before + 1e-12);
            before = p;
        }
        assert_true(before < 1e-6);
    }
}

static void counts_are_judged(void **state)
{
    (void)state;
    static const struct {
        uint64_t counts[4];
        unsigned n;
        double busiest, even;
    } cases[] = {
        {{100, 0, 0, 0}, 4, 4, 0},
        {{25, 25, 25, 25}, 4, 1, 1},
        /* (15^2 + 5^2 + 5^2 + 5^2) / 25 = 12 with 3 degrees of freedom */
        {{40, 20, 20, 20}, 4, 1.6, 0.007383},
        {{60, 40}, 2, 1.2, 0.045500},
        {{7}, 1, 1, 1},
        {{0, 0, 0}, 3, 0, 1},
        {{0}, 0, 0, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_near(statistics_busiest(cases[i].counts, cases[i].n), cases[i].busiest, 1e-12);
        assert_near(statistics_even(cases[i].counts, cases[i].n), cases[i].even, 1e-6);
    }
}

static void quantiles_are_within_a_class(void **state)
{
    (void)state;
    static struct latency latency;

    assert_near(latency_quantile(&latency, 0.5), 0, 0);
    for (uint64_t n = 1; n <= 100000; n++)
        latency_add(&latency, n * 1000);
    static const double parts[] = {0.001, 0.01, 0.25, 0.5, 0.75, 0.99, 0.999, 1};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double expected = parts[i] * 100000;
        assert_near(latency_quantile(&latency, parts[i]), expected, expected / 64);
    }
}

static void all_magnitudes_have_a_class(void **state)
{
    (void)state;
    double before = -1;

    for (unsigned shift = 0; shift < 64; shift++) {
        static struct latency latency;
        latency = (struct latency){0};
        latency_add(&latency, (uint64_t)1 << shift);
        double at = latency_quantile(&latency, 0.5);
        assert_true(at >= before);
        if (shift < 40)
            assert_near(at, ldexp(1e-3, (int)shift), ldexp(1e-3, (int)shift) / 64);
        before = at;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chi_squared_is_as_in_tables),
        cmocka_unit_test(chi_squared_only_falls),
        cmocka_unit_test(counts_are_judged),
        cmocka_unit_test(quantiles_are_within_a_class),
        cmocka_unit_test(all_magnitudes_have_a_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
