#include "figures.h"

#include <stdlib.h>
#include <string.h>

void figures_add(struct figures *figures, double value)
{
    if (figures->count < FIGURES_MAX)
        figures->value[figures->count++] = value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double at(const struct figures *figures, size_t rank)
{
    double sorted[FIGURES_MAX];

    memcpy(sorted, figures->value, figures->count * sizeof *sorted);
    qsort(sorted, figures->count, sizeof *sorted, compare);
    return sorted[rank];
}

double figures_median(const struct figures *figures)
{
    size_t n = figures->count;

    if (n == 0)
        return 0;
    return n % 2 == 1 ? at(figures, n / 2) : (at(figures, n / 2 - 1) + at(figures, n / 2)) / 2;
}

double figures_least(const struct figures *figures)
{
    return figures->count == 0 ? 0 : at(figures, 0);
}

double figures_most(const struct figures *figures)
{
    return figures->count == 0 ? 0 : at(figures, figures->count - 1);
}

double figures_spread(const struct figures *figures)
{
    double median = figures_median(figures);

    return median > 0 ? (figures_most(figures) - figures_least(figures)) / 2 / median : 0;
}
