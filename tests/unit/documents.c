/*
 * sorrel.conf(5) and sorrel.conf.sample name the options that there are, with their defaults, and
 * the sample is a configuration once its options are no longer comments.
 */
#include "unit.h"

#include "server/configuration/configuration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LENGTH = 256, FAULTS_MAX = 4096 };

static FILE *open_document(const char *name)
{
    FILE *stream = fopen(name, "r");

    if (stream == NULL)
        fail_msg("%s cannot be read", name);
    return stream;
}

/* A build with sanitizers has no sandbox, but that is not what users get. */
static const char *default_of(const struct option_row *row)
{
    return strcmp(row->name, "sandbox") == 0 ? "on" : row->fallback;
}

static void remember(bool *seen, const struct option_row *row, const char *where)
{
    if (row == NULL)
        fail_msg("%s: there is no such option", where);
    if (seen[row - options_table])
        fail_msg("%s: it is there twice", where);
    seen[row - options_table] = true;
}

static void expect_all(const bool *seen, const char *document)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & OPTION_FILE) != 0 && !seen[row - options_table])
            fail_msg("%s does not tell of %s%s%s", document,
                     row->section != NULL ? row->section : "", row->section != NULL ? "." : "",
                     row->name);
}

/* --- the manual ----------------------------------------------------------------------------- */

/* Its options head items, `.It Ic NAME No = ...`, in parts headed `.Ss SECTION ...`; a line for the
 * default, if there is one, follows. */
static void the_manual_has_all(void **state)
{
    static const char page[] = SOURCE_DIRECTORY "/man/sorrel.conf.5";
    FILE *stream = open_document(page);
    bool seen[OPTIONS_MAX] = {false};
    char line[LINE_MAX_LENGTH], word[LINE_MAX_LENGTH], expected[LINE_MAX_LENGTH];
    const struct option_section *section = NULL;

    (void)state;
    while (fgets(line, sizeof line, stream) != NULL) {
        if (sscanf(line, ".Ss %s", word) == 1)
            section = options_find_section(word);
        if (sscanf(line, ".It Ic %s", word) != 1 || strcmp(word, "include") == 0)
            continue;
        const struct option_row *row =
            options_find(section != NULL ? section->name : NULL, word, OPTION_FILE);
        remember(seen, row, line);
        assert_non_null(row);
        assert_non_null(fgets(line, sizeof line, stream));
        snprintf(expected, sizeof expected, ".Pq default : Cm %s\n",
                 default_of(row) != NULL ? default_of(row) : "");
        if (row->fallback != NULL && strcmp(line, expected) != 0)
            fail_msg("%s: its line is %s and should be %s", word, line, expected);
        if (row->fallback == NULL && strncmp(line, ".Pq default", 11) == 0)
            fail_msg("%s has no default, but the manual says %s", word, line);
        if (row->repeats != (strcmp(line, ".Pq several\n") == 0))
            fail_msg("%s: can it be there several times?", word);
    }
    fclose(stream);
    expect_all(seen, page);
}

/* --- the sample --------------------------------------------------------------------------------
 */

/* A line that is an option, behind `#` without a blank, or with four. */
static bool is_option(const char *line)
{
    return line[0] == '#' && (line[1] == '}' || (line[1] >= 'a' && line[1] <= 'z') ||
                              strncmp(line + 1, "    ", 4) == 0);
}

static void uncomment(const char *sample, const char *path)
{
    FILE *from = open_document(sample), *to = fopen(path, "w");
    char line[LINE_MAX_LENGTH];

    assert_non_null(to);
    while (fgets(line, sizeof line, from) != NULL)
        fputs(is_option(line) ? line + 1 : line, to);
    fclose(from);
    assert_int_equal(fclose(to), 0);
}

static void append(void *closure, const char *sentence)
{
    char *faults = closure;
    size_t length = strlen(faults);

    /* What a library is missing for is right all the same. */
    if (strstr(sentence, "was built without") != NULL)
        return;
    snprintf(faults + length, FAULTS_MAX - length, "%s\n", sentence);
}

static void compare_defaults(struct options *options)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        const char *value = options_state(options, row)->value;
        if ((row->place & OPTION_FILE) == 0 || row->fallback == NULL)
            continue;
        if (value == NULL || strcmp(value, default_of(row)) != 0)
            fail_msg("%s is %s in the sample, and its default is %s", row->name,
                     value != NULL ? value : "missing", default_of(row));
    }
}

/* Each option is there, as a line of its own. */
static void the_sample_has_all(const char *path)
{
    FILE *stream = open_document(path);
    bool seen[OPTIONS_MAX] = {false};
    char line[LINE_MAX_LENGTH], word[LINE_MAX_LENGTH], section[LINE_MAX_LENGTH] = "";

    while (fgets(line, sizeof line, stream) != NULL) {
        if (strchr(line, '{') != NULL && strchr(line, '=') == NULL)
            sscanf(line, "%s", section);
        if (line[0] == '}')
            *section = '\0';
        if (sscanf(line, " %[a-z0-9-] =", word) != 1 || strchr(line, '=') == NULL ||
            strcmp(word, "include") == 0)
            continue;
        remember(seen, options_find(*section != '\0' ? section : NULL, word, OPTION_FILE), line);
    }
    fclose(stream);
    expect_all(seen, "sorrel.conf.sample");
}

static void the_sample_is_right(void **state)
{
    static const char sample[] = SOURCE_DIRECTORY "/man/sorrel.conf.sample";
    char path[] = "/tmp/sorrel-sample-XXXXXX", faults[FAULTS_MAX] = "";
    struct options options;

    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    options_init(&options);
    assert_true(configuration_read(&options, sample, append, faults));
    assert_int_equal(options.settings.zone_count, 0); /* all of it is comments */
    options_free(&options);
    uncomment(sample, path);
    options_init(&options);
    configuration_read(&options, path, append, faults);
    the_sample_has_all(path);
    unlink(path);
    if (*faults != '\0')
        fail_msg("%s", faults);
    compare_defaults(&options);
    options_free(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_has_all),
        cmocka_unit_test(the_sample_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
