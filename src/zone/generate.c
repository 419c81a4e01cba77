#include "zone/generate.h"

#include "zone/memory.h"
#include "zone/presentation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_MAX = INT32_MAX,
    WIDTH_MAX = 254, /* a name could not hold more */
    NUMBER_TEXT_MAX = 2 * WIDTH_MAX + 64,
};

/* --- reading the directive ---------------------------------------------- */

static bool read_number(const char **at, const char *end, int64_t *number)
{
    const char *start = *at;

    *number = 0;
    while (*at < end && **at >= '0' && **at <= '9' && *number <= NUMBER_MAX)
        *number = *number * 10 + (*(*at)++ - '0');
    return *at > start && *number <= NUMBER_MAX;
}

static bool read_character(const char **at, const char *end, char character)
{
    if (*at == end || **at != character)
        return false;
    ++*at;
    return true;
}

static const char *read_range(struct generate *generate, const struct token *token)
{
    const char *at = token->text;
    const char *end = at + token->length;

    generate->step = 1;
    if (!read_number(&at, end, &generate->number) || !read_character(&at, end, '-') ||
        !read_number(&at, end, &generate->stop))
        return "is no range: START-STOP or START-STOP/STEP";
    if (read_character(&at, end, '/') && !read_number(&at, end, &generate->step))
        return "is no range: START-STOP or START-STOP/STEP";
    if (at != end || generate->step < 1 || generate->stop < generate->number)
        return "is no range: START-STOP or START-STOP/STEP";
    if ((generate->stop - generate->number) / generate->step >= GENERATE_LINES_MAX)
        return "is a range of more than 16777216 numbers";
    return NULL;
}

/* What stands between ${ and }. */
struct modifier {
    int64_t offset;
    unsigned width;
    char base;
};

/* Reads from behind the dollar sign. */
static const char *read_modifier(const char **at, const char *end, struct modifier *modifier)
{
    static const char *const malformed = "has a malformed ${OFFSET,WIDTH,BASE}";
    int64_t width = 0;

    *modifier = (struct modifier){.base = 'd'};
    if (!read_character(at, end, '{'))
        return NULL;
    bool negative = read_character(at, end, '-');
    if (!negative)
        read_character(at, end, '+');
    if (!read_number(at, end, &modifier->offset))
        return malformed;
    if (negative)
        modifier->offset = -modifier->offset;
    if (read_character(at, end, ',')) {
        if (!read_number(at, end, &width) || width > WIDTH_MAX)
            return malformed;
        if (read_character(at, end, ',')) {
            if (*at == end || **at == '\0' || strchr("doxXnN", **at) == NULL)
                return malformed;
            modifier->base = *(*at)++;
        }
    }
    modifier->width = (unsigned)width;
    return read_character(at, end, '}') ? NULL : malformed;
}

static const char *check_template(const struct token *token, int64_t first)
{
    const char *at = token->text;
    const char *end = at + token->length;
    struct modifier modifier;

    while (at < end) {
        char octet = *at++;
        if (octet == '\\' && at < end)
            at++;
        if (octet != '$' || read_character(&at, end, '$'))
            continue;
        const char *error = read_modifier(&at, end, &modifier);
        if (error != NULL)
            return error;
        if (first + modifier.offset < 0)
            return "makes a negative number";
    }
    return NULL;
}

const char *generate_start(struct generate *generate, const struct entry *directive,
                           const struct token **culprit)
{
    *generate = (struct generate){.directive = directive};
    *culprit = &directive->tokens[0];
    if (directive->count < 5)
        return "needs a range, an owner, a type and an RDATA";
    *culprit = &directive->tokens[1];
    const char *error = read_range(generate, *culprit);
    for (size_t i = 2; error == NULL && i < directive->count; i++) {
        *culprit = &directive->tokens[i];
        error = check_template(*culprit, generate->number);
    }
    return error;
}

/* --- making lines ------------------------------------------------------- */

static void append(struct generate *generate, const char *text, size_t length)
{
    if (generate->length + length + 1 > generate->room) {
        generate->room = (generate->length + length + 1) * 2;
        generate->line = memory_resize(generate->line, generate->room);
    }
    memcpy(generate->line + generate->length, text, length);
    generate->length += length;
}

/* As BIND counts: `width` takes in the dots. */
static size_t format_nibbles(char *text, uint64_t number, unsigned width, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char *at = text;

    for (;;) {
        *at++ = digits[number & 15];
        number >>= 4;
        width -= width > 0 ? 1 : 0;
        if (width == 0 && number == 0)
            return (size_t)(at - text);
        *at++ = '.';
        width -= width > 0 ? 1 : 0;
        if (width == 0 && number == 0)
            return (size_t)(at - text);
    }
}

static size_t format_number(char text[NUMBER_TEXT_MAX], uint64_t number,
                            const struct modifier *modifier)
{
    int width = (int)modifier->width;

    switch (modifier->base) {
    case 'n':
    case 'N':
        return format_nibbles(text, number, modifier->width, modifier->base == 'N');
    case 'o':
        return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lo", width, (unsigned long)number);
    case 'x':
        return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lx", width, (unsigned long)number);
    case 'X':
        return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lX", width, (unsigned long)number);
    default:
        return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lu", width, (unsigned long)number);
    }
}

/* The template is known to be well-formed. Escapes are copied for the reader to resolve. */
static void append_template(struct generate *generate, const struct token *token)
{
    const char *at = token->text;
    const char *end = at + token->length;
    char text[NUMBER_TEXT_MAX];
    struct modifier modifier;

    while (at < end) {
        const char *start = at;
        char octet = *at++;
        if (octet == '\\' && at < end)
            at++;
        if (octet != '$') {
            append(generate, start, (size_t)(at - start));
        } else if (read_character(&at, end, '$')) {
            append(generate, "$", 1);
        } else {
            read_modifier(&at, end, &modifier);
            uint64_t number = (uint64_t)(generate->number + modifier.offset);
            append(generate, text, format_number(text, number, &modifier));
        }
    }
}

/* A single quoted RDATA is how BIND writes one with blanks in it; further quotes are meant as they
 * stand. */
static bool is_quoted_rdata(const struct entry *directive, size_t i)
{
    return i == directive->count - 1 && directive->tokens[i].quoted;
}

static void append_token(struct generate *generate, size_t i)
{
    const struct token *token = &generate->directive->tokens[i];
    bool quote = token->quoted && !is_quoted_rdata(generate->directive, i);

    if (i > 2 && !token->adjacent)
        append(generate, " ", 1);
    if (quote)
        append(generate, "\"", 1);
    append_template(generate, token);
    if (quote)
        append(generate, "\"", 1);
}

bool generate_next(struct generate *generate)
{
    if (generate->number > generate->stop)
        return false;
    generate->length = 0;
    for (size_t i = 2; i < generate->directive->count; i++)
        append_token(generate, i);
    append(generate, "\n", 1);
    generate->length--;
    generate->number += generate->step;
    return true;
}

void generate_end(struct generate *generate)
{
    free(generate->line);
    *generate = (struct generate){0};
}
