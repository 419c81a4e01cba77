#include "zone/build.h"

#include "table/hash.h"
#include "table/seal.h"
#include "zone/classify.h"
#include "zone/compile.h"
#include "zone/image.h"
#include "zone/input.h"
#include "zone/memory.h"
#include "zone/reader.h"
#include "zone/report.h"
#include "zone/rules.h"
#include "zone/signature.h"
#include "zone/zone.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct build {
    const struct build_request *request;
    struct build_result *result;
    uint64_t seed;
    struct image image;
};

static const char no_file[] = "zone table"; /* for what concerns no zone file */

/* --- the table around the sections ---------------------------------------- */

static struct table_header *header_of(const struct build *build)
{
    return (struct table_header *)(void *)build->image.octets;
}

static void start_table(struct build *build)
{
    const struct build_request *request = build->request;
    size_t kept = request->only != NULL && request->previous != NULL
                      ? request->previous->header->zone_count
                      : 0;
    size_t zones = request->sources->count + kept;
    const struct table_header header = {
        .magic = TABLE_MAGIC,
        .byte_order = TABLE_BYTE_ORDER,
        .version = TABLE_VERSION,
        .seed = build->seed,
        .generation = request->generation,
        .directory = sizeof header,
        .directory_slots = (uint32_t)(zones + zones / 3 + 1),
    };

    image_put(&build->image, &header, sizeof header);
    image_add(&build->image, header.directory_slots * sizeof(struct table_zone));
}

static void add_to_directory(const struct build *build, size_t at)
{
    struct table_header *header = header_of(build);
    struct table_zone *directory = (void *)(build->image.octets + header->directory);
    const struct table_section *section = (const void *)(build->image.octets + at);
    uint32_t slot = hash_slot(section->apex_hash, header->directory_slots);

    while (directory[slot].section != 0)
        slot = slot + 1 == header->directory_slots ? 0 : slot + 1;
    directory[slot] = (struct table_zone){.hash = section->apex_hash, .section = at};
    header->zone_count++;
    header->depths[section->apex_labels / 64] |= UINT64_C(1) << section->apex_labels % 64;
    build->result->records += section->record_count;
}

static void finish_table(const struct build *build)
{
    struct table_header *header = header_of(build);
    const size_t checked_from = offsetof(struct table_header, checksum) + sizeof header->checksum;

    header->length = build->image.length;
    header->checksum =
        XXH3_64bits(build->image.octets + checked_from, build->image.length - checked_from);
}

/* --- zones that are compiled ------------------------------------------------ */

static bool compile_loaded(struct build *build, struct zone *zone)
{
    struct nsec3_chain chain;

    zone_group(zone);
    classify_names(zone);
    rules_check(zone, zone->report->errors == 0);
    if (zone->report->errors > 0)
        return false;
    signature_check(zone, time(NULL));
    nsec3_chain_choose(zone, &chain);
    bool compiled = zone->report->errors == 0 && compile_zone(zone, &chain, &build->image);
    nsec3_chain_free(&chain);
    return compiled;
}

/* Adds the section made from the zone's files; false, reported, if that cannot be done. */
static bool compile_source(struct build *build, const struct source *source)
{
    struct report report = {.sink = build->request->sink, .closure = build->request->closure};
    size_t at = build->image.length;
    struct zone zone;

    zone_start(&zone, &source->origin, build->seed, &report);
    reader_read(&zone, source->path);
    bool compiled = zone.file_count > 0 && compile_loaded(build, &zone);
    report_close(&report, source->path);
    zone_free(&zone);
    if (compiled)
        add_to_directory(build, at);
    else
        build->image.length = at;
    return compiled;
}

/* --- zones that are copied ---------------------------------------------------- */

static const struct table_section *find_previous(const struct build *build,
                                                 const struct source *source)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];

    if (build->request->previous == NULL)
        return NULL;
    hash_name(&source->origin, build->seed, hashes);
    return table_find_zone(build->request->previous, &source->origin, source->origin.labels,
                           hashes[source->origin.labels]);
}

static void copy_section(struct build *build, const struct table_section *section)
{
    size_t at = build->image.length;

    image_put(&build->image, section, section->length);
    add_to_directory(build, at);
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
        .mtime_seconds = source->mtime_seconds,
        .mtime_nanoseconds = source->mtime_nanoseconds,
        .content_hash = source->content_hash,
    };
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

static bool is_file_unchanged(const struct table_source *source, struct input_identity *identity)
{
    char *path = strndup(source_path(source), source->path_length);

    *identity = identity_of(source);
    bool unchanged =
        path != NULL && (input_seems_unchanged(path, identity) || has_same_content(path, identity));
    free(path);
    return unchanged;
}

/* Are the files the section was made from as they were? `identities` has room for each. */
static bool is_unchanged(const struct table_section *section, const struct source *source,
                         struct input_identity *identities)
{
    const struct table_source *file = section_at(section, section->sources);

    if (strlen(source->path) != file->path_length ||
        memcmp(source->path, source_path(file), file->path_length) != 0)
        return false;
    for (uint32_t i = 0; i < section->source_count; i++, file = next_source(file))
        if (!is_file_unchanged(file, &identities[i]))
            return false;
    return true;
}

/* So that a file that was only touched is not read again next time. */
static void renew_identities(const struct build *build, size_t at,
                             const struct input_identity *identities)
{
    const struct table_section *section = (const void *)(build->image.octets + at);
    const uint8_t *start = (const uint8_t *)section;
    const struct table_source *file = section_at(section, section->sources);

    for (uint32_t i = 0; i < section->source_count; i++, file = next_source(file)) {
        size_t offset = (size_t)((const uint8_t *)file - start);
        struct table_source *source = (void *)(build->image.octets + at + offset);
        source->device = identities[i].device;
        source->inode = identities[i].inode;
        source->mtime_seconds = identities[i].mtime_seconds;
        source->mtime_nanoseconds = identities[i].mtime_nanoseconds;
    }
}

static bool copy_unchanged(struct build *build, const struct table_section *section,
                           const struct source *source)
{
    struct input_identity *identities = memory_get(section->source_count * sizeof *identities);
    bool unchanged = is_unchanged(section, source, identities);

    if (unchanged) {
        size_t at = build->image.length;
        copy_section(build, section);
        renew_identities(build, at, identities);
    }
    free(identities);
    return unchanged;
}

/* --- all zones ------------------------------------------------------------------- */

static enum build_outcome add_zone(struct build *build, const struct source *source)
{
    const struct table_section *previous = find_previous(build, source);

    if (previous != NULL && !build->request->force && copy_unchanged(build, previous, source))
        return BUILD_COPIED;
    if (compile_source(build, source))
        return BUILD_COMPILED;
    if (previous == NULL)
        return BUILD_FAILED;
    copy_section(build, previous);
    return BUILD_KEPT;
}

static bool is_wanted(const struct build *build, const struct name *origin)
{
    char text[NAME_TEXT_MAX];

    if (build->request->only == NULL)
        return true;
    name_to_text(origin, text);
    for (const char *const *wanted = build->request->only; *wanted != NULL; wanted++)
        if (strcmp(*wanted, text) == 0)
            return true;
    return false;
}

static void add_wanted_zones(struct build *build)
{
    const struct build_request *request = build->request;
    size_t *const counts[] = {
        [BUILD_COMPILED] = &build->result->compiled,
        [BUILD_COPIED] = &build->result->copied,
        [BUILD_KEPT] = &build->result->kept,
        [BUILD_FAILED] = &build->result->failed,
    };

    for (size_t i = 0; i < request->sources->count; i++) {
        const struct source *source = &request->sources->items[i];
        if (!is_wanted(build, &source->origin))
            continue;
        enum build_outcome outcome = add_zone(build, source);
        ++*counts[outcome];
        if (request->zone_sink != NULL)
            request->zone_sink(request->closure, &source->origin, outcome);
    }
}

static void copy_other_zones(struct build *build)
{
    const struct table_section *section;
    uint32_t position = 0;
    struct name origin;

    if (build->request->only == NULL || build->request->previous == NULL)
        return;
    while ((section = table_next_zone(build->request->previous, &position)) != NULL) {
        name_read(&origin, section_apex_name(section), section->apex_length);
        if (is_wanted(build, &origin))
            continue;
        copy_section(build, section);
        build->result->copied++;
    }
}

static int write_all(int fd, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, octets, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        octets += written;
        length -= (size_t)written;
    }
    return 0;
}

static int seal_image(const struct image *image)
{
    int fd = seal_create(image->length);

    if (fd < 0)
        return -1;
    if (write_all(fd, image->octets, image->length) == 0 && seal_close(fd) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static bool build_all(struct build *build)
{
    struct report report = {.sink = build->request->sink, .closure = build->request->closure};

    start_table(build);
    copy_other_zones(build);
    add_wanted_zones(build);
    finish_table(build);
    build->result->fd = seal_image(&build->image);
    if (build->result->fd < 0)
        report_error(&report, no_file, 0, "cannot make a memory file: %s", strerror(errno));
    build->result->length = build->image.length;
    image_free(&build->image);
    return build->result->fd >= 0;
}

bool build_table(const struct build_request *request, struct build_result *result)
{
    struct build build = {.request = request, .result = result, .seed = request->seed};
    struct report report = {.sink = request->sink, .closure = request->closure};
    jmp_buf exhausted;

    *result = (struct build_result){.fd = -1};
    if (request->previous != NULL)
        build.seed = request->previous->header->seed;
    jmp_buf *before = memory_on_exhaustion(&exhausted);
    if (setjmp(exhausted) != 0) {
        memory_on_exhaustion(before);
        *result = (struct build_result){.fd = -1};
        report_error(&report, no_file, 0, "no memory is left to load the zones");
        return false;
    }
    bool built = build_all(&build);
    memory_on_exhaustion(before);
    return built;
}
