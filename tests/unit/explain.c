#include "server/statistics/explain.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is told of one group; NULL and 0 are what is usual. */
struct situation {
    const char *policy;
    const char *effective; /* the policy, unless told */
    const char *queries;   /* of the workers, in the interval; NULL: there is no interval */
    const char *drops;     /* likewise */
    const char *heaviest;  /* shares of clients */
    const char *states;    /* of workers other than serving: {"2": "stalled"} */
    const char *queues;    /* octets in the workers' queues */
    const char *wakeups;   /* all and empty ones of each worker */
    int flows;
    int cpus;
    int queue_max; /* 8 MiB */
    int sockets;   /* as many as workers */
    int old_drops; /* of worker 0, before the interval */
};

static json_t *parse(const char *text)
{
    json_t *json = text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : json_array();

    assert_non_null(json);
    return json;
}

static json_t *make_workers(const struct situation *situation, size_t count)
{
    json_t *workers = json_array();
    json_t *states = situation->states != NULL ? parse(situation->states) : json_object();
    json_t *wakeups = parse(situation->wakeups);

    for (size_t i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        const char *state = json_string_value(json_object_get(states, name));
        json_t *worker =
            json_pack("{s:i, s:s}", "worker", (int)i, "state", state != NULL ? state : "serving");
        if (json_array_size(wakeups) == 2) {
            json_object_set(worker, "wakeups", json_array_get(wakeups, 0));
            json_object_set(worker, "wakeups_empty", json_array_get(wakeups, 1));
        }
        json_array_append_new(workers, worker);
    }
    json_decref(states);
    json_decref(wakeups);
    return workers;
}

static json_t *make_sockets(const struct situation *situation, size_t count)
{
    json_t *sockets = json_array();
    json_t *queues = parse(situation->queues);
    json_t *drops = parse(situation->drops);

    for (size_t i = 0; i < count; i++) {
        json_int_t dropped = json_integer_value(json_array_get(drops, i));
        json_array_append_new(sockets,
                              json_pack("{s:i, s:I, s:i, s:I}", "worker", (int)i, "queue",
                                        json_integer_value(json_array_get(queues, i)), "queue_max",
                                        situation->queue_max > 0 ? situation->queue_max : 8 << 20,
                                        "drops", dropped + (i == 0 ? situation->old_drops : 0)));
    }
    json_decref(queues);
    json_decref(drops);
    return sockets;
}

static json_t *make_clients(const char *shares)
{
    json_t *clients = json_array();
    json_t *list = parse(shares);

    for (size_t i = 0; i < json_array_size(list); i++)
        json_array_append_new(clients, json_pack("{s:o, s:O}", "client",
                                                 json_sprintf("192.0.2.1@%zu", 40001 + i), "share",
                                                 json_array_get(list, i)));
    json_decref(list);
    return clients;
}

static json_t *make_stats(const struct situation *situation)
{
    json_t *queries = parse(situation->queries);
    size_t count = situation->queries != NULL ? json_array_size(queries) : 4;
    size_t sockets = situation->sockets > 0 ? (size_t)situation->sockets : count;
    const char *effective = situation->effective != NULL ? situation->effective : situation->policy;
    json_t *stats =
        json_pack("{s:{s:s, s:s, s:s}, s:i, s:o, s:[{s:s, s:o}]}", "steering", "policy",
                  situation->policy, "effective", effective, "proof", "no such program", "cpus",
                  situation->cpus, "workers", make_workers(situation, count), "groups", "address",
                  "192.0.2.53@53", "sockets", make_sockets(situation, sockets));

    if (situation->queries != NULL)
        json_object_set_new(stats, "interval",
                            json_pack("{s:f, s:f, s:[{s:s, s:O, s:o, s:i, s:o}]}", "seconds", 10.0,
                                      "ago", 0.5, "groups", "address", "192.0.2.53@53", "queries",
                                      queries, "drops", parse(situation->drops), "flows",
                                      situation->flows, "heaviest",
                                      make_clients(situation->heaviest)));
    json_decref(queries);
    assert_non_null(stats);
    return stats;
}

static json_t *explanation_of(const struct situation *situation)
{
    json_t *stats = make_stats(situation);
    json_t *explanation = explain(stats);

    json_decref(stats);
    assert_non_null(explanation);
    return explanation;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value != NULL ? value : "";
}

static const json_t *first_group(const json_t *explanation)
{
    return json_array_get(json_object_get(explanation, "groups"), 0);
}

/* Is there a finding with this cause that says all of this? */
static const json_t *find(const json_t *findings, const char *cause)
{
    size_t i;
    json_t *finding;

    json_array_foreach(findings, i,
                       finding) if (strcmp(text(finding, "cause"), cause) == 0) return finding;
    return NULL;
}

static void assert_says(const json_t *finding, const char *member, const char *words)
{
    if (words == NULL) {
        assert_null(json_object_get(finding, member));
    } else if (strstr(text(finding, member), words) == NULL) {
        print_error("no '%s' in %s '%s'\n", words, member, text(finding, member));
        fail();
    }
}

static void each_situation_has_its_sentence(void **state)
{
    (void)state;
    static const struct {
        struct situation situation;
        const char *level;
        const char *cause;
        const char *sentence;
        const char *advice;
    } cases[] = {
        /* hash */
        {{.policy = "hash", .queries = "[465, 9302, 116, 117]", .flows = 40, .heaviest = "[0.93]"},
         "problem",
         "heavy-client",
         "1 client port (192.0.2.1@40001) carries 93 % of the queries; hash cannot split one flow, "
         "so worker 1 gets 93 %.",
         "sorrelctl steering query"},
        {{.policy = "hash", .queries = "[100000, 0, 0, 0]", .flows = 1, .heaviest = "[1]"},
         "problem",
         "heavy-client",
         "carries 100 % of the queries",
         "sorrelctl steering query"},
        {{.policy = "hash",
          .queries = "[800, 400, 100, 100]",
          .flows = 60,
          .heaviest = "[0.31, 0.28, 0.25, 0.01]"},
         "problem",
         "heavy-clients",
         "3 client ports carry 84 % of the queries (the busiest: ",
         "sorrelctl steering query"},
        {{.policy = "hash", .queries = "[500, 500, 0, 0]", .flows = 2},
         "problem",
         "few-flows",
         "only 2 client ports for 4 workers: hash leaves at least 2 of them",
         "sorrelctl steering query"},
        {{.policy = "hash", .queries = "[3750, 3125, 1875, 1250]", .flows = 16},
         "note",
         "bad-luck",
         "The busiest of 4 workers gets 1.50 times the mean. With 16 client ports that is chance",
         "sorrelctl steering query"},
        {{.policy = "hash", .queries = "[2550, 2450, 2520, 2480]", .flows = 1000},
         "fine",
         "even",
         "Evenly spread: the busiest of 4 workers gets 1.02 times the mean, where hash makes it "
         "about ",
         NULL},
        {{.policy = "hash", .queries = "[3300, 3300, 3390, 10]", .flows = 1000},
         "problem",
         "not-chance",
         "Worker 3 gets 0.1 %, where chance gives each 2",
         "ss -lunp"},
        {{.policy = "hash", .queries = "[7000, 1000, 1000, 1000]", .flows = 10000},
         "problem",
         "not-chance",
         "Worker 0 gets 70 %",
         "sorrelctl status"},
        {{.policy = "hash", .queries = "[50, 50]"}, "note", "unknown-flows", "is not known", NULL},
        /* query, random */
        {{.policy = "query", .queries = "[25010, 24990, 25100, 24900]", .flows = 1},
         "fine",
         "even",
         "1.00 times the mean, where query makes it about 1.0",
         NULL},
        {{.policy = "query", .queries = "[10000, 0, 0, 0]", .flows = 3, .heaviest = "[0.9, 0.05]"},
         "problem",
         "message-ids",
         "Worker 0 gets 100 %, where random message IDs would give each 24 % to 26 %: some client "
         "uses the same IDs again and again, perhaps 192.0.2.1@40001.",
         "sorrelctl steering random"},
        {{.policy = "random", .queries = "[2500, 2500, 2470, 2530]", .flows = 1},
         "fine",
         "even",
         "where random makes it about 1.0",
         NULL},
        {{.policy = "random", .queries = "[10000, 0, 0, 0]", .flows = 1},
         "problem",
         "not-chance",
         "Worker 0 gets 100 %",
         "ss -lunp"},
        /* cpu, shared */
        {{.policy = "cpu", .queries = "[0, 9990, 5, 5]", .flows = 900},
         "problem",
         "one-receive-queue",
         "99.9 % of the queries are received by one CPU, worker 1's",
         "ethtool -L"},
        {{.policy = "cpu", .queries = "[6000, 4000, 0, 0]", .flows = 900},
         "note",
         "uneven-receive-queues",
         "Worker 0 gets 60 %",
         "sorrelctl steering query"},
        {{.policy = "cpu", .queries = "[2900, 2300, 2400, 2400]", .flows = 900},
         "fine",
         "by-cpu",
         "1.16 times the mean",
         NULL},
        {{.policy = "shared", .queries = "[9000, 1000]", .flows = 5, .sockets = 1},
         "fine",
         "shared",
         "1.80 times the mean",
         NULL},
        /* nothing to tell from */
        {{.policy = "hash"}, "fine", "idle", "no queries", NULL},
        {{.policy = "query", .queries = "[9, 0, 1, 2]", .flows = 2},
         "fine",
         "few-queries",
         "12 queries: too few",
         NULL},
        {{.policy = "query", .queries = "[1, 0]", .flows = 1},
         "fine",
         "few-queries",
         "1 query: too few",
         NULL},
        {{.policy = "hash", .queries = "[5000]", .flows = 1, .heaviest = "[1]"},
         "fine",
         "one-worker",
         "one worker, and it gets everything",
         NULL},
        {{.policy = "hash", .queries = "[5000, 0]", .flows = 1, .states = "{\"1\": \"starting\"}"},
         "note",
         "one-serves",
         "Only one worker serves",
         NULL},
        /* drops */
        {{.policy = "hash",
          .queries = "[900000, 1000, 1000, 1000]",
          .drops = "[97000, 0, 0, 0]",
          .flows = 40,
          .heaviest = "[0.99]"},
         "problem",
         "drops",
         "dropped 97,000 datagrams (9.7 % of those that came) as receive queues were full, nearly "
         "all of them worker 0's.",
         "sorrelctl steering query"},
        {{.policy = "query", .queries = "[5000, 5000]", .drops = "[1, 0]", .cpus = 8},
         "problem",
         "drops",
         "dropped 1 datagram ",
         "sorrelctl workers 8"},
        {{.policy = "query",
          .queries = "[5000, 5000]",
          .drops = "[900, 950]",
          .cpus = 2,
          .queue_max = 212992},
         "problem",
         "drops",
         "1,850 datagrams",
         "net.core.rmem_max="},
        {{.policy = "query", .queries = "[5000, 5000]", .drops = "[900, 950]", .cpus = 2},
         "problem",
         "drops",
         "1,850 datagrams",
         "more CPUs"},
        {{.policy = "query", .queries = "[5000, 5000]", .drops = "[0, 0]", .old_drops = 7},
         "note",
         "past-drops",
         "7 datagrams dropped since the start",
         NULL},
        {{.policy = "query", .queries = "[5000, 5000]", .queues = "[0, 6291456]"},
         "problem",
         "full-queue",
         "The receive queue of worker 1 is 75 % full",
         NULL},
        {{.policy = "new", .queries = "[60, 40]"},
         "fine",
         "other-policy",
         "1.20 times the mean",
         NULL},
        /* workers that the steering leaves out are not counted in */
        {{.policy = "query",
          .queries = "[3333, 3334, 0, 3333]",
          .flows = 9,
          .states = "{\"2\": \"stalled\"}"},
         "fine",
         "even",
         "Evenly spread: the busiest of 3 workers",
         NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *explanation = explanation_of(&cases[i].situation);
        const json_t *findings = json_object_get(first_group(explanation), "findings");
        const json_t *finding = find(findings, cases[i].cause);
        if (finding == NULL)
            print_error("case %zu: no %s in %s\n", i, cases[i].cause,
                        json_dumps(findings, JSON_INDENT(1)));
        assert_non_null(finding);
        assert_says(finding, "sentence", cases[i].sentence);
        assert_says(finding, "advice", cases[i].advice);
        assert_string_equal(text(finding, "level"), cases[i].level);
        json_decref(explanation);
    }
}

static void the_daemon_has_its_findings(void **state)
{
    (void)state;
    static const struct {
        struct situation situation;
        const char *cause;
        const char *sentence;
        const char *advice;
    } cases[] = {
        {{.policy = "query", .effective = "hash"},
         "other-policy",
         "The policy asked for is query, but in force is hash: no such program.",
         NULL},
        {{.policy = "query", .cpus = 2},
         "more-workers-than-cpus",
         "4 workers share 2 CPUs",
         "sorrelctl workers 2"},
        {{.policy = "query", .states = "{\"3\": \"waiting\"}"},
         "waiting",
         "Worker 3 has died",
         NULL},
        {{.policy = "query", .states = "{\"0\": \"stalled\"}"},
         "stalled",
         "Worker 0 has work",
         NULL},
        {{.policy = "query", .states = "{\"0\": \"retiring\"}"}, "retiring", "Worker 0 gets", NULL},
        {{.policy = "query", .states = "{\"1\": \"starting\"}"}, "starting", "Worker 1 is", NULL},
        {{.policy = "shared", .wakeups = "[1000, 250]"},
         "wasted-wakeups",
         "25 % of the times that a worker woke up",
         "sorrelctl steering query"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *explanation = explanation_of(&cases[i].situation);
        const json_t *findings = json_object_get(explanation, "findings");
        assert_int_equal(json_array_size(findings), 1);
        assert_non_null(find(findings, cases[i].cause));
        assert_says(find(findings, cases[i].cause), "sentence", cases[i].sentence);
        assert_says(find(findings, cases[i].cause), "advice", cases[i].advice);
        assert_string_not_equal(text(explanation, "level"), "fine");
        json_decref(explanation);
    }
    json_t *explanation =
        explanation_of(&(struct situation){.policy = "shared", .cpus = 4, .wakeups = "[1000, 9]"});
    assert_int_equal(json_array_size(json_object_get(explanation, "findings")), 0);
    assert_string_equal(text(explanation, "level"), "fine");
    json_decref(explanation);
}

static void shares_stand_beside_what_is_expected(void **state)
{
    (void)state;
    const struct situation situation = {.policy = "hash",
                                        .queries = "[2100, 3000, 2900, 2000]",
                                        .drops = "[0, 5, 0, 0]",
                                        .flows = 1000,
                                        .states = "{\"3\": \"retiring\"}"};
    json_t *explanation = explanation_of(&situation);
    const json_t *group = first_group(explanation);
    const json_t *workers = json_object_get(group, "workers");
    static const char *const verdicts[] = {"below", "within", "within", ""};

    assert_string_equal(text(group, "address"), "192.0.2.53@53");
    assert_string_equal(text(explanation, "policy"), "hash");
    assert_int_equal(json_integer_value(json_object_get(group, "queries")), 10000);
    assert_float_equal(json_real_value(json_object_get(group, "imbalance")), 0.9, 1e-6);
    assert_int_equal(json_array_size(workers), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(text(json_array_get(workers, i), "verdict"), verdicts[i]);
    const json_t *second = json_array_get(workers, 1);
    assert_float_equal(json_real_value(json_object_get(second, "share")), 0.3, 1e-6);
    assert_int_equal(json_integer_value(json_object_get(second, "drops")), 5);
    assert_true(json_real_value(json_object_get(second, "low")) > 0.28);
    assert_true(json_real_value(json_object_get(second, "high")) < 0.39);
    json_decref(explanation);
}

/* The one heavy client's share is known from samples, and not quite right. */
static void a_whole_is_within_the_whole(void **state)
{
    (void)state;
    const struct situation situation = {
        .policy = "hash", .queries = "[100002, 3, 1, 1]", .flows = 1, .heaviest = "[0.9993]"};
    json_t *explanation = explanation_of(&situation);
    const json_t *workers = json_object_get(first_group(explanation), "workers");

    for (size_t i = 0; i < 4; i++)
        assert_string_equal(text(json_array_get(workers, i), "verdict"), "within");
    json_decref(explanation);
}

/* The worst comes first, and makes the level of the whole. */
static void findings_are_ranked(void **state)
{
    (void)state;
    const struct situation situation = {
        .policy = "query", .queries = "[5000, 5000]", .drops = "[50, 50]", .flows = 7};
    json_t *explanation = explanation_of(&situation);
    const json_t *findings = json_object_get(first_group(explanation), "findings");

    assert_int_equal(json_array_size(findings), 2);
    assert_string_equal(text(json_array_get(findings, 0), "cause"), "drops");
    assert_string_equal(text(json_array_get(findings, 1), "cause"), "even");
    assert_string_equal(text(explanation, "level"), "problem");
    json_decref(explanation);
}

/* Whatever a document lacks, or has of another type, there is an explanation. */
static void any_document_can_be_explained(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "{}",
        "[]",
        "{\"groups\": 7, \"steering\": [], \"workers\": {}}",
        "{\"groups\": [{}, 1, {\"sockets\": [{}]}]}",
        "{\"groups\": [{\"address\": \"a\", \"sockets\": []}], \"interval\": {\"groups\": []}}",
        "{\"steering\": {\"policy\": \"hash\"}, \"groups\": [{\"address\": \"a\", \"sockets\": "
        "[{}, {}]}],"
        " \"interval\": {\"groups\": [{\"address\": \"a\", \"queries\": [-5, 1e30], \"flows\": -1,"
        "  \"drops\": [\"x\"], \"heaviest\": [{\"share\": 7}, {\"share\": -1}, 3]}]}}",
        "{\"steering\": {\"policy\": \"new\"}, \"groups\": [{\"address\": \"a\", \"sockets\": [{}, "
        "{}]}],"
        " \"interval\": {\"groups\": [{\"address\": \"a\", \"queries\": [50, 50]}]}}",
    };

    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        json_t *stats = parse(documents[i]);
        json_t *explanation = explain(stats);
        assert_true(json_is_array(json_object_get(explanation, "groups")));
        json_decref(explanation);
        json_decref(stats);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_situation_has_its_sentence),
        cmocka_unit_test(the_daemon_has_its_findings),
        cmocka_unit_test(shares_stand_beside_what_is_expected),
        cmocka_unit_test(a_whole_is_within_the_whole),
        cmocka_unit_test(findings_are_ranked),
        cmocka_unit_test(any_document_can_be_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
