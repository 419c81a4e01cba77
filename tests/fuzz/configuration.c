/*
 * configuration_read() with any file: it is read or turned down, never both; each fault is one line
 * of text that opens with a file's name; what has been read is within bounds.
 *
 * Input: the file.
 */
#include "server/configuration/configuration.h"

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const unsigned fuzz_rounds = 10000;

static int file;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    file = memfd_create("sorrel.conf", MFD_CLOEXEC);
    FUZZ_ASSERT(file >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return 0;
}

/* --- inputs that get far ----------------------------------------------------------------- */

struct maker {
    struct fuzz_random *random;
    uint8_t *input;
    size_t length;
};

static bool one_in(struct maker *maker, uint32_t number)
{
    return fuzz_below(maker->random, number) == 0;
}

static void add(struct maker *maker, const char *text)
{
    size_t length = strlen(text);

    if (maker->length + length > FUZZ_INPUT_MAX)
        return;
    memcpy(maker->input + maker->length, text, length);
    maker->length += length;
}

#define ADD_ONE_OF(maker, list)                                                                    \
    add(maker, (list)[fuzz_below((maker)->random, sizeof(list) / sizeof(list)[0])])

static void add_value(struct maker *maker)
{
    static const char *const values[] = {
        "4",     "auto",  "hash",   "query",        "127.0.0.1", "::1@53", "\"a b\"", "'x'",
        "info",  "debug", "syslog", "stderr",       "yes",       "no",     "0",       "0.5",
        "'\\''", "512",   "'/x'",   "\"\\n\\x41\"", "''",        "x/y"};

    ADD_ONE_OF(maker, values);
}

/* What is between things, or in the wrong place. */
static void add_noise(struct maker *maker)
{
    static const char *const blanks[] = {" ", "\n", "\t", "\r\n", "# c\n", "// '\n", "/* { */"};
    static const char *const signs[] = {"=", "{", "}",  ",", "\"", "'",    "\\", "/*",
                                        ";", "$", "${", "*", "(",  "\x01", "+=", "\xff"};

    ADD_ONE_OF(maker, blanks);
    if (one_in(maker, 50))
        ADD_ONE_OF(maker, signs);
}

static void add_option(struct maker *maker, const char *name, bool repeats)
{
    add(maker, one_in(maker, 60) ? "wrokers" : name);
    add_noise(maker);
    add(maker, one_in(maker, 20) ? "+=" : "=");
    add(maker, " ");
    bool is_list = one_in(maker, repeats ? 2 : 50);
    if (is_list)
        add(maker, "{");
    add_value(maker);
    while (is_list && !one_in(maker, 3)) {
        add(maker, one_in(maker, 30) ? " " : ",");
        add_noise(maker);
        add_value(maker);
    }
    if (is_list)
        add(maker, "}");
    add(maker, "\n");
}

static void add_options(struct maker *maker, const char *section)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & OPTION_FILE) != 0 && one_in(maker, section == NULL ? 6 : 2) &&
            options_find(section, row->name, OPTION_FILE) == row)
            add_option(maker, row->name, row->repeats);
}

static void add_section(struct maker *maker, const struct option_section *section)
{
    add(maker, section->name);
    add(maker, " ");
    if ((section->title != NULL) != one_in(maker, 50))
        add_value(maker);
    add(maker, " {");
    add_noise(maker);
    add_options(maker, section->name);
    add(maker, "}");
    add_noise(maker);
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    struct maker maker = {.random = random, .input = input};

    add_options(&maker, NULL);
    for (const struct option_section *i = options_sections; i->name != NULL; i++)
        while (one_in(&maker, 2))
            add_section(&maker, i);
    if (one_in(&maker, 10))
        add_option(&maker, "include", true);
    if (one_in(&maker, 4) && maker.length > 0)
        input[fuzz_below(random, (uint32_t)maker.length)] = (uint8_t)fuzz_below(random, 256);
    return maker.length;
}

/* --- promises --------------------------------------------------------------------------------- */

static void check_sentence(void *closure, const char *sentence)
{
    unsigned *faults = closure;

    FUZZ_ASSERT(strchr(sentence, '\n') == NULL);
    FUZZ_ASSERT(strstr(sentence, ": ") != NULL);
    ++*faults;
}

static void check_values(const struct options *options)
{
    FUZZ_ASSERT(options->settings.workers <= STEERING_SLOTS_MAX);
    FUZZ_ASSERT(options->settings.stall >= 0 && options->settings.stall <= 3600);
    FUZZ_ASSERT(options->log.level <= LOG_LEVEL_DEBUG);
    for (size_t i = 0; i < options->settings.zone_count; i++)
        FUZZ_ASSERT(*options->settings.zones[i].text != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    struct options options;
    unsigned faults = 0;

    /* A pattern may have all of the machine's files looked at. */
    if (memmem(input, length, "include", 7) != NULL && memchr(input, '*', length) != NULL)
        return 0;
    FUZZ_ASSERT(ftruncate(file, 0) == 0);
    FUZZ_ASSERT(pwrite(file, input, length, 0) == (ssize_t)length);
    options_init(&options);
    bool is_read = configuration_read(&options, path, check_sentence, &faults);
    FUZZ_ASSERT(is_read == (faults == 0));
    FUZZ_ASSERT(faults <= CONFIGURATION_FAULTS_MAX + 1);
    if (is_read)
        check_values(&options);
    options_free(&options);
    return 0;
}
