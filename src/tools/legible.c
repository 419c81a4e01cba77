#include "tools/legible.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Octets of the character at `text`, UTF-8, that controls something; 0: it does not. */
static size_t control_length(const char *text, size_t left)
{
    const unsigned char first = (unsigned char)text[0];

    if (first < 0x20 || first == 0x7f)
        return 1;
    return first == 0xc2 && left > 1 && (unsigned char)text[1] < 0xa0 ? 2 : 0;
}

static bool is_legible(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (control_length(text + i, length - i) > 0)
            return false;
    return true;
}

static char *write_escape(char *to, char octet)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned value = (unsigned char)octet;

    *to++ = '\\';
    *to++ = 'x';
    *to++ = digits[value >> 4];
    *to++ = digits[value & 15];
    return to;
}

static bool escape_string(json_t *string)
{
    const char *text = json_string_value(string);
    size_t length = json_string_length(string);

    if (is_legible(text, length))
        return true;
    char *copy = malloc(4 * length);
    char *end = copy;
    for (size_t i = 0; copy != NULL && i < length;) {
        size_t escaped = control_length(text + i, length - i);
        if (escaped == 0)
            *end++ = text[i++];
        for (; escaped > 0; escaped--)
            end = write_escape(end, text[i++]);
    }
    bool done = copy != NULL && json_string_setn(string, copy, (size_t)(end - copy)) == 0;
    free(copy);
    return done;
}

/* Brings a number within bounds, lest arithmetic with it overflows. */
static bool bound_number(json_t *number)
{
    double value = json_number_value(number);

    if (value >= -LEGIBLE_NUMBER_MAX && value <= LEGIBLE_NUMBER_MAX)
        return true;
    value = value < 0 ? -LEGIBLE_NUMBER_MAX : LEGIBLE_NUMBER_MAX;
    return json_is_real(number) ? json_real_set(number, value) == 0
                                : json_integer_set(number, (json_int_t)value) == 0;
}

static bool make_scalar(json_t *value)
{
    if (json_is_string(value))
        return escape_string(value);
    return !json_is_number(value) || bound_number(value);
}

bool legible_make(json_t *document)
{
    const char *name;
    json_t *part;
    size_t i;
    void *next;
    bool done = make_scalar(document);

    json_array_foreach(document, i, part) done = legible_make(part) && done;
    json_object_foreach_safe(document, next, name, part)
    {
        if (!is_legible(name, strlen(name)))
            json_object_del(document, name);
        else
            done = legible_make(part) && done;
    }
    return done;
}
