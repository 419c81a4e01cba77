/*
 * DNS over TCP (RFC 7766) for one worker: many queries on a connection, answered in the order they
 * came.
 *
 * A zone transfer is sent a message a turn of the event loop, as the client reads, from the table
 * that it began with.
 *
 * A connection that does not read its answers is not read from; its answers wait in a buffer of
 * fixed size, for a bounded time. All memory is set aside when the worker starts (address space:
 * what no connection has used is not in RAM).
 */
#ifndef SORREL_SERVER_TCP_H
#define SORREL_SERVER_TCP_H

#include "answer/answer.h"
#include "server/host/listener.h"
#include "server/protection/protection.h"
#include "server/query/slot_memory.h"
#include "server/query/tap.h"
#include "table/seal.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

struct tcp;

/* Listens on the TCP sockets of `sockets`; all arguments must outlive the result. `loop` may use
 * any backend, however slow with many descriptors: it gets one.
 * NULL: there is no memory, and the worker cannot go on. */
struct tcp *tcp_start(struct ev_loop *loop, const struct listener_sockets *sockets, size_t count,
                      struct slot_memory *memory, struct answer_settings *settings,
                      const struct protection *protection, struct tap *tap);

/* Connections are to come to an end: from now on they are closed after a second without a query. */
void tcp_retire(struct tcp *tcp);

bool tcp_has_connections(const struct tcp *tcp);

/* Accepts no more, closes the connections on which nothing is under way, and breaks off
 * transfers. */
void tcp_finish(struct tcp *tcp);

/* The worker has adopted another table: unmaps this one as soon as no transfer is of it. */
void tcp_leave_table(struct tcp *tcp, const struct sealed_table *table);

/* Accepts no more, for others do. */
void tcp_leave(struct tcp *tcp);

#endif
