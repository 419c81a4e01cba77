#include "judge.h"

#include "check.h"
#include "odd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void judge_name_query(const struct query *query, char qname[NAME_TEXT_MAX], char qtype[32])
{
    char *type;

    if (query->title) {
        snprintf(qname, NAME_TEXT_MAX, "%s", query->title);
        for (char *letter = qname; *letter; letter++)
            if (*letter == ' ')
                *letter = '_';
        snprintf(qtype, 32, "%s", query->tcp ? "TCP" : "UDP");
        return;
    }
    name_to_text(&query->qname, qname);
    type = ldns_rr_type2str((ldns_rr_type)query->qtype);
    snprintf(qtype, 32, "%s", type);
    free(type);
}

static unsigned compare(const struct trial *trial, const struct view *a, const struct view *b,
                        const struct zone_set *zones)
{
    return trial->query->title ? compare_headers(a, b)
                               : compare_views(a, b, trial->query, zones);
}

static bool is_octet_for_octet(const struct reply *a, const struct reply *b)
{
    return a->wire && b->wire && a->length == b->length
           && memcmp(a->wire, b->wire, a->length) == 0;
}

/* Do enough of the peers that differ from ours agree with one another to outvote `agreeing`? */
static bool is_outvoted(const struct trial *trial, const struct view *views,
                        const struct judgement *judgement, size_t agreeing,
                        const struct zone_set *zones)
{
    for (size_t i = 1; i < trial->count; i++) {
        size_t party = 0;

        for (size_t j = 1; j < trial->count; j++)
            party += judgement->parts[i] && judgement->parts[j]
                     && compare(trial, &views[j], &views[i], zones) == 0;
        if (party > agreeing)
            return true;
    }
    return false;
}

static size_t count_agreeing(const struct judgement *judgement, size_t count)
{
    size_t agreeing = 0;

    for (size_t i = 1; i < count; i++)
        agreeing += judgement->parts[i] == 0;
    return agreeing;
}

static enum verdict vote(const struct trial *trial, const struct view *views,
                         const struct judgement *judgement, const struct zone_set *zones)
{
    size_t peers = trial->count - 1;
    size_t agreeing = count_agreeing(judgement, trial->count);

    if (agreeing == peers)
        return VERDICT_ALL;
    if (2 * agreeing > peers)
        return VERDICT_MAJORITY;
    if (agreeing > 0)
        return is_outvoted(trial, views, judgement, agreeing, zones) ? VERDICT_AGAINST_MAJORITY
                                                                      : VERDICT_MAJORITY;
    if (peers > 1 && !is_outvoted(trial, views, judgement, 1, zones))
        return VERDICT_ALL_DIFFER;
    return is_outvoted(trial, views, judgement, peers - 1, zones) ? VERDICT_AGAINST_ALL
                                                                   : VERDICT_AGAINST_MAJORITY;
}

/* The vote again, the peers that KNOWN lets us differ from taken as agreeing. */
static bool is_known(const struct trial *trial, const struct view *views,
                     const struct judgement *judgement, const struct zone_set *zones,
                     struct known *known)
{
    struct judgement excused = *judgement;
    char qname[NAME_TEXT_MAX], qtype[32];

    judge_name_query(trial->query, qname, qtype);
    for (size_t i = 1; i < trial->count; i++) {
        const struct difference difference = { trial->zone, qname, qtype,
                                               trial->servers[i]->name, judgement->parts[i] };

        if (judgement->parts[i] && known_covers(known, &difference))
            excused.parts[i] = 0;
    }
    return vote(trial, views, &excused, zones) <= VERDICT_MAJORITY;
}

static const char *find_complaint(const struct trial *trial, const struct view *ours,
                                  const struct zone_set *zones)
{
    const char *complaint = check_reply(trial->query, trial->replies[0], ours, zones);

    if (!complaint && trial->query->title)
        complaint = odd_check(trial->query, ours);
    return complaint;
}

static void judge_views(struct judgement *judgement, const struct trial *trial,
                        const struct view *views, const struct zone_set *zones,
                        struct known *known)
{
    for (size_t i = 1; i < trial->count; i++)
        if (!is_octet_for_octet(trial->replies[0], trial->replies[i]))
            judgement->parts[i] = compare(trial, &views[0], &views[i], zones);
    judgement->complaint = find_complaint(trial, &views[0], zones);
    if (judgement->complaint)
        judgement->verdict = VERDICT_BROKEN;
    else if (trial->query->title && !odd_is_open(trial->query))
        judgement->verdict = VERDICT_ALL;
    else
        judgement->verdict = vote(trial, views, judgement, zones);
    if (judgement->verdict > VERDICT_KNOWN && judgement->verdict != VERDICT_BROKEN
        && is_known(trial, views, judgement, zones, known))
        judgement->verdict = VERDICT_KNOWN;
}

struct judgement judge(const struct trial *trial, const struct zone_set *zones,
                       struct known *known)
{
    struct judgement judgement = { .verdict = VERDICT_ALL };
    struct view views[SERVERS_MAX];

    for (size_t i = 0; i < trial->count; i++)
        compare_read(&views[i], trial->replies[i]);
    judge_views(&judgement, trial, views, zones, known);
    for (size_t i = 0; i < trial->count; i++)
        compare_free(&views[i]);
    return judgement;
}
