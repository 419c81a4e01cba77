#include "server/configuration/option_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *field_of(struct options *options, const struct option_row *row)
{
    return (char *)options + row->field;
}

bool option_take_flag(struct options *options, const struct option_row *row, const char *text,
                      char error[OPTION_ERROR_MAX])
{
    static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};
    bool *field = field_of(options, row);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0) {
            *field = i % 2 == 1;
            return true;
        }
    snprintf(error, OPTION_ERROR_MAX, "give yes or no");
    return false;
}

/* Decimal digits, perhaps with a fraction, and nothing else: no sign, no exponent, no "nan". */
static bool read_number(const char *text, bool has_fraction, double *number)
{
    size_t whole = strspn(text, "0123456789");
    const char *end = text + whole;

    if (has_fraction && *end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    *number = strtod(text, NULL);
    return whole > 0 && *end == '\0';
}

static bool take_bounded(const struct option_row *row, const char *text, bool has_fraction,
                         double *number, char error[OPTION_ERROR_MAX])
{
    if (row->zero != NULL && strcmp(text, row->zero) == 0) {
        *number = 0;
        return true;
    }
    if (read_number(text, has_fraction, number) && *number >= row->least && *number <= row->most)
        return true;
    snprintf(error, OPTION_ERROR_MAX, "give a number of %s from %.15g to %.15g%s%s", row->unit,
             row->least, row->most, row->zero != NULL ? ", or " : "",
             row->zero != NULL ? row->zero : "");
    return false;
}

bool option_take_number(struct options *options, const struct option_row *row, const char *text,
                        char error[OPTION_ERROR_MAX])
{
    unsigned *field = field_of(options, row);
    double number;

    if (!take_bounded(row, text, false, &number, error))
        return false;
    *field = (unsigned)number;
    return true;
}

bool option_take_real(struct options *options, const struct option_row *row, const char *text,
                      char error[OPTION_ERROR_MAX])
{
    double *field = field_of(options, row);
    double number;

    if (!take_bounded(row, text, true, &number, error))
        return false;
    *field = number;
    return true;
}

bool option_take_word(struct options *options, const struct option_row *row, const char *text,
                      char error[OPTION_ERROR_MAX])
{
    unsigned *field = field_of(options, row);
    int length = snprintf(error, OPTION_ERROR_MAX, "give");

    for (unsigned i = 0; row->words[i] != NULL; i++) {
        const char *between = i == 0 ? "" : row->words[i + 1] == NULL ? " or" : ",";
        if (strcmp(text, row->words[i]) == 0) {
            *field = i;
            return true;
        }
        length += snprintf(error + length, OPTION_ERROR_MAX - (size_t)length, "%s %s", between,
                           row->words[i]);
    }
    return false;
}

bool option_take_text(struct options *options, const struct option_row *row, const char *text,
                      char error[OPTION_ERROR_MAX])
{
    const char **field = field_of(options, row);

    if (*text == '\0') {
        snprintf(error, OPTION_ERROR_MAX, "give %s, or leave the option out", row->argument);
        return false;
    }
    *field = text;
    return true;
}

bool option_take_path(struct options *options, const struct option_row *row, const char *text,
                      char error[OPTION_ERROR_MAX])
{
    const char **field = field_of(options, row);

    if (!option_take_text(options, row, text, error))
        return false;
    *field = options_resolve(options, text);
    if (*field == NULL)
        snprintf(error, OPTION_ERROR_MAX, "out of memory");
    return *field != NULL;
}
