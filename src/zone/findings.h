/*
 * Diagnostics that are kept for later: what is read by several threads is told in the order in
 * which it stands.
 */
#ifndef SORREL_ZONE_FINDINGS_H
#define SORREL_ZONE_FINDINGS_H

#include "zone/diagnostic.h"
#include "zone/report.h"

#include <stddef.h>

/* All zero: none. */
struct findings {
    struct diagnostic *items; /* their texts belong to them, their file names too */
    size_t count;
    size_t room;
};

/* A diagnostic_sink whose closure is a struct findings. */
void findings_add(void *closure, const struct diagnostic *diagnostic);

/* Tells `sink` all of them. */
void findings_tell(const struct findings *findings, diagnostic_sink *sink, void *closure);

/* Reports all that `told` has counted, and tells those that were found, their lines counted from
 * `line` on. */
void findings_report(const struct findings *findings, const struct report *told,
                     struct report *report, unsigned line);

void findings_free(struct findings *findings);

#endif
