#include "zone/build.h"

#include "table/crew.h"
#include "table/hash.h"
#include "table/seal.h"
#include "zone/findings.h"
#include "zone/image.h"
#include "zone/load.h"
#include "zone/memory.h"
#include "zone/provenance.h"
#include "zone/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What was seen of a source before anything was read. */
struct verdict {
    bool wanted;
    bool unchanged;
    const struct table_section *previous; /* or NULL */
    uint64_t size;                        /* of the zone file, if it is to be loaded */
    struct input_identity *renewed;       /* as in provenance.h */
};

struct build {
    const struct build_request *request;
    struct build_result *result;
    const char **wanted; /* the names in request->only, ascending */
    size_t wanted_count;
    struct verdict *verdicts; /* one for each source */
    struct loaded *loaded;    /* `window` of them: those under way */
    size_t window;
    uint64_t seed;
    struct image image;
    struct tally tally;
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

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* There may be as many names as there are zones. */
static void sort_wanted(struct build *build)
{
    const char *const *only = build->request->only;

    for (; only != NULL && only[build->wanted_count] != NULL; build->wanted_count++)
        ;
    if (build->wanted_count == 0)
        return;
    build->wanted = memory_get(build->wanted_count * sizeof *build->wanted);
    memcpy(build->wanted, only, build->wanted_count * sizeof *build->wanted);
    qsort(build->wanted, build->wanted_count, sizeof *build->wanted, compare_texts);
}

static bool is_wanted(const struct build *build, const struct name *origin)
{
    char text[NAME_TEXT_MAX];
    const char *key = text;

    if (build->request->only == NULL)
        return true;
    name_to_text(origin, text);
    return build->wanted_count > 0 && bsearch(&key, build->wanted, build->wanted_count,
                                              sizeof *build->wanted, compare_texts) != NULL;
}

static bool is_to_be_loaded(const struct verdict *verdict)
{
    return verdict->wanted && !verdict->unchanged;
}

static void look_at(struct build *build, size_t number)
{
    const struct source *source = &build->request->sources->items[number];
    struct verdict *verdict = &build->verdicts[number];

    verdict->wanted = is_wanted(build, &source->origin);
    verdict->previous = verdict->wanted ? find_previous(build, source) : NULL;
    if (verdict->previous != NULL && !build->request->force)
        verdict->unchanged =
            provenance_is_unchanged(verdict->previous, source->path, &verdict->renewed);
    if (!is_to_be_loaded(verdict))
        return;
    verdict->size = load_size(source);
    tally_expect(&build->tally, verdict->size);
}

/* Zones are looked at in runs: most of them take a few system calls only. */
enum { RUN = 64 };

static void look_at_run(void *closure, size_t run)
{
    struct build *build = closure;
    size_t count = build->request->sources->count;

    for (size_t i = run * RUN; i < count && i < (run + 1) * RUN; i++)
        look_at(build, i);
}

static bool perform_look(void *closure, size_t run)
{
    return memory_guard(look_at_run, closure, run);
}

static void look_at_zones(struct build *build)
{
    size_t count = build->request->sources->count;
    const struct crew_work work = {.jobs = (count + RUN - 1) / RUN,
                                   .window = 4 * crew_size(),
                                   .perform = perform_look,
                                   .closure = build};

    build->verdicts = memory_get(count * sizeof *build->verdicts);
    memset(build->verdicts, 0, count * sizeof *build->verdicts);
    if (!crew_run(&work))
        memory_exhausted();
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

/* A zone that was compiled, or could not be, until it is added to the table. */
struct loaded {
    bool performed; /* by one thread; what is large is left for all of them */
    bool compiled;
    struct image image;
    struct findings findings;
};

static struct loaded *loaded_of(const struct build *build, size_t number)
{
    return &build->loaded[number % build->window];
}

static struct tally_share share_of(struct build *build, size_t number)
{
    return (struct tally_share){.tally = &build->tally, .left = 2 * build->verdicts[number].size};
}

/* Loads a zone, unless it is large. On any thread. */
static void load_small(void *closure, size_t number)
{
    struct build *build = closure;
    const struct source *source = &build->request->sources->items[number];
    struct loaded *loaded = loaded_of(build, number);

    if (!is_to_be_loaded(&build->verdicts[number]) || load_is_large(build->verdicts[number].size))
        return;
    loaded->performed = true;
    loaded->compiled = load_zone(source, build->seed, false, share_of(build, number), findings_add,
                                 &loaded->findings, &loaded->image);
}

static bool add_compiled(struct build *build, size_t number)
{
    const struct build_request *request = build->request;
    struct loaded *loaded = loaded_of(build, number);
    size_t at = build->image.length;

    if (!loaded->performed) {
        loaded->compiled =
            load_zone(&request->sources->items[number], build->seed, true, share_of(build, number),
                      request->sink, request->closure, &build->image);
    } else {
        findings_tell(&loaded->findings, request->sink, request->closure);
        if (loaded->compiled)
            image_put(&build->image, loaded->image.octets, loaded->image.length);
    }
    if (loaded->compiled)
        add_to_directory(build, at);
    return loaded->compiled;
}

static enum build_outcome add_zone(struct build *build, size_t number)
{
    const struct verdict *verdict = &build->verdicts[number];
    size_t at = build->image.length;

    if (verdict->unchanged) {
        copy_section(build, verdict->previous);
        renew_identities(build, at, verdict->renewed);
        return BUILD_COPIED;
    }
    if (add_compiled(build, number))
        return BUILD_COMPILED;
    if (verdict->previous == NULL)
        return BUILD_FAILED;
    copy_section(build, verdict->previous);
    return BUILD_KEPT;
}

/* Adds what was loaded to the table, in the order of the sources. */
static void take_zone(void *closure, size_t number)
{
    struct build *build = closure;
    struct loaded *loaded = loaded_of(build, number);

    if (build->verdicts[number].wanted)
        tell_zone(build, number, add_zone(build, number));
    image_free(&loaded->image);
    findings_free(&loaded->findings);
    *loaded = (struct loaded){0};
    tally_tell(&build->tally);
}

static bool perform_load(void *closure, size_t number)
{
    return memory_guard(load_small, closure, number);
}

static bool perform_take(void *closure, size_t number)
{
    return memory_guard(take_zone, closure, number);
}

static void add_wanted_zones(struct build *build)
{
    build->window = 8 * crew_size();
    build->loaded = memory_get(build->window * sizeof *build->loaded);
    memset(build->loaded, 0, build->window * sizeof *build->loaded);
    const struct crew_work work = {.jobs = build->request->sources->count,
                                   .window = build->window,
                                   .perform = perform_load,
                                   .take = perform_take,
                                   .closure = build};
    if (!crew_run(&work))
        memory_exhausted();
    free(build->loaded);
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

/* --- no table at all ------------------------------------------------------------------ */

/* Zones of the previous table that are to be looked at. */
static size_t count_wanted_before(const struct build *build)
{
    const struct table *previous = build->request->previous;
    const struct table_section *section;
    uint32_t position = 0;
    struct name origin;
    size_t count = 0;

    if (build->request->only == NULL)
        return previous->header->zone_count;
    while ((section = table_next_zone(previous, &position)) != NULL) {
        name_read(&origin, section_apex_name(section), section->apex_length);
        count += is_wanted(build, &origin);
    }
    return count;
}

/* Would the new table have the same zones as the previous one, all unchanged? */
static bool is_all_unchanged(const struct build *build)
{
    const struct build_request *request = build->request;
    size_t wanted = 0;

    if (request->previous == NULL)
        return false;
    for (size_t i = 0; i < request->sources->count; i++) {
        if (is_to_be_loaded(&build->verdicts[i]))
            return false;
        wanted += build->verdicts[i].wanted;
    }
    return wanted == count_wanted_before(build);
}

static void keep_previous(struct build *build)
{
    build->result->unchanged = true;
    build->result->length = build->request->previous->header->length;
    for (size_t i = 0; i < build->request->sources->count; i++) {
        if (!build->verdicts[i].wanted)
            continue;
        build->result->renewed |= build->verdicts[i].renewed != NULL;
        tell_zone(build, i, BUILD_COPIED);
    }
    /* Those that nobody wanted to be looked at are as they were, too. */
    build->result->copied = build->request->previous->header->zone_count;
}

static bool build_all(struct build *build)
{
    struct report report = {.sink = build->request->sink, .closure = build->request->closure};

    sort_wanted(build);
    look_at_zones(build);
    if (build->request->sparing && is_all_unchanged(build)) {
        keep_previous(build);
        return true;
    }
    if (!image_begin_file(&build->image)) {
        report_error(&report, no_file, 0, "cannot make a memory file: %s", seal_error(errno));
        return false;
    }
    start_table(build);
    copy_other_zones(build);
    add_wanted_zones(build);
    seal_sum(build->image.octets, build->image.length);
    build->result->length = build->image.length;
    build->result->fd = image_seal(&build->image);
    if (build->result->fd < 0)
        report_error(&report, no_file, 0, "cannot seal a memory file: %s", seal_error(errno));
    return build->result->fd >= 0;
}

static void free_verdicts(const struct build *build)
{
    for (size_t i = 0; i < build->request->sources->count; i++)
        free(build->verdicts[i].renewed);
    free(build->verdicts);
    free(build->wanted);
}

bool build_table(const struct build_request *request, struct build_result *result)
{
    struct build build = {.request = request,
                          .result = result,
                          .seed = request->seed,
                          .tally = {.sink = request->progress, .closure = request->closure}};
    struct report report = {.sink = request->sink, .closure = request->closure};
    jmp_buf exhausted;

    *result = (struct build_result){.fd = -1};
    if (request->previous != NULL)
        build.seed = request->previous->header->seed;
    jmp_buf *before = memory_on_exhaustion(&exhausted);
    if (setjmp(exhausted) != 0) {
        memory_on_exhaustion(before);
        *result = (struct build_result){.fd = -1};
        if (build.image.over_limit)
            report_error(&report, no_file, 0, "cannot make the zone table: %s", seal_error(EFBIG));
        else
            report_error(&report, no_file, 0, "no memory is left to load the zones");
        return false;
    }
    bool built = build_all(&build);
    free_verdicts(&build);
    memory_on_exhaustion(before);
    return built;
}
