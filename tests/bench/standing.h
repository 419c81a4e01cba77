/*
 * Where sorreld stands among the other servers: of every row of the benchmark, is it ahead?
 */
#ifndef SORREL_BENCH_STANDING_H
#define SORREL_BENCH_STANDING_H

#include <jansson.h>
#include <stdio.h>

/* Prints how many rows of the report `document` have sorreld ahead of all name servers that were
 * measured, and which have not. Nothing if it was not measured, or no other was. */
void standing_print(FILE *text, const json_t *document);

#endif
