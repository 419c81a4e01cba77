/*
 * The daemon's command line, and its --help: both from the table of options.h.
 */
#ifndef SORREL_SERVER_COMMAND_LINE_H
#define SORREL_SERVER_COMMAND_LINE_H

#include "server/configuration/options.h"

/* Takes the options; what is no option is a zone. False with one sentence in `error`. The arguments
 * outlive the options, and may be put into another order. */
bool command_line_read(struct options *options, int argc, char **argv,
                       char error[OPTION_ERROR_MAX]);

void command_line_print_help(FILE *stream);

#endif
