/*
 * Statistics and status of an imagined daemon, for the tests of what shows them.
 */
#ifndef SORREL_TESTS_DOCUMENTS_H
#define SORREL_TESTS_DOCUMENTS_H

#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Reads JSON with ' for ". */
static inline json_t *documents_read(const char *text)
{
    char *copy = strdup(text);

    for (char *quote = copy; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    json_t *json = json_loads(copy, 0, NULL);
    free(copy);
    assert_non_null(json);
    return json;
}

/* `seconds` after the start, with so many times the counts. */
static inline json_t *documents_stats(int seconds, int times)
{
    static const char worker[] =
        "{s:i, s:i, s:s, s:i, s:i, s:{s:i, s:i, s:i, s:i}, s:{s:i}, s:{s:i, s:i}, s:{s:i, s:i}, "
        "s:i, s:{s:i}, s:i, s:{s:i, s:i}, s:i, s:i, s:{s:i, s:i, s:i, s:i}}";
    json_t *workers = json_array();

    for (int i = 0; i < 2; i++) {
        int n = times * (i == 0 ? 30 : 10);
        json_array_append_new(
            workers,
            json_pack(worker, "worker", i, "pid", 100 + i, "state", "serving",
                      "uptime", seconds, "deaths", i, "queries", "udp4", n, "udp6", 0, "tcp4",
                      n / 10, "tcp6", 0, "responses", "udp4", n, "qtypes", "A", n, "other", n / 10,
                      "rcodes", "NOERROR", n, "NXDOMAIN", n / 10, "edns", n, "dropped", "short",
                      times, "batches", n / 2, "batch_width", "1", n / 4, "2", n / 4, "wakeups",
                      n / 2, "wakeups_empty", n / 10, "tcp", "connections", n / 10, "open", 1,
                      "turned_away", 0, "timeouts", 0));
    }
    return json_pack(
        "{s:s, s:i, s:f, s:i, s:{s:s, s:s}, s:o, s:{s:{s:i}}, s:[{s:s, s:[{s:i, s:i, s:i, s:i, "
        "s:i}, "
        "{s:i, s:i, s:i, s:i, s:i}]}], s:{s:f, s:f, s:[{s:s, s:[i, i], s:[i, i], s:i, s:[{s:s, "
        "s:f}]}]}}",
        "version", "1.2", "pid", 99, "time", 1700000000.0 + seconds, "uptime", seconds, "steering",
        "policy", "hash", "effective", "hash", "workers", workers, "retired", "queries", "udp4", 7,
        "groups", "address", "192.0.2.1@53", "sockets", "worker", 0, "queries", 30 * times, "queue",
        768, "queue_max", 1024, "drops", 5 * times, "worker", 1, "queries", 10 * times, "queue", 0,
        "queue_max", 1024, "drops", 0, "interval", "seconds", 10.0, "ago", 0.0, "groups", "address",
        "192.0.2.1@53", "queries", 3000, 1000, "drops", 5, 0, "flows", 3, "heaviest", "client",
        "192.0.2.9@4000", "share", 0.7);
}

static inline json_t *documents_status(void)
{
    return documents_read(
        "{'listen': ['192.0.2.1@53'], 'table': {'generation': 3, 'octets': 4096, 'records': 12},"
        " 'zone_count': 1500, 'zone_failures': 1,"
        " 'zones': [{'zone': '<i>\\\\\\'&.', 'state': 'failed', 'errors': ["
        "             {'file': '<f>', 'line': 3, 'reason': 'no <SOA>'}]},"
        "           {'zone': 'a.', 'state': 'ok', 'serial': 4294967295, 'records': 12,"
        "            'loaded': 1699999990, 'age': 70}]}");
}

#endif
