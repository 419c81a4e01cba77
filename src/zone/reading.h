/*
 * The state of reading a master file: reader.c owns it; divide.c reads parts of a file with states
 * of their own.
 */
#ifndef SORREL_ZONE_READING_H
#define SORREL_ZONE_READING_H

#include "zone/lexer.h"
#include "zone/piece.h"
#include "zone/presentation.h"
#include "zone/rdata.h"
#include "zone/zone.h"

/* A file that is being read; `above` is the one that includes it. */
struct level {
    struct level *above;
    struct input input;
    struct lexer lexer;
    struct entry entry;
    const char *counted; /* so far it is in the tally */
    uint16_t file;       /* in zone->files */
    unsigned depth;
    struct domain origin;
    bool owner_known;
    uint32_t owner;                 /* ZONE_NO_NAME: outside the zone */
    char owner_text[NAME_TEXT_MAX]; /* then, for the warning */
};

struct reader {
    struct zone *zone;
    struct report *report;
    struct piece *piece; /* where records go; NULL: into the zone */
    struct rdata rdata;
    bool alone;           /* as for reader_read(), and nothing is read in parts */
    size_t counted;       /* records in the tally */
    bool has_default_ttl; /* $TTL */
    uint32_t default_ttl;
    bool has_last_ttl; /* of the record before, written in it */
    uint32_t last_ttl;
};

/* Reads from where the level's lexer is to its end. */
void reading_entries(struct reader *reader, struct level *level);

#endif
