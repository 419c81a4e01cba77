#include "tools/spread/cell.h"

#include "tools/spread/statistics.h"

#include <stdlib.h>
#include <string.h>

double cell_share(const struct cell *cell, unsigned worker)
{
    uint64_t named = 0;

    for (unsigned i = 0; i < cell->workers; i++)
        named += cell->tally.workers[i];
    return named > 0 ? (double)cell->tally.workers[worker] / (double)named : 0;
}

static void add_band(struct figures *figures, const struct cells *cells, const struct cell *cell)
{
    enum policy_ball ball = policy_ball(cell->policy, cells->tcp);
    uint64_t balls = ball == POLICY_QUERIES ? cell->tally.answered : cell->flows;

    figures->has_band = (ball == POLICY_QUERIES || ball == POLICY_FLOWS) && balls > 0;
    if (!figures->has_band)
        return;
    struct band band = band_of_flows(cell->workers, balls, NULL, 0);
    figures->low = band.busiest_low * cell->workers;
    figures->typical = band.busiest_typical * cell->workers;
    figures->high = band.busiest_high * cell->workers;
}

static double for_each_answer(double sum, const struct traffic_tally *tally)
{
    return sum < 0 || tally->answered == 0 ? -1 : sum / (double)tally->answered;
}

struct figures cell_figures(const struct cells *cells, const struct cell *cell)
{
    const struct traffic_tally *tally = &cell->tally;
    struct figures figures = {
        .busiest = statistics_busiest(tally->workers, cell->workers),
        .even = statistics_even(tally->workers, cell->workers),
        .rate = tally->seconds > 0 ? (double)tally->answered / tally->seconds : 0,
        .median = latency_quantile(&tally->latency, 0.5),
        .p99 = latency_quantile(&tally->latency, 0.99),
        .cpu = for_each_answer(cell->usage.cpu, tally),
        .switches = for_each_answer(cell->usage.switches, tally),
        .empty = for_each_answer(cell->usage.empty, tally),
    };

    add_band(&figures, cells, cell);
    return figures;
}

struct cell *cells_add(struct cells *cells)
{
    struct cell *grown = reallocarray(cells->items, cells->count + 1, sizeof *cells->items);

    if (grown == NULL)
        return NULL;
    cells->items = grown;
    return memset(&grown[cells->count++], 0, sizeof *grown);
}

void cells_free(struct cells *cells)
{
    free(cells->items);
    cells->items = NULL;
    cells->count = 0;
}
