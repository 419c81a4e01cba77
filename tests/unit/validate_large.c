/* table/validate*.c: several threads find the same faults in a large table as one does. */
#include "table/seal.h"

#include "tables.h"
#include "unit.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAMES = 30000, /* about 1.5 MB */
    FAULTS = 300,
    SEED = 1,
};

static struct sealed_table made;
static uint8_t *copy; /* writable, 8-octet aligned */

static int set_up(void **state)
{
    size_t size;
    char *text;
    FILE *file = open_memstream(&text, &size);

    (void)state;
    assert_non_null(file);
    fputs("$TTL 60\n@ SOA a b 7 1 1 1 1\n@ NS a\n", file);
    for (unsigned i = 0; i < NAMES; i++)
        fprintf(file, "host%u MX 1 host%u\n A 192.0.2.%u\n", i, i / 2, i % 256);
    assert_int_equal(fclose(file), 0);
    const struct zone_text zone = {"example.", text};
    tables_build(&made, &zone, 1);
    free(text);
    copy = aligned_alloc(64, (made.length + 127) / 64 * 64); /* a multiple, says C11 */
    assert_non_null(copy);
    memcpy(copy, made.base, made.length);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(copy);
    seal_unmap(&made);
    return 0;
}

static bool opens(void)
{
    struct table table;

    return table_open(&table, copy, made.length) == NULL;
}

static bool opens_on_one_cpu(void)
{
    cpu_set_t all, one;

    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    bool opened = opens();
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    return opened;
}

static void threads_find_what_one_finds(void **state)
{
    unsigned refused = 0;

    (void)state;
    assert_true(made.length > 1 << 20);
    assert_true(opens());
    assert_true(opens_on_one_cpu());
    srand(SEED);
    for (unsigned i = 0; i < FAULTS; i++) {
        size_t at = sizeof(struct table_header) + (size_t)(unsigned)rand() % (made.length - 80);
        uint8_t before = copy[at];
        copy[at] ^= (uint8_t)(1u << (unsigned)rand() % 8);
        seal_sum(copy, made.length);
        bool opened = opens();
        if (opened != opens_on_one_cpu())
            fail_msg("octet %zu, seed %d: threads and one thread disagree", at, SEED);
        refused += !opened;
        copy[at] = before;
    }
    /* Many faults are in what only the checksum guards: TTLs, addresses. */
    assert_true(refused > FAULTS / 4);
    seal_sum(copy, made.length);
    assert_true(opens());
}

static void checksum_of_large_tables_counts(void **state)
{
    (void)state;
    copy[made.length - 5] ^= 1;
    assert_false(opens());
    copy[made.length - 5] ^= 1;
    assert_true(opens());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_find_what_one_finds),
        cmocka_unit_test(checksum_of_large_tables_counts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
