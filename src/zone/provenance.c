#include "zone/provenance.h"

#include "zone/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct table_source *first_source(const struct table_section *section)
{
    return (const void *)((const uint8_t *)section + (size_t)section->sources * TABLE_UNIT);
}

static const struct table_source *next_source(const struct table_source *source)
{
    size_t size = sizeof *source + source->path_length;
    size_t units = (size + TABLE_UNIT - 1) / TABLE_UNIT;

    return (const void *)((const uint8_t *)source + units * TABLE_UNIT);
}

static const char *source_path(const struct table_source *source)
{
    return (const char *)(source + 1);
}

static struct input_identity identity_of(const struct table_source *source)
{
    return (struct input_identity){
        .device = source->device,
        .inode = source->inode,
        .size = source->size,
        .changed_seconds = source->changed_seconds,
        .changed_nanoseconds = source->changed_nanoseconds,
        .content_hash = source->content_hash,
    };
}

static void set_identity(struct table_source *source, const struct input_identity *identity)
{
    source->device = identity->device;
    source->inode = identity->inode;
    source->changed_seconds = identity->changed_seconds;
    source->changed_nanoseconds = identity->changed_nanoseconds;
}

/* Has the file at `path` the octets that `identity` says? If so, makes `identity` that of the
 * file. */
static bool has_same_content(const char *path, struct input_identity *identity)
{
    struct input input;

    if (input_read(&input, path) != 0)
        return false;
    bool same = input.identity.size == identity->size &&
                input.identity.content_hash == identity->content_hash;
    if (same)
        *identity = input.identity;
    input_free(&input);
    return same;
}

/* Compares one file; `*read` if that took reading it. */
static bool is_file_unchanged(const struct table_source *source, struct input_identity *identity,
                              bool *read)
{
    char *path = memory_get(source->path_length + 1u);

    memcpy(path, source_path(source), source->path_length);
    path[source->path_length] = '\0';
    *identity = identity_of(source);
    bool unchanged = input_seems_unchanged(path, identity);
    if (!unchanged) {
        *read = true;
        unchanged = has_same_content(path, identity);
    }
    free(path);
    return unchanged;
}

bool provenance_is_unchanged(const struct table_section *section, const char *path,
                             struct input_identity **renewed)
{
    const struct table_source *file = first_source(section);
    bool unchanged = true, read = false;

    *renewed = NULL;
    if (section->source_count == 0 || strlen(path) != file->path_length ||
        memcmp(path, source_path(file), file->path_length) != 0)
        return false;
    struct input_identity *identities = memory_get(section->source_count * sizeof *identities);
    for (uint32_t i = 0; i < section->source_count && unchanged; i++, file = next_source(file))
        unchanged = is_file_unchanged(file, &identities[i], &read);
    if (unchanged && read)
        *renewed = identities;
    else
        free(identities);
    return unchanged;
}

void provenance_renew(struct table_section *section, const struct input_identity *renewed)
{
    const struct table_source *file = first_source(section);

    for (uint32_t i = 0; i < section->source_count; i++, file = next_source(file))
        set_identity((struct table_source *)(uintptr_t)file, &renewed[i]);
}

enum provenance_age provenance_settle(struct table_section *section)
{
    const struct table_source *file = first_source(section);
    enum provenance_age age = PROVENANCE_SETTLED;

    for (uint32_t i = 0; i < section->source_count; i++, file = next_source(file)) {
        struct input_identity identity;
        bool read = false;
        if (file->changed_nanoseconds != INPUT_CHANGED_RECENTLY ||
            !is_file_unchanged(file, &identity, &read))
            continue;
        set_identity((struct table_source *)(uintptr_t)file, &identity);
        if (identity.changed_nanoseconds == INPUT_CHANGED_RECENTLY)
            age = PROVENANCE_RECENT;
    }
    return age;
}
