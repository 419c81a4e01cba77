#include "server/loading/ledger_json.h"

#include <stdlib.h>
#include <string.h>

/* File names may be of any octets; JSON is of UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);

    if (json != NULL)
        return json;
    char *copy = strdup(text);
    for (char *octet = copy; octet != NULL && *octet != '\0'; octet++)
        *octet = (unsigned char)*octet < 0x80 ? *octet : '?';
    json = json_string(copy);
    free(copy);
    return json;
}

static json_t *fault_json(const struct ledger_fault *fault)
{
    json_t *json = json_object();

    if (fault->file[0] != '\0')
        json_object_set_new(json, "file", text_json(fault->file));
    if (fault->line > 0)
        json_object_set_new(json, "line", json_integer(fault->line));
    json_object_set_new(json, "reason", text_json(fault->text));
    return json;
}

/* Adds those of `severity`, if there are any, as a member of `object`. */
static void add_faults(json_t *object, const char *member, enum severity severity,
                       const struct ledger_faults *faults)
{
    json_t *list = json_array();

    for (size_t i = 0; i < faults->count; i++)
        if (faults->items[i].severity == severity)
            json_array_append_new(list, fault_json(&faults->items[i]));
    if (json_array_size(list) > 0)
        json_object_set(object, member, list);
    json_decref(list);
}

/* A zone, with `finding` under the name of `member`. */
static json_t *zone_json(const struct ledger_zone *zone, const char *member, const char *finding,
                         int64_t now)
{
    json_t *json = json_pack("{s:s, s:s}", "zone", zone->name, member, finding);

    if (zone->section != NULL) {
        int64_t age = now > zone->loaded ? now - zone->loaded : 0;
        json_object_set_new(json, "serial", json_integer(zone->section->serial));
        json_object_set_new(json, "records", json_integer(zone->section->record_count));
        json_object_set_new(json, "loaded", json_integer(zone->loaded));
        json_object_set_new(json, "age", json_integer(age));
    }
    add_faults(json, "errors", SEVERITY_ERROR, &zone->faults);
    add_faults(json, "warnings", SEVERITY_WARNING, &zone->faults);
    return json;
}

static json_t *state_json(const struct ledger_zone *zone, int64_t now)
{
    return zone_json(zone, "state", ledger_has_failed(zone) ? "failed" : "ok", now);
}

static json_t *list_json(const struct ledger *ledger, json_t *zones)
{
    return json_pack("{s:o, s:I, s:I}", "zones", zones, "zone_count",
                     (json_int_t)ledger->zones.count, "zone_failures",
                     (json_int_t)ledger->failures);
}

json_t *ledger_json_zones(const struct ledger *ledger, int64_t now)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ledger->zones.count; i++)
        json_array_append_new(list, state_json(&ledger->zones.items[i], now));
    return list_json(ledger, list);
}

/* Adds zones that have failed, or such that have not, until there are `most` in the list. */
static void add_some(json_t *list, const struct ledger *ledger, bool failed, size_t most,
                     int64_t now)
{
    for (size_t i = 0; i < ledger->zones.count && json_array_size(list) < most; i++)
        if (ledger_has_failed(&ledger->zones.items[i]) == failed)
            json_array_append_new(list, state_json(&ledger->zones.items[i], now));
}

json_t *ledger_json_some_zones(const struct ledger *ledger, int64_t now, size_t limit)
{
    json_t *list = json_array();

    add_some(list, ledger, true, limit < ledger->failures ? limit : ledger->failures, now);
    add_some(list, ledger, false, limit, now);
    return list_json(ledger, list);
}

/* --- what a reload did -------------------------------------------------------------- */

enum outcome { LOADED, UNCHANGED, FAILED, REMOVED, UNKNOWN, OUTCOMES };

static const char *const outcome_names[] = {"loaded", "unchanged", "failed", "removed", "unknown"};

struct outcome_tally {
    json_t *zones;
    int64_t now;
    size_t counts[OUTCOMES];
};

static void add_outcome(struct outcome_tally *tally, const struct ledger_zone *zone,
                        enum outcome outcome)
{
    tally->counts[outcome]++;
    json_array_append_new(tally->zones,
                          zone_json(zone, "outcome", outcome_names[outcome], tally->now));
}

static enum outcome outcome_of(const struct ledger_zone *zone)
{
    if (ledger_has_failed(zone))
        return FAILED;
    return zone->outcome == BUILD_COMPILED ? LOADED : UNCHANGED;
}

static void add_named(struct outcome_tally *tally, const struct ledger *ledger, const char *name)
{
    const struct ledger_zone unknown = {.name = (char *)name};
    const struct ledger_zone *zone = ledger_find(&ledger->zones, name);

    if (zone != NULL)
        add_outcome(tally, zone, outcome_of(zone));
    else if ((zone = ledger_find(&ledger->removed, name)) != NULL)
        add_outcome(tally, zone, REMOVED);
    else
        add_outcome(tally, &unknown, UNKNOWN);
}

static void add_all(struct outcome_tally *tally, const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->zones.count; i++)
        add_outcome(tally, &ledger->zones.items[i], outcome_of(&ledger->zones.items[i]));
    for (size_t i = 0; i < ledger->removed.count; i++)
        add_outcome(tally, &ledger->removed.items[i], REMOVED);
}

json_t *ledger_json_reload(const struct ledger *ledger, const char *const *names, int64_t now,
                           bool *done)
{
    struct outcome_tally tally = {.zones = json_array(), .now = now};
    json_t *json = json_object();

    if (names == NULL)
        add_all(&tally, ledger);
    for (; names != NULL && *names != NULL; names++)
        add_named(&tally, ledger, *names);
    for (size_t i = 0; i < OUTCOMES; i++)
        json_object_set_new(json, outcome_names[i], json_integer((json_int_t)tally.counts[i]));
    json_object_set_new(json, "zones", tally.zones);
    add_faults(json, "errors", SEVERITY_ERROR, &ledger->general);
    *done = tally.counts[FAILED] == 0 && tally.counts[UNKNOWN] == 0;
    return json;
}

json_t *ledger_json_failure(const struct ledger *ledger, const char *sentence)
{
    json_t *json = json_pack("{s:s}", "error", sentence);

    add_faults(json, "errors", SEVERITY_ERROR, &ledger->general);
    return json;
}
