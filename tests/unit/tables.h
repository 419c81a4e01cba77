/*
 * Zone tables made by the zone compiler itself, for the tests of what answers from them.
 *
 * The table is built in a child process, as the daemon does it, for the compiler leaves its memory
 * to be freed by exit. The test fails if a zone has an error; warnings are ignored.
 */
#ifndef SORREL_TESTS_TABLES_H
#define SORREL_TESTS_TABLES_H

#include "table/seal.h"

#include <stddef.h>

struct zone_text {
    const char *origin;
    const char *text;
};

/* Maps a table of the zones. Free with seal_unmap(). */
void tables_build(struct sealed_table *sealed, const struct zone_text *zones, size_t count);

/* The same of ZONE arguments (zone/source.h). */
void tables_load(struct sealed_table *sealed, const char *const *arguments, size_t count);

#endif
