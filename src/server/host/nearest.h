/*
 * Which of several names a word was meant for that is none of them.
 */
#ifndef SORREL_SERVER_NEAREST_H
#define SORREL_SERVER_NEAREST_H

struct nearest {
    const char *word;
    const char *best; /* so far; NULL: nothing is near */
    unsigned distance;
};

void nearest_begin(struct nearest *nearest, const char *word);

/*
 * `name` becomes the best if fewer letters than for any before have to be added, left out, replaced
 * or swapped with their neighbour to turn the word into it; and not more than a third of its
 * letters, rounded up, or it is something else altogether. It is the best, too, if the word is its
 * beginning.
 */
void nearest_consider(struct nearest *nearest, const char *name);

#endif
