/*
 * A signed zone that can be afforded: the NSEC3 chain is real, the signatures are 64 octets of
 * chance. No server checks the signatures of what it serves, and none can tell the difference by
 * size or place; a validator would.
 *
 *     signed.bench   d0000000 ... COUNT delegations as of tld.bench; each twentieth has a DS
 *                    s0000000 ... COUNT / 10 names with an A
 *
 * NSEC3 with opt-out (SHA-1, no iterations, no salt), as a large registry does it: of the
 * delegations only those with DS are in the chain.
 */
#ifndef SORREL_BENCH_SIGNED_H
#define SORREL_BENCH_SIGNED_H

#include <stdint.h>

void signed_write(const char *directory, uint32_t count);

#endif
