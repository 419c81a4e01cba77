#include "server/host/prefix_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(char error[PREFIX_TEXT_ERROR_MAX], const char *sentence)
{
    snprintf(error, PREFIX_TEXT_ERROR_MAX, "%s", sentence);
    return false;
}

/* Reads the address in front of the slash, or all of `text`. */
static bool parse_address(struct prefix *prefix, const char *text, size_t length)
{
    char address[INET6_ADDRSTRLEN];

    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    prefix->length = strchr(address, ':') != NULL ? 16 : 4;
    return inet_pton(prefix->length == 4 ? AF_INET : AF_INET6, address, prefix->address) == 1;
}

static bool parse_bits(struct prefix *prefix, const char *text)
{
    unsigned most = 8u * prefix->length;
    unsigned long bits = most;
    char *end;

    if (*text == '/') {
        bits = strtoul(text + 1, &end, 10);
        if (text[1] < '0' || text[1] > '9' || *end != '\0' || bits > most)
            return false;
    }
    prefix->bits = (uint8_t)bits;
    for (unsigned i = 0; i < prefix->bits; i++)
        prefix->mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return true;
}

bool prefix_text_parse(struct prefix *prefix, const char *text, char error[PREFIX_TEXT_ERROR_MAX])
{
    size_t length = strcspn(text, "/");

    *prefix = (struct prefix){0};
    if (!parse_address(prefix, text, length))
        return refuse(error, "give an IPv4 or IPv6 address, or ADDR/BITS");
    if (!parse_bits(prefix, text + length)) {
        snprintf(error, PREFIX_TEXT_ERROR_MAX, "give a number of bits from 0 to %u behind the /",
                 8u * prefix->length);
        return false;
    }
    for (unsigned i = 0; i < sizeof prefix->address; i++)
        if ((prefix->address[i] & ~prefix->mask[i]) != 0) {
            snprintf(error, PREFIX_TEXT_ERROR_MAX,
                     "the address has bits set behind the first %u: clear them, or give more bits",
                     (unsigned)prefix->bits);
            return false;
        }
    return true;
}

bool prefix_text_add(struct prefix_list *list, const char *text, char error[PREFIX_TEXT_ERROR_MAX])
{
    struct prefix prefix;

    if (!prefix_text_parse(&prefix, text, error))
        return false;
    struct prefix *grown = reallocarray(list->prefixes, list->count + 1, sizeof *grown);
    if (grown == NULL)
        return refuse(error, "out of memory");
    list->prefixes = grown;
    list->prefixes[list->count++] = prefix;
    return true;
}

char *prefix_text_write(const struct client *client, unsigned bits, char text[PREFIX_TEXT_MAX])
{
    size_t length;

    if (inet_ntop(client->length == 4 ? AF_INET : AF_INET6, client->address, text,
                  INET6_ADDRSTRLEN) == NULL)
        text[0] = '\0';
    length = strlen(text);
    snprintf(text + length, PREFIX_TEXT_MAX - length, "/%u", bits);
    return text;
}
