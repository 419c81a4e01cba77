#include "message/edns.h"

#include <string.h>

enum { OPTION_HEADER_SIZE = 4 };

size_t edns_options_length(const struct edns *edns)
{
    return (edns->nsid != NULL ? OPTION_HEADER_SIZE + (size_t)edns->nsid_length : 0) +
           (edns->cookie != NULL ? OPTION_HEADER_SIZE + (size_t)EDNS_COOKIE_SIZE : 0) +
           (edns->ede != EDE_NONE ? OPTION_HEADER_SIZE + 2 : 0) +
           (edns->keepalive ? OPTION_HEADER_SIZE + 2 : 0);
}

static uint8_t *write_option_header(uint8_t *at, uint16_t code, uint16_t length)
{
    wire_write_u16(at, code);
    wire_write_u16(at + 2, length);
    return at + OPTION_HEADER_SIZE;
}

static uint8_t *write_u16_option(uint8_t *at, uint16_t code, uint16_t value)
{
    at = write_option_header(at, code, 2);
    wire_write_u16(at, value);
    return at + 2;
}

void edns_write_options(const struct edns *edns, uint8_t *at)
{
    wire_write_u16(at, (uint16_t)edns_options_length(edns));
    at += 2;
    if (edns->nsid != NULL) {
        at = write_option_header(at, OPTION_NSID, edns->nsid_length);
        memcpy(at, edns->nsid, edns->nsid_length);
        at += edns->nsid_length;
    }
    if (edns->cookie != NULL) {
        at = write_option_header(at, OPTION_COOKIE, EDNS_COOKIE_SIZE);
        memcpy(at, edns->cookie, EDNS_COOKIE_SIZE);
        at += EDNS_COOKIE_SIZE;
    }
    if (edns->ede != EDE_NONE)
        at = write_u16_option(at, OPTION_EDE, (uint16_t)edns->ede);
    if (edns->keepalive)
        write_u16_option(at, OPTION_TCP_KEEPALIVE, edns->timeout);
}
