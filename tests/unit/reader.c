/* zone/reader.c, zone.c: owners, TTLs, directives; records in groups, none of them twice. */
#include "zone/reader.h"

#include "unit.h"
#include "zone/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char told[4000];

static void note(void *closure, const struct diagnostic *diagnostic)
{
    size_t length = strlen(told);

    (void)closure;
    snprintf(told + length, sizeof told - length, "%s:%u%s %s; ", diagnostic->file,
             diagnostic->line, diagnostic->severity == SEVERITY_WARNING ? "?" : "!",
             diagnostic->text);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* "OWNER TTL TYPE TYPE, OWNER TTL TYPE, " by names as they were met; names without records are left
 * out. */
static void describe(const struct zone *zone, char *out, size_t size)
{
    FILE *file = fmemopen(out, size, "w");
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];

    assert_non_null(file);
    setbuf(file, NULL);
    out[0] = '\0';
    for (uint32_t name = 0; name < zone->name_count; name++) {
        const struct zone_name *owner = &zone->names[name];
        if (owner->count > 0)
            fputs(zone_name_text(zone, name, text), file);
        for (uint32_t i = 0; i < owner->count; i++) {
            const struct zone_record *record = zone_record_at(zone, owner->first + i);
            fprintf(file, " %u %s", record->ttl, type_to_text(record->type, type));
        }
        if (owner->count > 0)
            fputs(", ", file);
    }
    fclose(file);
}

/* Reads the file z as the zone o.; what is said of it is in `told`. */
static void read_zone(char *found, size_t size)
{
    static const struct name origin = {.length = 3, .labels = 1, .octets = "\1o", .offset = {0, 2}};
    struct report report = {.sink = note};
    struct zone zone;

    told[0] = '\0';
    zone_start(&zone, &origin, 1, &report);
    reader_read(&zone, "z", false);
    zone_group(&zone);
    describe(&zone, found, size);
    report_close(&report, "z");
    zone_free(&zone);
}

struct reading {
    const char *text;
    const char *records;
    const char *told;
};

static void check(const struct reading *cases, size_t count)
{
    char found[4000];

    for (size_t i = 0; i < count; i++) {
        write_file("z", cases[i].text);
        read_zone(found, sizeof found);
        assert_string_equal(found, cases[i].records);
        assert_string_equal(told, cases[i].told);
    }
}

#define CHECK(cases) check(cases, sizeof cases / sizeof cases[0])

static void owners_are_inherited(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a 1 A 1.1.1.1\n 2 A 1.1.1.2\n\tTXT x\nb A 1.1.1.1", "a.o. 1 A 2 A 2 TXT, b.o. 2 A, ", ""},
        {"@ 1 A 1.1.1.1\no. AAAA ::\nA.B.O. A 1.1.1.1\na.b TXT x",
         "o. 1 A 1 AAAA, a.b.o. 1 A 1 TXT, ", ""},
        {" 1 A 1.1.1.1", "",
         "z:1! the record begins with a blank, and there is no owner name before it; "},
        {"a.p. 1 A 1.1.1.1\n TXT x\nb TXT y", "b.o. 1 TXT, ",
         "z:1? a.p. A is outside the zone and left out; "
         "z:2? a.p. TXT is outside the zone and left out; "},
        {"$ORIGIN a\nb 1 A 1.1.1.1\n$ORIGIN c\n@ A 1.1.1.1\n$ORIGIN o.\n@ A 1.1.1.1",
         "o. 1 A, b.a.o. 1 A, c.a.o. 1 A, ", ""},
    };

    CHECK(cases);
}

static void ttls_are_inherited(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a 5 IN A 1.1.1.1\nb IN 1h A 1.1.1.1\nc A 1.1.1.1", "a.o. 5 A, b.o. 3600 A, c.o. 3600 A, ",
         ""},
        {"$TTL 7\na 5 A 1.1.1.1\nb A 1.1.1.1\n$TTL 1m\nc CLASS1 A 1.1.1.1",
         "a.o. 5 A, b.o. 7 A, c.o. 60 A, ", ""},
        {"@ SOA a b 1 2 3 4 9\na A 1.1.1.1", "o. 9 SOA, a.o. 9 A, ",
         "z:1? no TTL: the SOA's MINIMUM, 9, is used (write $TTL above); "},
        {"a A 1.1.1.1", "", "z:1! the record has no TTL (write $TTL above); "},
        {"a 5 CH A 1.1.1.1\nb 5 5 A 1.1.1.1\nc 5", "",
         "z:1! \"CH\" is not served: only class IN is; z:2! \"5\" is no RR type; "
         "z:3! the record ends before its type; "},
    };

    CHECK(cases);
}

static void repeated_records_count_once(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a 1 A 1.1.1.1\na 1 A 1.1.1.2\nA 1 A 1.1.1.1", "a.o. 1 A 1 A, ", ""},
        {"a 1 NS x\na 1 NS X\na 1 TXT x\na 1 TXT X\na 1 MX 1 x\na 1 MX 1 X",
         "a.o. 1 NS 1 MX 1 TXT 1 TXT, ", ""},
        {"$GENERATE 1-20 a 1 A 1.1.1.$\n$GENERATE 2-21 a 2 A 1.1.1.$",
         "a.o. 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 1 A 2 "
         "A, ",
         ""},
    };

    CHECK(cases);
}

static void files_are_included(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        /* origin and owner return, the TTL stays */
        {"$TTL 1\na A 1.1.1.1\n$INCLUDE d/i\n TXT x\nc A 1.1.1.1",
         "a.o. 1 A 9 TXT, i.x.o. 9 A, j.o. 9 A, c.o. 9 A, ", ""},
        {"$TTL 1\n$INCLUDE d/i p.o.\n", "i.x.p.o. 9 A, j.p.o. 9 A, ", ""},
        {"$INCLUDE z", "", "z:1! z includes itself; "},
        {"$INCLUDE d/loop", "", "d/loop:2! d/../z includes itself; "},
        {"\n$INCLUDE none", "", "z:2! cannot read none: No such file or directory; "},
        {"$INCLUDE d", "", "z:1! cannot read d: Is a directory; "},
        {"$INCLUDE", "", "z:1! \"$INCLUDE\" lacks an argument; "},
        {"$INCLUDE d/bad", "", "d/bad:1! A: \"x\" is no IPv4 address; "},
        {"$INCLUDE \"d/b\\097d\"", "", "d/bad:1! A: \"x\" is no IPv4 address; "},
    };

    write_file("d/loop", "\n$INCLUDE ../z\n");
    write_file("d/bad", "a 1 A x\n");
    write_file("d/i", "$TTL 9\n$INCLUDE k x\n$INCLUDE j\n");
    write_file("d/k", "i A 1.1.1.1\n");
    write_file("d/j", "j A 1.1.1.1\n");
    CHECK(cases);
}

static void generated_lines_are_read(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"$GENERATE 1-2 a$ 5 A 1.1.1.$", "a1.o. 5 A, a2.o. 5 A, ", ""},
        {"\n$GENERATE 1-9 a$ 5 A 1.1.1.${250}",
         "a1.o. 5 A, a2.o. 5 A, a3.o. 5 A, a4.o. 5 A, a5.o. 5 A, ",
         "z:2! A: \"1.1.1.256\" is no IPv4 address; "},
        {"$GENERATE 2-1 a$ A 1.1.1.1", "",
         "z:1! \"2-1\" is no range: START-STOP or START-STOP/STEP; "},
    };

    CHECK(cases);
}

static void errors_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    char found[4000], text[1000] = "";

    for (int i = 0; i < REPORT_LIMIT + 3; i++)
        strcat(text, "a 1 A x\n");
    write_file("z", text);
    read_zone(found, sizeof found);
    assert_non_null(strstr(told, "z:20! "));
    assert_null(strstr(told, "z:21! "));
    assert_non_null(strstr(told, "z:0! 3 more errors not shown; "));
}

static int make_directory(void **state)
{
    static char directory[] = "/tmp/sorrel-reader-XXXXXX";

    *state = directory;
    return mkdtemp(directory) == NULL || chdir(directory) != 0 || mkdir("d", 0700) != 0;
}

static int remove_directory(void **state)
{
    static const char *const files[] = {"z", "d/i", "d/j", "d/k", "d/loop", "d/bad"};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
    return rmdir("d") != 0 || chdir("/") != 0 || rmdir(*state) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_are_inherited),
        cmocka_unit_test(ttls_are_inherited),
        cmocka_unit_test(repeated_records_count_once),
        cmocka_unit_test(files_are_included),
        cmocka_unit_test(generated_lines_are_read),
        cmocka_unit_test(errors_beyond_the_limit_are_counted),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
