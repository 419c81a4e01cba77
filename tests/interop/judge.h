/*
 * One question, the replies of all servers: is ours right?
 */
#ifndef SORREL_INTEROP_JUDGE_H
#define SORREL_INTEROP_JUDGE_H

#include "compare.h"
#include "known.h"

enum verdict {
    VERDICT_ALL,         /* as all peers */
    VERDICT_MAJORITY,    /* as most of them, or, where they all differ, as one */
    VERDICT_KNOWN,       /* as KNOWN says */
    VERDICT_AGAINST_ALL, /* all peers agree, and differ from us */
    VERDICT_AGAINST_MAJORITY,
    VERDICT_ALL_DIFFER,  /* every peer differs from us and they from each other */
    VERDICT_BROKEN,      /* wrong in itself (check.h, odd.h) */
    VERDICTS,
};

struct judgement {
    enum verdict verdict;
    const char *complaint;        /* for VERDICT_BROKEN */
    unsigned parts[SERVERS_MAX];  /* how each server differs from ours, the first one */
};

/* One question with all its replies; the first of `replies` and `voters` is ours. */
struct trial {
    const char *zone;             /* as KNOWN calls it */
    const struct query *query;
    const struct reply *replies[SERVERS_MAX];
    const struct server *servers[SERVERS_MAX];
    size_t count;                 /* of servers, ours included */
};

struct judgement judge(const struct trial *trial, const struct zone_set *zones,
                       struct known *known);

/* How KNOWN and the report call the query's name and type. */
void judge_name_query(const struct query *query, char qname[NAME_TEXT_MAX], char qtype[32]);

#endif
