/*
 * Address prefixes as text: 192.0.2.0/24, 2001:db8::/32, or an address alone.
 */
#ifndef SORREL_SERVER_PREFIX_TEXT_H
#define SORREL_SERVER_PREFIX_TEXT_H

#include "answer/prefix.h"

#include <netinet/in.h>
#include <stdbool.h>

enum { PREFIX_TEXT_ERROR_MAX = 256, PREFIX_TEXT_MAX = INET6_ADDRSTRLEN + 4 };

/* False with what to do in `error`, as in "give an address or ADDR/BITS". */
bool prefix_text_parse(struct prefix *prefix, const char *text, char error[PREFIX_TEXT_ERROR_MAX]);

/* Parses `text` and adds it to a list, which is on the heap. False as above. */
bool prefix_text_add(struct prefix_list *list, const char *text,
                     char error[PREFIX_TEXT_ERROR_MAX]);

/* Writes the first `bits` bits of the client's address. Returns `text`. */
char *prefix_text_write(const struct client *client, unsigned bits, char text[PREFIX_TEXT_MAX]);

#endif
