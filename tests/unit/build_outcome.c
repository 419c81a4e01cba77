/* zone/build.c: what becomes of each zone when some are changed, broken, removed or not asked
 * for. */
#include "zone/build.h"

#include "table/hash.h"
#include "table/seal.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[32];

/* What the sinks were told, one character each: e for an error, then the zone's first letter and
 * its outcome. */
static char told[64];

static void note(const char *text)
{
    assert_true(strlen(told) + strlen(text) < sizeof told);
    strcat(told, text);
}

static void note_diagnostic(void *closure, const struct diagnostic *diagnostic)
{
    (void)closure;
    assert_int_equal(diagnostic->severity, SEVERITY_ERROR);
    note("e");
}

static void note_zone(void *closure, const struct name *origin, enum build_outcome outcome)
{
    static const char *const outcomes[] = {
        [BUILD_COMPILED] = " compiled, ",
        [BUILD_COPIED] = " copied, ",
        [BUILD_KEPT] = " kept, ",
        [BUILD_FAILED] = " failed, ",
    };
    const char letter[] = {(char)origin->octets[1], '\0'};

    (void)closure;
    note(letter);
    note(outcomes[outcome]);
}

/* Writes NAME.zone with that serial; 0: a broken one; -1: removes it. */
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
    assert_int_equal(fclose(file), 0);
}

/* The serial of the zone in the table; -1: it is not there. */
static int64_t serial_of(const struct table *table, const char *name)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];
    uint8_t wire[] = {1, (uint8_t)name[0], 0};
    struct name origin;

    name_read(&origin, wire, sizeof wire);
    hash_name(&origin, table->header->seed, hashes);
    const struct table_section *section = table_find_zone(table, &origin, 1, hashes[1]);
    return section != NULL ? (int64_t)section->serial : -1;
}

static void zones_come_out_as_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *changed;
        int serial;
        const char *only[3];
        const char *told;
        int64_t serials[3]; /* of a, b and c */
    } steps[] = {
        {"b", 1, {NULL}, "a compiled, b compiled, ", {1, 1, -1}},
        {"a", 1, {NULL}, "a copied, b copied, ", {1, 1, -1}}, /* the same octets once more */
        {"a", 2, {"b.", NULL}, "b copied, ", {1, 1, -1}},
        {"b", 2, {"a.", NULL}, "a compiled, ", {2, 1, -1}},
        {"c", 0, {"b.", "c.", NULL}, "b compiled, ec failed, ", {2, 2, -1}},
        {"b", 0, {NULL}, "a copied, eb kept, ec failed, ", {2, 2, -1}},
        {"c", 3, {"a.", NULL}, "a copied, ", {2, 2, -1}},
        {"b", -1, {"c.", "d.", NULL}, "c compiled, ", {2, 2, 3}},
        {"a", -1, {"b.", NULL}, "", {2, -1, 3}},
        {"b", 4, {NULL}, "b compiled, c copied, ", {-1, 4, 3}},
    };
    struct sealed_table sealed = {0};
    char error[SOURCE_ERROR_MAX];

    strcpy(directory, "/tmp/sorrel-unit-XXXXXX");
    assert_non_null(mkdtemp(directory));
    set_zone("a", 1);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct source_list sources = {0};
        struct build_request request = {
            .sources = &sources,
            .previous = i > 0 ? &sealed.table : NULL,
            .only = steps[i].only[0] != NULL ? steps[i].only : NULL,
            .sink = note_diagnostic,
            .zone_sink = note_zone,
            .generation = i,
        };
        struct build_result result;
        set_zone(steps[i].changed, steps[i].serial);
        assert_true(source_list_add(&sources, directory, error));
        told[0] = '\0';
        assert_true(build_table(&request, &result));
        assert_string_equal(told, steps[i].told);
        if (i > 0)
            seal_unmap(&sealed);
        assert_null(seal_map(&sealed, result.fd));
        close(result.fd);
        for (size_t zone = 0; zone < 3; zone++)
            assert_int_equal(serial_of(&sealed.table, &"a\0b\0c"[2 * zone]),
                             steps[i].serials[zone]);
        source_list_free(&sources);
    }
    seal_unmap(&sealed);
    set_zone("b", -1);
    set_zone("c", -1);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_come_out_as_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
