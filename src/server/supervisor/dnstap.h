/*
 * The dnstap process, from the supervisor's side: started if --dnstap is given, replaced when it
 * dies, without the DNS service taking notice. Rings and counts are the slots' and outlive it, so
 * its successor goes on where it was. The log says when messages begin to be written, when there is
 * nobody to take them, and that some were dropped.
 *
 * When the daemon ends, or leaves its place to another, the process writes what the workers have
 * left, ends the stream and, if that is a file, gives it up: then the other daemon goes on with it.
 */
#ifndef SORREL_SERVER_SUPERVISOR_DNSTAP_H
#define SORREL_SERVER_SUPERVISOR_DNSTAP_H

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct supervisor;
struct tap_settings;

struct dnstap {
    int file;    /* open; -1: none */
    int next;    /* the file that comes in its place; -1: none */
    pid_t pid;   /* 0: no process */
    int channel; /* to it; -1: it has been told to end */
    time_t started;
    ev_tstamp delay;   /* seconds that the next start waits */
    ev_timer again;    /* then it is started */
    ev_timer limit;    /* for it to end */
    ev_timer tick;     /* looks how it goes */
    bool told_writing; /* what the log has said last */
    int told_reason;
    uint64_t told_dropped; /* messages */
    time_t told_at;
    uint64_t told_damaged;
};

/* Could the file be opened, if there is to be one? False, as it would be logged at the start. */
bool dnstap_check(const struct tap_settings *tap);

/* Makes the rings and opens the file, if there are to be any. False if it cannot, which is logged.
 */
bool dnstap_open(struct supervisor *supervisor);

/* Starts the process; this is the daemon from now on. */
void dnstap_start(struct supervisor *supervisor);

/* This slot is going to have a worker. */
void dnstap_use(struct supervisor *supervisor, unsigned slot);

/* If the file has been moved away, goes on in a new one of its name. */
void dnstap_reopen(struct supervisor *supervisor);

/* No worker writes any more, or none that matters: has the process write what there is, and end. A
 * second call changes nothing. True if it has not ended yet. */
bool dnstap_finish(struct supervisor *supervisor);

/* A child has died. True if it was the process, which is then replaced, unless all ends. */
bool dnstap_child_died(struct supervisor *supervisor, pid_t pid, int status);

/* What `sorrelctl stats` has of it; NULL: dnstap is off. */
json_t *dnstap_json(const struct supervisor *supervisor);

/* The process has ended, and so have the workers. */
void dnstap_close(struct supervisor *supervisor);

#endif
