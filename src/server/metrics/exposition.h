/*
 * The daemon's statistics in Prometheus' text format (version 0.0.4): names in base units with the
 * prefix sorrel_, labels that only have bounded values. Pure.
 */
#ifndef SORREL_SERVER_EXPOSITION_H
#define SORREL_SERVER_EXPOSITION_H

#include <jansson.h>
#include <stdio.h>

/* Writes all metrics of the replies to `stats` and `status` (sorrelctl(8), JSON). */
void exposition_write(const json_t *stats, const json_t *status, FILE *out);

#endif
