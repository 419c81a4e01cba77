/*
 * The old daemon's side of a takeover (protocol.h): hands its sockets to the new one and, once that
 * serves, leaves them to it. Until then nothing changes here, but that reloads wait.
 */
#ifndef SORREL_SERVER_SUCCESSION_H
#define SORREL_SERVER_SUCCESSION_H

#include "server/control/control.h"
#include "server/control/envelope.h"
#include "server/control/handover.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

struct supervisor;

struct succession {
    pid_t child;                     /* the program that sorrelctl has had started; 0: none */
    struct control_request *request; /* sorrelctl's, who waits for the outcome; NULL: none */
    int client;                      /* its connection, once the new daemon is in charge; -1 */
    int connection;                  /* to the new daemon; -1: none */
    pid_t successor;                 /* the new daemon */
    struct handover handover;
    struct handover_sender sender;
    struct envelope_reader reader;
    ev_io readable;
    ev_io writable;
};

void succession_init(struct supervisor *supervisor);

/* For PROTOCOL_TAKEOVER: starts the installed program, which is to take over. */
void succession_start(struct supervisor *supervisor, struct control_request *request);

/* For PROTOCOL_HANDOVER: hands over to whoever asks. */
void succession_hand_over(struct supervisor *supervisor, struct control_request *request);

/* Is there a daemon that is about to take over? */
bool succession_is_under_way(const struct supervisor *supervisor);

/* Ends it, before the new daemon was ready, for the reason that `sentence` gives. */
void succession_refuse(struct supervisor *supervisor, const char *sentence);

/* A child has died. True if it was the program that was started. */
bool succession_child_died(struct supervisor *supervisor, pid_t pid, int status);

/* No process of this daemon has the sockets any more: the new one is told. */
void succession_complete(struct supervisor *supervisor);

#endif
