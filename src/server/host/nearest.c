#include "server/host/nearest.h"

#include <string.h>

enum { LETTERS_MAX = 40 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The optimal string alignment distance, row by row of its matrix. */
static unsigned distance(const char *word, const char *name)
{
    unsigned rows[3][LETTERS_MAX + 1];
    size_t letters = strlen(name);

    for (size_t j = 0; j <= letters; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; word[i - 1] != '\0'; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= letters; j++) {
            row[j] = least(above[j], row[j - 1]) + 1;
            row[j] = least(row[j], above[j - 1] + (word[i - 1] != name[j - 1]));
            if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[strlen(word) % 3][letters];
}

void nearest_begin(struct nearest *nearest, const char *word)
{
    *nearest = (struct nearest){.word = word, .distance = LETTERS_MAX};
}

void nearest_consider(struct nearest *nearest, const char *name)
{
    size_t letters = strlen(name), given = strlen(nearest->word);

    if (letters > LETTERS_MAX || given > LETTERS_MAX || given == 0)
        return;
    unsigned steps = strncmp(name, nearest->word, given) == 0 ? 1 : distance(nearest->word, name);
    if (steps > (letters + 2) / 3 || steps >= nearest->distance)
        return;
    nearest->best = name;
    nearest->distance = steps;
}
