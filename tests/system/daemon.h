/*
 * For the tests in C that start the real daemon: sorreld on a free port of 127.0.0.1, with one
 * zone, in a directory that goes with it. Where a test cannot go on it ends with one sentence
 * (loss/child.h).
 */
#ifndef SORREL_TESTS_DAEMON_H
#define SORREL_TESTS_DAEMON_H

#include "../loss/child.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { DAEMON_WORKERS_MAX = 8, DAEMON_OPTIONS_MAX = 16 };

struct daemon {
    pid_t pid;
    uint16_t port;
    unsigned workers;
    char directory[64];
    char log[96];
};

/* Starts `program` with the zone that `write_zone` writes, and returns once it serves. */
void daemon_start(struct daemon *daemon, const char *program, unsigned workers,
                  const char *steering, const char *origin, void (*write_zone)(FILE *));

/* The same with more options, up to DAEMON_OPTIONS_MAX of them, ended by NULL. */
void daemon_start_with(struct daemon *daemon, const char *program, unsigned workers,
                       const char *steering, const char *const options[], const char *origin,
                       void (*write_zone)(FILE *));

/* Its workers in the order of their birth. Waits until there are as many as there should be. */
void daemon_workers(const struct daemon *daemon, pid_t pids[DAEMON_WORKERS_MAX]);

/* How many lines of its log have `text` in them. */
unsigned daemon_count_logged(const struct daemon *daemon, const char *text);

/* How many queries its log says that it has given up, for workers have crashed on them. */
unsigned daemon_count_given_up(const struct daemon *daemon);

/* What all of its workers have counted by that name, as `sorrelctl status` has it: "udp_queries" or
 * "tcp_queries". A batch is counted once it has been sent. */
uint64_t daemon_sum(const struct daemon *daemon, const char *counter);

/* Stops it and removes the directory; prints the log if `show_log`. False if it does not stop as it
 * should. */
bool daemon_stop(struct daemon *daemon, bool show_log);

/* A UDP or TCP socket that is connected to it and gives up after five seconds. */
int daemon_connect(const struct daemon *daemon, int type);

/* The same from another of this machine's addresses, in host order: all of 127.0.0.0/8. */
int daemon_connect_from(const struct daemon *daemon, int type, in_addr_t client);

#endif
