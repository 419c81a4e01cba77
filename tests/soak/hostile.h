/*
 * Clients that mean no good, or do not care, beside one that is honest over TCP: processes of their
 * own, so that they neither wait for each other nor hold up the generator of valid queries.
 */
#ifndef SORREL_SOAK_HOSTILE_H
#define SORREL_SOAK_HOSTILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What they share with the soak. */
struct hostile_board {
    _Atomic bool paused;        /* they are to close all connections, and to wait */
    _Atomic unsigned resting;   /* that do */
    _Atomic uint64_t datagrams; /* sent */
    _Atomic uint64_t replies;   /* to them */
    _Atomic uint64_t strange;   /* that are no replies, or to nothing that was sent */
    _Atomic uint64_t connections;
    _Atomic uint64_t refused;      /* of them, or closed before anything was sent */
    _Atomic uint64_t honest;       /* queries over TCP, well-formed and patient */
    _Atomic uint64_t again;        /* of them, asked on a second connection: the first had died */
    _Atomic uint64_t disappointed; /* of them, without the right answer */
};

enum { HOSTILE_PROCESSES = 3 };

struct hostile {
    struct hostile_board *board;
    pid_t pids[HOSTILE_PROCESSES];
};

/* Has them begin with the daemon at 127.0.0.1@port, whose zone has `names` (question.h). */
void hostile_start(struct hostile *hostile, uint16_t port, uint32_t names, uint64_t seed);

/* Returns once no connection of theirs is open. False: that takes too long. */
bool hostile_pause(struct hostile *hostile);

void hostile_resume(struct hostile *hostile);

/* Ends them; the board can be read until the program ends. */
void hostile_stop(struct hostile *hostile);

/* --- what the processes are made of ---------------------------------------------------- */

struct hostile_part {
    struct hostile_board *board;
    uint16_t port;
    uint32_t names;
    uint64_t seed;
};

/* Each runs until it is killed. */
_Noreturn void datagrams_run(const struct hostile_part *part);
_Noreturn void streams_run(const struct hostile_part *part);
_Noreturn void honest_run(const struct hostile_part *part);

/* Waits while all are paused; the caller has closed its connections. */
void hostile_rest(const struct hostile_part *part);

/* A socket at 127.0.NETWORK.HOST, connected to the daemon: to be used without waiting. -1: it is
 * refused. */
int hostile_connect(const struct hostile_part *part, int type, unsigned network, unsigned host);

/* Sleeps for so many microseconds. */
void hostile_wait(unsigned microseconds);

#endif
