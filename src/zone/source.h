/*
 * ZONE arguments: which zone files to load under which origin.
 */
#ifndef SORREL_ZONE_SOURCE_H
#define SORREL_ZONE_SOURCE_H

#include "message/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source {
    char *path;         /* of the zone file */
    struct name origin; /* the zone's apex */
    bool may_be_link;   /* `path` may be a symbolic link */
};

struct source_list {
    struct source *items;
    size_t count;
    size_t room;
    uint32_t *index;   /* by hash of origin: its number in items + 1; 0 is an empty place */
    size_t index_size; /* a power of 2, more than count; or 0 */
};

/* What is to be served: a ZONE argument, or a file and its origin; and who asks for it. */
struct source_argument {
    const char *text;   /* DIRECTORY, FILE.zone or ORIGIN=FILE; with an origin: FILE */
    const char *origin; /* NULL: a ZONE argument */
    const char *file;   /* in whose line `line` it is; NULL: the command line */
    unsigned line;
};

enum { SOURCE_ERROR_MAX = 512 };

/*
 * Adds what `argument` names:
 *   DIRECTORY     every *.zone file in it, sorted by name; its name less `.zone` is its origin
 *   FILE.zone     the same for one file
 *   ORIGIN=FILE   any file under any origin (`.` is the root)
 * Returns false with one sentence in `error` that names the argument and says what to do: no such
 * file, no permission, no origin in the file's name, a bad name, an origin that is in the list
 * already, a directory without zone files.
 */
bool source_list_add(struct source_list *list, const char *argument, char error[SOURCE_ERROR_MAX]);

/*
 * The folders that the zone files are in, also those that symbolic links lead to, each once in a
 * row: what has to be readable to load them. An array of `*count` strings, to be given back by
 * source_free_folders().
 */
char **source_list_folders(const struct source_list *list, size_t *count);

void source_free_folders(char **folders, size_t count);

/*
 * Adds one zone. False with a sentence in `error` if the name is wrong, or in the list already.
 * Whether the file can be read is for its reader to find out: one that cannot is the trouble of one
 * zone.
 */
bool source_list_add_zone(struct source_list *list, const char *origin, const char *file,
                          char error[SOURCE_ERROR_MAX]);

void source_list_free(struct source_list *list);

#endif
