/*
 * A file read whole into memory, with what identifies it to the next builder.
 */
#ifndef SORREL_ZONE_INPUT_H
#define SORREL_ZONE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct input_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t changed_seconds;      /* when the file was changed last */
    uint32_t changed_nanoseconds; /* INPUT_CHANGED_RECENTLY: do not rely on the time */
    uint64_t content_hash;        /* XXH3-64 */
};

enum {
    /* In place of the nanoseconds of a file that changed so short a time ago that another change
     * could bear the same time stamp. No file has them, so only the content can show that it is
     * unchanged. */
    INPUT_CHANGED_RECENTLY = 1000000000,
    INPUT_RECENT_SECONDS = 2, /* so long ago, at most; less where time stamps are fine */
};

struct input {
    char *text; /* `length` octets, then a newline that is not part of them */
    size_t length;
    struct input_identity identity;
};

/* What is to be read is neither a file nor a pipe. */
enum { INPUT_NO_FILE = -1 };

/* Returns 0, or an errno value, or INPUT_NO_FILE; ETIMEDOUT for a pipe into which nobody writes. */
int input_read(struct input *input, const char *path);

enum { INPUT_ERROR_MAX = 128 };

/* Whose rights it is that files are read with, for input_error(); NULL: that need not be said. The
 * name is not copied. To be told early: behind its walls a process cannot look it up. */
void input_name_reader(const char *name);

/* What is wrong, in words: where it is a matter of rights, whose they are. Returns `text`. */
const char *input_error(int error, char text[INPUT_ERROR_MAX]);

void input_free(struct input *input);

/* Is the file at `path` still what `identity` says, judged without reading it? */
bool input_seems_unchanged(const char *path, const struct input_identity *identity);

#endif
