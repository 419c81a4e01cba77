/*
 * The status page: one HTML document that needs nothing else, made anew for each request. It can
 * be read without JavaScript, and then reloads itself; with it, it takes over what has changed.
 * Its sources are in src/server/metrics/page/.
 */
#ifndef SORREL_SERVER_PAGE_H
#define SORREL_SERVER_PAGE_H

#include "server/metrics/snapshot.h"

#include <stdio.h>

/* Writes the page; statistics and status are there. */
void page_write(const struct snapshot *snapshot, FILE *out);

/* The Content-Security-Policy that lets in the page's own style and script, and nothing else. */
const char *page_policy(void);

#endif
