#include "zone/svcb.h"

#include "message/wire.h"
#include "zone/presentation.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_MANDATORY = 0,
    KEY_ALPN = 1,
    KEY_NO_DEFAULT_ALPN = 2,
    KEY_PORT = 3,
    KEY_IPV4HINT = 4,
    KEY_ECH = 5,
    KEY_IPV6HINT = 6,
    KEY_DOHPATH = 7,
    KEY_OHTTP = 8,
    PARAMETERS_MAX = 256,
    VALUE_MAX = 65535,
    PARAMETER_HEAD = 4, /* key and length */
};

static const char *const key_names[] = {"mandatory", "alpn",     "no-default-alpn",
                                        "port",      "ipv4hint", "ech",
                                        "ipv6hint",  "dohpath",  "ohttp"};

enum { NAMED_KEYS = sizeof key_names / sizeof key_names[0] };

/* A value with its first level of escapes resolved, and where its wire form is being written. */
struct value {
    const char *text;
    size_t length;
    uint8_t *to;
    size_t room;
    size_t written;
};

static const char *const too_long = "makes the RDATA longer than 65535 octets";

static const char *put(struct value *value, const void *octets, size_t length)
{
    if (length > value->room - value->written)
        return too_long;
    memcpy(value->to + value->written, octets, length);
    value->written += length;
    return NULL;
}

static const char *put_u16(struct value *value, unsigned number)
{
    uint8_t wire[2];

    wire_write_u16(wire, (uint16_t)number);
    return put(value, wire, sizeof wire);
}

/* "keyNNNNN" without leading zeros (§2.1). */
static bool read_numbered_key(const char *text, size_t length, uint16_t *key)
{
    uint32_t number;

    if (length < 4 || memcmp(text, "key", 3) != 0 || (text[3] == '0' && length > 4))
        return false;
    const struct token digits = {.text = text + 3, .length = (unsigned)length - 3};
    if (presentation_number(&digits, UINT16_MAX, &number) != NULL)
        return false;
    *key = (uint16_t)number;
    return true;
}

/* No name of a key begins like that. */
static bool is_named(const struct token *key)
{
    return key->length < 3 || memcmp(key->text, "key", 3) != 0;
}

static bool read_key(const char *text, size_t length, uint16_t *key)
{
    for (uint16_t i = 0; i < NAMED_KEYS; i++)
        if (strlen(key_names[i]) == length && memcmp(key_names[i], text, length) == 0) {
            *key = i;
            return true;
        }
    return read_numbered_key(text, length, key);
}

/* Takes the next item off a list without escapes (§2.1: hints and mandatory). */
static bool next_item(struct value *value, const char **item, size_t *length)
{
    if (value->text == NULL)
        return false;
    const char *comma = memchr(value->text, ',', value->length);
    *item = value->text;
    *length = comma != NULL ? (size_t)(comma - value->text) : value->length;
    value->length -= comma != NULL ? *length + 1 : *length;
    value->text = comma != NULL ? comma + 1 : NULL;
    return true;
}

static int compare_u16(const void *a, const void *b)
{
    return (int)wire_read_u16(a) - (int)wire_read_u16(b);
}

static const char *read_mandatory(struct value *value)
{
    const char *item;
    size_t length;
    uint16_t key;
    const char *error = NULL;

    while (error == NULL && next_item(value, &item, &length)) {
        if (!read_key(item, length, &key))
            return "lists an unknown key as mandatory";
        error = put_u16(value, key);
    }
    /* In the text the order is free, on the wire it ascends (§8). */
    qsort(value->to, value->written / 2, 2, compare_u16);
    return error;
}

/* One protocol of the list: what ends at a comma that is not escaped (Appendix A.1). */
static const char *read_protocol(const char **at, const char *end, uint8_t protocol[256])
{
    unsigned length = 0;

    while (*at < end && **at != ',') {
        if (**at == '\\' && ++*at == end)
            return "ends in a backslash";
        if (length == 255)
            return "has a protocol of more than 255 octets";
        protocol[++length] = (uint8_t) * (*at)++;
    }
    protocol[0] = (uint8_t)length;
    return length == 0 ? "has an empty protocol" : NULL;
}

static const char *read_alpn(struct value *value)
{
    const char *at = value->text;
    const char *end = at + value->length;
    uint8_t protocol[256];

    for (;;) {
        const char *error = read_protocol(&at, end, protocol);
        if (error == NULL)
            error = put(value, protocol, protocol[0] + 1u);
        if (error != NULL || at == end)
            return error;
        at++;
    }
}

static const char *read_port(struct value *value)
{
    uint32_t port;
    const struct token token = {.text = value->text, .length = (unsigned)value->length};

    if (presentation_number(&token, UINT16_MAX, &port) != NULL)
        return "is no port";
    return put_u16(value, port);
}

static const char *read_hints(struct value *value, int family, size_t size)
{
    const char *item;
    size_t length;
    const char *error = NULL;

    while (error == NULL && next_item(value, &item, &length)) {
        char text[INET6_ADDRSTRLEN + 1] = "";
        uint8_t address[16];
        if (length < sizeof text)
            memcpy(text, item, length);
        if (strlen(text) != length || inet_pton(family, text, address) != 1)
            return "is no list of addresses";
        error = put(value, address, size);
    }
    return error;
}

static const char *read_ech(struct value *value)
{
    size_t length;
    const char *error =
        presentation_base64(value->text, value->length, value->to, value->room, &length);

    if (error == NULL)
        value->written = length;
    return error;
}

static const char *read_nothing(const struct value *value)
{
    return value->length > 0 ? "takes no value" : NULL;
}

static const char *read_value(struct value *value, uint16_t key)
{
    switch (key) {
    case KEY_MANDATORY:
        return read_mandatory(value);
    case KEY_ALPN:
        return read_alpn(value);
    case KEY_NO_DEFAULT_ALPN:
    case KEY_OHTTP:
        return read_nothing(value);
    case KEY_PORT:
        return read_port(value);
    case KEY_IPV4HINT:
        return read_hints(value, AF_INET, 4);
    case KEY_ECH:
        return read_ech(value);
    case KEY_IPV6HINT:
        return read_hints(value, AF_INET6, 16);
    default:
        return put(value, value->text, value->length);
    }
}

/* The two tokens of key="value", or the two halves of key=value; no `=` means an empty value. */
struct written_parameter {
    struct token key;
    struct token value;
    unsigned tokens;
};

static struct written_parameter split(const struct token *token, const struct token *end)
{
    struct written_parameter parts = {.key = *token, .value = *token, .tokens = 1};
    const char *equals = memchr(token->text, '=', token->length);

    if (equals == NULL) {
        parts.value.length = 0;
        return parts;
    }
    parts.key.length = (unsigned)(equals - token->text);
    parts.value.text = equals + 1;
    parts.value.length = token->length - parts.key.length - 1;
    if (parts.value.length == 0 && token + 1 < end && token[1].adjacent && token[1].quoted) {
        parts.value = token[1];
        parts.tokens = 2;
    }
    return parts;
}

static const char *read_parameter(const struct written_parameter *parts, uint16_t *key, uint8_t *to,
                                  size_t room, size_t *written)
{
    static _Thread_local uint8_t plain[VALUE_MAX];
    struct value value = {.text = (const char *)plain, .to = to, .room = room};

    if (parts->key.quoted || !read_key(parts->key.text, parts->key.length, key))
        return "is no SvcParam of a known key";
    const char *error = presentation_octets(&parts->value, plain, sizeof plain, &value.length);
    /* §2.1: the value of a key that is written as a number is what goes on the wire. */
    bool opaque = !is_named(&parts->key);
    if (error == NULL)
        error = opaque ? put(&value, plain, value.length) : read_value(&value, *key);
    *written = value.written;
    return error;
}

/* A parameter in wire form. */
struct parameter {
    const uint8_t *wire;
    size_t length;
};

static int compare_parameters(const void *a, const void *b)
{
    return compare_u16(((const struct parameter *)a)->wire, ((const struct parameter *)b)->wire);
}

static bool has_key(const struct parameter *parameters, size_t count, uint16_t key)
{
    for (size_t i = 0; i < count; i++)
        if (wire_read_u16(parameters[i].wire) == key)
            return true;
    return false;
}

/* Copies the parameters, which are in wire form in `from`, to `to` in the order of their keys. */
static void write_sorted(struct parameter *parameters, size_t count, uint8_t *to)
{
    qsort(parameters, count, sizeof *parameters, compare_parameters);
    for (size_t i = 0; i < count; i++)
        to = mempcpy(to, parameters[i].wire, parameters[i].length);
}

const char *svcb_read_parameters(const struct token **next, const struct token *end, uint8_t *to,
                                 size_t room, size_t *length)
{
    static _Thread_local uint8_t unsorted[65536];
    struct parameter parameters[PARAMETERS_MAX];
    size_t count = 0, at = 0;

    while (*next < end) {
        struct written_parameter parts = split(*next, end);
        uint16_t key;
        size_t written;
        if (count == PARAMETERS_MAX || room - at < PARAMETER_HEAD)
            return too_long;
        const char *error = read_parameter(&parts, &key, unsorted + at + PARAMETER_HEAD,
                                           room - at - PARAMETER_HEAD, &written);
        if (error == NULL && has_key(parameters, count, key))
            error = "repeats a key";
        if (error != NULL)
            return error;
        wire_write_u16(unsorted + at, key);
        wire_write_u16(unsorted + at + 2, (uint16_t)written);
        parameters[count++] = (struct parameter){unsorted + at, PARAMETER_HEAD + written};
        at += PARAMETER_HEAD + written;
        *next += parts.tokens;
    }
    write_sorted(parameters, count, to);
    *length = at;
    return NULL;
}

/* §8: ascending, none twice, not itself, each one present. */
static const char *check_mandatory(const uint8_t *value, size_t length, const uint8_t present[8192])
{
    int before = KEY_MANDATORY;

    if (length == 0 || length % 2 != 0)
        return "mandatory is malformed";
    for (size_t i = 0; i < length; i += 2) {
        int key = wire_read_u16(value + i);
        if (key == KEY_MANDATORY)
            return "mandatory lists itself";
        if (key <= before)
            return "mandatory lists a key twice or out of order";
        if ((present[key / 8] >> key % 8 & 1) == 0)
            return "mandatory lists a key that is missing";
        before = key;
    }
    return NULL;
}

static const char *check_alpn(const uint8_t *value, size_t length)
{
    if (length == 0)
        return "alpn is empty";
    for (size_t at = 0; at < length; at += 1u + value[at])
        if (value[at] == 0 || value[at] >= length - at)
            return "alpn is malformed";
    return NULL;
}

/* RFC 9461 §5: a path with the variable "dns". */
static const char *check_dohpath(const uint8_t *value, size_t length)
{
    static const char variable[] = "{?dns}";

    if (length == 0 || value[0] != '/' ||
        memmem(value, length, variable, sizeof variable - 1) == NULL)
        return "dohpath is not a path with {?dns}";
    return NULL;
}

static const char *check_value(unsigned key, const uint8_t *value, size_t length)
{
    switch (key) {
    case KEY_ALPN:
        return check_alpn(value, length);
    case KEY_NO_DEFAULT_ALPN:
        return length != 0 ? "no-default-alpn has a value" : NULL;
    case KEY_OHTTP:
        return length != 0 ? "ohttp has a value" : NULL;
    case KEY_PORT:
        return length != 2 ? "port is malformed" : NULL;
    case KEY_IPV4HINT:
        return length == 0 || length % 4 != 0 ? "ipv4hint is malformed" : NULL;
    case KEY_IPV6HINT:
        return length == 0 || length % 16 != 0 ? "ipv6hint is malformed" : NULL;
    case KEY_ECH:
        return length == 0 ? "ech is empty" : NULL;
    case KEY_DOHPATH:
        return check_dohpath(value, length);
    default:
        return NULL;
    }
}

const char *svcb_check_parameters(const uint8_t *wire, size_t length)
{
    uint8_t present[8192] = {0};
    const uint8_t *mandatory = NULL;
    int before = -1;

    for (size_t at = 0; at < length;) {
        if (length - at < PARAMETER_HEAD)
            return "the SvcParams are cut short";
        unsigned key = wire_read_u16(wire + at);
        size_t value_length = wire_read_u16(wire + at + 2);
        if (value_length > length - at - PARAMETER_HEAD)
            return "the SvcParams are cut short";
        if ((int)key <= before)
            return "the SvcParams are not in ascending order of keys";
        const char *error = check_value(key, wire + at + PARAMETER_HEAD, value_length);
        if (error != NULL)
            return error;
        if (key == KEY_MANDATORY)
            mandatory = wire + at;
        present[key / 8] |= (uint8_t)(1u << key % 8);
        before = (int)key;
        at += PARAMETER_HEAD + value_length;
    }
    if ((present[0] >> KEY_NO_DEFAULT_ALPN & 1) && !(present[0] >> KEY_ALPN & 1))
        return "no-default-alpn needs alpn";
    return mandatory == NULL
               ? NULL
               : check_mandatory(mandatory + PARAMETER_HEAD, wire_read_u16(mandatory + 2), present);
}
