#include "zone/source.h"

#include "table/hash.h"
#include "zone/input.h"
#include "zone/memory.h"
#include "zone/presentation.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".zone";

enum { SUFFIX_LENGTH = sizeof suffix - 1 };

__attribute__((format(printf, 2, 3))) static bool refuse(char error[SOURCE_ERROR_MAX],
                                                         const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, SOURCE_ERROR_MAX, format, arguments);
    va_end(arguments);
    return false;
}

/* An absolute name, its final dot optional. NULL, or what is wrong with it. */
static const char *read_origin(const char *text, size_t length, struct name *origin)
{
    const struct token token = {.text = text, .length = (unsigned)length};
    const struct domain root = {.length = 1};
    struct domain domain;
    const char *error = presentation_name(&token, &root, &domain);

    if (error == NULL && presentation_is(&token, "@"))
        error = "is no name";
    if (error == NULL)
        name_read(origin, domain.octets, domain.length);
    return error;
}

/* What errno says of `path`. */
static bool refuse_unreadable(const char *what, const char *path, char error[SOURCE_ERROR_MAX])
{
    char reason[INPUT_ERROR_MAX];

    return refuse(error, "cannot read %s%s: %s", what, path, input_error(errno, reason));
}

static bool check_readable(const char *path, char error[SOURCE_ERROR_MAX])
{
    struct stat status;

    if (stat(path, &status) != 0)
        return refuse_unreadable("zone file ", path, error);
    if (S_ISDIR(status.st_mode))
        return refuse(error, "%s is a directory: give a zone file", path);
    if (access(path, R_OK) != 0)
        return refuse_unreadable("zone file ", path, error);
    return true;
}

/* Where in the index `origin` is, or belongs; there is an empty place. */
static uint32_t *find_place(const struct source_list *list, const struct name *origin)
{
    size_t at = XXH3_64bits(origin->octets, origin->length);

    for (;; at++) {
        uint32_t *place = &list->index[at & (list->index_size - 1)];
        if (*place == 0)
            return place;
        const struct name *other = &list->items[*place - 1].origin;
        if (other->length == origin->length &&
            memcmp(other->octets, origin->octets, origin->length) == 0)
            return place;
    }
}

/* Keeps half of the index empty. */
static void grow_index(struct source_list *list)
{
    if (list->index_size > 2 * list->count)
        return;
    free(list->index);
    list->index_size = list->index_size > 0 ? 4 * list->index_size : 64;
    list->index = memory_get(list->index_size * sizeof *list->index);
    memset(list->index, 0, list->index_size * sizeof *list->index);
    for (size_t i = 0; i < list->count; i++)
        *find_place(list, &list->items[i].origin) = (uint32_t)i + 1;
}

static bool add_source(struct source_list *list, const struct name *origin, const char *path,
                       bool may_be_link, char error[SOURCE_ERROR_MAX])
{
    char text[NAME_TEXT_MAX];

    grow_index(list);
    uint32_t *place = find_place(list, origin);
    if (*place != 0)
        return refuse(error, "zone %.200s is given twice: %s and %s", name_to_text(origin, text),
                      list->items[*place - 1].path, path);
    memory_grow(&list->items, list->count, &list->room, sizeof *list->items);
    struct source *source = &list->items[list->count++];
    *place = (uint32_t)list->count;
    source->origin = *origin;
    source->may_be_link = may_be_link;
    source->path = memory_get(strlen(path) + 1);
    strcpy(source->path, path);
    return true;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool has_suffix(const char *file)
{
    size_t length = strlen(file);
    return length > SUFFIX_LENGTH && strcmp(file + length - SUFFIX_LENGTH, suffix) == 0;
}

/* FILE.zone */
static bool add_file(struct source_list *list, const char *path, bool may_be_link,
                     char error[SOURCE_ERROR_MAX])
{
    const char *file = base_name(path);
    struct name origin;

    if (!has_suffix(file))
        return refuse(error,
                      "%s does not end in .zone, which would tell its origin: write ORIGIN=%s",
                      path, path);
    const char *wrong = read_origin(file, strlen(file) - SUFFIX_LENGTH, &origin);
    if (wrong != NULL)
        return refuse(error, "the origin in the file name %s %s: write ORIGIN=FILE", path, wrong);
    return add_source(list, &origin, path, may_be_link, error);
}

/* ORIGIN=FILE */
static bool add_pair(struct source_list *list, const char *argument, const char *equals,
                     char error[SOURCE_ERROR_MAX])
{
    struct name origin;
    const char *wrong = read_origin(argument, (size_t)(equals - argument), &origin);

    if (wrong != NULL)
        return refuse(error, "the origin in %s %s", argument, wrong);
    if (equals[1] == '\0')
        return refuse(error, "%s names no file behind the equals sign", argument);
    return check_readable(equals + 1, error) && add_source(list, &origin, equals + 1, true, error);
}

static int is_zone_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && has_suffix(entry->d_name);
}

/* By octets, not by the locale: the same order everywhere. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool may_be_link(const struct dirent *entry)
{
    return entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
}

static char *join_path(const char *directory, const char *file)
{
    size_t length = strlen(directory);
    const char *separator = directory[length - 1] == '/' ? "" : "/";
    char *path = memory_get(length + strlen(file) + 2);

    sprintf(path, "%s%s%s", directory, separator, file);
    return path;
}

/* That one of the files cannot be read is a fault of that zone, and no reason to do without the
 * others: whoever reads it will tell. */
static bool add_directory(struct source_list *list, const char *directory,
                          char error[SOURCE_ERROR_MAX])
{
    struct dirent **entries;
    bool added = true;
    int count = scandir(directory, &entries, is_zone_file, compare_entries);

    if (count < 0)
        return refuse_unreadable("directory ", directory, error);
    if (count == 0)
        added = refuse(error, "no zones in %s: put files there that end in .zone", directory);
    for (int i = 0; i < count; i++) {
        char *path = join_path(directory, entries[i]->d_name);
        added = added && add_file(list, path, may_be_link(entries[i]), error);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return added;
}

bool source_list_add(struct source_list *list, const char *argument, char error[SOURCE_ERROR_MAX])
{
    const char *equals = strchr(argument, '=');
    struct stat status;

    if (argument[0] == '\0')
        return refuse(error,
                      "an empty argument is no zone: give DIRECTORY, FILE.zone or ORIGIN=FILE");
    if (stat(argument, &status) == 0)
        return S_ISDIR(status.st_mode)
                   ? add_directory(list, argument, error)
                   : check_readable(argument, error) && add_file(list, argument, true, error);
    if (equals != NULL && equals > argument)
        return add_pair(list, argument, equals, error);
    return refuse_unreadable("", argument, error);
}

bool source_list_add_zone(struct source_list *list, const char *origin, const char *file,
                          char error[SOURCE_ERROR_MAX])
{
    struct name name;
    const char *wrong = read_origin(origin, strlen(origin), &name);

    if (wrong != NULL)
        return refuse(error, "the origin %s %s", origin, wrong);
    return add_source(list, &name, file, true, error);
}

void source_list_free(struct source_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
    free(list->index);
    *list = (struct source_list){0};
}

/* --- folders --------------------------------------------------------------------------------- */

struct folders {
    char **items;
    size_t count;
    size_t room;
};

/* Adds the folder of `path`, unless that was the last one added: files of one are neighbours. */
static void add_folder(struct folders *folders, const char *path)
{
    size_t length = (size_t)(base_name(path) - path);
    const char *folder = length > 0 ? path : "./";
    const char *last = folders->count > 0 ? folders->items[folders->count - 1] : "";

    if (length == 0)
        length = strlen(folder);
    if (strlen(last) == length && memcmp(last, folder, length) == 0)
        return;
    memory_grow(&folders->items, folders->count, &folders->room, sizeof *folders->items);
    char *copy = memory_get(length + 1);
    memcpy(copy, folder, length);
    copy[length] = '\0';
    folders->items[folders->count++] = copy;
}

char **source_list_folders(const struct source_list *list, size_t *count)
{
    struct folders folders = {0};

    for (size_t i = 0; i < list->count; i++) {
        add_folder(&folders, list->items[i].path);
        char *file = list->items[i].may_be_link ? realpath(list->items[i].path, NULL) : NULL;
        if (file != NULL)
            add_folder(&folders, file);
        free(file);
    }
    *count = folders.count;
    return folders.items;
}

void source_free_folders(char **folders, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(folders[i]);
    free(folders);
}
