/*
 * Telling the sink what is wrong with one zone, in bounded number: a file with a million mistakes
 * of a kind is described by the first few.
 */
#ifndef SORREL_ZONE_REPORT_H
#define SORREL_ZONE_REPORT_H

#include "message/name.h"
#include "zone/diagnostic.h"

#include <stdbool.h>
#include <stddef.h>

enum { REPORT_LIMIT = 20 }; /* of each severity, for one zone */

struct report {
    diagnostic_sink *sink;
    void *closure;
    unsigned errors;
    unsigned warnings;
};

static inline bool report_is_full(unsigned found)
{
    return found >= REPORT_LIMIT;
}

__attribute__((format(printf, 4, 5))) void report_error(struct report *report, const char *file,
                                                        unsigned line, const char *format, ...);

__attribute__((format(printf, 4, 5))) void report_warning(struct report *report, const char *file,
                                                          unsigned line, const char *format, ...);

/* Says how many were found beyond the limit, if any. */
void report_close(struct report *report, const char *file);

enum { REPORT_QUOTE_MAX = 200 };

/* A bit of the file, for use in a sentence: printable, cut if it is long. Returns `quote`. */
const char *report_quote(char quote[REPORT_QUOTE_MAX], const char *text, size_t length);

#endif
