/*
 * A table in a sealed memory file: shared by every process that maps it, writable by none, its
 * maker included (fcntl F_SEAL_WRITE, GROW, SHRINK, SEAL).
 */
#ifndef SORREL_TABLE_SEAL_H
#define SORREL_TABLE_SEAL_H

#include "table/table.h"

#include <stddef.h>

struct sealed_table {
    struct table table;
    void *base;
    size_t length;
};

/* What an errno value of these functions, or of any other that makes files or memory files larger,
 * is in words; and what to do about a limit on the size of files, which memory files have, too. */
const char *seal_error(int reason);

/* A new, unsealed memory file, close-on-exec, of `length` octets. -1 with errno. */
int seal_create(size_t length);

/* The last touch to a table that is being written: its length and its checksum. */
void seal_sum(void *base, size_t length);

/* Seals it for good. 0, or -1 with errno (EBUSY: still mapped writable somewhere). */
int seal_close(int fd);

/* Maps `fd` read-only and shared, and validates it. Refuses a file without all four seals, so that
 * what was checked stays true. Returns NULL, or a sentence that says why not; then nothing is
 * mapped. The caller may close `fd` afterwards. */
const char *seal_map(struct sealed_table *sealed, int fd);

/* The same without validation, for a worker whose supervisor has validated this very file. */
const char *seal_map_trusted(struct sealed_table *sealed, int fd);

void seal_unmap(struct sealed_table *sealed);

#endif
