/*
 * The daemon's options: one table, a row each, from which the command line, --help and sorrel.conf
 * (configuration.h) are made.
 *
 * A new option is a row in options.c: where its value goes (a field of struct options or of struct
 * settings), how its text is read and checked (option_types.h, or a function of its own), its
 * default, and one sentence of help. Those who use the value find it in the field; they need not
 * know whether it came from the command line, the file or the table.
 */
#ifndef SORREL_SERVER_OPTIONS_H
#define SORREL_SERVER_OPTIONS_H

#include "server/configuration/acl.h"
#include "server/configuration/settings.h"
#include "server/host/log.h"
#include "zone/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { OPTIONS_MAX = 96, OPTION_ERROR_MAX = 512 };

/* Where an option is given: in a line of a file, or on the command line (NULL). */
struct option_origin {
    const char *file;
    unsigned line;
};

/* What is known of a row's option. */
struct option_state {
    bool is_commanded;           /* given on the command line, which is preferred to any file */
    struct option_origin origin; /* in a file; line 0: not there */
    const char *value;           /* as given, several in a list; NULL: not given */
};

struct options {
    struct settings settings;
    struct log_settings log;
    const char *config; /* NULL: none, or that of the default */
    const char *user;
    const char *control; /* NULL: at the default path, if that is free */
    bool takeover;
    bool test;
    bool version;
    bool help;

    struct option_state states[OPTIONS_MAX]; /* by number of row */
    int argc;
    char **argv;                   /* read again with the file */
    struct option_origin origin;   /* of what is being read */
    struct source_argument *zones; /* the settings' */
    struct source_argument zone;   /* the section zone { } being read */
    struct key_setting key;        /* the section key { } being read */
    struct source_list origins;    /* of all sections zone { }: no two are the same */
    struct acl acl;                /* what files say of who may ask */
    const char **files;            /* that have been read, `file_count` of them */
    size_t file_count;
    struct option_text *kept; /* what the texts of files are kept in */
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
    const char *section; /* of the file that it is in; NULL: outside all */
    const char *command; /* its name on the command line, if that is another */
    char letter;         /* 0: none */
    bool repeats;        /* in a file: NAME = { VALUE, VALUE }, or several times */
    bool secret;         /* nobody is told its value, nor what may be a part of it */
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

/* The configuration file that is read if none is named. */
extern const char options_default_file[];

/* The table, ended by a row without a name. */
extern const struct option_row options_table[];

/* NAME { ... }, or NAME TITLE { ... } as often as wanted. */
struct option_section {
    const char *name;
    const char *title; /* what the title is; NULL: it has none */
    /* Ends one with a title: its rows have been read. False with what to do in `error`. */
    bool (*end)(struct options *options, const char *title, char error[OPTION_ERROR_MAX]);
};

/* Ended by one without a name. */
extern const struct option_section options_sections[];

/* All options at their defaults. */
void options_init(struct options *options);

void options_free(struct options *options);

/* Takes what a file has; but what the command line has is only checked. False as the row's
 * function. */
bool options_take(struct options *options, const struct option_row *row, const char *text,
                  char error[OPTION_ERROR_MAX]);

/* Adds `text` to what is known of the row's value. False: no memory. */
bool options_note(struct options *options, const struct option_row *row, const char *text);

/* The section has been read to its end. False with what to do in `error`. */
bool options_end_section(struct options *options, const struct option_section *section,
                         const char *title, char error[OPTION_ERROR_MAX]);

/* A copy that lives as long as the options; NULL: no memory. */
const char *options_keep(struct options *options, const char *text);

/* `path`, if it is relative and in a file, as of that file's directory. As long-lived as the
 * options; NULL: no memory. */
const char *options_resolve(struct options *options, const char *path);

/* The row of this name that may be in `place`; in a file, in `section` or, if that is NULL, outside
 * all. NULL: there is none. */
const struct option_row *options_find(const char *section, const char *name,
                                      enum option_place place);

const struct option_section *options_find_section(const char *name);

/* The name of an option in `place` that `name` may be meant for, or NULL. */
const char *options_nearest(const char *section, const char *name, enum option_place place);

/* What the row's option is called on the command line. */
static inline const char *options_command_name(const struct option_row *row)
{
    return row->command != NULL ? row->command : row->name;
}

const char *options_nearest_section(const char *name);

static inline struct option_state *options_state(struct options *options,
                                                 const struct option_row *row)
{
    return &options->states[row - options_table];
}

/* Adds an address to the settings'. False with a sentence in `error`. */
bool options_add_listener(struct options *options, const char *text, bool optional,
                          char error[OPTION_ERROR_MAX]);

bool options_have_listener(const struct options *options, const union address *address);

/* Adds a zone to the settings'; its strings outlive the options. False: no memory. */
bool options_add_zone(struct options *options, const struct source_argument *zone);

/* What -w auto stands for: as many workers as CPUs that this process may use, within bounds. */
unsigned options_usable_cpus(void);

#endif
