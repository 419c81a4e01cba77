/*
 * usage: NAME [FILE|FOLDER...]     the target's own inputs, its corpus, then the files named
 *        NAME -w FOLDER NUMBER     writes so many of its own inputs into a folder
 *
 * An input it aborts on is printed in hex.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds for one input, which takes microseconds: more than any machine is slow by. */
enum { TIME_MAX = 60 };

static uint8_t input[FUZZ_INPUT_MAX];
static size_t length;
static const char *file_name; /* NULL: one of the target's own */

static void print_input(void)
{
    if (file_name != NULL)
        fprintf(stderr, "file %s\n", file_name);
    fprintf(stderr, "input (a file, by xxd -r -p):\n");
    for (size_t i = 0; i < length; i++)
        fprintf(stderr, "%02x", input[i]);
    fprintf(stderr, "\n");
}

static void end_by(int number)
{
    print_input();
    signal(number, SIG_DFL);
    raise(number);
}

static void fail(const char *path)
{
    perror(path);
    exit(EXIT_FAILURE);
}

/* From a buffer of just that length, so that reading beyond is noticed. */
static void try(void)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    FUZZ_ASSERT(copy != NULL);
    alarm(TIME_MAX);
    memcpy(copy, input, length);
    LLVMFuzzerTestOneInput(copy, length);
    free(copy);
}

static void try_own(void)
{
    struct fuzz_random random = {.state = FUZZ_RANDOM_START};

    for (unsigned i = 0; i < fuzz_rounds; i++) {
        length = fuzz_make_input(&random, input);
        try();
    }
}

static void try_file(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        fail(path);
    length = fread(input, 1, sizeof input, file);
    if (ferror(file))
        fail(path);
    bool fits = length < sizeof input || fgetc(file) == EOF;
    fclose(file);
    if (!fits) {
        fprintf(stderr, "%s: more than %d octets\n", path, FUZZ_INPUT_MAX);
        exit(EXIT_FAILURE);
    }
    file_name = path;
    try();
    file_name = NULL;
}

static int is_no_folder(const struct dirent *entry)
{
    return entry->d_type != DT_DIR;
}

static void try_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_no_folder, alphasort);

    if (count < 0)
        fail(path);
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        try_file(file);
        free(entries[i]);
    }
    free(entries);
}

static void try_path(const char *path)
{
    DIR *folder = opendir(path);

    if (folder == NULL && errno != ENOTDIR)
        fail(path);
    if (folder == NULL) {
        try_file(path);
        return;
    }
    closedir(folder);
    try_folder(path);
}

static void write_own(const char *folder, unsigned long count)
{
    struct fuzz_random random = {.state = FUZZ_RANDOM_START};

    for (unsigned long i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/own-%lu", folder, i);
        FILE *file = fopen(path, "wb");
        length = fuzz_make_input(&random, input);
        if (file == NULL || fwrite(input, 1, length, file) != length || fclose(file) != 0)
            fail(path);
    }
}

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    if (argc == 4 && strcmp(argv[1], "-w") == 0) {
        write_own(argv[2], strtoul(argv[3], NULL, 10));
        return EXIT_SUCCESS;
    }
    signal(SIGABRT, end_by);
    signal(SIGALRM, end_by);
    try_own();
    try_folder(SOURCE_DIRECTORY "/tests/fuzz/corpus/" TARGET);
    for (int i = 1; i < argc; i++)
        try_path(argv[i]);
    return EXIT_SUCCESS;
}
