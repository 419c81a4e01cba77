#include "server/host/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool fail(char error[LIBRARY_ERROR_MAX])
{
    const char *reason = dlerror();

    snprintf(error, LIBRARY_ERROR_MAX, "%s", reason != NULL ? reason : "it cannot be loaded");
    return false;
}

bool library_load(const char *file, const struct library_function *functions, size_t count,
                  char error[LIBRARY_ERROR_MAX])
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL)
        return fail(error);
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(library, functions[i].name);
        if (address == NULL)
            return fail(error);
        /* POSIX has the two kinds of pointers alike (dlsym); C has no conversion. */
        memcpy(functions[i].pointer, &address, sizeof address);
    }
    return true;
}
