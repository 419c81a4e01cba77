#include "zone/presentation.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

/* Reads what follows a backslash at `*at`, which moves past it (RFC 1035 §5.1: \DDD or \X). */
static const char *read_escape(const char **at, const char *end, uint8_t *octet)
{
    const char *digits = *at;

    if (digits == end)
        return "ends in a backslash";
    if (!is_digit(digits[0])) {
        *octet = (uint8_t)*digits;
        *at = digits + 1;
        return NULL;
    }
    if (end - digits < 3 || !is_digit(digits[1]) || !is_digit(digits[2]))
        return "has a \\DDD escape without three digits";
    unsigned value = (unsigned)(digits[0] - '0') * 100 + (unsigned)(digits[1] - '0') * 10 +
                     (unsigned)(digits[2] - '0');
    if (value > 255)
        return "has a \\DDD escape over 255";
    *octet = (uint8_t)value;
    *at = digits + 3;
    return NULL;
}

static const char *append_origin(struct domain *name, size_t length, const struct domain *origin)
{
    if (length + origin->length > NAME_OCTETS_MAX)
        return "is a name of more than 255 octets with its origin";
    memcpy(name->octets + length, origin->octets, origin->length);
    name->length = (uint8_t)(length + origin->length);
    return NULL;
}

/* Invariant: octets[label] awaits the length of the label that ends before octets[at]. */
static const char *read_labels(const char *text, const char *end, const struct domain *origin,
                               struct domain *name)
{
    size_t label = 0;
    size_t at = 1;

    while (text < end) {
        uint8_t octet = (uint8_t)*text++;
        if (at >= NAME_OCTETS_MAX)
            return "is a name of more than 255 octets";
        if (octet == '.') {
            if (at == label + 1)
                return "has an empty label";
            name->octets[label] = (uint8_t)(at - label - 1);
            label = at++;
            continue;
        }
        if (octet == '\\') {
            const char *error = read_escape(&text, end, &octet);
            if (error != NULL)
                return error;
        }
        name->octets[at++] = octet;
        if (at - label - 1 > NAME_LABEL_OCTETS_MAX)
            return "has a label of more than 63 octets";
    }
    name->octets[label] = (uint8_t)(at - label - 1);
    if (at == label + 1) {
        name->length = (uint8_t)at;
        return NULL;
    }
    return append_origin(name, at, origin);
}

const char *presentation_name(const struct token *token, const struct domain *origin,
                              struct domain *name)
{
    if (token->length == 0 || token->quoted)
        return "is no name";
    if (token->length == 1 && token->text[0] == '@')
        return append_origin(name, 0, origin);
    if (token->length == 1 && token->text[0] == '.') {
        *name = (struct domain){.length = 1};
        return NULL;
    }
    return read_labels(token->text, token->text + token->length, origin, name);
}

const char *presentation_number(const struct token *token, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;

    if (token->length == 0 || token->quoted)
        return "is no number";
    for (unsigned i = 0; i < token->length; i++) {
        if (!is_digit(token->text[i]))
            return "is no number";
        value = value * 10 + (unsigned)(token->text[i] - '0');
        if (value > max)
            return "is too large a number";
    }
    *number = (uint32_t)value;
    return NULL;
}

static uint32_t seconds_of_unit(char unit)
{
    switch (unit | 0x20) {
    case 'w':
        return 7 * 24 * 3600;
    case 'd':
        return 24 * 3600;
    case 'h':
        return 3600;
    case 'm':
        return 60;
    case 's':
        return 1;
    default:
        return 0;
    }
}

const char *presentation_ttl(const struct token *token, uint32_t *ttl)
{
    const char *at = token->text;
    const char *end = at + token->length;
    uint64_t total = 0;
    bool units = false;

    if (at == end || token->quoted)
        return "is no TTL";
    while (at < end) {
        uint64_t value = 0;
        uint32_t unit = 1;
        if (!is_digit(*at))
            return "is no TTL";
        for (; at < end && is_digit(*at); at++) {
            value = value * 10 + (unsigned)(*at - '0');
            if (value > PRESENTATION_TTL_MAX)
                return "is over 2147483647, the longest TTL";
        }
        /* A number alone is of seconds; among others it needs its unit. */
        if (at < end ? (unit = seconds_of_unit(*at++)) == 0 : units)
            return "is no TTL";
        units = true;
        total += value * unit;
        if (total > PRESENTATION_TTL_MAX)
            return "is over 2147483647, the longest TTL";
    }
    *ttl = (uint32_t)total;
    return NULL;
}

static unsigned digits_at(const char *at, unsigned count)
{
    unsigned value = 0;

    for (unsigned i = 0; i < count; i++)
        value = value * 10 + (unsigned)(at[i] - '0');
    return value;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_before_year(unsigned year)
{
    unsigned past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

/* Seconds since 1970, modulo 2^32 as RFC 4034 §3.1.5 has it; false if there is no such date. */
static bool seconds_of_date(const char *text, uint32_t *seconds)
{
    static const uint8_t month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = digits_at(text, 4), month = digits_at(text + 4, 2);
    unsigned day = digits_at(text + 6, 2), hour = digits_at(text + 8, 2);
    unsigned minute = digits_at(text + 10, 2), second = digits_at(text + 12, 2);

    if (year < 1970 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60)
        return false;
    unsigned length = month_days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
    if (day < 1 || day > length)
        return false;
    uint64_t days = days_before_year(year) - days_before_year(1970) + day - 1;
    for (unsigned i = 0; i + 1 < month; i++)
        days += month_days[i] + (i == 1 && is_leap(year) ? 1u : 0u);
    *seconds = (uint32_t)(days * 86400 + hour * 3600 + minute * 60 + second);
    return true;
}

const char *presentation_time(const struct token *token, uint32_t *time)
{
    for (unsigned i = 0; i < token->length; i++)
        if (!is_digit(token->text[i]))
            return "is no time";
    if (token->length == 14)
        return seconds_of_date(token->text, time) ? NULL : "is no time";
    return presentation_number(token, UINT32_MAX, time);
}

const char *presentation_octets(const struct token *token, uint8_t *to, size_t room, size_t *length)
{
    const char *at = token->text;
    const char *end = at + token->length;
    size_t count = 0;

    while (at < end) {
        uint8_t octet = (uint8_t)*at++;
        if (octet == '\\') {
            const char *error = read_escape(&at, end, &octet);
            if (error != NULL)
                return error;
        }
        if (count == room)
            return "is too long";
        to[count++] = octet;
    }
    *length = count;
    return NULL;
}

/* The value of a digit below `base`, letters in any case after 9; -1 if it is none. */
static int digit_of(char octet, int base)
{
    int value = is_digit(octet) ? octet - '0' : (octet | 0x20) - 'a' + 10;
    bool is_letter = !is_digit(octet) && value >= 10;

    return (is_digit(octet) || is_letter) && value < base ? value : -1;
}

const char *presentation_hex(const char *text, size_t text_length, uint8_t *to, size_t room,
                             size_t *length)
{
    if (text_length % 2 != 0)
        return "has an odd number of hexadecimal digits";
    if (text_length / 2 > room)
        return "is too long";
    for (size_t i = 0; i < text_length / 2; i++) {
        int high = digit_of(text[2 * i], 16);
        int low = digit_of(text[2 * i + 1], 16);
        if (high < 0 || low < 0)
            return "is not hexadecimal";
        to[i] = (uint8_t)(high << 4 | low);
    }
    *length = text_length / 2;
    return NULL;
}

static int base64_digit(char octet)
{
    if (octet >= 'A' && octet <= 'Z')
        return octet - 'A';
    if (octet >= 'a' && octet <= 'z')
        return octet - 'a' + 26;
    if (is_digit(octet))
        return octet - '0' + 52;
    if (octet == '+')
        return 62;
    return octet == '/' ? 63 : -1;
}

const char *presentation_base64(const char *text, size_t text_length, uint8_t *to, size_t room,
                                size_t *length)
{
    static const char *const malformed = "is not base64";
    size_t padding = 0, count = 0;
    uint32_t bits = 0;

    while (padding < 2 && padding < text_length && text[text_length - 1 - padding] == '=')
        padding++;
    if (text_length == 0 || text_length % 4 != 0)
        return malformed;
    for (size_t i = 0; i < text_length - padding; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return malformed;
        bits = bits << 6 | (unsigned)digit;
        if (i % 4 == 0)
            continue;
        /* Digits 1, 2, 3 of a group complete an octet and leave 4, 2, 0 bits. */
        unsigned held = 6 - 2 * (unsigned)(i % 4);
        if (count == room)
            return "is too long";
        to[count++] = (uint8_t)(bits >> held);
        bits &= (1u << held) - 1;
    }
    if (bits != 0)
        return malformed;
    *length = count;
    return NULL;
}

const char *presentation_base32hex(const char *text, size_t text_length, uint8_t *to, size_t room,
                                   size_t *length)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t count = 0;

    for (size_t i = 0; i < text_length; i++) {
        int digit = digit_of(text[i], 32);
        if (digit < 0)
            return "is not base32hex";
        bits = bits << 5 | (unsigned)digit;
        held += 5;
        if (held < 8)
            continue;
        if (count == room)
            return "is too long";
        held -= 8;
        to[count++] = (uint8_t)(bits >> held);
        bits &= (1u << held) - 1;
    }
    if (held >= 5 || bits != 0)
        return "is not base32hex of whole octets";
    *length = count;
    return NULL;
}

bool presentation_is(const struct token *token, const char *word)
{
    return !token->quoted && strlen(word) == token->length &&
           strncasecmp(token->text, word, token->length) == 0;
}
