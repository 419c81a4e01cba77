/*
 * The sets of zones that servers are measured with. A set is one zone, or many whose origins are
 * numbered, as files ORIGIN.zone of a directory.
 */
#ifndef SORREL_BENCH_ZONESET_H
#define SORREL_BENCH_ZONESET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { ZONESET_ORIGIN_MAX = 64, ZONESET_PATH_MAX = 256 };

struct zoneset {
    const char *name;
    const char *title;
    const char *origin; /* its run of '#', if any, is the zone's number */
    uint32_t zones;
    uint32_t names; /* for the writer: names, delegations or zones */
    void (*write)(const char *directory, uint32_t names); /* NULL: `file` is the zone */
    const char *file;
    bool is_signed;
};

/* The origin of zone `i`, and the path of its file in `directory`. */
void zoneset_origin(const struct zoneset *set, uint32_t i, char origin[ZONESET_ORIGIN_MAX]);
void zoneset_path(const struct zoneset *set, const char *directory, uint32_t i,
                  char path[ZONESET_PATH_MAX]);

#endif
