/*
 * Who asks, as far as the answer depends on it.
 */
#ifndef SORREL_ANSWER_CLIENT_H
#define SORREL_ANSWER_CLIENT_H

#include <stdint.h>

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

struct client {
    uint8_t transport; /* enum transport */
    uint8_t length;    /* of its address: 4 or 16 octets; 0: not known */
    uint8_t address[16];
};

#endif
