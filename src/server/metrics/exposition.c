#include "server/metrics/exposition.h"

#include "server/statistics/members.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* --- lines ---------------------------------------------------------------------------- */

static void begin(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void put_value(FILE *out, const char *value)
{
    for (; *value != '\0'; value++)
        if (*value == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *value == '\\' || *value == '"' ? "\\%c" : "%c", *value);
}

/* Labels are pairs of name and value, ended by NULL; a value of NULL leaves its label out. */
static void put(FILE *out, const char *name, const char *const *labels, double value)
{
    const char *between = "{";

    fputs(name, out);
    for (; *labels != NULL; labels += 2) {
        if (labels[1] == NULL)
            continue;
        fprintf(out, "%s%s=\"", between, labels[0]);
        put_value(out, labels[1]);
        fputc('"', out);
        between = ",";
    }
    fprintf(out, *between == ',' ? "} %.17g\n" : " %.17g\n", value);
}

#define LABELS(...)                                                                                \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const char *const no_labels[] = {NULL};

static void put_single(FILE *out, const char *name, const char *type, const char *help,
                       double value)
{
    begin(out, name, type, help);
    put(out, name, no_labels, value);
}

/* --- workers ---------------------------------------------------------------------------- */

typedef void worker_function(FILE *out, const char *worker, const json_t *counters,
                             const void *closure);

/* Calls `function` for each worker, and for those that are no more as "retired". */
static void each_worker(const json_t *stats, worker_function *function, const void *closure,
                        FILE *out)
{
    char name[24];
    size_t i;
    json_t *worker;

    json_array_foreach(json_object_get(stats, "workers"), i, worker)
    {
        snprintf(name, sizeof name, "%.0f", members_number(worker, "worker"));
        function(out, name, worker, closure);
    }
    if (json_object_get(stats, "retired") != NULL)
        function(out, "retired", json_object_get(stats, "retired"), closure);
}

struct family {
    const char *name;
    const char *help;
    const char *member;
    const char *label; /* of an object's members; NULL: a number */
};

static void put_traffic(FILE *out, const char *worker, const json_t *counters, const void *closure)
{
    static const char *const kinds[][3] = {{"udp4", "udp", "ipv4"},
                                           {"udp6", "udp", "ipv6"},
                                           {"tcp4", "tcp", "ipv4"},
                                           {"tcp6", "tcp", "ipv6"}};
    const struct family *family = closure;
    const json_t *counts = json_object_get(counters, family->member);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        put(out, family->name,
            LABELS("worker", worker, "transport", kinds[i][1], "family", kinds[i][2]),
            members_number(counts, kinds[i][0]));
}

static void put_counters(FILE *out, const char *worker, const json_t *counters, const void *closure)
{
    const struct family *family = closure;
    const json_t *counts = json_object_get(counters, family->member);
    const char *name;
    json_t *value;

    if (family->label == NULL) {
        put(out, family->name, LABELS("worker", worker), json_number_value(counts));
        return;
    }
    json_object_foreach((json_t *)counts, name, value)
    {
        put(out, family->name, LABELS("worker", worker, family->label, name),
            json_number_value(value));
    }
}

static void put_tcp(FILE *out, const char *worker, const json_t *counters, const void *closure)
{
    const struct family *family = closure;

    put(out, family->name, LABELS("worker", worker),
        members_number(json_object_get(counters, "tcp"), family->member));
}

/* Widths are counted in classes from one power of two to the next, whose names are the least. */
static void put_widths(FILE *out, const char *worker, const json_t *counters, const void *closure)
{
    const json_t *queries = json_object_get(counters, "queries");
    const char *least;
    json_t *count;
    double sum = 0;
    char most[24];

    (void)closure;
    json_object_foreach(json_object_get(counters, "batch_width"), least, count)
    {
        sum += json_number_value(count);
        snprintf(most, sizeof most, "%ld", 2 * strtol(least, NULL, 10) - 1);
        put(out, "sorrel_batch_width_bucket", LABELS("worker", worker, "le", most), sum);
    }
    put(out, "sorrel_batch_width_bucket", LABELS("worker", worker, "le", "+Inf"), sum);
    put(out, "sorrel_batch_width_sum", LABELS("worker", worker),
        members_number(queries, "udp4") + members_number(queries, "udp6"));
    put(out, "sorrel_batch_width_count", LABELS("worker", worker), sum);
}

/* Each ends with a family without a name. */
static const struct family traffic[] = {
    {"sorrel_queries_total", "Queries that arrived.", "queries", NULL},
    {"sorrel_responses_total", "Responses that were sent.", "responses", NULL},
    {0},
};

static const struct family counters[] = {
    {"sorrel_queries_by_type_total", "Queries by QTYPE.", "qtypes", "qtype"},
    {"sorrel_queries_by_opcode_total", "Queries by opcode.", "opcodes", "opcode"},
    {"sorrel_responses_by_rcode_total", "Responses by RCODE.", "rcodes", "rcode"},
    {"sorrel_queries_dropped_total", "Messages without a response, by reason.", "dropped",
     "reason"},
    {"sorrel_rate_limited_total", "Responses that rate limiting held back, by what became of them.",
     "rrl", "outcome"},
    {"sorrel_cookies_total", "Queries with a DNS cookie, by what it was worth.", "cookies",
     "state"},
    {"sorrel_responses_truncated_total", "Responses with TC.", "truncated", NULL},
    {"sorrel_queries_edns_total", "Queries with EDNS.", "edns", NULL},
    {"sorrel_queries_dnssec_ok_total", "Queries with DO.", "dnssec_ok", NULL},
    {"sorrel_queries_malformed_total", "Queries that were answered with FORMERR.", "malformed",
     NULL},
    {"sorrel_queries_cut_off_total", "Datagrams that were longer than any query.", "cut_off", NULL},
    {"sorrel_wakeups_total", "Times that a worker woke up for a datagram.", "wakeups", NULL},
    {"sorrel_wakeups_empty_total", "Times that it then found none.", "wakeups_empty", NULL},
    {"sorrel_worker_deaths_total", "Workers of this number that died.", "deaths", NULL},
    {0},
};

static const struct family tcp[] = {
    {"sorrel_tcp_connections_total", "TCP connections that were accepted.", "connections", NULL},
    {"sorrel_tcp_connections_refused_total", "TCP connections that were too many.", "turned_away",
     NULL},
    {"sorrel_tcp_timeouts_total", "TCP connections that were closed for want of progress.",
     "timeouts", NULL},
    {0},
};

static void write_families(const struct family *family, worker_function *function,
                           const json_t *stats, FILE *out)
{
    for (; family->name != NULL; family++) {
        begin(out, family->name, "counter", family->help);
        each_worker(stats, function, family, out);
    }
}

static void write_counters(const json_t *stats, FILE *out)
{
    write_families(traffic, put_traffic, stats, out);
    write_families(counters, put_counters, stats, out);
    write_families(tcp, put_tcp, stats, out);
    begin(out, "sorrel_batch_width", "histogram", "UDP queries that were taken at once.");
    each_worker(stats, put_widths, NULL, out);
}

static void write_workers(const json_t *stats, FILE *out)
{
    const json_t *workers = json_object_get(stats, "workers");
    char name[24];
    size_t i;
    json_t *worker;

    begin(out, "sorrel_worker_serving", "gauge", "1 if the worker reads its sockets.");
    json_array_foreach(workers, i, worker)
    {
        snprintf(name, sizeof name, "%.0f", members_number(worker, "worker"));
        put(out, "sorrel_worker_serving", LABELS("worker", name),
            strcmp(members_text(worker, "state"), "serving") == 0);
    }
    begin(out, "sorrel_tcp_connections_open", "gauge", "TCP connections that are open.");
    json_array_foreach(workers, i, worker)
    {
        snprintf(name, sizeof name, "%.0f", members_number(worker, "worker"));
        put(out, "sorrel_tcp_connections_open", LABELS("worker", name),
            members_number(json_object_get(worker, "tcp"), "open"));
    }
}

/* --- sockets ---------------------------------------------------------------------------- */

static void write_sockets(const json_t *stats, FILE *out)
{
    static const struct {
        const char *name;
        const char *type;
        const char *help;
        const char *member;
    } families[] = {
        {"sorrel_socket_queue_bytes", "gauge", "Memory of the datagrams that wait in a UDP socket.",
         "queue"},
        {"sorrel_socket_queue_limit_bytes", "gauge", "Memory that may be so used.", "queue_max"},
        {"sorrel_socket_queries_total", "counter", "Queries by the UDP socket they came to.",
         "queries"},
        {"sorrel_socket_drops_total", "counter",
         "Datagrams that the kernel dropped as the socket's queue was full.", "drops"},
    };

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        size_t j, k;
        json_t *group, *socket;
        begin(out, families[i].name, families[i].type, families[i].help);
        json_array_foreach(json_object_get(stats, "groups"), j, group)
        {
            json_array_foreach(json_object_get(group, "sockets"), k, socket)
            {
                char worker[24];
                snprintf(worker, sizeof worker, "%.0f", members_number(socket, "worker"));
                put(out, families[i].name,
                    LABELS("address", members_text(group, "address"), "worker", worker),
                    members_number(socket, families[i].member));
            }
        }
    }
}

/* --- dnstap ------------------------------------------------------------------------------ */

static void write_dnstap(const json_t *dnstap, FILE *out)
{
    static const char *const reasons[] = {"slow", "away"};
    const json_t *dropped = json_object_get(dnstap, "dropped");

    if (dnstap == NULL)
        return;
    put_single(out, "sorrel_dnstap_writing", "gauge",
               "1 if there is somebody to take messages of dnstap.",
               json_is_true(json_object_get(dnstap, "writing")));
    put_single(out, "sorrel_dnstap_messages_written_total", "counter",
               "Messages of dnstap that were written.", members_number(dnstap, "written"));
    begin(out, "sorrel_dnstap_messages_dropped_total", "counter",
          "Messages of dnstap that were dropped: they were taken too slowly, or not at all.");
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        put(out, "sorrel_dnstap_messages_dropped_total", LABELS("reason", reasons[i]),
            members_number(dropped, reasons[i]));
}

/* --- zones, and the daemon ---------------------------------------------------------------- */

static void write_zones(const json_t *status, FILE *out)
{
    static const struct {
        const char *name;
        const char *help;
        const char *member;
    } families[] = {
        {"sorrel_zone_serial", "The serial number that is served.", "serial"},
        {"sorrel_zone_records", "Its resource records.", "records"},
        {"sorrel_zone_loaded_timestamp_seconds", "When it was read, since 1970.", "loaded"},
    };
    const json_t *zones = json_object_get(status, "zones");
    size_t j;
    json_t *zone;

    put_single(out, "sorrel_zones", "gauge", "Zones there are.",
               members_number(status, "zone_count"));
    put_single(out, "sorrel_zones_failed", "gauge", "Zones whose files are broken.",
               members_number(status, "zone_failures"));
    begin(
        out, "sorrel_zone_failed", "gauge",
        "1 if the zone's files are broken; those that are come first, and at most 1000 are here.");
    json_array_foreach(zones, j, zone)
    {
        put(out, "sorrel_zone_failed", LABELS("zone", members_text(zone, "zone")),
            strcmp(members_text(zone, "state"), "failed") == 0);
    }
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        begin(out, families[i].name, "gauge", families[i].help);
        json_array_foreach(zones, j, zone)
        {
            if (json_object_get(zone, families[i].member) != NULL)
                put(out, families[i].name, LABELS("zone", members_text(zone, "zone")),
                    members_number(zone, families[i].member));
        }
    }
}

static void write_daemon(const json_t *stats, const json_t *status, FILE *out)
{
    const json_t *steering = json_object_get(stats, "steering");
    const json_t *table = json_object_get(status, "table");
    const char *effective = members_text(steering, "effective");

    begin(out, "sorrel_build_info", "gauge", "1, with the program's version.");
    put(out, "sorrel_build_info", LABELS("version", members_text(stats, "version")), 1);
    begin(out, "sorrel_steering_info", "gauge",
          "1, with the policy that was asked for and the one in force.");
    put(out, "sorrel_steering_info",
        LABELS("policy", members_text(steering, "policy"), "effective",
               *effective != '\0' ? effective : members_text(steering, "policy")),
        1);
    put_single(out, "sorrel_start_time_seconds", "gauge",
               "When the daemon was started, since 1970.",
               members_number(stats, "time") - members_number(stats, "uptime"));
    put_single(out, "sorrel_workers", "gauge", "Workers there are to be.",
               (double)json_array_size(json_object_get(stats, "workers")));
    put_single(out, "sorrel_table_bytes", "gauge", "Memory of the zone table.",
               members_number(table, "octets"));
    put_single(out, "sorrel_table_records", "gauge", "Resource records that are served.",
               members_number(table, "records"));
    put_single(out, "sorrel_table_generation", "gauge", "Number of the table that is served.",
               members_number(table, "generation"));
}

void exposition_write(const json_t *stats, const json_t *status, FILE *out)
{
    write_daemon(stats, status, out);
    write_counters(stats, out);
    write_workers(stats, out);
    write_sockets(stats, out);
    write_dnstap(json_object_get(stats, "dnstap"), out);
    write_zones(status, out);
}
