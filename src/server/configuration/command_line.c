#include "server/configuration/command_line.h"

#include <getopt.h>
#include <string.h>

enum { LONG_ONLY = 256 }; /* a row's number behind it is what getopt_long() returns */

/* What getopt_long() returns for a row. */
static int value_of(const struct option_row *row)
{
    return row->letter != 0 ? row->letter : LONG_ONLY + (int)(row - options_table);
}

/* The table's last, without a name, if there is none. */
static const struct option_row *row_of(int value)
{
    const struct option_row *row = options_table;

    while (row->name != NULL && value != value_of(row))
        row++;
    return row;
}

struct getopt_tables {
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 2];
};

static void make_getopt_tables(struct getopt_tables *tables)
{
    size_t longs = 0, letters = 0;

    *tables = (struct getopt_tables){0};
    tables->letters[letters++] = ':'; /* an argument that is missing is told from no option */
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        if ((row->place & OPTION_COMMAND) == 0)
            continue;
        tables->longs[longs++] =
            (struct option){.name = options_command_name(row),
                            .has_arg = row->argument != NULL ? required_argument : no_argument,
                            .val = value_of(row)};
        if (row->letter != 0)
            tables->letters[letters++] = row->letter;
        if (row->letter != 0 && row->argument != NULL)
            tables->letters[letters++] = ':';
    }
}

static void describe_unknown(const char *argument, char error[OPTION_ERROR_MAX])
{
    const struct option_row *row = row_of(optopt);
    char name[64];

    if (optopt != 0 && row->name != NULL) {
        snprintf(error, OPTION_ERROR_MAX, "--%s is a switch: leave out what is behind it",
                 options_command_name(row));
        return;
    }
    if (optopt != 0) {
        snprintf(error, OPTION_ERROR_MAX, "there is no option -%c: sorreld --help lists them",
                 optopt);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    const char *nearest = options_nearest(NULL, name, OPTION_COMMAND);
    snprintf(error, OPTION_ERROR_MAX, "there is no option --%s%s%s%s: sorreld --help lists them",
             name, nearest != NULL ? " (is --" : "", nearest != NULL ? nearest : "",
             nearest != NULL ? " meant?)" : "");
}

static bool take_argument(struct options *options, const struct option_row *row,
                          char error[OPTION_ERROR_MAX])
{
    char reason[OPTION_ERROR_MAX];
    const char *text = row->argument != NULL ? optarg : "yes";
    const char *shown = *text != '\0' ? text : "\"\"";

    options_state(options, row)->is_commanded = true;
    if (row->take(options, row, text, reason)) {
        if (options_note(options, row, text))
            return true;
        snprintf(reason, sizeof reason, "out of memory");
    }
    if (row->letter != 0)
        snprintf(error, OPTION_ERROR_MAX, "-%c %s: %.400s", row->letter, shown, reason);
    else
        snprintf(error, OPTION_ERROR_MAX, "--%s %s: %.400s", options_command_name(row), shown,
                 reason);
    return false;
}

static bool add_zones(struct options *options, char **arguments, char error[OPTION_ERROR_MAX])
{
    for (char **i = arguments; *i != NULL; i++)
        if (!options_add_zone(options, &(struct source_argument){.text = *i})) {
            snprintf(error, OPTION_ERROR_MAX, "out of memory");
            return false;
        }
    return true;
}

bool command_line_read(struct options *options, int argc, char **argv, char error[OPTION_ERROR_MAX])
{
    struct getopt_tables tables;
    int value;

    make_getopt_tables(&tables);
    optind = 0; /* from the beginning, whoever else has read it */
    opterr = 0;
    while ((value = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
        if (value == ':') {
            const struct option_row *row = row_of(optopt);
            snprintf(error, OPTION_ERROR_MAX, "--%s wants %s behind it", options_command_name(row),
                     row->argument);
            return false;
        }
        if (value == '?') {
            describe_unknown(argv[optind - 1], error);
            return false;
        }
        if (!take_argument(options, row_of(value), error))
            return false;
    }
    options->argc = argc;
    options->argv = argv;
    return add_zones(options, argv + optind, error);
}

/* --- help ------------------------------------------------------------------------------ */

enum { HELP_COLUMN = 28, HELP_WIDTH = 80 };

/* Prints the words of `text` in lines that begin at HELP_COLUMN, from `column` on. */
static void print_wrapped(FILE *stream, const char *text, int column)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
            fprintf(stream, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        column += fprintf(stream, "%s%.*s", column > HELP_COLUMN ? " " : "", length, text);
        text += length + (text[length] == ' ');
    }
    putc('\n', stream);
}

static void print_row(FILE *stream, const struct option_row *row)
{
    /* That a switch is off unless it is given goes without saying. */
    const char *fallback = row->argument == NULL ? NULL
                           : row->shown != NULL  ? row->shown
                                                 : row->fallback;
    char text[512];

    int column =
        row->letter != 0 ? fprintf(stream, "  -%c, ", row->letter) : fprintf(stream, "      ");
    column += fprintf(stream, "--%s%s%s", options_command_name(row),
                      row->argument != NULL ? "=" : "", row->argument != NULL ? row->argument : "");
    if (column + 2 > HELP_COLUMN) {
        putc('\n', stream);
        column = 0;
    }
    fprintf(stream, "%*s", HELP_COLUMN - column, "");
    snprintf(text, sizeof text, "%s%s%s%s", row->help, fallback != NULL ? " (" : "",
             fallback != NULL ? fallback : "", fallback != NULL ? ")" : "");
    print_wrapped(stream, text, HELP_COLUMN);
}

void command_line_print_help(FILE *stream)
{
    fputs("usage: sorreld [-c FILE] [-l ADDR[@PORT]]... [-w N|auto] [-s POLICY] [-u USER] [-t]\n"
          "               [ZONE...]\n"
          "\n"
          "Answers DNS queries about the zones it is given, in the foreground.\n"
          "\n",
          stream);
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & OPTION_COMMAND) != 0)
            print_row(stream, row);
    fputs("\n"
          "  ZONE: a directory (every *.zone in it), FILE.zone (the origin is the file's name\n"
          "  without .zone), or ORIGIN=FILE\n",
          stream);
}
