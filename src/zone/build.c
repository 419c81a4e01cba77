#include "zone/build.h"

#include "table/hash.h"
#include "table/seal.h"
#include "zone/classify.h"
#include "zone/compile.h"
#include "zone/image.h"
#include "zone/memory.h"
#include "zone/provenance.h"
#include "zone/reader.h"
#include "zone/report.h"
#include "zone/rules.h"
#include "zone/signature.h"
#include "zone/zone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What was seen of a source before anything was read. */
struct verdict {
    bool wanted;
    bool unchanged;
    const struct table_section *previous; /* or NULL */
    struct input_identity *renewed;       /* as in provenance.h */
};

struct build {
    const struct build_request *request;
    struct build_result *result;
    struct verdict *verdicts; /* one for each source */
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
    reader_read(&zone, source->path, true);
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

/* So that a file that was only touched is not read again next time. */
static void renew_identities(const struct build *build, size_t at,
                             const struct input_identity *renewed)
{
    if (renewed != NULL)
        provenance_renew((void *)(build->image.octets + at), renewed);
}

/* --- all zones ------------------------------------------------------------------- */

static enum build_outcome add_zone(struct build *build, const struct source *source,
                                   const struct verdict *verdict)
{
    size_t at = build->image.length;

    if (verdict->unchanged) {
        copy_section(build, verdict->previous);
        renew_identities(build, at, verdict->renewed);
        return BUILD_COPIED;
    }
    if (compile_source(build, source))
        return BUILD_COMPILED;
    if (verdict->previous == NULL)
        return BUILD_FAILED;
    copy_section(build, verdict->previous);
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

static void look_at(struct build *build, size_t number)
{
    const struct source *source = &build->request->sources->items[number];
    struct verdict *verdict = &build->verdicts[number];

    *verdict = (struct verdict){.wanted = is_wanted(build, &source->origin)};
    verdict->previous = verdict->wanted ? find_previous(build, source) : NULL;
    if (verdict->previous != NULL && !build->request->force)
        verdict->unchanged =
            provenance_is_unchanged(verdict->previous, source->path, &verdict->renewed);
}

static void look_at_zones(struct build *build)
{
    size_t count = build->request->sources->count;

    build->verdicts = memory_get(count * sizeof *build->verdicts);
    for (size_t i = 0; i < count; i++)
        look_at(build, i);
}

static void tell_zone(const struct build *build, size_t number, enum build_outcome outcome)
{
    const struct build_request *request = build->request;
    size_t *const counts[] = {
        [BUILD_COMPILED] = &build->result->compiled,
        [BUILD_COPIED] = &build->result->copied,
        [BUILD_KEPT] = &build->result->kept,
        [BUILD_FAILED] = &build->result->failed,
    };

    ++*counts[outcome];
    if (request->zone_sink != NULL)
        request->zone_sink(request->closure, &request->sources->items[number].origin, outcome);
}

static void add_wanted_zones(struct build *build)
{
    const struct source_list *sources = build->request->sources;

    for (size_t i = 0; i < sources->count; i++)
        if (build->verdicts[i].wanted)
            tell_zone(build, i, add_zone(build, &sources->items[i], &build->verdicts[i]));
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

/* --- no table at all ------------------------------------------------------------------ */

/* Would the new table have the same zones as the previous one, all unchanged? */
static bool is_all_unchanged(const struct build *build)
{
    const struct build_request *request = build->request;

    if (request->only != NULL || request->previous == NULL ||
        request->previous->header->zone_count != request->sources->count)
        return false;
    for (size_t i = 0; i < request->sources->count; i++)
        if (!build->verdicts[i].unchanged)
            return false;
    return true;
}

static void keep_previous(struct build *build)
{
    build->result->unchanged = true;
    build->result->length = build->request->previous->header->length;
    for (size_t i = 0; i < build->request->sources->count; i++) {
        build->result->renewed |= build->verdicts[i].renewed != NULL;
        build->result->records += build->verdicts[i].previous->record_count;
        tell_zone(build, i, BUILD_COPIED);
    }
}

static bool build_all(struct build *build)
{
    struct report report = {.sink = build->request->sink, .closure = build->request->closure};

    look_at_zones(build);
    if (build->request->sparing && is_all_unchanged(build)) {
        keep_previous(build);
        return true;
    }
    start_table(build);
    copy_other_zones(build);
    add_wanted_zones(build);
    seal_sum(build->image.octets, build->image.length);
    build->result->fd = seal_image(&build->image);
    if (build->result->fd < 0)
        report_error(&report, no_file, 0, "cannot make a memory file: %s", strerror(errno));
    build->result->length = build->image.length;
    image_free(&build->image);
    return build->result->fd >= 0;
}

static void free_verdicts(const struct build *build)
{
    for (size_t i = 0; i < build->request->sources->count; i++)
        free(build->verdicts[i].renewed);
    free(build->verdicts);
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
    free_verdicts(&build);
    memory_on_exhaustion(before);
    return built;
}
