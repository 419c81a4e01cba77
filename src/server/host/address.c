#include "server/host/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_port(const char *text, in_port_t *port)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number < 1 || number > 65535)
        return false;
    *port = htons((in_port_t)number);
    return true;
}

static bool parse_v6(struct sockaddr_in6 *v6, char *host)
{
    char *scope = strchr(host, '%');

    if (scope != NULL) {
        *scope++ = '\0';
        v6->sin6_scope_id = if_nametoindex(scope);
        if (v6->sin6_scope_id == 0)
            return false;
    }
    v6->sin6_family = AF_INET6;
    return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
}

bool address_parse(union address *address, const char *text, char error[ADDRESS_ERROR_MAX])
{
    char host[ADDRESS_TEXT_MAX];
    const char *at = strchr(text, '@');
    size_t length = at != NULL ? (size_t)(at - text) : strlen(text);
    in_port_t port = htons(ADDRESS_DEFAULT_PORT);

    memset(address, 0, sizeof *address);
    if (at != NULL && !parse_port(at + 1, &port)) {
        snprintf(error, ADDRESS_ERROR_MAX,
                 "%s: what follows @ is not a port, a number from 1 to 65535", text);
        return false;
    }
    if (length < sizeof host) {
        memcpy(host, text, length);
        host[length] = '\0';
        if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
            address->v4.sin_family = AF_INET;
            address->v4.sin_port = port;
            return true;
        }
        if (parse_v6(&address->v6, host)) {
            address->v6.sin6_port = port;
            return true;
        }
    }
    snprintf(error, ADDRESS_ERROR_MAX,
             "%s: not an IPv4 or IPv6 address (ADDR or ADDR@PORT, as in 192.0.2.1@5300)", text);
    return false;
}

char *address_to_text(const union address *address, char text[ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN], scope[IF_NAMESIZE] = "";
    const void *octets = &address->v4.sin_addr;

    if (address->any.sa_family == AF_INET6) {
        octets = &address->v6.sin6_addr;
        if (address->v6.sin6_scope_id != 0)
            if_indextoname(address->v6.sin6_scope_id, scope);
    }
    inet_ntop(address->any.sa_family, octets, host, sizeof host);
    snprintf(text, ADDRESS_TEXT_MAX, "%s%s%s@%u", host, *scope != '\0' ? "%" : "", scope,
             (unsigned)address_port(address));
    return text;
}

socklen_t address_length(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

in_port_t address_port(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

bool address_is_wildcard(const union address *address)
{
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
    return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool address_overlaps(const union address *a, const union address *b)
{
    return address_is_equal(a, b) ||
           (a->any.sa_family == b->any.sa_family && address_port(a) == address_port(b) &&
            (address_is_wildcard(a) || address_is_wildcard(b)));
}

bool address_is_equal(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family || address_port(a) != address_port(b))
        return false;
    if (a->any.sa_family == AF_INET6)
        return a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
               IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
    return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static uint8_t copy_octets(uint8_t *to, const void *from, uint8_t length)
{
    memcpy(to, from, length);
    return length;
}

uint8_t address_octets_v6(const struct in6_addr *v6, uint8_t octets[16])
{
    return IN6_IS_ADDR_V4MAPPED(v6) ? copy_octets(octets, v6->s6_addr + 12, 4)
                                    : copy_octets(octets, v6->s6_addr, 16);
}

void address_to_client(const union address *address, enum transport transport,
                       struct client *client)
{
    client->transport = (uint8_t)transport;
    if (address->any.sa_family == AF_INET)
        client->length = copy_octets(client->address, &address->v4.sin_addr, 4);
    else
        client->length = address_octets_v6(&address->v6.sin6_addr, client->address);
}
