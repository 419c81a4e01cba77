/*
 * The UDP sockets bound to a port, and who holds them, as /proc tells.
 */
#ifndef SORREL_LOSS_SOCKETS_H
#define SORREL_LOSS_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SOCKETS_MAX = 1024 };

struct sockets_one {
    uint64_t inode;
    uint64_t drops;  /* datagrams that found its receive queue full */
    uint64_t queued; /* octets that wait in it, as the kernel counts them */
};

/* The sockets bound to `port`, in no particular order. */
size_t sockets_list(uint16_t port, struct sockets_one list[SOCKETS_MAX]);

/* How many of those sockets process `pid` holds. */
size_t sockets_held(pid_t pid, const struct sockets_one *list, size_t count);

#endif
