#include "server/statistics/band.h"

#include <math.h>
#include <stdbool.h>

/* What is left to the band's two ends, half to each. */
static const double doubt = (1 - BAND_CONFIDENCE) / 2;

/* The share of one worker: `heavy` flows, and `rest` of the queries in `flows` equal ones. */
struct model {
    double chance; /* that a flow is this worker's */
    double workers;
    double heavy[BAND_HEAVY_MAX];
    size_t heavy_count;
    double rest;
    double flows;
};

/* --- the binomial distribution ------------------------------------------------------ */

/* The continued fraction of the incomplete beta function, by Lentz' method (DLMF 8.17.22). */
static double beta_fraction(double a, double b, double x)
{
    enum { STEPS_MAX = 20000 }; /* it takes about the square root of a + b */
    const double tiny = 1e-300, precision = 1e-13;
    double d = 1 - (a + b) * x / (a + 1);
    double c = 1;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    double fraction = d;
    for (int m = 1; m < STEPS_MAX; m++) {
        const double terms[] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
        double change = 1;
        for (size_t i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            c = 1 + terms[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            fraction *= change;
        }
        if (fabs(change - 1) < precision)
            break;
    }
    return fraction;
}

/* The regularised incomplete beta function (DLMF 8.17.2). */
static double beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    /* Of the two ways the one that converges fast (DLMF 8.17.4). */
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(at most k of n), each with probability p. */
static double binomial(double k, double n, double p)
{
    if (k < 0 || k >= n)
        return k < 0 ? 0 : 1;
    return beta(n - k, k + 1, 1 - p);
}

/* --- one worker's share ------------------------------------------------------------- */

/* P(share <= s). */
static double distribution(const struct model *model, double s)
{
    const double grain = 1e-9; /* shares that differ by less are the same, rounded differently */
    double sum = 0;

    for (unsigned subset = 0; subset < 1U << model->heavy_count; subset++) {
        double probability = 1, left = s + grain;
        for (size_t i = 0; i < model->heavy_count; i++) {
            bool ours = (subset >> i & 1) != 0;
            probability *= ours ? model->chance : 1 - model->chance;
            left -= ours ? model->heavy[i] : 0;
        }
        if (left < 0)
            continue;
        double most = model->rest > 0 ? floor(left / model->rest * model->flows) : model->flows;
        sum += probability * binomial(most, model->flows, model->chance);
    }
    return sum;
}

typedef bool model_predicate(const struct model *model, double s);

static bool is_rarely_exceeded(const struct model *model, double s)
{
    return model->workers * (1 - distribution(model, s)) <= doubt;
}

static bool is_sometimes_reached(const struct model *model, double s)
{
    return model->workers * distribution(model, s) > doubt;
}

static bool may_be_busiest(const struct model *model, double s)
{
    return pow(distribution(model, s), model->workers) > doubt;
}

static bool is_median(const struct model *model, double s)
{
    return pow(distribution(model, s), model->workers) >= 0.5;
}

/* The least share that the predicate, which never turns false again, is true of. */
static double find(const struct model *model, model_predicate *predicate)
{
    enum { STEPS = 40 };
    double low = 0, high = 1;

    if (predicate(model, 0))
        return 0;
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        if (predicate(model, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* --- the band ----------------------------------------------------------------------- */

/* `rest` of the queries in flows of which some are heavier: as many equal ones as vary alike. */
static double equivalent_flows(double rest, double flows, const double *heavier, size_t count)
{
    double others = rest, squares = 0;

    for (size_t i = 0; i < count; i++) {
        others -= heavier[i];
        squares += heavier[i] * heavier[i];
        flows--;
    }
    if (others > 0 && flows >= 1)
        squares += others * others / flows;
    return squares > 0 ? fmax(1, round(rest * rest / squares)) : 0;
}

static struct model make_model(unsigned workers, uint64_t flows, const double *heavy, size_t count)
{
    struct model model = {.chance = 1.0 / workers, .workers = workers, .rest = 1};

    while (model.heavy_count < count && model.heavy_count < BAND_HEAVY_MAX) {
        model.heavy[model.heavy_count] = heavy[model.heavy_count];
        model.rest -= heavy[model.heavy_count++];
    }
    if (count > 0) /* `heavy` may be NULL otherwise */
        heavy += model.heavy_count;
    double others = (double)flows - (double)model.heavy_count;
    /* Shares that are told in rounded numbers may leave a rest that is none. */
    if (others < 1 || model.rest < 1e-6) {
        if (model.heavy_count > 0 && model.rest > 0)
            model.heavy[0] += model.rest;
        model.rest = 0;
    }
    model.flows =
        model.rest > 0 ? equivalent_flows(model.rest, others, heavy, count - model.heavy_count) : 0;
    return model;
}

/* What the busiest has, however lucky. */
static double least_maximum(const struct model *model)
{
    double heaviest = model->heavy_count > 0 ? model->heavy[0] : 0;

    if (model->flows > 0 && model->heavy_count == 0)
        heaviest = ceil(model->flows / model->workers) / model->flows;
    return fmax(heaviest, 1 / model->workers);
}

struct band band_of_flows(unsigned workers, uint64_t flows, const double *heavy, size_t count)
{
    struct band band = {0, 1, 1.0 / (workers > 0 ? workers : 1), 1, 1};

    if (workers < 2) {
        band.low = band.busiest_low = 1;
        return band;
    }
    if (flows == 0)
        return band;
    struct model model = make_model(workers, flows, heavy, count);
    double least = least_maximum(&model);
    band.low = find(&model, is_sometimes_reached);
    band.high = fmax(least, find(&model, is_rarely_exceeded));
    band.busiest_low = fmax(least, find(&model, may_be_busiest));
    band.busiest_typical = fmin(band.high, fmax(band.busiest_low, find(&model, is_median)));
    band.busiest_high = band.high;
    return band;
}
