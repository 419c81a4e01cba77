/* loading/ledger.c: what is known of each zone after loads that go well, in part or not at all. */
#include "server/loading/ledger.h"

#include "table/seal.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[32];
static struct ledger ledger;
static struct sealed_table served;

static void add_fault(void *closure, const struct diagnostic *diagnostic)
{
    ledger_add_fault(closure, diagnostic);
}

static void add_zone(void *closure, const struct name *origin, enum build_outcome outcome)
{
    ledger_add_zone(closure, origin, outcome);
}

/* Writes NAME.zone; 0: a broken one; -1: removes it; odd serials come with a warning. */
static void set_zone(const char *name, int serial)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s.zone", directory, name);
    unlink(path);
    if (serial < 0)
        return;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "@ 60 SOA a b %d 1 1 1 1\n@ 60 NS %s\na 60 A 192.0.2.1\n", serial,
            serial > 0 ? "a" : "");
    if (serial % 2 == 1)
        fprintf(file, "elsewhere.test. 60 A 192.0.2.1\n");
    assert_int_equal(fclose(file), 0);
}

static void check_totals(const struct table *table)
{
    enum { RECORDS_EACH = 3 };
    size_t failures = 0;

    for (size_t i = 0; i < ledger.zones.count; i++)
        failures += ledger_has_failed(&ledger.zones.items[i]);
    assert_int_equal(ledger.failures, failures);
    assert_int_equal(ledger.records, RECORDS_EACH * table->header->zone_count);
}

static void load(const char *const *only, int64_t now)
{
    struct source_list sources = {0};
    struct build_request request = {
        .sources = &sources,
        .previous = served.base != NULL ? &served.table : NULL,
        .only = only,
        .sink = add_fault,
        .zone_sink = add_zone,
        .closure = &ledger,
    };
    struct build_result result;
    struct sealed_table next;
    char error[SOURCE_ERROR_MAX];

    assert_true(source_list_add(&sources, directory, error));
    ledger_begin(&ledger);
    assert_true(build_table(&request, &result));
    assert_null(seal_map(&next, result.fd));
    close(result.fd);
    ledger_commit(&ledger, &next.table, only != NULL, now);
    check_totals(&next.table);
    if (served.base != NULL)
        seal_unmap(&served);
    served = next;
    source_list_free(&sources);
}

/* Each zone as NAME OUTCOME SERIAL@LOADED and as many ! as there are errors, ? as warnings; -NAME:
 * removed. */
static const char *describe(void)
{
    static const char *const outcomes[] = {
        [BUILD_COMPILED] = "loaded",
        [BUILD_COPIED] = "unchanged",
        [BUILD_KEPT] = "kept",
        [BUILD_FAILED] = "failed",
    };
    static char text[512];
    FILE *out = fmemopen(text, sizeof text, "w");

    for (size_t i = 0; i < ledger.zones.count; i++) {
        const struct ledger_zone *zone = &ledger.zones.items[i];
        fprintf(out, "%s%s %s ", i > 0 ? ", " : "", zone->name, outcomes[zone->outcome]);
        if (zone->section != NULL)
            fprintf(out, "%" PRIu32 "@%" PRId64, zone->section->serial, zone->loaded);
        for (size_t j = 0; j < zone->faults.count; j++)
            fputc(zone->faults.items[j].severity == SEVERITY_ERROR ? '!' : '?', out);
    }
    for (size_t i = 0; i < ledger.removed.count; i++)
        fprintf(out, ", -%s", ledger.removed.items[i].name);
    assert_int_equal(fclose(out), 0);
    return text;
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/sorrel-unit-XXXXXX");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    ledger_free(&ledger);
    ledger = (struct ledger){0};
    if (served.base != NULL)
        seal_unmap(&served);
    served = (struct sealed_table){0};
    set_zone("a", -1);
    set_zone("b", -1);
    set_zone("c", -1);
    return rmdir(directory);
}

static void each_load_is_noted(void **state)
{
    (void)state;
    static const struct {
        const char *changed;
        int serial;
        const char *only[3];
        const char *described;
    } steps[] = {
        {"b", 1, {NULL}, "a. loaded 2@1, b. loaded 1@1?"},
        {"a", 2, {NULL}, "a. unchanged 2@1, b. unchanged 1@1?"},
        {"b", 0, {NULL}, "a. unchanged 2@1, b. kept 1@1!"},
        {"c", 0, {"a.", "c.", NULL}, "a. unchanged 2@1, b. kept 1@1!, c. failed !"},
        {"b", 1, {"b.", NULL}, "a. unchanged 2@1, b. unchanged 1@1, c. failed !"},
        {"a", 4, {NULL}, "a. loaded 4@6, b. unchanged 1@1, c. failed !"},
        {"c", 5, {"a.", NULL}, "a. unchanged 4@6, b. unchanged 1@1, c. failed !"},
        {"b", -1, {"c.", NULL}, "a. unchanged 4@6, b. unchanged 1@1, c. loaded 5@8?"},
        {"c", 0, {NULL}, "a. unchanged 4@6, c. kept 5@8!, -b."},
        {"c", -1, {NULL}, "a. unchanged 4@6, -c."},
        {"c", 0, {NULL}, "a. unchanged 4@6, c. failed !"},
        {"c", 6, {NULL}, "a. unchanged 4@6, c. loaded 6@12"},
    };

    set_zone("a", 2);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        set_zone(steps[i].changed, steps[i].serial);
        load(steps[i].only[0] != NULL ? steps[i].only : NULL, (int64_t)i + 1);
        assert_string_equal(describe(), steps[i].described);
        assert_int_equal(ledger.general.count, 0);
        assert_int_equal(ledger.pending.count, 0);
    }
}

static void faults_have_file_line_and_reason(void **state)
{
    (void)state;
    char path[64];

    set_zone("a", 2);
    set_zone("b", 0);
    load(NULL, 1);
    const struct ledger_zone *zone = ledger_find(&ledger.zones, "b.");
    assert_non_null(zone);
    snprintf(path, sizeof path, "%s/b.zone", directory);
    assert_string_equal(zone->faults.items[0].file, path);
    assert_int_equal(zone->faults.items[0].line, 2);
    assert_true(strlen(zone->faults.items[0].text) > 0);
    assert_true(ledger_has_failed(zone));
    assert_false(ledger_has_failed(ledger_find(&ledger.zones, "a.")));
    assert_null(ledger_find(&ledger.zones, "c."));
    assert_null(ledger_find(&ledger.removed, "a."));
}

static void a_load_without_a_table_changes_no_zone(void **state)
{
    (void)state;
    const struct diagnostic first = {SEVERITY_ERROR, "a.zone", 7, "broken"};
    const struct diagnostic second = {SEVERITY_ERROR, "", 0, "no memory is left"};
    struct name root;

    set_zone("a", 1);
    load(NULL, 1);
    name_read(&root, (const uint8_t *)"", 1);
    ledger_begin(&ledger);
    ledger_add_fault(&ledger, &first);
    ledger_add_zone(&ledger, &root, BUILD_KEPT);
    ledger_add_fault(&ledger, &second);
    ledger_abandon(&ledger);
    assert_string_equal(describe(), "a. loaded 1@1?");
    assert_int_equal(ledger.general.count, 2);
    assert_string_equal(ledger.general.items[0].text, "broken");
    assert_string_equal(ledger.general.items[1].text, "no memory is left");
    load(NULL, 2);
    assert_int_equal(ledger.general.count, 0);
}

static void a_load_that_never_ended_is_forgotten(void **state)
{
    (void)state;
    const struct diagnostic fault = {SEVERITY_ERROR, "a.zone", 7, "broken"};
    struct name root;

    name_read(&root, (const uint8_t *)"", 1);
    ledger_add_fault(&ledger, &fault);
    ledger_add_zone(&ledger, &root, BUILD_FAILED);
    ledger_add_fault(&ledger, &fault);
    set_zone("a", 2);
    load(NULL, 1);
    assert_string_equal(describe(), "a. loaded 2@1");
    assert_int_equal(ledger.general.count, 0);
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(each_load_is_noted),
        WITH_DIRECTORY(faults_have_file_line_and_reason),
        WITH_DIRECTORY(a_load_without_a_table_changes_no_zone),
        WITH_DIRECTORY(a_load_that_never_ended_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
