/*
 * What came out: a table for a person, JSON for programs, and what could not be measured.
 */
#ifndef SORREL_BENCH_REPORT_H
#define SORREL_BENCH_REPORT_H

#include "measure.h"

#include <jansson.h>
#include <stdio.h>

/* A server with a set of zones. */
struct report_start {
    const char *server;
    struct figures seconds;      /* from start to first answer */
    uint64_t peak_kib;           /* the most that was seen, while it loaded or later */
    struct family_memory memory; /* after it was asked */
};

/* A series as JSON. */
json_t *report_figures(const struct figures *figures);

struct report {
    json_t *document;
    FILE *text;
};

void report_open(struct report *report, FILE *text, const struct measure_settings *settings,
                 unsigned workers);

/* Something that was not measured, or is to be doubted. They are listed at the end. */
void report_note(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void report_set(struct report *report, const struct zoneset *set, const struct report_start *starts,
                size_t count);

void report_workload(struct report *report, const struct workload *workload,
                     const struct server_kind *const *kinds, const struct measure_outcome *outcomes,
                     size_t count);

/* Adds `value`, which becomes the report's, to the JSON only. */
void report_add(struct report *report, const char *key, json_t *value);

/* Prints the notes, and writes the JSON to `path` if not NULL. False if that fails. */
bool report_close(struct report *report, const char *path);

#endif
