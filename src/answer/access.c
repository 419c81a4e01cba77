#include "answer/access.h"

#include "table/table.h"

#include <string.h>

static bool is_for(const struct access_entry *entry, const struct table_section *zone)
{
    return entry->hash == zone->apex_hash && entry->apex->length == zone->apex_length &&
           memcmp(entry->apex->octets, section_apex_name(zone), zone->apex_length) == 0;
}

/* Entries of one hash lie one behind the other. */
static const struct access_list *find(const struct access *access, const struct table_section *zone)
{
    size_t low = 0, high = access->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (access->entries[middle].hash < zone->apex_hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < access->count && access->entries[low].hash == zone->apex_hash; low++)
        if (is_for(&access->entries[low], zone))
            return access->entries[low].allowed;
    return access->others;
}

bool access_allows(const struct access *access, const struct table_section *zone,
                   const struct client *client)
{
    if (access == NULL)
        return true;
    const struct access_list *allowed = find(access, zone);
    return allowed == NULL || prefix_list_covers(&allowed->networks, client);
}

static bool may_sign(const struct access_key *allowed, const struct client *client,
                     const struct name *key)
{
    return name_compare(&allowed->name, key) == 0 &&
           (allowed->from.length == 0 || prefix_covers(&allowed->from, client));
}

static bool has_key(const struct access_list *allowed, const struct client *client,
                    const struct name *key)
{
    for (size_t i = 0; key != NULL && i < allowed->key_count; i++)
        if (may_sign(&allowed->keys[i], client, key))
            return true;
    return false;
}

bool access_grants(const struct access *access, const struct table_section *zone,
                   const struct client *client, const struct name *key)
{
    const struct access_list *allowed = access != NULL ? find(access, zone) : NULL;

    return allowed != NULL &&
           (has_key(allowed, client, key) || prefix_list_covers(&allowed->networks, client));
}
