#include "zoneset.h"

#include <stdio.h>
#include <string.h>

void zoneset_origin(const struct zoneset *set, uint32_t i, char origin[ZONESET_ORIGIN_MAX])
{
    size_t first = strcspn(set->origin, "#"), digits = strspn(set->origin + first, "#");

    if (digits == 0)
        snprintf(origin, ZONESET_ORIGIN_MAX, "%s", set->origin);
    else
        snprintf(origin, ZONESET_ORIGIN_MAX, "%.*s%0*u%s", (int)first, set->origin, (int)digits, i,
                 set->origin + first + digits);
}

void zoneset_path(const struct zoneset *set, const char *directory, uint32_t i,
                  char path[ZONESET_PATH_MAX])
{
    char origin[ZONESET_ORIGIN_MAX];

    if (set->file != NULL) {
        snprintf(path, ZONESET_PATH_MAX, "%s", set->file);
        return;
    }
    zoneset_origin(set, i, origin);
    snprintf(path, ZONESET_PATH_MAX, "%s/%s.zone", directory, origin);
}
