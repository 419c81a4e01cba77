#include "server/protection/access_rules.h"

#include "server/host/prefix_text.h"
#include "table/hash.h"
#include "zone/presentation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(char error[ACCESS_RULES_ERROR_MAX], const char *sentence)
{
    snprintf(error, ACCESS_RULES_ERROR_MAX, "%s", sentence);
    return false;
}

bool access_rules_read_name(struct name *name, const char *text)
{
    const struct token token = {.text = text, .length = (unsigned)strlen(text)};
    const struct domain root = {.length = 1};
    struct domain domain;

    return !presentation_is(&token, "@") && presentation_name(&token, &root, &domain) == NULL &&
           name_read(name, domain.octets, domain.length) != 0;
}

/* --- finding a zone's rule ---------------------------------------------------------------- */

/* Where in the index the zone is, or belongs; there is an empty place. */
static uint32_t *find_place(const struct access_rules *rules, const struct name *apex)
{
    size_t at = XXH3_64bits(apex->octets, apex->length);

    for (;; at++) {
        uint32_t *place = &rules->index[at & (rules->index_size - 1)];
        if (*place == 0 || name_compare(&rules->rules[*place - 1].apex, apex) == 0)
            return place;
    }
}

/* Makes room for one rule more, half of the index being empty. */
static bool make_room(struct access_rules *rules)
{
    if (rules->count < rules->room)
        return true;
    size_t room = rules->room > 0 ? 2 * rules->room : 16;
    struct access_rule *grown = reallocarray(rules->rules, room, sizeof *grown);
    if (grown == NULL)
        return false;
    rules->rules = grown;
    uint32_t *index = calloc(2 * room, sizeof *index);
    if (index == NULL)
        return false;
    free(rules->index);
    rules->index = index;
    rules->index_size = 2 * room;
    rules->room = room;
    for (size_t i = 0; i < rules->count; i++)
        if (!grown[i].others)
            *find_place(rules, &grown[i].apex) = (uint32_t)i + 1;
    return true;
}

/* The rule of that zone, or of those that have none; it is made if there is none. NULL: no
 * memory. */
static struct access_rule *rule_of(struct access_rules *rules, const struct name *apex)
{
    if (!make_room(rules))
        return NULL;
    size_t place = apex != NULL ? *find_place(rules, apex) : rules->others;
    if (place > 0)
        return &rules->rules[place - 1];
    struct access_rule *rule = &rules->rules[rules->count];
    *rule = (struct access_rule){.others = apex == NULL, .origin = rules->origin};
    if (apex != NULL)
        rule->apex = *apex;
    place = rules->count + 1;
    if (apex != NULL)
        *find_place(rules, apex) = (uint32_t)place;
    else
        rules->others = place;
    rules->count++;
    return rule;
}

/* --- reading ------------------------------------------------------------------------------ */

static bool allow_network(struct prefix_list *networks, const char *who,
                          char error[ACCESS_RULES_ERROR_MAX])
{
    char reason[PREFIX_TEXT_ERROR_MAX];

    return prefix_text_add(networks, who, reason) || refuse(error, reason);
}

static bool add_key(struct access_list *allowed, const struct access_key *key,
                    char error[ACCESS_RULES_ERROR_MAX])
{
    struct access_key *grown = reallocarray((struct access_key *)(uintptr_t)allowed->keys,
                                            allowed->key_count + 1, sizeof *grown);

    if (grown == NULL)
        return refuse(error, "out of memory");
    grown[allowed->key_count++] = *key;
    allowed->keys = grown;
    return true;
}

/* `network`: `length` characters, or none. */
static bool allow_key(struct access_list *allowed, const char *network, size_t length,
                      const char *name, char error[ACCESS_RULES_ERROR_MAX])
{
    char text[PREFIX_TEXT_MAX], reason[PREFIX_TEXT_ERROR_MAX];
    struct access_key key = {.from.length = 0};

    /* What is too long is no prefix, cut off or not. */
    snprintf(text, sizeof text, "%.*s", (int)length, length < sizeof text ? network : "");
    if (length > 0 && !prefix_text_parse(&key.from, text, reason))
        return refuse(error, reason);
    if (!access_rules_read_name(&key.name, name))
        return refuse(error, "give the name of a key behind the colon");
    return add_key(allowed, &key, error);
}

static bool allow(struct access_list *allowed, const char *who, bool with_keys,
                  char error[ACCESS_RULES_ERROR_MAX])
{
    static const char key[] = "key:", both[] = "+key:";
    const char *plus = strstr(who, both);

    if (strcmp(who, "none") == 0)
        return true;
    if (strcmp(who, "any") == 0)
        return allow_network(&allowed->networks, "0.0.0.0/0", error) &&
               allow_network(&allowed->networks, "::/0", error);
    if (with_keys && strncmp(who, key, strlen(key)) == 0)
        return allow_key(allowed, who, 0, who + strlen(key), error);
    if (with_keys && plus != NULL && plus != who)
        return allow_key(allowed, who, (size_t)(plus - who), plus + strlen(both), error);
    return allow_network(&allowed->networks, who, error);
}

bool access_rules_allow(struct access_rules *rules, const char *zone, const char *who,
                        char error[ACCESS_RULES_ERROR_MAX])
{
    struct name apex;

    if (zone != NULL && !access_rules_read_name(&apex, zone))
        return refuse(error, "give the name of a zone in front of the =");
    struct access_rule *rule = rule_of(rules, zone != NULL ? &apex : NULL);
    if (rule == NULL)
        return refuse(error, "out of memory");
    return allow(&rule->allowed, who, rules->with_keys, error);
}

bool access_rules_read(struct access_rules *rules, const char *text,
                       char error[ACCESS_RULES_ERROR_MAX])
{
    const char *equals = strrchr(text, '=');

    if (equals == NULL)
        return access_rules_allow(rules, NULL, text, error);
    char *zone = strndup(text, (size_t)(equals - text));
    if (zone == NULL)
        return refuse(error, "out of memory");
    bool sound = access_rules_allow(rules, zone, equals + 1, error);
    free(zone);
    return sound;
}

void access_rules_free(struct access_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->rules[i].allowed.networks.prefixes);
        free((struct access_key *)(uintptr_t)rules->rules[i].allowed.keys);
    }
    free(rules->rules);
    free(rules->index);
    *rules = (struct access_rules){0};
}

static int compare_hashes(const void *a, const void *b)
{
    const struct access_entry *left = a, *right = b;

    return (left->hash > right->hash) - (left->hash < right->hash);
}

bool access_rules_compile(const struct access_rules *rules, uint64_t seed, struct access *access)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];

    if (access->entries == NULL)
        access->entries = calloc(rules->count > 0 ? rules->count : 1, sizeof *access->entries);
    if (access->entries == NULL)
        return false;
    access->count = 0;
    access->others = NULL;
    for (size_t i = 0; i < rules->count; i++) {
        const struct access_rule *rule = &rules->rules[i];
        if (rule->others) {
            access->others = &rule->allowed;
            continue;
        }
        hash_name(&rule->apex, seed, hashes);
        access->entries[access->count++] = (struct access_entry){
            .hash = hashes[rule->apex.labels], .apex = &rule->apex, .allowed = &rule->allowed};
    }
    qsort(access->entries, access->count, sizeof *access->entries, compare_hashes);
    return true;
}
