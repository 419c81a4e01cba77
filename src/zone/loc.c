#include "zone/loc.h"

#include "message/wire.h"
#include "zone/presentation.h"

#include <string.h>

enum {
    EQUATOR = 0x80000000,      /* §2: also the prime meridian */
    DEFAULT_SIZE = 0x12,       /* 1 m */
    DEFAULT_HORIZONTAL = 0x16, /* 10 km */
    DEFAULT_VERTICAL = 0x13,   /* 10 m */
    ALTITUDE_BASE = 10000000,  /* cm below the spheroid */
};

/* A number with at most `decimals` of them, times 10 to that power; at most `max`. */
static const char *read_decimal(const char *text, size_t length, unsigned decimals, uint64_t max,
                                uint64_t *number)
{
    const char *end = text + length;
    unsigned seen = 0;
    bool point = false;

    *number = 0;
    if (length == 0 || *text == '.')
        return "is no number";
    for (; text < end; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9')
            return "is no number";
        if (point && seen++ == decimals)
            return "has too many decimals";
        *number = *number * 10 + (unsigned)(*text - '0');
        if (*number > max)
            return "is too large a number";
    }
    for (; seen < decimals; seen++)
        *number *= 10;
    return *number > max ? "is too large a number" : NULL;
}

static bool is_direction(const struct token *token, char positive, char negative)
{
    char letter = token->length == 1 ? (char)(token->text[0] & ~0x20) : '\0';
    return letter == positive || letter == negative;
}

/* Degrees, minutes and seconds up to the letter. In thousandths of a second from the equator. */
static const char *read_angle(const struct token **next, const struct token *end, unsigned degrees,
                              char positive, char negative, uint8_t wire[4])
{
    static const struct {
        uint64_t max;
        unsigned decimals;
        uint32_t unit;
    } parts[] = {{180, 0, 3600000}, {59, 0, 60000}, {59999, 3, 1}};
    uint64_t angle = 0;

    for (unsigned i = 0; i < 3; i++, ++*next) {
        uint64_t number;
        if (*next == end)
            return "";
        if (i > 0 && is_direction(*next, positive, negative))
            break;
        const char *error = read_decimal((*next)->text, (*next)->length, parts[i].decimals,
                                         i == 0 ? degrees : parts[i].max, &number);
        if (error != NULL)
            return error;
        angle += number * parts[i].unit;
    }
    if (*next == end)
        return "";
    if (!is_direction(*next, positive, negative))
        return "is no direction";
    if (angle > (uint64_t)degrees * 3600000)
        return "follows too large an angle";
    uint32_t distance = (uint32_t)angle;
    bool is_negative = is_direction(*next, negative, negative);
    wire_write_u32(wire, is_negative ? EQUATOR - distance : EQUATOR + distance);
    ++*next;
    return NULL;
}

/* In centimetres; the `m` may be left out. */
static const char *read_metres(const char *text, size_t length, uint64_t max, uint64_t *centimetres)
{
    if (length > 0 && (text[length - 1] | 0x20) == 'm')
        length--;
    return read_decimal(text, length, 2, max, centimetres);
}

static const char *read_altitude(const struct token *token, uint8_t wire[4])
{
    bool negative = token->length > 0 && token->text[0] == '-';
    uint64_t centimetres;
    const char *error =
        read_metres(token->text + negative, token->length - negative,
                    negative ? ALTITUDE_BASE : UINT32_MAX - ALTITUDE_BASE, &centimetres);

    if (error != NULL)
        return error;
    uint32_t distance = (uint32_t)centimetres;
    wire_write_u32(wire, negative ? ALTITUDE_BASE - distance : ALTITUDE_BASE + distance);
    return NULL;
}

/* §2: the first digit and the number of those behind it. */
static const char *read_precision(const struct token *token, uint8_t *octet)
{
    uint64_t centimetres;
    unsigned exponent = 0;
    const char *error = read_metres(token->text, token->length, 9000000000, &centimetres);

    if (error != NULL)
        return error;
    for (; centimetres > 9; centimetres /= 10)
        exponent++;
    *octet = (uint8_t)(centimetres << 4 | exponent);
    return NULL;
}

const char *loc_read(const struct token **next, const struct token *end, uint8_t wire[LOC_OCTETS])
{
    const uint8_t head[] = {0, DEFAULT_SIZE, DEFAULT_HORIZONTAL, DEFAULT_VERTICAL};

    memcpy(wire, head, sizeof head);
    const char *error = read_angle(next, end, 90, 'N', 'S', wire + 4);
    if (error == NULL)
        error = read_angle(next, end, 180, 'E', 'W', wire + 8);
    if (error != NULL)
        return error;
    if (*next == end)
        return "";
    error = read_altitude(*next, wire + 12);
    for (unsigned i = 1; i <= 3 && error == NULL && *next + 1 < end; i++) {
        ++*next;
        error = read_precision(*next, &wire[i]);
    }
    if (error == NULL)
        ++*next;
    return error;
}
