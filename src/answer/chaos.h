/*
 * Questions about the server itself, in class CH: id.server, version.server (RFC 4892) and their
 * older names hostname.bind and version.bind; worker.sorrel tells which worker answers.
 */
#ifndef SORREL_ANSWER_CHAOS_H
#define SORREL_ANSWER_CHAOS_H

#include "message/name.h"
#include "message/response.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts of at most 255 octets; NULL for what clients are not told. */
struct chaos {
    const char *id;
    const char *version;
    const char *worker;
};

/* The text that `name` and `qtype` (TXT or ANY) ask for; NULL if that is not told, or is nothing
 * that could be: REFUSED. */
const char *chaos_find(const struct chaos *chaos, const struct name *name, uint16_t qtype);

/* Writes it as TXT RR owned by QNAME. False if there is no room. */
bool chaos_put(struct response *response, const char *text);

#endif
