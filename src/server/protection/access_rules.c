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

static bool read_apex(struct name *apex, const char *text)
{
    const struct token token = {.text = text, .length = (unsigned)strlen(text)};
    const struct domain root = {.length = 1};
    struct domain domain;

    return !presentation_is(&token, "@") && presentation_name(&token, &root, &domain) == NULL &&
           name_read(apex, domain.octets, domain.length) != 0;
}

/* The rule of that zone, which is made if there is none. NULL: no memory. */
static struct access_rule *rule_of(struct access_rules *rules, const struct name *apex)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct access_rule *rule = &rules->rules[i];
        if (apex == NULL ? rule->others : !rule->others && name_compare(&rule->apex, apex) == 0)
            return rule;
    }
    struct access_rule *grown =
        reallocarray(rules->rules, rules->count + 1, sizeof *rules->rules);
    if (grown == NULL)
        return NULL;
    rules->rules = grown;
    struct access_rule *rule = &grown[rules->count++];
    *rule = (struct access_rule){.others = apex == NULL};
    if (apex != NULL)
        rule->apex = *apex;
    return rule;
}

static bool allow(struct prefix_list *allowed, const char *who, char error[ACCESS_RULES_ERROR_MAX])
{
    char reason[PREFIX_TEXT_ERROR_MAX];

    if (strcmp(who, "none") == 0)
        return true;
    if (strcmp(who, "any") == 0)
        return allow(allowed, "0.0.0.0/0", error) && allow(allowed, "::/0", error);
    return prefix_text_add(allowed, who, reason) || refuse(error, reason);
}

bool access_rules_allow(struct access_rules *rules, const char *zone, const char *who,
                        char error[ACCESS_RULES_ERROR_MAX])
{
    struct name apex;

    if (zone != NULL && !read_apex(&apex, zone))
        return refuse(error, "give the name of a zone in front of the =");
    struct access_rule *rule = rule_of(rules, zone != NULL ? &apex : NULL);
    if (rule == NULL)
        return refuse(error, "out of memory");
    return allow(&rule->allowed, who, error);
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
    for (size_t i = 0; i < rules->count; i++)
        free(rules->rules[i].allowed.prefixes);
    free(rules->rules);
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
