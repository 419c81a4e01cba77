#include "server/supervisor/stats.h"

#include "config.h"
#include "server/supervisor/supervision.h"
#include "table/crew.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Transport and address family, as the document has them. */
struct traffic_sums {
    uint64_t queries[2][2]; /* [TCP?][IPv6?] */
    uint64_t responses[2][2];
};

const char *stats_slot_state(const struct slot *slot)
{
    if (slot->retiring)
        return "retiring";
    if (slot->pid == 0)
        return "waiting";
    if (slot->suspect)
        return "stalled";
    return slot->serving ? "serving" : "starting";
}

static struct stats_address read_address(const struct slot *slot, size_t i)
{
    const struct counters_traffic *traffic = &slot->memory->addresses[i].traffic;
    struct stats_address read;

    /* Responses first: there are never more of them than of queries. */
    read.udp_responses = counters_read(&traffic->udp_responses);
    read.tcp_responses = counters_read(&traffic->tcp_responses);
    atomic_thread_fence(memory_order_acquire);
    read.udp_queries = counters_read(&traffic->udp_queries);
    read.tcp_queries = counters_read(&traffic->tcp_queries);
    read.drops = slot->queues[i].drops;
    return read;
}

struct counters_traffic stats_slot_traffic(const struct slot *slot)
{
    struct counters_traffic sum = {0};

    for (size_t i = 0; i < slot->listener_count; i++) {
        struct stats_address read = read_address(slot, i);
        sum.udp_queries += read.udp_queries;
        sum.udp_responses += read.udp_responses;
        sum.tcp_queries += read.tcp_queries;
        sum.tcp_responses += read.tcp_responses;
    }
    return sum;
}

void stats_retire(struct supervisor *supervisor, struct slot *slot)
{
    struct stats *stats = &supervisor->stats;

    if (stats->retired_addresses == NULL)
        stats->retired_addresses = calloc(slot->listener_count, sizeof *stats->retired_addresses);
    if (stats->retired_addresses == NULL)
        return;
    slot_look_at_queues(slot);
    counters_sum(&stats->retired, &slot->memory->counters);
    for (size_t i = 0; i < slot->listener_count; i++) {
        struct stats_address *sum = &stats->retired_addresses[i];
        struct stats_address read = read_address(slot, i);
        sum->udp_queries += read.udp_queries;
        sum->udp_responses += read.udp_responses;
        sum->tcp_queries += read.tcp_queries;
        sum->tcp_responses += read.tcp_responses;
        sum->drops += read.drops;
    }
}

void stats_free(struct stats *stats)
{
    free(stats->retired_addresses);
}

/* --- the document ------------------------------------------------------------------- */

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *named_numbers(const char *const *names, const uint64_t *values, unsigned count)
{
    json_t *json = json_object();

    for (unsigned i = 0; i < count; i++)
        json_object_set_new(json, names[i], number(values[i]));
    return json;
}

static bool is_v6(const struct supervisor *supervisor, size_t listener)
{
    return supervisor->settings->listeners[listener].address.any.sa_family == AF_INET6;
}

static void add_traffic(struct traffic_sums *sums, const struct stats_address *address, bool v6)
{
    sums->queries[0][v6] += address->udp_queries;
    sums->queries[1][v6] += address->tcp_queries;
    sums->responses[0][v6] += address->udp_responses;
    sums->responses[1][v6] += address->tcp_responses;
}

static json_t *traffic_json(uint64_t counts[2][2])
{
    return json_pack("{s:I, s:I, s:I, s:I}", "udp4", (json_int_t)counts[0][0], "udp6",
                     (json_int_t)counts[0][1], "tcp4", (json_int_t)counts[1][0], "tcp6",
                     (json_int_t)counts[1][1]);
}

static void set_counters(json_t *json, struct traffic_sums *traffic,
                         const struct counters_sums *sums)
{
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"truncated", sums->truncated}, {"edns", sums->edns},
        {"dnssec_ok", sums->dnssec_ok}, {"malformed", sums->rcodes[RCODE_FORMERR]},
        {"cut_off", sums->cut_off},     {"batches", sums->batches},
        {"wakeups", sums->wakeups},     {"wakeups_empty", sums->wakeups_empty},
    };

    json_object_set_new(json, "queries", traffic_json(traffic->queries));
    json_object_set_new(json, "responses", traffic_json(traffic->responses));
    json_object_set_new(json, "qtypes",
                        named_numbers(counters_qtype_names, sums->qtypes, COUNTERS_TYPE_COUNT));
    json_object_set_new(json, "opcodes",
                        named_numbers(counters_opcode_names, sums->opcodes, COUNTERS_OPCODES));
    json_object_set_new(json, "rcodes",
                        named_numbers(counters_rcode_names, sums->rcodes, COUNTERS_OUTCOMES));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_object_set_new(json, numbers[i].name, number(numbers[i].value));
    json_object_set_new(json, "dropped",
                        named_numbers(counters_drop_names, sums->dropped, COUNTERS_DROPS));
    json_object_set_new(json, "rrl",
                        json_pack("{s:I, s:I}", "dropped",
                                  (json_int_t)sums->dropped[COUNTERS_DROP_RATE_LIMITED], "slipped",
                                  (json_int_t)sums->slipped));
    json_object_set_new(json, "cookies",
                        json_pack("{s:I, s:I, s:I}", "new", (json_int_t)sums->cookies[COOKIE_NEW],
                                  "invalid", (json_int_t)sums->cookies[COOKIE_INVALID], "valid",
                                  (json_int_t)sums->cookies[COOKIE_VALID]));
    json_object_set_new(json, "batch_width",
                        named_numbers(counters_width_names, sums->batch_width, COUNTERS_WIDTHS));
    json_object_set_new(
        json, "tcp",
        json_pack("{s:I, s:I, s:I, s:I}", "connections", (json_int_t)sums->tcp_connections, "open",
                  (json_int_t)sums->tcp_open, "turned_away", (json_int_t)sums->tcp_turned_away,
                  "timeouts", (json_int_t)sums->tcp_timeouts));
}

static json_t *worker_json(const struct supervisor *supervisor, const struct slot *slot)
{
    struct traffic_sums traffic = {0};
    struct counters_sums sums = {0};
    json_t *json = json_pack("{s:i, s:s, s:I}", "worker", (int)slot->number, "state",
                             stats_slot_state(slot), "deaths", (json_int_t)slot->deaths);

    if (slot->pid != 0 && slot->cpu != SLOT_ANY_CPU)
        json_object_set_new(json, "cpu", json_integer(slot->cpu));
    if (slot->pid != 0) {
        json_object_set_new(json, "pid", json_integer(slot->pid));
        json_object_set_new(json, "uptime", json_integer(slot_clock() - slot->started));
    }
    counters_sum(&sums, &slot->memory->counters);
    for (size_t i = 0; i < slot->listener_count; i++) {
        struct stats_address address = read_address(slot, i);
        add_traffic(&traffic, &address, is_v6(supervisor, i));
    }
    set_counters(json, &traffic, &sums);
    return json;
}

static json_t *workers_json(const struct supervisor *supervisor)
{
    json_t *list = json_array();

    for (size_t i = 0; i < supervisor->slot_count; i++)
        json_array_append_new(list, worker_json(supervisor, &supervisor->slots[i]));
    return list;
}

static json_t *retired_json(const struct supervisor *supervisor)
{
    const struct stats *stats = &supervisor->stats;
    struct traffic_sums traffic = {0};
    json_t *json = json_object();

    if (stats->retired_addresses != NULL)
        for (size_t i = 0; i < supervisor->settings->listener_count; i++)
            add_traffic(&traffic, &stats->retired_addresses[i], is_v6(supervisor, i));
    set_counters(json, &traffic, &stats->retired);
    return json;
}

/* --- groups ---------------------------------------------------------------------------- */

static json_t *socket_json(const struct slot *slot, size_t listener)
{
    struct stats_address read = read_address(slot, listener);
    const struct slot_queue *queue = &slot->queues[listener];

    return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "worker", (int)slot->number, "queries",
                     (json_int_t)read.udp_queries, "responses", (json_int_t)read.udp_responses,
                     "queue", (json_int_t)queue->length, "queue_max", (json_int_t)queue->room,
                     "drops", (json_int_t)queue->drops);
}

static json_t *group_json(const struct supervisor *supervisor, size_t listener)
{
    static const struct stats_address none;
    const struct stats_address *retired = supervisor->stats.retired_addresses;
    json_t *sockets = json_array();
    char text[ADDRESS_TEXT_MAX];

    retired = retired != NULL ? &retired[listener] : &none;
    for (size_t i = 0; i < supervisor->slot_count; i++)
        json_array_append_new(sockets, socket_json(&supervisor->slots[i], listener));
    address_to_text(&supervisor->settings->listeners[listener].address, text);
    return json_pack("{s:s, s:i, s:b, s:o, s:{s:I, s:I, s:I}}", "address", text, "family",
                     is_v6(supervisor, listener) ? 6 : 4, "shared", supervisor->policy.shared,
                     "sockets", sockets, "retired", "queries", (json_int_t)retired->udp_queries,
                     "responses", (json_int_t)retired->udp_responses, "drops",
                     (json_int_t)retired->drops);
}

static json_t *groups_json(const struct supervisor *supervisor)
{
    json_t *list = json_array();

    for (size_t i = 0; i < supervisor->settings->listener_count; i++)
        json_array_append_new(list, group_json(supervisor, i));
    return list;
}

json_t *stats_document(struct supervisor *supervisor)
{
    struct timespec now;

    interval_look(supervisor);
    clock_gettime(CLOCK_REALTIME, &now);
    return json_pack("{s:s, s:i, s:i, s:f, s:f, s:o, s:o, s:o, s:o, s:o*, s:o*}", "version",
                     PACKAGE_VERSION, "pid", (int)getpid(), "cpus", (int)crew_cpus(), "time",
                     (double)now.tv_sec + (double)now.tv_nsec / 1e9, "uptime",
                     (double)(slot_clock() - supervisor->started), "steering",
                     policy_json(supervisor), "workers", workers_json(supervisor), "retired",
                     retired_json(supervisor), "groups", groups_json(supervisor), "interval",
                     interval_json(supervisor), "dnstap", dnstap_json(supervisor));
}
