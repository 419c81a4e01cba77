#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const verdict_sentences[VERDICTS] = {
    [VERDICT_ALL] = "agrees with all peers",
    [VERDICT_MAJORITY] = "agrees with most peers",
    [VERDICT_KNOWN] = "differs as KNOWN says",
    [VERDICT_AGAINST_ALL] = "differs from all peers, which agree",
    [VERDICT_AGAINST_MAJORITY] = "differs from most peers",
    [VERDICT_ALL_DIFFER] = "differs from all peers, which differ",
    [VERDICT_BROKEN] = "is wrong in itself",
};

size_t report_queries(const struct tally *tally)
{
    size_t sum = 0;

    for (size_t i = 0; i < VERDICTS; i++)
        sum += tally->verdicts[i];
    return sum;
}

size_t report_unexplained(const struct tally *tally)
{
    return report_queries(tally) - tally->verdicts[VERDICT_ALL]
           - tally->verdicts[VERDICT_MAJORITY] - tally->verdicts[VERDICT_KNOWN]
           + tally->bad_proofs;
}

void report_heading(void)
{
    printf("%-36s %8s %8s %8s %6s %12s %7s  %s\n", "zone", "queries", "all", "majority", "known",
           "unexplained", "proofs", "peers");
}

void report_zone(const char *zone, const struct tally *tally, const char *voters)
{
    printf("%-36.60s %8zu %8zu %8zu %6zu %12zu %7zu  %s\n", zone, report_queries(tally),
           tally->verdicts[VERDICT_ALL], tally->verdicts[VERDICT_MAJORITY],
           tally->verdicts[VERDICT_KNOWN], report_unexplained(tally), tally->proofs, voters);
    fflush(stdout);
}

static void dump(const char *name, const struct reply *reply)
{
    ldns_pkt *packet;
    char *text;

    printf("  --- %s, %u octets\n", name, reply->length);
    if (!reply->wire) {
        printf("  (silence)\n");
        return;
    }
    if (ldns_wire2pkt(&packet, reply->wire, reply->length) != LDNS_STATUS_OK) {
        for (size_t i = 0; i < reply->length; i++)
            printf("%02x%s", reply->wire[i], i % 32 == 31 ? "\n" : "");
        printf("\n");
        return;
    }
    text = ldns_pkt2str(packet);
    fputs(text, stdout);
    free(text);
    ldns_pkt_free(packet);
}

/* Ours, and every peer's that differs; equal peers are shown once each, they may differ in
 * detail. */
static void dump_all(const struct trial *trial, const struct judgement *judgement)
{
    dump(trial->servers[0]->name, trial->replies[0]);
    for (size_t i = 1; i < trial->count; i++)
        if (judgement->parts[i])
            dump(trial->servers[i]->name, trial->replies[i]);
}

void report_trial(const struct trial *trial, const struct judgement *judgement, bool with_dumps)
{
    const struct query *query = trial->query;
    char qname[NAME_TEXT_MAX], qtype[32], parts[COMPARE_TEXT_MAX];

    judge_name_query(query, qname, qtype);
    printf("! %s %s %s class%u%s%s%s max %u: %s %s", trial->zone, qname, qtype, query->qclass,
           query->edns ? " edns" : "", query->dnssec_ok ? " do" : "", query->tcp ? " tcp" : "",
           query->reply_max, trial->servers[0]->name, verdict_sentences[judgement->verdict]);
    if (judgement->complaint)
        printf(": %s", judgement->complaint);
    for (size_t i = 1; i < trial->count; i++)
        if (judgement->parts[i])
            printf("; %s: %s", trial->servers[i]->name,
                   compare_parts_to_text(judgement->parts[i], parts));
    printf("\n");
    if (with_dumps)
        dump_all(trial, judgement);
}

void report_unused_known(const struct known *known, const char *path)
{
    for (size_t i = 0; i < known->count; i++)
        if (known->items[i].tried && known->items[i].used == 0)
            printf("%s:%d: this entry was not needed: %s %s %s\n", path, known->items[i].line,
                   known->items[i].zone, known->items[i].qname, known->items[i].qtypes);
}
