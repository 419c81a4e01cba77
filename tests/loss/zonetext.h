/*
 * The zone file of loss.test (question.h) in any version.
 */
#ifndef SORREL_LOSS_ZONETEXT_H
#define SORREL_LOSS_ZONETEXT_H

#include <stdint.h>

/* Puts the zone's version `version` in the place of the file at `path`, at once. Between one
 * version and the next some names come and others go, so that what they have in common does not lie
 * where it lay. */
void zonetext_write(const char *path, uint32_t names, uint32_t version);

/* The same, with an error in its last line. */
void zonetext_write_broken(const char *path, uint32_t names, uint32_t version);

#endif
