/*
 * Which worker gets a datagram: the classic BPF program of a reuseport group, generated from the
 * policy and the slots that may receive (SO_ATTACH_REUSEPORT_CBPF, socket(7)).
 *
 * The program returns an index into the group, which is the slot's number as sockets are bound in
 * slot order. So a slot can be left out (not ready yet, stalled, about to be closed) while its
 * socket stays bound and the others keep their indices.
 */
#ifndef SORREL_SERVER_STEERING_H
#define SORREL_SERVER_STEERING_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

enum steering_policy {
    STEERING_HASH,  /* by addresses and ports: the kernel's own choice while all slots receive */
    STEERING_QUERY, /* DNS message ID modulo slots: even, however few the flows */
    STEERING_CPU,   /* the CPU that received it modulo slots: see affinity.h */
    STEERING_RANDOM,
    STEERING_SHARED, /* no group: all workers read one socket */
};

/* By enum steering_policy; ended by NULL. */
extern const char *const steering_names[];

enum {
    STEERING_SLOTS_MAX = 512, /* two instructions each, well within BPF_MAXINSNS (4096) */
    STEERING_CODE_MAX = 2 * STEERING_SLOTS_MAX + 16,
};

struct steering_program {
    unsigned short length; /* 0: none needed, the kernel's hash does it */
    struct sock_filter code[STEERING_CODE_MAX];
};

/* Reads a policy's name. False if there is none of that name. */
bool steering_parse(const char *text, enum steering_policy *policy);

const char *steering_name(enum steering_policy policy);

/*
 * Generates the program for a group of `slots` sockets of address family `family`. `active[i]`
 * tells whether slot i receives; if none is active all are, for a query has to go somewhere.
 */
void steering_generate(struct steering_program *program, enum steering_policy policy, int family,
                       const bool *active, unsigned slots);

/* Gives the program to the group that `socket` is in, or takes the one it has away. 0, or -1 with
 * errno. */
int steering_attach(int socket, const struct steering_program *program);

#endif
