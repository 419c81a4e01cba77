/* zone/divide.c: a file read by several threads is read as by one, whatever stands in it. */
#include "zone/reader.h"

#include "unit.h"
#include "zone/memory.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_SIZE = 5 << 18 }; /* some parts' worth */

static char directory[32], path[48], included[48];

/* All that was read and told, as text. */
static char *outcome;
static size_t outcome_length;
static FILE *told;

static void tell(void *closure, const struct diagnostic *diagnostic)
{
    (void)closure;
    fprintf(told, "%d %s:%u: %s\n", diagnostic->severity, diagnostic->file, diagnostic->line,
            diagnostic->text);
}

static void tell_records(const struct zone *zone)
{
    for (size_t i = 0; i < zone->record_count; i++) {
        const struct zone_record *record = &zone->records[i];
        char text[NAME_TEXT_MAX];
        fprintf(told, "%u:%u %s %u %u ", record->file, record->line,
                zone_name_text(zone, record->name, text), record->ttl, record->type);
        for (unsigned k = 0; k < record->length; k++)
            fprintf(told, "%02x", record->rdata[k]);
        fputc('\n', told);
    }
}

static char *read_zone(bool divided)
{
    static const uint8_t wire[] = {1, 'z', 0};
    struct report report = {.sink = tell};
    struct name origin;
    struct zone zone;

    told = open_memstream(&outcome, &outcome_length);
    assert_non_null(told);
    name_read(&origin, wire, sizeof wire);
    zone_start(&zone, &origin, 1, &report);
    reader_read(&zone, path, divided);
    report_close(&report, path);
    tell_records(&zone);
    fprintf(told, "%u errors, %u warnings", report.errors, report.warnings);
    zone_free(&zone);
    assert_int_equal(fclose(told), 0);
    return outcome;
}

/* Writes `first`, then `line`, in which %u is counted up, as often as fits, with `rare` behind each
 * thousandth, then `last`. */
static void write_text(const char *first, const char *line, const char *rare, const char *last)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(first, file);
    for (unsigned i = 0; ftell(file) < TEXT_SIZE; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        fprintf(file, line, i, i % 256);
#pragma GCC diagnostic pop
        if (i % 1000 == 999)
            fputs(rare, file);
    }
    fputs(last, file);
    assert_int_equal(fclose(file), 0);
}

#define HEAD "@ 60 SOA a b 7 1 1 1 1\n@ 60 NS a\n"

static void divided_files_read_like_whole_ones(void **state)
{
    static const struct {
        const char *first, *line, *rare, *last;
    } cases[] = {
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "", "end A 192.0.2.1"},
        {"$TTL 1h\n" HEAD, "host%u TXT ( a\n  b%u\n ; c )\n d )\n TXT more\n", "", ""},
        /* Lines within parentheses that look like records. */
        {"$TTL 1h\n" HEAD, "host%u TXT (\na\n%u\nx\ny )\n", "", ""},
        {"$TTL 1h\n" HEAD, "host%u TXT \"%u\"\n", "long TXT (\nend\n) ; )\n", "last TXT ( open\n"},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "$ORIGIN sub.z.\n$TTL 5\n$ORIGIN x\n", ""},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "$ORIGIN sub\n", ""},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "p TXT (\n$ORIGIN a.z. \n)\n", ""},
        /* TTLs and owners from before. */
        {HEAD, "host%u A 192.0.2.%u\n", "next 5 A 192.0.2.1\n", ""},
        {HEAD, "host%u 7 A 192.0.2.%u\n A 192.0.2.1\n", "", ""},
        {"@ SOA a b 7 1 1 1 1\n", "host%u A 192.0.2.%u\n", "", ""},
        /* What is told. */
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "other. A 192.0.2.1\n A 192.0.2.2\n", ""},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "a..b A 192.0.2.1\n A 192.0.2.2\n", "x Y z\n"},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u.x\n", "", ""},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "$TTL x\n", ""},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "open \"\n\n\\\n)\n(\n", ""},
        /* What only a whole file can have. */
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "$INCLUDE included\n A 192.0.2.1\n", ""},
        {"$TTL 1h\n" HEAD, "host%u A 192.0.2.%u\n", "$GENERATE 1-3 g$ A 192.0.2.$\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_text(cases[i].first, cases[i].line, cases[i].rare, cases[i].last);
        char *whole = read_zone(false);
        char *divided = read_zone(true);
        assert_string_equal(divided, whole);
        free(whole);
        free(divided);
    }
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/sorrel-unit-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/z", directory);
    snprintf(included, sizeof included, "%s/included", directory);
    FILE *file = fopen(included, "w");
    assert_non_null(file);
    fputs("inc 9 TXT included\n", file);
    return fclose(file);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(included);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divided_files_read_like_whole_ones),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
