/*
 * The numbered queries of the loss tests, and what a right answer to each is.
 *
 * Zone loss.test has `names` names n0000000, n0000001, ... and name i has two RRsets:
 *
 *     i  A   10.x.y.z           24 bits of i
 *     i  MX  (i mod 65536) m    m: the name counted from the other end, whose A belongs into the
 *                               additional section
 *
 * The TTL of *every* record is the version of the zone. So one look at an answer tells from which
 * version it came, and whether it was put together from two. Query n asks for name n mod `names`,
 * for A or MX in turns of `names` queries.
 */
#ifndef SORREL_LOSS_QUESTION_H
#define SORREL_LOSS_QUESTION_H

#include <stddef.h>
#include <stdint.h>

#define QUESTION_ORIGIN "loss.test"

enum {
    QUESTION_LENGTH = 36,
    QUESTION_NAMES_MAX = 10000000, /* seven digits */
    QUESTION_VERSION_MAX = 65535,
    QUESTION_ANSWER_MAX = 512,
};

enum question_verdict {
    QUESTION_ANSWERED,
    QUESTION_WRONG, /* not an answer to this query, or a wrong one */
    QUESTION_MIXED, /* records of two versions in one answer */
};

/* Writes query `n` with message ID `id`. */
void question_write(uint8_t query[QUESTION_LENGTH], uint64_t n, uint32_t names, uint16_t id);

/* Is `message` the right answer to `query`, which asks what question_write(n, names) wrote? If so
 * `version` becomes that of the records. */
enum question_verdict question_check(const uint8_t *message, size_t length,
                                     const uint8_t query[QUESTION_LENGTH], uint64_t n,
                                     uint32_t names, uint32_t *version);

/* Writes the right answer to `query`, from the zone's version `version`. Returns its length, or 0
 * if `query` is none of ours. For the tests of the tests. */
size_t question_answer(uint8_t answer[QUESTION_ANSWER_MAX], const uint8_t *query, size_t length,
                       uint32_t names, uint32_t version);

/* The name that the MX of name i leads to. */
static inline uint32_t question_target(uint32_t i, uint32_t names)
{
    return names - 1 - i;
}

#endif
