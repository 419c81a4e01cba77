/*
 * Where a load's queries come from: a pattern, so that ten million names need no file, or a file
 * of lines "NAME TYPE" as dnsperf reads them.
 *
 * All queries have room for their ID only: the rest is the same for the same number.
 */
#ifndef SORREL_BENCH_QUESTIONS_H
#define SORREL_BENCH_QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Header, the longest question and an OPT RR. */
enum { QUESTIONS_OCTETS_MAX = 12 + 255 + 4 + 11 };

struct questions;

struct questions_settings {
    const char *pattern; /* a name; its one run of '#' is a number with as many digits */
    uint32_t count;      /* the numbers are 0 .. count - 1 */
    const char *type;    /* QTYPE: a mnemonic or TYPEnnn */
    const char *file;    /* if not NULL, instead of the three above */
    bool dnssec;         /* with an OPT RR: DO, payload 1232 */
};

/* NULL, with one sentence on standard error, if `settings` name no questions. Free with
 * questions_free(). */
struct questions *questions_open(const struct questions_settings *settings);

void questions_free(struct questions *questions);

uint32_t questions_count(const struct questions *questions);

/* Writes query `number` < questions_count() with ID 0; returns its length. */
size_t questions_write(const struct questions *questions, uint32_t number,
                       uint8_t wire[QUESTIONS_OCTETS_MAX]);

/* Writes it as a line "NAME TYPE". */
void questions_print(const struct questions *questions, uint32_t number, FILE *file);

#endif
