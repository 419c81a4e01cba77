#include "tools/spread/roster.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

void roster_start(struct roster *roster, unsigned count)
{
    memset(roster, 0, sizeof *roster);
    roster->count = count;
}

/* Reads the number behind the last `word`. False if there is none. */
static bool read_number(const uint8_t *text, size_t length, const char *word, unsigned *number)
{
    size_t skip = strlen(word);
    size_t at = length;

    while (at > skip && memcmp(text + at - skip, word, skip) != 0)
        at--;
    if (at <= skip && (length < skip || memcmp(text, word, skip) != 0))
        return false;
    *number = 0;
    if (at == length || !isdigit(text[at]))
        return false;
    for (; at < length && isdigit(text[at]) && *number < ROSTER_MAX; at++)
        *number = 10 * *number + (unsigned)(text[at] - '0');
    return true;
}

static unsigned find_numbered(struct roster *roster, unsigned number, unsigned of)
{
    if (number >= ROSTER_MAX)
        return ROSTER_NONE;
    if (roster->count <= number)
        roster->count = number + 1;
    if (roster->count < of && of <= ROSTER_MAX)
        roster->count = of;
    return number;
}

static unsigned find_named(struct roster *roster, const uint8_t *nsid, size_t length)
{
    for (unsigned i = 0; i < roster->count; i++)
        if (roster->lengths[i] == length && memcmp(roster->names[i], nsid, length) == 0)
            return i;
    if (roster->count == ROSTER_MAX)
        return ROSTER_NONE;
    memcpy(roster->names[roster->count], nsid, length);
    roster->lengths[roster->count] = length;
    return roster->count++;
}

unsigned roster_find(struct roster *roster, const uint8_t *nsid, size_t length)
{
    unsigned number, of = 0;

    if (length > ROSTER_NAME_MAX)
        length = ROSTER_NAME_MAX;
    if (!read_number(nsid, length, "worker ", &number))
        return find_named(roster, nsid, length);
    read_number(nsid, length, " of ", &of);
    return find_numbered(roster, number, of);
}

const char *roster_name(const struct roster *roster, unsigned worker,
                        char text[ROSTER_NAME_MAX + 1])
{
    size_t length = roster->lengths[worker];

    for (size_t i = 0; i < length; i++)
        text[i] = isascii(roster->names[worker][i]) && isprint(roster->names[worker][i])
                      ? (char)roster->names[worker][i]
                      : '?';
    text[length] = '\0';
    return text;
}
