#include "server/configuration/acl.h"

#include "server/host/nearest.h"
#include "table/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool acl_add(struct acl_entries *entries, const struct acl_entry *entry)
{
    /* Doubles whenever the number is a power of 2. */
    if ((entries->count & (entries->count - 1)) == 0) {
        size_t room = entries->count == 0 ? 1 : 2 * entries->count;
        struct acl_entry *grown = reallocarray(entries->items, room, sizeof *grown);
        if (grown == NULL)
            return false;
        entries->items = grown;
    }
    entries->items[entries->count++] = *entry;
    return true;
}

bool acl_close(struct acl_entries *entries, const char *owner)
{
    bool any = false;

    for (size_t i = entries->count; i-- > 0 && entries->items[i].open; any = true) {
        entries->items[i].owner = owner;
        entries->items[i].open = false;
    }
    return any;
}

bool acl_has(const struct acl_entries *entries, const char *owner)
{
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].owner != NULL && strcmp(entries->items[i].owner, owner) == 0)
            return true;
    return false;
}

/* Adds a whole list to the rule of the zone. False: there is no such list. */
static bool allow_list(const struct acl_entries *lists, const struct acl_entry *entry,
                       struct access_rules *rules)
{
    char error[ACCESS_RULES_ERROR_MAX];
    bool found = false;

    for (size_t i = 0; i < lists->count; i++)
        if (strcmp(lists->items[i].owner, entry->who) == 0) {
            found = true;
            access_rules_allow(rules, entry->owner, lists->items[i].who, error);
        }
    return found;
}

static void tell_unknown(const struct acl_entries *lists, const struct acl_entry *entry,
                         const char *error, acl_sink *sink, void *closure)
{
    char sentence[ACCESS_RULES_ERROR_MAX + 256];
    struct nearest nearest;

    nearest_begin(&nearest, entry->who);
    for (size_t i = 0; i < lists->count; i++)
        nearest_consider(&nearest, lists->items[i].owner);
    if (nearest.best != NULL)
        snprintf(sentence, sizeof sentence, "there is no acl of that name: is %.200s meant? Or %s",
                 nearest.best, error);
    else
        snprintf(sentence, sizeof sentence, "%s, or the name of an acl", error);
    sink(closure, entry, sentence);
}

void acl_resolve(const struct acl_entries *zones, const struct acl_entries *lists,
                 struct access_rules *rules, acl_sink *sink, void *closure)
{
    char error[ACCESS_RULES_ERROR_MAX];

    for (size_t i = 0; i < zones->count; i++) {
        const struct acl_entry *entry = &zones->items[i];
        rules->origin = (struct access_origin){.text = entry->owner == NULL ? entry->who : NULL,
                                               .file = entry->file,
                                               .line = entry->line};
        if (allow_list(lists, entry, rules))
            continue;
        bool is_right = entry->owner != NULL
                            ? access_rules_allow(rules, entry->owner, entry->who, error)
                            : access_rules_read(rules, entry->who, error);
        if (!is_right)
            tell_unknown(lists, entry, error, sink, closure);
    }
}

static uint64_t digest_entries(const struct acl_entries *entries, uint64_t seed)
{
    for (size_t i = 0; i < entries->count; i++) {
        const char *owner = entries->items[i].owner, *who = entries->items[i].who;
        if (owner != NULL)
            seed = XXH3_64bits_withSeed(owner, strlen(owner) + 1, seed);
        seed = XXH3_64bits_withSeed(who, strlen(who), seed);
    }
    return seed;
}

uint64_t acl_digest(const struct acl_entries *zones, const struct acl_entries *lists)
{
    return digest_entries(zones, digest_entries(lists, 0));
}

void acl_free(struct acl *acl)
{
    free(acl->lists.items);
    free(acl->queries.items);
    free(acl->transfers.items);
    *acl = (struct acl){0};
}
