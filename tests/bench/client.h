/*
 * A load in a process of its own, bound to its CPU.
 */
#ifndef SORREL_BENCH_CLIENT_H
#define SORREL_BENCH_CLIENT_H

#include "drive.h"

/* Runs drive() on `cpu` and waits for its end. False if it failed. */
bool client_run(const struct drive_settings *settings, int cpu, struct drive_result *result);

#endif
