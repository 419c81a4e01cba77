#include "message/name.h"

#include "message/octets.h"

#include <string.h>

size_t name_measure(const uint8_t *wire, size_t available)
{
    size_t at = 0;

    for (;;) {
        if (at >= available || at >= NAME_OCTETS_MAX)
            return 0;
        unsigned label = wire[at];
        if (label == 0)
            return at + 1;
        if (label > NAME_LABEL_OCTETS_MAX)
            return 0;
        at += 1 + label;
    }
}

/* Sixteen octets at a time, whatever the machine does them with. */
typedef uint8_t sixteen_octets __attribute__((vector_size(16)));

static void copy_sixteen_lower(uint8_t *to, const uint8_t *from)
{
    sixteen_octets octets;

    memcpy(&octets, from, sizeof octets);
    octets |= (sixteen_octets)(octets - 'A' < 'Z' - 'A' + 1) & ('a' - 'A');
    memcpy(to, &octets, sizeof octets);
}

/* Sets bit 5 of each octet of `octets` that is in A-Z: eight at once, no carries between them. */
static uint64_t lower_eight(uint64_t octets)
{
    const uint64_t each = 0x0101010101010101;
    uint64_t low_bits = octets & 0x7F * each;
    uint64_t from_a = low_bits + (0x80 - 'A') * each;
    uint64_t behind_z = low_bits + (0x80 - 'Z' - 1) * each;

    return octets | ((from_a ^ behind_z) & ~octets & 0x80 * each) >> 2;
}

static void copy_eight_lower(uint8_t *to, const uint8_t *from)
{
    uint64_t eight = lower_eight(octets_read_8(from));

    memcpy(to, &eight, sizeof eight);
}

void name_copy_lower(uint8_t *to, const uint8_t *from, size_t length)
{
    /* Of what is no multiple of the step, the last step does some again. */
    if (length >= 16) {
        for (size_t at = 0; at + 16 < length; at += 16)
            copy_sixteen_lower(to + at, from + at);
        copy_sixteen_lower(to + length - 16, from + length - 16);
    } else if (length >= 8) {
        copy_eight_lower(to, from);
        copy_eight_lower(to + length - 8, from + length - 8);
    } else {
        for (size_t at = 0; at < length; at++)
            to[at] = (uint8_t)lower_eight(from[at]);
    }
}

/* Orders two labels as RFC 4034 §6.1 does: octet by octet, then the shorter first. */
static int compare_labels(const uint8_t *a, const uint8_t *b)
{
    unsigned common = a[0] < b[0] ? a[0] : b[0];
    int order = memcmp(a + 1, b + 1, common);

    return order != 0 ? order : (int)a[0] - (int)b[0];
}

int name_compare(const struct name *a, const struct name *b)
{
    unsigned common = a->labels < b->labels ? a->labels : b->labels;

    for (unsigned i = 1; i <= common; i++) {
        int order = compare_labels(name_suffix(a, a->labels - i), name_suffix(b, b->labels - i));
        if (order != 0)
            return order;
    }
    return (int)a->labels - (int)b->labels;
}

bool name_is_within(const struct name *name, const struct name *ancestor)
{
    if (ancestor->labels > name->labels)
        return false;
    unsigned first = (unsigned)name->labels - ancestor->labels;
    return name_suffix_length(name, first) == ancestor->length &&
           memcmp(name_suffix(name, first), ancestor->octets, ancestor->length) == 0;
}

static char *octet_to_text(uint8_t octet, char *at)
{
    if (octet <= ' ' || octet > '~') {
        *at++ = '\\';
        *at++ = (char)('0' + octet / 100);
        *at++ = (char)('0' + octet / 10 % 10);
        *at++ = (char)('0' + octet % 10);
        return at;
    }
    if (strchr(".\\\"();@$", octet) != NULL)
        *at++ = '\\';
    *at++ = (char)octet;
    return at;
}

char *name_to_text(const struct name *name, char text[NAME_TEXT_MAX])
{
    char *at = text;

    for (unsigned i = 0; i < name->labels; i++) {
        const uint8_t *label = name_suffix(name, i);
        for (unsigned j = 1; j <= label[0]; j++)
            at = octet_to_text(label[j], at);
        *at++ = '.';
    }
    if (name->labels == 0)
        *at++ = '.';
    *at = '\0';
    return text;
}
