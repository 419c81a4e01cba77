#include "server/statistics/kinds.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const struct kind *left = a, *right = b;

    return (right->count > left->count) - (right->count < left->count);
}

size_t kinds_sort(const json_t *counts, struct kind **kinds)
{
    const char *name;
    json_t *value;
    size_t count = 0;

    *kinds = calloc(json_object_size(counts) + 1, sizeof **kinds);
    if (*kinds == NULL)
        return 0;
    json_object_foreach((json_t *)counts, name, value)
    {
        if (json_number_value(value) > 0)
            (*kinds)[count++] = (struct kind){name, json_number_value(value)};
    }
    if (count > 1)
        qsort(*kinds, count, sizeof **kinds, compare);
    return count;
}
