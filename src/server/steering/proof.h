/*
 * Does the kernel do what a policy promises? It does not let anyone read a group's program back, so
 * it is tried out: on a group of sockets of our own on loopback, with the program that the served
 * groups get, by datagrams whose way is known beforehand. Takes a few milliseconds.
 */
#ifndef SORREL_SERVER_PROOF_H
#define SORREL_SERVER_PROOF_H

#include "server/host/affinity.h"
#include "server/steering/steering.h"

#include <stdbool.h>

enum { PROOF_TEXT_MAX = 256 };

/* Tries `policy` with `slots` workers. False, with a sentence in `text`, if the kernel refuses the
 * program or does not do what it says; otherwise `text` says how it is known, or why it could not
 * be tried. */
bool proof_try(enum steering_policy policy, unsigned slots, const struct affinity *affinity,
               char text[PROOF_TEXT_MAX]);

#endif
