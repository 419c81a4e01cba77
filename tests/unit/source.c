/* zone/source.c: ZONE arguments. */
#include "zone/source.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The working directory of these tests, and what is in it. */
static const char *const directories[] = {"zones", "zones/dir.zone", "empty"};
static const char *const files[] = {
    "zones/b.example.zone",
    "zones/a.example.zone",
    "zones/README",
    "zones/.hidden.zone",
    "plain",
    "a..b.zone",
    ".zone",
    "x=y.zone",
};

static int make_directory(void **state)
{
    static char directory[] = "/tmp/sorrel-source-XXXXXX";

    *state = directory;
    if (mkdtemp(directory) == NULL || chdir(directory) != 0)
        return -1;
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        if (mkdir(directories[i], 0700) != 0)
            return -1;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int fd = open(files[i], O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0 || close(fd) != 0)
            return -1;
    }
    return 0;
}

static int remove_directory(void **state)
{
    for (size_t i = sizeof files / sizeof files[0]; i-- > 0;)
        unlink(files[i]);
    for (size_t i = sizeof directories / sizeof directories[0]; i-- > 0;)
        rmdir(directories[i]);
    return chdir("/") != 0 || rmdir(*state) != 0;
}

/* "PATH ORIGIN, PATH ORIGIN, " */
static void describe(const struct source_list *list, char *out)
{
    char text[NAME_TEXT_MAX];

    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        strcat(strcat(out, list->items[i].path), " ");
        strcat(strcat(out, name_to_text(&list->items[i].origin, text)), ", ");
    }
}

static void arguments_name_zones(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        const char *sources;
    } cases[] = {
        {"zones/b.example.zone", "zones/b.example.zone b.example., "},
        {"Example.COM=plain", "plain example.com., "},
        {"example.com.=plain", "plain example.com., "},
        {".=plain", "plain ., "},
        {"a\\.b=plain", "plain a\\.b., "},
        {"x=y.zone", "x=y.zone x=y., "}, /* a file of that name is meant */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct source_list list = {0};
        char error[SOURCE_ERROR_MAX], found[2000];
        assert_true(source_list_add(&list, cases[i].argument, error));
        describe(&list, found);
        assert_string_equal(found, cases[i].sources);
        source_list_free(&list);
    }
}

/* Also what turns out to be none once it is read. */
static void a_directory_is_every_zone_file_in_it(void **state)
{
    (void)state;
    struct source_list list = {0};
    char error[SOURCE_ERROR_MAX], found[2000];

    assert_true(source_list_add(&list, "zones", error));
    describe(&list, found);
    assert_string_equal(found,
                        "zones/a.example.zone a.example., zones/b.example.zone b.example., "
                        "zones/dir.zone dir., ");
    source_list_free(&list);
    assert_true(source_list_add(&list, "zones/", error));
    assert_string_equal(list.items[0].path, "zones/a.example.zone");
    source_list_free(&list);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        const char *sentence;
    } cases[] = {
        {"missing.zone", "cannot read missing.zone: No such file or directory"},
        {"missing", "cannot read missing: No such file or directory"},
        {"example=missing", "cannot read zone file missing: No such file or directory"},
        {"example=empty", "empty is a directory: give a zone file"},
        {"example=", "example= names no file behind the equals sign"},
        {"=plain", "cannot read =plain: No such file or directory"},
        {"a..b=plain", "the origin in a..b=plain has an empty label"},
        {"@=plain", "the origin in @=plain is no name"},
        {"empty", "no zones in empty: put files there that end in .zone"},
        {"plain", "plain does not end in .zone, which would tell its origin: write ORIGIN=plain"},
        {".zone", ".zone does not end in .zone, which would tell its origin: write ORIGIN=.zone"},
        {"a..b.zone",
         "the origin in the file name a..b.zone has an empty label: write ORIGIN=FILE"},
        {"", "an empty argument is no zone: give DIRECTORY, FILE.zone or ORIGIN=FILE"},
        {"FIRST=zones/README", "zone first. is given twice: plain and zones/README"},
    };
    struct source_list list = {0};
    char error[SOURCE_ERROR_MAX];

    assert_true(source_list_add(&list, "first=plain", error));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(source_list_add(&list, cases[i].argument, error));
        assert_string_equal(error, cases[i].sentence);
    }
    source_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_name_zones),
        cmocka_unit_test(a_directory_is_every_zone_file_in_it),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
