/*
 * Libraries that only some daemons need, loaded when they do (dlopen(3)): with what they depend on
 * in turn they would make every start, and every process, pay for what few use.
 */
#ifndef SORREL_SERVER_LIBRARY_H
#define SORREL_SERVER_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

enum { LIBRARY_ERROR_MAX = 512 };

/* A function of the library, and the pointer to it that is to be filled. */
struct library_function {
    const char *name;
    void *pointer; /* to a pointer to a function of that type */
};

/* Loads the library of that file name, for good, and fills all pointers; false, with a sentence
 * without a full stop, if it or one of the functions is missing. */
bool library_load(const char *file, const struct library_function *functions, size_t count,
                  char error[LIBRARY_ERROR_MAX]);

#endif
