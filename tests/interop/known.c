#include "known.h"

#include "compare.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *next_field(char **cursor)
{
    char *field;

    do
        field = strsep(cursor, " \t");
    while (field && !*field);
    return field;
}

static bool entry_parse(struct known_entry *entry, char *line)
{
    char *parts;

    entry->zone = next_field(&line);
    entry->qname = next_field(&line);
    entry->qtypes = next_field(&line);
    entry->peers = next_field(&line);
    parts = next_field(&line);
    if (!parts || !line)
        return false;
    entry->reason = line + strspn(line, " \t");
    entry->parts = compare_parts_from_text(parts);
    return entry->parts != 0 && strstr(entry->reason, "RFC ");
}

static bool add_line(struct known *known, const char *text, int number)
{
    struct known_entry *entry;

    known->items = realloc(known->items, (known->count + 1) * sizeof *known->items);
    entry = &known->items[known->count++];
    *entry = (struct known_entry){ .text = strdup(text), .line = number };
    return entry_parse(entry, entry->text);
}

bool known_read(struct known *known, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    bool good = true;

    *known = (struct known){ .items = NULL };
    if (!file) {
        perror(path);
        return false;
    }
    for (int number = 1; getline(&line, &room, file) >= 0; number++) {
        line[strcspn(line, "\n")] = '\0';
        if (*line == '\0' || *line == '#')
            continue;
        if (!add_line(known, line, number)) {
            fprintf(stderr,
                    "interop: %s:%d: expected ZONE QNAME QTYPES PEERS PARTS and a reason that "
                    "names the RFC\n",
                    path, number);
            good = false;
        }
    }
    free(line);
    fclose(file);
    return good;
}

void known_free(struct known *known)
{
    for (size_t i = 0; i < known->count; i++)
        free(known->items[i].text);
    free(known->items);
}

/* Is `word` one of the comma-separated words of `list`? */
static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *item = list; *item;) {
        size_t item_length = strcspn(item, ",");

        if (item_length == length && strncmp(item, word, length) == 0)
            return true;
        item += item_length + (item[item_length] == ',');
    }
    return false;
}

static bool entry_covers(const struct known_entry *entry, const struct difference *difference)
{
    return (difference->parts & ~entry->parts) == 0 && list_has(entry->peers, difference->peer)
           && (strcmp(entry->qtypes, "any-type") == 0
               || list_has(entry->qtypes, difference->qtype))
           && fnmatch(entry->zone, difference->zone, FNM_NOESCAPE) == 0
           && fnmatch(entry->qname, difference->qname, FNM_NOESCAPE) == 0;
}

bool known_covers(struct known *known, const struct difference *difference)
{
    for (size_t i = 0; i < known->count; i++) {
        if (entry_covers(&known->items[i], difference)) {
            known->items[i].used++;
            return true;
        }
    }
    return false;
}

void known_note_zone(struct known *known, const char *zone)
{
    for (size_t i = 0; i < known->count; i++)
        known->items[i].tried |= fnmatch(known->items[i].zone, zone, FNM_NOESCAPE) == 0;
}
