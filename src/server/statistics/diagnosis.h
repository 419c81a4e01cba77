/*
 * What the numbers of a group of sockets, and of the daemon, mean: findings, each with a sentence
 * and, where something can be done, an advice (explain.h). Pure.
 */
#ifndef SORREL_SERVER_DIAGNOSIS_H
#define SORREL_SERVER_DIAGNOSIS_H

#include "server/statistics/explain_group.h"

#include <jansson.h>

/* A list of findings, the worst first; never empty. */
json_t *diagnosis_of_group(const struct explain_group *group);

/* About the daemon as a whole, from its statistics; may be empty. */
json_t *diagnosis_of_daemon(const json_t *stats);

/* The worst level of a list of findings; "fine" of an empty one. */
const char *diagnosis_level(const json_t *findings);

/* The worse one of two levels. */
const char *diagnosis_worse(const char *a, const char *b);

#endif
