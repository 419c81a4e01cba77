/*
 * The keys of signatures (answer/tsig.h), as options give them: a name, an algorithm, and a secret
 * in base64 or in a file that has nothing else.
 */
#ifndef SORREL_SERVER_KEYS_H
#define SORREL_SERVER_KEYS_H

#include "answer/tsig.h"

#include <stdbool.h>
#include <stddef.h>

enum { KEYS_ERROR_MAX = 512 };

/* Of one key. Its strings outlive it. */
struct key_setting {
    unsigned algorithm; /* enum hmac_hash */
    const char *secret; /* NULL: ... */
    const char *file;   /* ... it is in this file */
    const char *source; /* the configuration file that says so; NULL: none */
};

struct keys {
    struct tsig_keys ready; /* what workers check signatures with */
    struct tsig_key *list;  /* the same, in memory that only workers keep (mappings.h) ... */
    size_t room;            /* ... for so many */
    const char **files;     /* where the secrets of some are; else NULL */
    const char **sources;   /* the configuration files that name them, or NULL */
};

/* Adds a key of that name. False with what to do in `error`. */
bool keys_add(struct keys *keys, const char *name, const struct key_setting *setting,
              char error[KEYS_ERROR_MAX]);

/* Reads the secrets that are in files. False with one sentence in `error`. */
bool keys_read_files(struct keys *keys, char error[KEYS_ERROR_MAX]);

/* Who reads this file has the secret of key number `i`; NULL: there is none. */
const char *keys_place(const struct keys *keys, size_t i);

/* Is there a key of that name? */
bool keys_have(const struct keys *keys, const struct name *name);

/* Do both say the same, as far as options go? What is in files is not looked at. */
bool keys_are_same(const struct keys *a, const struct keys *b);

void keys_free(struct keys *keys);

#endif
