#include "server/loading/ledger.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- lists ------------------------------------------------------------------- */

static void free_faults(struct ledger_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        free(faults->items[i].file);
        free(faults->items[i].text);
    }
    free(faults->items);
    *faults = (struct ledger_faults){0};
}

static void free_zones(struct ledger_zones *zones)
{
    for (size_t i = 0; i < zones->count; i++) {
        free(zones->items[i].name);
        free_faults(&zones->items[i].faults);
    }
    free(zones->items);
    *zones = (struct ledger_zones){0};
}

/* The array, with room for one more item; NULL: out of memory, and it is as it was. */
static void *grow(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    void *grown = reallocarray(items, 2 * *room + 16, size);
    if (grown != NULL)
        *room = 2 * *room + 16;
    return grown;
}

static bool append_fault(struct ledger_faults *faults, const struct ledger_fault *fault)
{
    void *items = grow(faults->items, faults->count, &faults->room, sizeof *fault);

    if (items == NULL)
        return false;
    faults->items = items;
    faults->items[faults->count++] = *fault;
    return true;
}

/* The zone's name and faults move to the list. */
static void append_zone(struct ledger_zones *zones, struct ledger_zone *zone)
{
    void *items = grow(zones->items, zones->count, &zones->room, sizeof *zone);

    if (items != NULL)
        zones->items = items;
    if (items != NULL && zone->name != NULL) {
        zones->items[zones->count++] = *zone;
    } else {
        free(zone->name);
        free_faults(&zone->faults);
    }
    zone->name = NULL;
    zone->faults = (struct ledger_faults){0};
}

static int compare_names(const void *a, const void *b)
{
    const struct ledger_zone *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static void sort(struct ledger_zones *zones)
{
    if (zones->count > 0)
        qsort(zones->items, zones->count, sizeof *zones->items, compare_names);
}

/* Walks a sorted list alongside another: the zone of that name, or NULL. Names ascend. */
static struct ledger_zone *seek(const struct ledger_zones *zones, size_t *position,
                                const char *name)
{
    int order = -1;

    while (*position < zones->count && (order = strcmp(zones->items[*position].name, name)) < 0)
        ++*position;
    return order == 0 ? &zones->items[*position] : NULL;
}

const struct ledger_zone *ledger_find(const struct ledger_zones *zones, const char *name)
{
    const struct ledger_zone key = {.name = (char *)name};

    if (zones->count == 0)
        return NULL;
    return bsearch(&key, zones->items, zones->count, sizeof key, compare_names);
}

/* --- a load under way ------------------------------------------------------------ */

void ledger_begin(struct ledger *ledger)
{
    free_zones(&ledger->pending);
    free_faults(&ledger->pending_faults);
}

void ledger_add_fault(struct ledger *ledger, const struct diagnostic *diagnostic)
{
    struct ledger_fault fault = {
        .severity = diagnostic->severity,
        .line = diagnostic->line,
        .file = strdup(diagnostic->file),
        .text = strdup(diagnostic->text),
    };

    if (fault.file == NULL || fault.text == NULL ||
        !append_fault(&ledger->pending_faults, &fault)) {
        free(fault.file);
        free(fault.text);
    }
}

void ledger_add_zone(struct ledger *ledger, const struct name *origin, enum build_outcome outcome)
{
    char text[NAME_TEXT_MAX];
    struct ledger_zone zone = {
        .name = strdup(name_to_text(origin, text)),
        .outcome = outcome,
        .faults = ledger->pending_faults,
    };

    ledger->pending_faults = (struct ledger_faults){0};
    append_zone(&ledger->pending, &zone);
}

/* --- its end ----------------------------------------------------------------------- */

static void collect_served(struct ledger_zones *zones, const struct table *table)
{
    const struct table_section *section;
    char text[NAME_TEXT_MAX];
    uint32_t position = 0;
    struct name apex;

    while ((section = table_next_zone(table, &position)) != NULL) {
        name_read(&apex, section_apex_name(section), section->apex_length);
        struct ledger_zone zone = {
            .name = strdup(name_to_text(&apex, text)), .section = section, .outcome = BUILD_COPIED};
        append_zone(zones, &zone);
    }
}

static void collect_failed(struct ledger_zones *zones, const struct ledger_zones *pending)
{
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->items[i].outcome != BUILD_FAILED)
            continue;
        struct ledger_zone zone = {.name = strdup(pending->items[i].name), .outcome = BUILD_FAILED};
        append_zone(zones, &zone);
    }
}

/* Those that failed before and were not looked at this time. */
static void collect_unseen(struct ledger_zones *zones, const struct ledger_zones *before,
                           const struct ledger_zones *pending)
{
    size_t position = 0;

    for (size_t i = 0; i < before->count; i++) {
        const struct ledger_zone *unseen = &before->items[i];
        if (unseen->section != NULL || seek(pending, &position, unseen->name) != NULL)
            continue;
        struct ledger_zone zone = {.name = strdup(unseen->name), .outcome = BUILD_FAILED};
        append_zone(zones, &zone);
    }
}

static void move_faults(struct ledger_zone *zone, struct ledger_zone *from)
{
    zone->faults = from->faults;
    from->faults = (struct ledger_faults){0};
}

/* What is known of `zone` from `before` the load, and from the load: both may be NULL. */
static void complete(struct ledger_zone *zone, struct ledger_zone *before,
                     struct ledger_zone *found, int64_t now)
{
    bool is_new = before == NULL || before->section == NULL ||
                  (found != NULL && found->outcome == BUILD_COMPILED);

    if (zone->section != NULL)
        zone->loaded = is_new ? now : before->loaded;
    if (found != NULL)
        zone->outcome = found->outcome;
    else if (before != NULL)
        zone->outcome = before->outcome;
    if (found != NULL && found->outcome != BUILD_COPIED)
        move_faults(zone, found);
    /* A file that is what it was once more has the faults of then; the ledger has others. */
    else if (before != NULL && (found == NULL || !ledger_has_failed(before)))
        move_faults(zone, before);
}

/* Moves what was served before, and is no more, to `removed`. */
static void collect_removed(struct ledger *ledger, const struct ledger_zones *next)
{
    size_t position = 0;

    free_zones(&ledger->removed);
    for (size_t i = 0; i < ledger->zones.count; i++) {
        struct ledger_zone *zone = &ledger->zones.items[i];
        if (zone->section == NULL || seek(next, &position, zone->name) != NULL)
            continue;
        struct ledger_zone removed = {.name = strdup(zone->name)};
        append_zone(&ledger->removed, &removed);
    }
}

/* So that nobody has to look at all of a million zones again. */
static void count(struct ledger *ledger)
{
    ledger->failures = 0;
    ledger->records = 0;
    for (size_t i = 0; i < ledger->zones.count; i++) {
        const struct ledger_zone *zone = &ledger->zones.items[i];
        ledger->failures += ledger_has_failed(zone);
        ledger->records += zone->section != NULL ? zone->section->record_count : 0;
    }
}

void ledger_commit(struct ledger *ledger, const struct table *table, bool partial, int64_t now)
{
    struct ledger_zones next = {0};
    size_t at_before = 0, at_pending = 0;

    sort(&ledger->pending);
    collect_served(&next, table);
    collect_failed(&next, &ledger->pending);
    if (partial)
        collect_unseen(&next, &ledger->zones, &ledger->pending);
    sort(&next);
    collect_removed(ledger, &next);
    for (size_t i = 0; i < next.count; i++) {
        struct ledger_zone *zone = &next.items[i];
        complete(zone, seek(&ledger->zones, &at_before, zone->name),
                 seek(&ledger->pending, &at_pending, zone->name), now);
    }
    free_faults(&ledger->general);
    ledger->general = ledger->pending_faults;
    ledger->pending_faults = (struct ledger_faults){0};
    free_zones(&ledger->pending);
    free_zones(&ledger->zones);
    ledger->zones = next;
    count(ledger);
}

static void move_all(struct ledger_faults *to, struct ledger_faults *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (append_fault(to, &from->items[i]))
            from->items[i].file = from->items[i].text = NULL;
    free_faults(from);
}

void ledger_abandon(struct ledger *ledger)
{
    struct ledger_faults all = {0};

    for (size_t i = 0; i < ledger->pending.count; i++)
        move_all(&all, &ledger->pending.items[i].faults);
    move_all(&all, &ledger->pending_faults);
    ledger_begin(ledger);
    free_zones(&ledger->removed);
    free_faults(&ledger->general);
    ledger->general = all;
}

void ledger_free(struct ledger *ledger)
{
    ledger_begin(ledger);
    free_zones(&ledger->zones);
    free_zones(&ledger->removed);
    free_faults(&ledger->general);
}
