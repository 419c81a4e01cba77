/*
 * The directory of a soak: configuration, secrets of cookies and kept table of the daemon that is
 * under test, and the options that lead to them.
 */
#ifndef SORREL_SOAK_PLACE_H
#define SORREL_SOAK_PLACE_H

#include <stdint.h>

enum { PLACE_PATH_MAX = 128, PLACE_OPTIONS_MAX = 16, PLACE_HOSTILE_NETWORKS = 6 };

struct place {
    uint16_t http;
    char directory[PLACE_PATH_MAX - 32];
    char configuration[PLACE_PATH_MAX];
    char secrets[PLACE_PATH_MAX];
    char state[PLACE_PATH_MAX];
    char http_address[32];
    const char *options[PLACE_OPTIONS_MAX]; /* of the daemon, ended by NULL */
};

/* Makes it. Hostile clients are expected from 127.0.1.0/24 to 127.0.PLACE_HOSTILE_NETWORKS.0/24, of
 * which the last may not ask; honest ones, from 127.0.0.1, are not limited. */
void place_make(struct place *place);

/* Writes the configuration anew; what may be changed while the daemon runs depends on `choice`. */
void place_configure(const struct place *place, unsigned choice);

/* Writes one with an error, which no daemon takes. */
void place_break(const struct place *place);

/* Writes secrets of cookies that depend on `choice`. */
void place_write_secrets(const struct place *place, unsigned choice);

/* How many files the daemon has in its state directory. */
unsigned place_count_state(const struct place *place);

void place_remove(const struct place *place);

#endif
