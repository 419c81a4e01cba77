/*
 * A table on disk. A file cannot be sealed, so it is never served: what is read is a copy in a
 * memory file, which nobody can change once it has been checked.
 */
#ifndef SORREL_TABLE_TABLE_FILE_H
#define SORREL_TABLE_TABLE_FILE_H

#include "table/seal.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Copies the file `path` to a sealed memory file, which is mapped and validated. Refuses what is no
 * plain file, is not of the user `owner`, or could be changed by others. The memory file, owned by
 * the caller; or -1 with a sentence without a full stop in `*reason`, NULL if there is no file.
 */
int table_file_read(struct sealed_table *sealed, const char *path, uid_t owner,
                    const char **reason);

/*
 * Makes `length` octets at `base` the file `path`, for nobody else to read: whoever opens it, after
 * a crash too, finds all of this table or all of the one before. 0, or an errno value; EBUSY:
 * another process is about to write one.
 */
int table_file_write(const char *path, const void *base, size_t length);

#endif
