/*
 * The zones of the benchmark, as text: made anew for each run, the same every time.
 *
 *     names.bench    n0000000 ... A                        COUNT names
 *     tld.bench      d0000000 ... NS ns.d0000000, NS ns.provider.example, and the A of the first
 *     z000000.bench  ...                                   COUNT zones of four records
 *
 * The signed one is in signed.h.
 */
#ifndef SORREL_BENCH_ZONETEXT_H
#define SORREL_BENCH_ZONETEXT_H

#include <stdint.h>
#include <stdio.h>

/* The file for zone `origin` in `directory`: ORIGIN.zone. Ends the program if it cannot be had. */
FILE *zonetext_open(const char *directory, const char *origin);

/* Closes it. Ends the program if something could not be written. */
void zonetext_close(FILE *file);

/* An IPv4 address of 10/8 that belongs to number `i`, as text. */
const char *zonetext_address(uint32_t i);

void zonetext_names(const char *directory, uint32_t count);
void zonetext_delegations(const char *directory, uint32_t count);
void zonetext_zones(const char *directory, uint32_t count);

/* The records of the delegation number `i`, in whatever zone. */
void zonetext_delegation(FILE *file, uint32_t i);

#endif
