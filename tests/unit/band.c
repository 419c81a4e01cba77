#include "server/statistics/band.h"

#include "unit.h"

#include <math.h>
#include <string.h>

enum { WORKERS_MAX = 8, FLOWS_MAX = 10 };

/* Flows with their shares, each on one worker: all the ways there are, counted one by one. */
struct ways {
    unsigned workers;
    unsigned flows;
    double shares[FLOWS_MAX];
    double loads[WORKERS_MAX];
    struct band band;
    unsigned long all, within, above, below_busiest;
};

static void count_way(struct ways *ways)
{
    const double grain = 1e-7;
    double busiest = 0, least = 1;

    for (unsigned i = 0; i < ways->workers; i++) {
        busiest = fmax(busiest, ways->loads[i]);
        least = fmin(least, ways->loads[i]);
    }
    ways->all++;
    ways->above += busiest > ways->band.high + grain;
    ways->below_busiest += busiest < ways->band.busiest_low - grain;
    ways->within += busiest <= ways->band.high + grain && least >= ways->band.low - grain;
}

static void count_ways(struct ways *ways, unsigned flow)
{
    if (flow == ways->flows) {
        count_way(ways);
        return;
    }
    for (unsigned i = 0; i < ways->workers; i++) {
        ways->loads[i] += ways->shares[flow];
        count_ways(ways, flow + 1);
        ways->loads[i] -= ways->shares[flow];
    }
}

/* Against enumeration: never less sure than promised. */
static void the_band_holds_what_it_promises(void **state)
{
    (void)state;
    static const struct {
        unsigned workers;
        unsigned flows;
        double heavy[FLOWS_MAX];
        size_t heavy_count;
    } cases[] = {
        {2, 1, {0}, 0},
        {2, 10, {0}, 0},
        {3, 9, {0}, 0},
        {4, 6, {0}, 0},
        {4, 9, {0}, 0},
        {8, 6, {0}, 0},
        {4, 8, {0.5}, 1},
        {4, 8, {0.93}, 1},
        {4, 8, {0.4, 0.3}, 2},
        {3, 3, {.5, .3, .2}, 3},
        {2, 9, {0.2, 0.15}, 2},
        {4, 8, {0.25, 0.25, 0.2, 0.2}, 4},
        {4, 8, {0.2, 0.15, 0.15, 0.15, 0.1, 0.1}, 6},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ways ways = {.workers = cases[i].workers, .flows = cases[i].flows};
        double rest = 1;
        for (size_t j = 0; j < cases[i].heavy_count; j++)
            rest -= ways.shares[j] = cases[i].heavy[j];
        for (size_t j = cases[i].heavy_count; j < cases[i].flows; j++)
            ways.shares[j] = rest / (double)(cases[i].flows - cases[i].heavy_count);
        ways.band =
            band_of_flows(cases[i].workers, cases[i].flows, cases[i].heavy, cases[i].heavy_count);
        count_ways(&ways, 0);
        if (cases[i].heavy_count <= BAND_HEAVY_MAX) {
            assert_true((double)ways.within >= BAND_CONFIDENCE * (double)ways.all);
            assert_true((double)ways.below_busiest <= 0.005 * (double)ways.all);
        } else {
            assert_true((double)ways.within >= 0.97 * (double)ways.all);
        }
    }
}

/* And no wider than it has to be: a step less would leave out too much. */
static void the_band_is_tight(void **state)
{
    (void)state;
    struct ways ways = {.workers = 4, .flows = 9};

    for (size_t i = 0; i < ways.flows; i++)
        ways.shares[i] = 1.0 / 9;
    ways.band = band_of_flows(4, 9, NULL, 0);
    assert_true(fabs(ways.band.high - 8.0 / 9) < 1e-6 || fabs(ways.band.high - 7.0 / 9) < 1e-6);
    ways.band.high -= 1.0 / 9;
    count_ways(&ways, 0);
    assert_true((double)ways.above > 0.0045 * (double)ways.all);
}

/* Busiest over mean, by simulation of 20,000 spreads each (4 workers). */
static void the_typical_busiest_is_as_simulated(void **state)
{
    (void)state;
    static const struct {
        uint64_t flows;
        double mean;
    } cases[] = {{1, 4}, {16, 1.55}, {64, 1.26}, {1000, 1.065}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct band band = band_of_flows(4, cases[i].flows, NULL, 0);
        assert_true(fabs(band.busiest_typical * 4 - cases[i].mean) < 0.08);
        assert_true(band.busiest_low <= band.busiest_typical);
        assert_true(band.busiest_typical <= band.busiest_high);
    }
}

/* 250,000 +- 3.2 standard deviations (433) of a million queries on 4 workers. */
static void many_flows_are_nearly_normal(void **state)
{
    (void)state;
    struct band band = band_of_flows(4, 1000000, NULL, 0);

    assert_true(band.high > 0.25 + 0.00120 && band.high < 0.25 + 0.00140);
    assert_true(band.low < 0.25 - 0.00120 && band.low > 0.25 - 0.00140);
    assert_true(band.busiest_low >= 0.25 && band.busiest_low < band.busiest_typical);
}

static void extremes(void **state)
{
    (void)state;
    static const struct {
        unsigned workers;
        uint64_t flows;
        double heavy[8];
        size_t count;
        struct band band;
    } cases[] = {
        {1, 100, {0}, 0, {1, 1, 1, 1, 1}},
        {4, 0, {0}, 0, {0, 1, 0.25, 1, 1}},
        {4, 1, {0}, 0, {0, 1, 1, 1, 1}},
        {4, 1, {1}, 1, {0, 1, 1, 1, 1}},
        {4, 2, {0.5, 0.5}, 2, {0, 1, 0.5, 0.5, 1}},
        /* Shares that do not quite add up. */
        {2, 3, {0.333, 0.333, 0.333}, 3, {0, 1, 0.5, 0.667, 1}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct band band =
            band_of_flows(cases[i].workers, cases[i].flows, cases[i].heavy, cases[i].count);
        const double got[] = {band.low, band.high, band.busiest_low, band.busiest_typical,
                              band.busiest_high};
        const struct band *wanted = &cases[i].band;
        const double expected[] = {wanted->low, wanted->high, wanted->busiest_low,
                                   wanted->busiest_typical, wanted->busiest_high};
        for (size_t j = 0; j < 5; j++)
            assert_float_equal((float)got[j], (float)expected[j], 1e-5F);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_band_holds_what_it_promises),
        cmocka_unit_test(the_band_is_tight),
        cmocka_unit_test(the_typical_busiest_is_as_simulated),
        cmocka_unit_test(many_flows_are_nearly_normal),
        cmocka_unit_test(extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
