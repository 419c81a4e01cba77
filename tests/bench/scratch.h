/*
 * The temporary directory of a run. It goes when the program ends, by whatever way it can hear of.
 */
#ifndef SORREL_BENCH_SCRATCH_H
#define SORREL_BENCH_SCRATCH_H

/* Makes it, below TMPDIR or /tmp, for others to read. Its path. */
const char *scratch_open(void);

void scratch_close(void);

/* Makes the directory `path`. */
void scratch_make(const char *path);

/* Removes the directory `path` with all that is in it. */
void scratch_remove(const char *path);

#endif
