#include "server/host/mappings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

struct mapping {
    void *base;
    size_t length;
};

static struct mapping *noted;
static size_t noted_count;

void *mappings_add(void *base, size_t length)
{
    if (base == MAP_FAILED)
        return MAP_FAILED;
    struct mapping *grown = reallocarray(noted, noted_count + 1, sizeof *noted);
    if (grown == NULL) {
        munmap(base, length);
        errno = ENOMEM;
        return MAP_FAILED;
    }
    noted = grown;
    noted[noted_count++] = (struct mapping){base, length};
    return base;
}

static void remove_at(size_t place)
{
    munmap(noted[place].base, noted[place].length);
    noted[place] = noted[--noted_count];
    if (noted_count > 0)
        return;
    free(noted);
    noted = NULL;
}

void mappings_remove(const void *base)
{
    for (size_t i = 0; i < noted_count; i++)
        if (noted[i].base == base) {
            remove_at(i);
            return;
        }
}

static bool is_kept(const void *base, const void *const *kept, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kept[i] == base)
            return true;
    return false;
}

void mappings_keep_only(const void *const *kept, size_t count)
{
    /* From behind, for the last one takes the place of one that goes. */
    for (size_t i = noted_count; i-- > 0;)
        if (!is_kept(noted[i].base, kept, count))
            remove_at(i);
}
