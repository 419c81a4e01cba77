/*
 * answer() with any query: what it replies can be decoded, belongs to the query and fits.
 *
 * Input: one octet that chooses transport and sizes, then the query.
 */
#include "fuzz.h"
#include "promises.h"
#include "queries.h"

#include "../unit/tables.h"

const unsigned fuzz_rounds = 60000;

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
    input[0] = (uint8_t)fuzz_below(random, 256);
    return 1 + queries_make(random, input + 1, FUZZ_INPUT_MAX - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    if (length > 0)
        promises_check(&sealed.table, input[0], input + 1, length - 1);
    return 0;
}
