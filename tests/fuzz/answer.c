/*
 * answer() with any query: what it replies can be decoded, belongs to the query and fits.
 *
 * Input: two octets that choose transport, sizes and settings, then the query.
 */
#include "fuzz.h"
#include "message/wire.h"
#include "promises.h"
#include "queries.h"

#include "../unit/tables.h"

enum { HEAD = 2 };

const unsigned fuzz_rounds = 40000;

static struct sealed_table sealed;

/* All the zones there are; beside this file lies what the others have not. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const zones[] = {
        SOURCE_DIRECTORY "/zones",
        SOURCE_DIRECTORY "/tests/fuzz/zones",
        SOURCE_DIRECTORY "/tests/zones/unsigned",
        SOURCE_DIRECTORY "/tests/zones/signed",
    };

    (void)argc;
    (void)argv;
    tables_load(&sealed, zones, sizeof zones / sizeof zones[0]);
    queries_learn(&sealed.table);
    return 0;
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    wire_write_u16(input, (uint16_t)fuzz_below(random, 65536));
    return HEAD + queries_make(random, input + HEAD, FUZZ_INPUT_MAX - HEAD);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    if (length >= HEAD)
        promises_check(&sealed.table, wire_read_u16(input), input + HEAD, length - HEAD);
    return 0;
}
