/*
 * The daemon's end of the control protocol: accepts connections, takes requests and calls the
 * function of their word, which answers at once or later. Runs on the supervisor's event loop and
 * never waits.
 */
#ifndef SORREL_SERVER_CONTROL_H
#define SORREL_SERVER_CONTROL_H

#include "server/control/control_socket.h"
#include "server/control/protocol.h"

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    /* Connections at once; others wait for one of these to end. */
    CONTROL_CONNECTIONS_MAX = 32,
    /* Seconds for a request to arrive as a whole, and for a peer to take some more of its reply. */
    CONTROL_PATIENCE_SECONDS = 5,
};

/* A request under way: valid until it is answered, even if the client leaves before. */
struct control_request;

/* Each request is to be answered exactly once, by control_reply(), control_refuse() or
 * control_detach(), during the call or later. */
typedef void control_function(void *closure, struct control_request *request);

struct control_word {
    enum protocol_type type;
    unsigned arguments_max;
    control_function *function;
};

struct control;

/* Serves `socket`, which stays the caller's, by `words`, an array that ends with a function of NULL
 * and outlives the control. If its descriptor is -1, nobody can connect. NULL with errno set. */
struct control *control_open(struct ev_loop *loop, const struct control_socket *socket,
                             const struct control_word *words, void *closure);

/*
 * Serves one more connection, which does not block, but only by these words, which outlive the
 * control: for a child that asks whenever it likes. Owns `socket` then. False: no memory.
 */
bool control_adopt(struct control *control, int socket, const struct control_word *words);

/* Ends all connections; requests that are not yet answered may still be. */
void control_close(struct control *control);

/* The arguments; the array ends with NULL. */
char *const *control_arguments(const struct control_request *request);

/* Answers with `document`, whose reference is taken over; NULL: out of memory. A `request` that is
 * NULL was a wish of the daemon's own: nobody is answered. */
void control_reply(struct control_request *request, bool done, json_t *document);

/* Answers with {"error": sentence} as failed; if `request` is NULL, logs the sentence. */
void control_refuse(struct control_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The connection's descriptor, which stays the control's; -1: the client has left. */
int control_descriptor(const struct control_request *request);

/* Answers by giving the connection, which does not block, to the caller; -1: the client has
 * left. */
int control_detach(struct control_request *request);

#endif
