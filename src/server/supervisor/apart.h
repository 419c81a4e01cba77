/*
 * Requests whose answer takes long to put together, for it tells of very many zones: a child does
 * it, which sees all that the supervisor knows at that moment, while the supervisor goes on looking
 * after its workers.
 */
#ifndef SORREL_SERVER_APART_H
#define SORREL_SERVER_APART_H

#include "server/control/control.h"

#include <stdbool.h>
#include <stddef.h>

/* Zones up to which an answer about all of them takes less than the child would: some ms. */
enum { APART_ZONES_MIN = 1000 };

/* Has a child call `function`, which answers the request before it returns; or calls it here, if
 * there can be no child. The request is not the caller's any more. */
void apart_answer(struct control_request *request, control_function *function, void *closure);

/* A child has died that nobody else knows: whoever asked has no answer, and sees no more than that.
 */
void apart_died(int status);

#endif
