/*
 * The question that is asked, and what a reply says of who has sent it.
 */
#ifndef SORREL_TOOLS_SPREAD_PACKET_H
#define SORREL_TOOLS_SPREAD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACKET_QUERY_MAX = 12 + 255 + 4 + 11 + 4,
    PACKET_REPLY_MAX = 1232, /* what OPT announces */
};

struct packet {
    uint16_t length;
    uint8_t octets[PACKET_QUERY_MAX];
};

/* A query for the A records of `name`, dots between its labels and no escapes, with ID 0 and an OPT
 * record that asks for NSID. False if that is no domain name. */
bool packet_ask(struct packet *packet, const char *name);

/* What is of interest in a reply. */
struct packet_reply {
    uint16_t id;
    const uint8_t *nsid; /* within the message; NULL if there is none */
    size_t nsid_length;
};

/* Reads `length` octets from the network. False if they are no DNS response. */
bool packet_read(struct packet_reply *reply, const uint8_t *message, size_t length);

#endif
