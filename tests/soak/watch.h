/*
 * What a soak looks at beside the answers: what the daemon's processes take, what it leaves behind,
 * and what its log says.
 */
#ifndef SORREL_SOAK_WATCH_H
#define SORREL_SOAK_WATCH_H

#include "place.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

enum { WATCH_LINE_MAX = 512 };

struct watch_sample {
    unsigned processes; /* the daemon and all that descend from it */
    unsigned workers;
    unsigned zombies;
    unsigned state_files;
    uint64_t descriptors;
    uint64_t mappings;
    uint64_t memory_kib; /* proportional: what is shared counts once */
};

void watch_take(pid_t daemon, const struct place *place, struct watch_sample *sample);

/* The log, as far as it has been read. */
struct watch_log {
    FILE *file;
    time_t second; /* of CLOCK_MONOTONIC */
    uint64_t second_lines;
    uint64_t lines;
    uint64_t busiest_second; /* lines read in it */
    uint64_t alarms;         /* lines that no line should say; the first is ... */
    char alarm[WATCH_LINE_MAX];
};

/* Begins with the first line of the log at `path`. */
void watch_open_log(struct watch_log *log, const char *path);

/* Reads what is new: to be called again and again. */
void watch_read_log(struct watch_log *log);

void watch_close_log(struct watch_log *log);

#endif
