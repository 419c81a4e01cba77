/*
 * What changes on the status page: its <main>, section by section. Pure.
 */
#ifndef SORREL_SERVER_PAGE_SECTIONS_H
#define SORREL_SERVER_PAGE_SECTIONS_H

#include "server/metrics/snapshot.h"

#include <jansson.h>
#include <stdio.h>

enum { PAGE_SECTIONS_ZONES_MAX = 200 };

/* Queries a second, at present. */
double page_sections_rate(const struct snapshot *snapshot);

/* Writes <main>; `explanation` is that of the statistics (explain.h). */
void page_sections_write(const struct snapshot *snapshot, const json_t *explanation, FILE *out);

#endif
