/*
 * The daemon's options: one table, a row each, from which the command line, --help and sorrel.conf
 * (config.h) are made.
 *
 * A new option is a row in options.c: where its value goes (a field of struct options or of struct
 * settings), how its text is read and checked (option_types.h, or a function of its own), its
 * default, and one sentence of help. Those who use the value find it in the field; they need not
 * know whether it came from the command line, the file or the table.
 */
#ifndef SORREL_SERVER_OPTIONS_H
#define SORREL_SERVER_OPTIONS_H

#include "server/supervisor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { OPTIONS_MAX = 64, OPTION_ERROR_MAX = 512 };

struct options {
    struct settings settings;
    const char *user;
    const char *control; /* NULL: at the default path, if that is free */
    bool takeover;
    bool test;
    bool version;
    bool help;
    bool given[OPTIONS_MAX]; /* by number of row: on the command line */
};

struct option_row;

/* Reads `text` into the row's field. False with what to do in `error`, as in "give yes or no": the
 * caller puts the option and its text in front of that. `text` outlives the options. */
typedef bool option_take(struct options *options, const struct option_row *row, const char *text,
                         char error[OPTION_ERROR_MAX]);

enum option_place {
    OPTION_COMMAND = 1, /* --name on the command line */
    OPTION_FILE = 2,    /* name = VALUE in sorrel.conf */
    OPTION_BOTH = 3,
};

struct option_row {
    const char *name;
    char letter; /* 0: none */
    bool repeats;
    enum option_place place;
    const char *argument; /* as --help and the manuals name it; NULL on a flag */
    option_take *take;
    size_t field;             /* in struct options: OPTION_FIELD(...) */
    double least, most;       /* of a number */
    const char *unit;         /* of a number, in the plural */
    const char *zero;         /* a word that stands for the number 0, outside the range perhaps */
    const char *const *words; /* ended by NULL */
    const char *fallback;     /* the default, as it would be given; NULL: none */
    const char *shown;        /* the default in words, where it is no text that could be given */
    const char *help;         /* begins in lower case, no full stop */
};

#define OPTION_FIELD(member) offsetof(struct options, member)

/* The table, ended by a row without a name. */
extern const struct option_row options_table[];

/* All options at their defaults. */
void options_init(struct options *options);

void options_free(struct options *options);

/* Takes what is on the command line; what is no option are zones. False with one sentence in
 * `error`. */
bool options_read_command(struct options *options, int argc, char **argv,
                          char error[OPTION_ERROR_MAX]);

/* The row of this name that may be in `place`, or NULL. */
const struct option_row *options_find(const char *name, enum option_place place);

/* The name of an option in `place` that `name` may be meant for, or NULL. */
const char *options_nearest(const char *name, enum option_place place);

void options_print_help(FILE *stream);

/* Adds an address to the settings'. False with a sentence in `error`. */
bool options_add_listener(struct options *options, const char *text, bool optional,
                          char error[OPTION_ERROR_MAX]);

bool options_have_listener(const struct options *options, const union address *address);

/* What -w auto stands for: as many workers as CPUs that this process may use, within bounds. */
unsigned options_usable_cpus(void);

#endif
