#include "tools/spread/statistics.h"

#include <math.h>

static double mean_of(const uint64_t *counts, unsigned n)
{
    double sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += (double)counts[i];
    return n > 0 ? sum / n : 0;
}

double statistics_busiest(const uint64_t *counts, unsigned n)
{
    double mean = mean_of(counts, n), busiest = 0;

    for (unsigned i = 0; i < n; i++)
        busiest = fmax(busiest, (double)counts[i]);
    return mean > 0 ? busiest / mean : 0;
}

/*
 * The regularised incomplete gamma function Q(degrees / 2, x / 2), by its recurrence (DLMF 8.8.6)
 * Q(a + 1, z) = Q(a, z) + z^a e^-z / gamma(a + 1) from Q(1, z) = e^-z or Q(1/2, z) = erfc(sqrt(z)).
 * All terms are positive, so nothing cancels out.
 */
double statistics_chi_squared(double x, unsigned degrees)
{
    double z = x / 2;
    double a = degrees % 2 == 0 ? 1 : 0.5;

    if (z <= 0)
        return 1;
    double q = degrees % 2 == 0 ? exp(-z) : erfc(sqrt(z));
    for (; a < degrees / 2.0; a++)
        q += exp(a * log(z) - z - lgamma(a + 1));
    return fmin(q, 1);
}

double statistics_even(const uint64_t *counts, unsigned n)
{
    double mean = mean_of(counts, n), x = 0;

    if (n < 2 || mean <= 0)
        return 1;
    for (unsigned i = 0; i < n; i++) {
        double excess = (double)counts[i] - mean;
        x += excess * excess / mean;
    }
    return statistics_chi_squared(x, n - 1);
}
