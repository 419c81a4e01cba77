/*
 * $GENERATE start-stop[/step] owner [TTL] [class] type rdata, as BIND has it: one line for each
 * number of the range, in which $ or ${offset[,width[,base]]} is replaced by the number. Bases: d o
 * x X, and n N for hexadecimal digits last first with dots between, as in ip6.arpa. \$ stays a
 * dollar sign.
 */
#ifndef SORREL_ZONE_GENERATE_H
#define SORREL_ZONE_GENERATE_H

#include "zone/lexer.h"

#include <stdint.h>

/* The addresses of a /8; more is taken for a slip of the pen. */
enum { GENERATE_LINES_MAX = 1 << 24 };

struct generate {
    const struct entry *directive;
    int64_t number;
    int64_t stop;
    int64_t step;
    char *line; /* the line made last, with a newline at `length` */
    size_t length;
    size_t room;
};

/* Reads the range and the templates, which must be valid while lines are made. NULL, or what is
 * wrong with `*culprit`; then there is nothing to end. */
const char *generate_start(struct generate *generate, const struct entry *directive,
                           const struct token **culprit);

/* Makes the next line; false behind the last. */
bool generate_next(struct generate *generate);

void generate_end(struct generate *generate);

#endif
