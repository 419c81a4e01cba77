/*
 * table_open() and answer() with a damaged table whose checksum is right: either it is refused, or
 * every query can be answered from it: answers end, and stay within table and reply.
 *
 * Input: eight octets that the queries grow from, then for each change four octets (where) and one
 * (what).
 */
#include "answer/answer.h"

#include "fuzz.h"
#include "message/wire.h"
#include "queries.h"
#include "table/hash.h"

#include "../unit/tables.h"

#include <stdlib.h>
#include <string.h>

enum { SEED_OCTETS = 8, CHANGE_OCTETS = 5, CHANGES_MAX = 4, QUERIES = 40, QUERY_ROOM = 1024 };

const unsigned fuzz_rounds = 25000;

/* The sound table, and a copy of just its size to be damaged. */
static const uint8_t *sound;
static uint8_t *damaged;
static uint32_t table_length;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const zones[] = {
        SOURCE_DIRECTORY "/zones",
        SOURCE_DIRECTORY "/tests/fuzz/zones/torture.test.zone",
        SOURCE_DIRECTORY "/tests/fuzz/zones/child.torture.test.zone",
    };
    static struct sealed_table sealed;

    (void)argc;
    (void)argv;
    tables_load(&sealed, zones, sizeof zones / sizeof zones[0]);
    queries_learn(&sealed.table);
    sound = sealed.base;
    table_length = (uint32_t)sealed.length;
    damaged = malloc(table_length);
    FUZZ_ASSERT(damaged != NULL);
    return 0;
}

/* Changed octets that tell: those near what stood there, limits of lengths and counts, or any. */
static uint8_t make_octet(struct fuzz_random *random, uint8_t old)
{
    static const uint8_t telling[] = {0, 1, 2, 12, 63, 64, 0x7f, 0x80, 0xc0, 0xfe, 0xff};

    switch (fuzz_below(random, 4)) {
    case 0:
        return (uint8_t)(old ^ 1u << fuzz_below(random, 8));
    case 1:
        return telling[fuzz_below(random, sizeof telling)];
    case 2:
        return (uint8_t)(old + fuzz_below(random, 9) - 4);
    default:
        return (uint8_t)fuzz_below(random, 256);
    }
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    size_t length = SEED_OCTETS;

    for (unsigned i = 0; i < SEED_OCTETS; i++)
        input[i] = (uint8_t)fuzz_below(random, 256);
    for (uint32_t left = 1 + fuzz_below(random, CHANGES_MAX); left > 0; left--) {
        uint32_t at = fuzz_below(random, table_length);
        wire_write_u32(input + length, at);
        input[length + 4] = make_octet(random, sound[at]);
        length += CHANGE_OCTETS;
    }
    return length;
}

static void damage(const uint8_t *input, size_t length)
{
    struct table_header *header = (void *)damaged;
    size_t checked_from = offsetof(struct table_header, seed);

    memcpy(damaged, sound, table_length);
    for (; length >= CHANGE_OCTETS; input += CHANGE_OCTETS, length -= CHANGE_OCTETS)
        damaged[wire_read_u32(input) % table_length] = input[4];
    header->length = table_length;
    header->checksum = XXH3_64bits(damaged + checked_from, table_length - checked_from);
}

static void answer_queries(const struct table *table, uint64_t seed)
{
    struct fuzz_random random = {.state = seed | 1};
    struct answer_settings settings = {.table = table, .udp_payload_max = 1232};
    uint8_t query[QUERY_ROOM];

    for (unsigned i = 0; i < QUERIES; i++) {
        const struct client client = {
            .transport = fuzz_below(&random, 2) ? TRANSPORT_TCP : TRANSPORT_UDP};
        size_t room =
            client.transport == TRANSPORT_TCP ? WIRE_MESSAGE_MAX : settings.udp_payload_max;
        uint8_t *reply = malloc(room);
        struct answer_report report;
        FUZZ_ASSERT(reply != NULL);
        size_t length = queries_make(&random, query, sizeof query);
        FUZZ_ASSERT(answer(&settings, &client, query, length, reply, room, &report) <= room);
        free(reply);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    struct table table;
    uint64_t seed;

    if (length < SEED_OCTETS)
        return 0;
    memcpy(&seed, input, sizeof seed);
    damage(input + SEED_OCTETS, length - SEED_OCTETS);
    if (table_open(&table, damaged, table_length) == NULL)
        answer_queries(&table, seed);
    return 0;
}
