#include "server/loading/strays.h"

#include "message/name.h"
#include "server/host/log.h"
#include "server/host/nearest.h"

#include <stdio.h>

struct telling {
    const struct ledger_zones *zones;
    size_t count; /* of strays so far */
    size_t comparisons;
    strays_sink *sink;
    void *closure;
};

/* NULL: none is near, or there are too many to look at. */
static const char *find_nearest(struct telling *telling, const char *name)
{
    const struct ledger_zones *zones = telling->zones;
    struct nearest nearest;

    nearest_begin(&nearest, name);
    if (telling->comparisons > 0 && telling->comparisons + zones->count > STRAYS_COMPARISONS_MAX)
        return NULL;
    telling->comparisons += zones->count;
    for (size_t i = 0; i < zones->count; i++)
        nearest_consider(&nearest, zones->items[i].name);
    return nearest.best;
}

static void tell(struct telling *telling, const char *option, const struct access_origin *origin,
                 const char *name)
{
    char text[2 * STRAYS_SENTENCE_MAX], sentence[STRAYS_SENTENCE_MAX], where[STRAYS_SENTENCE_MAX];
    const char *nearest = find_nearest(telling, name);

    if (origin->file != NULL)
        snprintf(where, sizeof where, "%.300s:%u: %s = %.200s", origin->file, origin->line, option,
                 origin->text);
    else
        snprintf(where, sizeof where, "--%s %.200s", option, origin->text);
    snprintf(text, sizeof text, "%.600s: no zone %s is served, so this protects nothing%s%s%s",
             where, name, nearest != NULL ? ": is " : "", nearest != NULL ? nearest : "",
             nearest != NULL ? " meant?" : ": mend its name, or leave this out");
    log_escape(sentence, sizeof sentence, text);
    telling->sink(telling->closure, sentence);
}

static void look_at(struct telling *telling, const char *option, const struct access_rules *rules)
{
    char name[NAME_TEXT_MAX];

    for (size_t i = 0; i < rules->count; i++) {
        const struct access_rule *rule = &rules->rules[i];
        /* What is in the section of a zone names no other. */
        if (rule->others || rule->origin.text == NULL ||
            ledger_find(telling->zones, name_to_text(&rule->apex, name)) != NULL)
            continue;
        if (telling->count++ < STRAYS_LINES_MAX)
            tell(telling, option, &rule->origin, name);
    }
}

size_t strays_tell(const struct protection *protection, const struct ledger *ledger,
                   strays_sink *sink, void *closure)
{
    struct telling telling = {.zones = &ledger->zones, .sink = sink, .closure = closure};
    char sentence[STRAYS_SENTENCE_MAX];

    look_at(&telling, "allow-query", &protection->access);
    look_at(&telling, "allow-transfer", &protection->transfers);
    if (telling.count <= STRAYS_LINES_MAX)
        return telling.count;
    snprintf(sentence, sizeof sentence,
             "%zu more rules of allow-query and allow-transfer are for zones that are not served, "
             "and protect nothing",
             telling.count - STRAYS_LINES_MAX);
    sink(closure, sentence);
    return telling.count;
}
