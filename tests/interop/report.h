/*
 * What the reader sees: a row per zone, and for each question that nothing explains the replies
 * themselves.
 */
#ifndef SORREL_INTEROP_REPORT_H
#define SORREL_INTEROP_REPORT_H

#include "judge.h"

struct tally {
    size_t verdicts[VERDICTS];
    size_t proofs;      /* checked by the validator */
    size_t bad_proofs;
};

void report_heading(void);

/* One row; `voters` names the peers that serve the zone. */
void report_zone(const char *zone, const struct tally *tally, const char *voters);

/* One line about a question, and dumps of our reply and of one that differs. */
void report_trial(const struct trial *trial, const struct judgement *judgement, bool with_dumps);

size_t report_queries(const struct tally *tally);
size_t report_unexplained(const struct tally *tally);

void report_unused_known(const struct known *known, const char *path);

#endif
