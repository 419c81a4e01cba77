/*
 * Where the queries go and why: turns a daemon's statistics (sorrelctl(8), JSON, `stats`) into
 * shares beside the shares that should be expected, and sentences that a person can act on. Pure:
 * JSON in, JSON out.
 *
 *   { "level": the worst of all findings
 *     "policy": what is in force
 *     "findings": [ ... ]  about the daemon as a whole
 *     "groups": [ {
 *         "address", "queries", "flows", "seconds", "ago": what the figures are of, from the
 *                                  statistics' last interval
 *         "imbalance": the busiest worker's queries by the mean's
 *         "expected": { "low", "typical", "high" }  of "imbalance"; absent where chance has no part
 *         "workers": [ { "worker", "state", "queries", "share", "low", "high", "verdict", "queue",
 *                        "queue_max", "drops" } ]  in bind order
 *         "findings": [ { "level", "cause", "sentence", "advice" } ]  the worst first } ] }
 *
 * "low" and "high" are the band of shares that chance alone stays within (band.h), and "verdict" is
 * "within", "above" or "below" it; these three are absent where there is
 * nothing to expect: workers that the steering leaves out, and policies that do not leave it to
 * chance. "level" is "fine", "note" (good to know) or "problem" (something to mend). "advice" may
 * be absent.
 *
 * What is expected. Under `hash` the client ports seen are spread by chance, the heaviest of them
 * with the weight that was seen. Under `random` it is the queries, and under `query` as well, where
 * message IDs are as random as they should be (RFC 5452). Under `cpu` the network card decides,
 * under `shared` whoever is free. A share outside the band is called unexpected only if it still is
 * when the flows, which are estimated from samples, are half as many or as heavy as the lightest
 * one that was told.
 */
#ifndef SORREL_SERVER_EXPLAIN_H
#define SORREL_SERVER_EXPLAIN_H

#include <jansson.h>

/* The explanation is the caller's; NULL: no memory. */
json_t *explain(const json_t *stats);

#endif
