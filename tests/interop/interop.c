/*
 * interop: the same questions to sorreld and to the other servers installed here, on the same
 * zones; every answer compared, every reply checked by itself. See README.
 */
#include "check.h"
#include "judge.h"
#include "odd.h"
#include "proof.h"
#include "queries.h"
#include "report.h"

#include <err.h>
#include <fnmatch.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char all_peers[] = "nsd,knotd,named";

static struct {
    const char *sorreld;   /* path of the program under test */
    const char *stand_in;  /* a peer's name, to be tested in sorreld's place */
    const char *known;
    const char *only;      /* a pattern for zones */
    const char *peers;     /* comma-separated */
    size_t queries_per_zone;
    size_t dumps_per_zone;
    size_t lines_per_zone;
} options = {
    .peers = all_peers,
    .queries_per_zone = 2500,
    .dumps_per_zone = 2,
    .lines_per_zone = 12,
};

static struct {
    char directory[64];
    struct server servers[SERVERS_MAX];
    size_t count;
    struct known known;
    size_t passed, failed;
} run;

/* Ordinary questions: a lost datagram is asked again; odd ones may well stay without an answer. */
static const struct patience patience_ordinary = { 700, 4, 48 };
static const struct patience patience_odd = { 250, 2, 8 };
static const struct patience patience_odd_tcp = { 250, 1, 1 };

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void stop_servers(void)
{
    for (size_t i = 0; i < run.count; i++)
        server_stop(&run.servers[i]);
    run.count = 0;
}

static void clean_up(void)
{
    stop_servers();
    if (*run.directory)
        nftw(run.directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void interrupt(int number)
{
    (void)number;
    ask_interrupted = 1;
}

static void exit_if_interrupted(void)
{
    if (ask_interrupted)
        exit(130);
}

static void start(const char *name, const char *program, const struct zone_set *zones)
{
    if (!server_start(&run.servers[run.count++], name, program, run.directory, zones))
        errx(1, "%s cannot be started", program ? program : name);
}

static void start_servers(const struct zone_set *zones)
{
    static const char *const peers[] = { "nsd", "knotd", "named" };
    const char *stand_in = options.stand_in;

    start(stand_in ? stand_in : "sorreld", stand_in ? NULL : options.sorreld, zones);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        if (strstr(options.peers, peers[i]) && server_find_program(peers[i])
            && (!stand_in || strcmp(stand_in, peers[i]) != 0))
            start(peers[i], NULL, zones);
    for (size_t i = 0; i < run.count; i++) {
        if (server_await(&run.servers[i], zones))
            continue;
        exit_if_interrupted();
        errx(1, "%s does not serve %s", run.servers[i].name, zones->directory);
    }
}

/* Who takes part in the comparison for one zone: ours first, then the peers that loaded it. */
static bool choose_voters(struct trial *trial, const struct zone *zone, char *text, size_t room)
{
    trial->count = 0;
    *text = '\0';
    for (size_t i = 0; i < run.count; i++) {
        if (!ask_is_served(&run.servers[i], zone))
            continue;
        if (i > 0)
            snprintf(text + strlen(text), room - strlen(text), "%s%s", *text ? "," : "",
                     run.servers[i].name);
        trial->servers[trial->count++] = &run.servers[i];
    }
    return trial->count > 0 && trial->servers[0] == &run.servers[0];
}

static void ask_server(const struct server *server, const struct query_list *queries,
                       struct patience patience, struct reply *replies)
{
    struct server *own = &run.servers[server - run.servers];

    if (!ask_all(own, queries, patience, replies)) {
        exit_if_interrupted();
        errx(1, "%s died, or no longer takes connections", server->name);
    }
    exit_if_interrupted();
}

static void judge_all(struct trial *trial, const struct query_list *queries,
                      struct reply *const *replies, const struct zone_set *zones,
                      struct tally *tally)
{
    size_t shown = 0;

    for (size_t i = 0; i < queries->count; i++) {
        struct judgement judgement;

        trial->query = &queries->items[i];
        for (size_t j = 0; j < trial->count; j++)
            trial->replies[j] = &replies[j][i];
        judgement = judge(trial, zones, &run.known);
        tally->verdicts[judgement.verdict]++;
        if (judgement.verdict <= VERDICT_KNOWN)
            continue;
        if (shown < options.lines_per_zone)
            report_trial(trial, &judgement, shown < options.dumps_per_zone);
        shown++;
    }
    if (shown > options.lines_per_zone)
        printf("! ... and %zu more on %s\n", shown - options.lines_per_zone, trial->zone);
}

static void compare_on(struct trial *trial, const struct query_list *queries,
                       struct patience patience, const struct zone_set *zones,
                       struct tally *tally)
{
    struct reply *replies[SERVERS_MAX];

    for (size_t i = 0; i < trial->count; i++) {
        replies[i] = calloc(queries->count + 1, sizeof **replies);
        ask_server(trial->servers[i], queries, patience, replies[i]);
    }
    judge_all(trial, queries, replies, zones, tally);
    if (patience.window == patience_ordinary.window)
        proof_check_all(trial->servers[0], run.directory, queries, replies[0], zones,
                        &tally->proofs, &tally->bad_proofs);
    for (size_t i = 0; i < trial->count; i++)
        ask_free_replies(replies[i], queries->count);
}

static void finish_zone(const char *name, const struct tally *tally, const char *voters)
{
    known_note_zone(&run.known, name);
    report_zone(name, tally, voters);
    if (report_unexplained(tally) == 0)
        run.passed++;
    else
        run.failed++;
}

static void test_zone(const struct zone *zone, const struct zone_set *zones)
{
    struct query_list queries = { .items = NULL };
    struct tally tally = { .proofs = 0 };
    struct trial trial = { .zone = zone->text };
    char voters[64];

    if (!choose_voters(&trial, zone, voters, sizeof voters)) {
        printf("! %s is not served by %s\n", zone->text, run.servers[0].name);
        run.failed++;
        return;
    }
    queries_generate(&queries, zone, options.queries_per_zone);
    compare_on(&trial, &queries, patience_ordinary, zones, &tally);
    finish_zone(zone->text, &tally, voters);
    queries_free(&queries);
}

static void test_odd(const struct zone_set *zones)
{
    struct tally tally = { .proofs = 0 };
    struct trial trial = { .zone = "(odd)" };
    char voters[64];

    if (!choose_voters(&trial, &zones->items[0], voters, sizeof voters))
        return;
    for (int tcp = 0; tcp <= 1; tcp++) {
        struct query_list queries = { .items = NULL };

        odd_generate(&queries, &zones->items[0], tcp);
        compare_on(&trial, &queries, tcp ? patience_odd_tcp : patience_odd, zones, &tally);
        queries_free(&queries);
    }
    finish_zone("(odd)", &tally, voters);
}

static void test_set(const char *directory, bool with_odd)
{
    struct zone_set zones;

    if (!zones_read(&zones, directory))
        exit(1);
    start_servers(&zones);
    for (size_t i = 0; i < zones.count; i++)
        if (!options.only || fnmatch(options.only, zones.items[i].text, FNM_NOESCAPE) == 0)
            test_zone(&zones.items[i], &zones);
    if (with_odd && (!options.only || strcmp(options.only, "(odd)") == 0))
        test_odd(&zones);
    stop_servers();
    check_forget();
    zones_free(&zones);
}

_Noreturn static void usage(int status)
{
    fprintf(status ? stderr : stdout,
            "usage: interop [-s SORRELD] [-k KNOWN] [-z ZONE-PATTERN] [-p PEERS] [-n QUERIES]\n"
            "               [-l LINES] [-d DUMPS] [-a PEER] DIRECTORY...\n"
            "  -n QUERIES  at most about so many a zone      -l LINES, -d DUMPS  shown of a zone\n"
            "  -a PEER     test that peer as if it were sorreld\n");
    exit(status);
}

static void read_options(int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "s:k:z:p:n:l:d:a:h")) != -1) {
        switch (letter) {
        case 's':
            options.sorreld = optarg;
            break;
        case 'k':
            options.known = optarg;
            break;
        case 'z':
            options.only = optarg;
            break;
        case 'p':
            options.peers = optarg;
            break;
        case 'n':
            options.queries_per_zone = strtoul(optarg, NULL, 10);
            break;
        case 'l':
            options.lines_per_zone = strtoul(optarg, NULL, 10);
            break;
        case 'd':
            options.dumps_per_zone = strtoul(optarg, NULL, 10);
            break;
        case 'a':
            options.stand_in = optarg;
            break;
        default:
            usage(letter == 'h' ? 0 : 2);
        }
    }
    if (optind == argc)
        usage(2);
}

static void catch_signals(void)
{
    const struct sigaction action = { .sa_handler = interrupt };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void make_directory(void)
{
    const char *parent = getenv("TMPDIR");

    snprintf(run.directory, sizeof run.directory, "%s/interop.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(run.directory)) {
        *run.directory = '\0';
        err(1, "cannot make a directory for the servers");
    }
    atexit(clean_up);
}

static bool some_peer_is_installed(void)
{
    return server_find_program("nsd") || server_find_program("knotd")
           || server_find_program("named");
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    if (options.known && !known_read(&run.known, options.known))
        return 1;
    catch_signals();
    make_directory();
    if (!some_peer_is_installed())
        puts("no peer is installed (nsd, knotd, named): replies are only checked by themselves");
    report_heading();
    for (int i = optind; i < argc; i++)
        test_set(argv[i], i == optind);
    if (strcmp(options.peers, all_peers) == 0 && !options.stand_in && some_peer_is_installed())
        report_unused_known(&run.known, options.known);
    known_free(&run.known);
    printf("%zu passed, %zu failed\n", run.passed, run.failed);
    return run.passed == 0 || run.failed > 0;
}
