#include "zones.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name zones_name(const ldns_rdf *dname)
{
    struct name name;

    if (name_read(&name, ldns_rdf_data(dname), ldns_rdf_size(dname)) == 0)
        abort();
    return name;
}

static int compare_facts(const void *left, const void *right)
{
    const struct fact *a = left, *b = right;
    size_t common = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->octets, b->octets, common);

    if (order != 0)
        return order;
    return (a->length > b->length) - (a->length < b->length);
}

/* Type and class follow the owner directly, so all facts of an owner and type stand together. */
static struct fact fact_make(const ldns_rr *record, const struct name *owner)
{
    ldns_rr *canonical = ldns_rr_clone(record);
    ldns_buffer *buffer = ldns_buffer_new(512);
    struct fact fact;

    ldns_rr2canonical(canonical);
    ldns_buffer_write(buffer, owner->octets, owner->length);
    ldns_buffer_write_u16(buffer, (uint16_t)ldns_rr_get_type(record));
    for (size_t i = 0; i < ldns_rr_rd_count(canonical); i++)
        ldns_rdf2buffer_wire_canonical(buffer, ldns_rr_rdf(canonical, i));
    fact.length = ldns_buffer_position(buffer);
    fact.octets = ldns_buffer_export(buffer);
    ldns_buffer_free(buffer);
    ldns_rr_free(canonical);
    return fact;
}

static void zone_gather_facts(struct zone *zone)
{
    size_t count = ldns_rr_list_rr_count(zone->records);

    zone->facts = calloc(count, sizeof *zone->facts);
    zone->fact_count = count;
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        struct name owner = zones_name(ldns_rr_owner(record));

        zone->facts[i] = fact_make(record, &owner);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_DNSKEY
            && name_compare(&owner, &zone->origin) == 0)
            ldns_rr_list_push_rr(zone->keys, ldns_rr_clone(record));
    }
    qsort(zone->facts, count, sizeof *zone->facts, compare_facts);
}

bool zones_has(const struct zone *zone, const ldns_rr *record, const struct name *owner)
{
    struct name own = zones_name(ldns_rr_owner(record));
    struct fact wanted = fact_make(record, owner ? owner : &own);
    bool found = bsearch(&wanted, zone->facts, zone->fact_count, sizeof wanted, compare_facts);

    free(wanted.octets);
    return found;
}

static int compare_prefix(const void *wanted, const void *candidate)
{
    const struct fact *a = wanted, *b = candidate;
    size_t common = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->octets, b->octets, common);

    return order != 0 ? order : (a->length > b->length);
}

bool zones_has_type(const struct zone *zone, const struct name *owner, ldns_rr_type type)
{
    uint8_t octets[NAME_OCTETS_MAX + 2];
    struct fact wanted = { octets, owner->length };

    memcpy(octets, owner->octets, owner->length);
    if (type != 0) {
        octets[wanted.length++] = (uint8_t)(type >> 8);
        octets[wanted.length++] = (uint8_t)type;
    }
    return bsearch(&wanted, zone->facts, zone->fact_count, sizeof wanted, compare_prefix);
}

static void zone_read_origin_comment(FILE *file, char *origin, size_t room)
{
    char line[1024], name[1024];

    if (fgets(line, sizeof line, file) && sscanf(line, "; origin: %1023s", name) == 1)
        snprintf(origin, room, "%s", name);
    rewind(file);
}

static bool zone_parse(struct zone *zone, FILE *file, const char *origin)
{
    ldns_rdf *dname = ldns_dname_new_frm_str(origin);
    ldns_zone *parsed = NULL;
    ldns_status status;
    int line = 0;

    if (!dname) {
        fprintf(stderr, "interop: %s: '%s' is not a domain name\n", zone->path, origin);
        return false;
    }
    zone->origin = zones_name(dname);
    name_to_text(&zone->origin, zone->text);
    status = ldns_zone_new_frm_fp_l(&parsed, file, dname, 3600, LDNS_RR_CLASS_IN, &line);
    ldns_rdf_deep_free(dname);
    if (status != LDNS_STATUS_OK || !ldns_zone_soa(parsed)) {
        fprintf(stderr, "interop: %s:%d: %s\n", zone->path, line,
                status == LDNS_STATUS_OK ? "no SOA" : ldns_get_errorstr_by_id(status));
        return false;
    }
    zone->records = ldns_rr_list_clone(ldns_zone_rrs(parsed));
    ldns_rr_list_push_rr(zone->records, ldns_rr_clone(ldns_zone_soa(parsed)));
    zone->keys = ldns_rr_list_new();
    ldns_zone_deep_free(parsed);
    zone_gather_facts(zone);
    return true;
}

static bool zone_read(struct zone *zone, const char *directory, const char *file_name)
{
    char origin[1024];
    FILE *file;
    bool good;

    if (asprintf(&zone->path, "%s/%s", directory, file_name) < 0)
        abort();
    snprintf(origin, sizeof origin, "%.*s", (int)(strlen(file_name) - strlen(".zone")), file_name);
    file = fopen(zone->path, "r");
    if (!file) {
        perror(zone->path);
        return false;
    }
    zone_read_origin_comment(file, origin, sizeof origin);
    good = zone_parse(zone, file, origin);
    fclose(file);
    return good;
}

static int is_zone_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 5 && strcmp(entry->d_name + length - 5, ".zone") == 0;
}

/* Absolute paths, since each server runs in a directory of its own. */
bool zones_read(struct zone_set *set, const char *argument)
{
    struct dirent **entries;
    char *directory = realpath(argument, NULL);
    int count = directory ? scandir(directory, &entries, is_zone_file, alphasort) : 0;
    bool good = true;

    if (count <= 0) {
        fprintf(stderr, "interop: %s: no zone files there\n", argument);
        return false;
    }
    set->directory = directory;
    set->count = 0;
    set->items = calloc((size_t)count, sizeof *set->items);
    for (int i = 0; i < count; i++) {
        if (good)
            good = zone_read(&set->items[set->count], directory, entries[i]->d_name);
        set->count += good;
        free(entries[i]);
    }
    free(entries);
    return good;
}

void zones_free(struct zone_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        struct zone *zone = &set->items[i];

        for (size_t j = 0; j < zone->fact_count; j++)
            free(zone->facts[j].octets);
        free(zone->facts);
        free(zone->path);
        ldns_rr_list_deep_free(zone->records);
        ldns_rr_list_deep_free(zone->keys);
    }
    free(set->items);
    free(set->directory);
}

static const struct zone *find_longest(const struct zone_set *set, const struct name *name,
                                       bool strictly)
{
    const struct zone *best = NULL;

    for (size_t i = 0; i < set->count; i++) {
        const struct zone *zone = &set->items[i];

        if (!name_is_within(name, &zone->origin))
            continue;
        if (strictly && name->length == zone->origin.length)
            continue;
        if (!best || zone->origin.length > best->origin.length)
            best = zone;
    }
    return best;
}

const struct zone *zones_find(const struct zone_set *set, const struct name *name)
{
    return find_longest(set, name, false);
}

const struct zone *zones_find_parent(const struct zone_set *set, const struct name *name)
{
    return find_longest(set, name, true);
}
