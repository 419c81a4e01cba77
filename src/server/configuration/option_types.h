/*
 * How the texts of options are read: the functions for the rows of the table in options.c, named by
 * the type of the row's field.
 */
#ifndef SORREL_SERVER_OPTION_TYPES_H
#define SORREL_SERVER_OPTION_TYPES_H

#include "server/configuration/options.h"

/* bool: yes or no. On the command line a flag has no argument, and stands for yes. */
option_take option_take_flag;

/* unsigned: a whole number of row->unit from row->least to row->most, or row->zero. */
option_take option_take_number;

/* double: the same, fractions allowed. */
option_take option_take_real;

/* unsigned, or an enum: the index of one of row->words. */
option_take option_take_word;

/* const char *: any text that is not empty. */
option_take option_take_text;

/* const char *: the same, a path; a relative one in a file is as of that file's directory. */
option_take option_take_path;

#endif
