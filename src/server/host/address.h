/*
 * Where to listen: ADDR or ADDR@PORT, IPv4 or IPv6.
 */
#ifndef SORREL_SERVER_ADDRESS_H
#define SORREL_SERVER_ADDRESS_H

#include "answer/client.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { ADDRESS_DEFAULT_PORT = 53, ADDRESS_ERROR_MAX = 256 };

/* Long enough for an IPv6 address, a scope and a port. */
enum { ADDRESS_TEXT_MAX = INET6_ADDRSTRLEN + 32 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Reads `text`; an IPv6 address may have a %scope. False with one sentence in `error`. */
bool address_parse(union address *address, const char *text, char error[ADDRESS_ERROR_MAX]);

/* Writes ADDR@PORT. Returns `text`. */
char *address_to_text(const union address *address, char text[ADDRESS_TEXT_MAX]);

socklen_t address_length(const union address *address);
in_port_t address_port(const union address *address); /* host order */
bool address_is_wildcard(const union address *address);
bool address_is_equal(const union address *a, const union address *b);

/* Writes the octets of an IPv6 address, or of the IPv4 address that is mapped into it, as a socket
 * for both families has those of its IPv4 peers (RFC 4291 2.5.5.2). Returns how many: 16 or 4. */
uint8_t address_octets_v6(const struct in6_addr *v6, uint8_t octets[16]);

/* Fills in who asks from `address`: an IPv4 client wherever he comes in. */
void address_to_client(const union address *address, enum transport transport,
                       struct client *client);

/* Would a datagram for the one also be for the other? */
bool address_overlaps(const union address *a, const union address *b);

#endif
