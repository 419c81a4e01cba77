/*
 * What is told of queries by dnstap, and where.
 */
#ifndef SORREL_SERVER_TAP_SETTINGS_H
#define SORREL_SERVER_TAP_SETTINGS_H

#include <stdbool.h>
#include <sys/un.h>

struct rings;

enum { TAP_SOCKET_PATH_MAX = sizeof((struct sockaddr_un *)0)->sun_path };

/* In the order of the words of --dnstap-messages. */
enum tap_messages { TAP_QUERIES, TAP_RESPONSES, TAP_BOTH };

struct tap_settings {
    const char *target;  /* as it was given: FILE or unix:PATH; NULL: none */
    const char *path;    /* of the file or socket */
    bool is_socket;      /* a reader listens there */
    unsigned messages;   /* enum tap_messages */
    unsigned sample;     /* one of so many queries is told of */
    struct rings *rings; /* NULL: nothing is told */
};

#endif
