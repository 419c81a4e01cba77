#include "server/statistics/explain_group.h"

#include "server/statistics/members.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* Shares are told of samples: so far off they may be. */
static const double share_error = 0.01;

/* --- reading --------------------------------------------------------------------------- */

static const json_t *find_by_text(const json_t *list, const char *name, const char *text)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) if (strcmp(members_text(item, name), text) == 0) return item;
    return NULL;
}

/* A worker's number; one that no worker has if there is none. */
static unsigned worker_number(const json_t *object)
{
    double number = members_number(object, "worker");

    return number >= 0 && number < UINT_MAX ? (unsigned)number : UINT_MAX;
}

static const json_t *find_worker(const json_t *stats, unsigned worker)
{
    const json_t *workers = json_object_get(stats, "workers");
    size_t i;
    json_t *item;

    json_array_foreach(workers, i, item)
    {
        if (worker_number(item) == worker)
            return item;
    }
    return NULL;
}

static void read_worker(struct explain_worker *worker, const json_t *stats, const json_t *socket,
                        const json_t *interval)
{
    worker->state = members_text(find_worker(stats, worker->worker), "state");
    worker->receives = *worker->state == '\0' || strcmp(worker->state, "serving") == 0;
    worker->queries = json_number_value(members_item(interval, "queries", worker->worker));
    worker->drops = json_number_value(members_item(interval, "drops", worker->worker));
    worker->queue = members_number(socket, "queue");
    worker->queue_max = members_number(socket, "queue_max");
    worker->all_drops = members_number(socket, "drops");
}

/* A row for each socket; where all workers share one, for each worker. */
static void read_workers(struct explain_group *group, const json_t *stats, const json_t *about,
                         const json_t *interval)
{
    const json_t *sockets = json_object_get(about, "sockets");
    size_t shared = json_array_size(json_object_get(interval, "queries"));

    group->count = json_array_size(sockets) > 1 ? json_array_size(sockets) : 0;
    if (group->count == 0)
        group->count = shared > 1 ? shared : 1;
    if (group->count > EXPLAIN_GROUP_WORKERS_MAX)
        group->count = EXPLAIN_GROUP_WORKERS_MAX;
    for (size_t i = 0; i < group->count; i++) {
        struct explain_worker *worker = &group->workers[i];
        const json_t *socket = json_array_get(sockets, i);
        *worker = (struct explain_worker){.worker = (unsigned)i};
        if (json_object_get(socket, "worker") != NULL)
            worker->worker = worker_number(socket);
        read_worker(worker, stats, socket, interval);
        group->receiving += worker->receives;
        group->queries += worker->queries;
        group->drops += worker->drops;
        group->all_drops += worker->all_drops;
    }
}

static void read_clients(struct explain_group *group, const json_t *interval)
{
    size_t i;
    json_t *client;
    double sum = 0;

    json_array_foreach(json_object_get(interval, "heaviest"), i, client)
    {
        double share = members_number(client, "share");
        if (group->client_count == EXPLAIN_GROUP_CLIENTS_MAX || share <= 0 || sum + share > 1.0001)
            break;
        sum += share;
        group->clients[group->client_count] = members_text(client, "client");
        group->heavy[group->client_count++] = share;
    }
}

/* --- what to expect -------------------------------------------------------------------- */

/* The clients that are heavier than the others, and not just sampled more often. */
static size_t count_heavy(const struct explain_group *group)
{
    size_t count = 0;

    while (count < group->client_count && (double)count < group->flows &&
           group->heavy[count] >= fmax(0.02, 2 / group->flows))
        count++;
    return count;
}

static void expect_by_flows(struct explain_group *group, unsigned workers)
{
    size_t heavy = count_heavy(group);
    double flows = group->flows, fewest = ceil(flows / 2);

    if (heavy > 0 && heavy == group->client_count)
        fewest = fmin(fewest, (double)heavy + 1 / group->heavy[heavy - 1]);
    group->band = band_of_flows(workers, (uint64_t)flows, group->heavy, heavy);
    group->extreme = band_of_flows(workers, (uint64_t)fewest, group->heavy, heavy);
}

static void expect_by_queries(struct explain_group *group, unsigned workers)
{
    group->band = group->extreme = band_of_flows(workers, (uint64_t)group->queries, NULL, 0);
}

static void expect(struct explain_group *group)
{
    bool by_queries = strcmp(group->policy, "query") == 0 || strcmp(group->policy, "random") == 0;
    bool by_flows = strcmp(group->policy, "hash") == 0 && group->flows >= 1;

    group->has_band = group->queries > 0 && group->receiving > 1 && (by_queries || by_flows);
    if (group->has_band && by_queries)
        expect_by_queries(group, (unsigned)group->receiving);
    else if (group->has_band)
        expect_by_flows(group, (unsigned)group->receiving);
}

static void compare(struct explain_group *group)
{
    for (size_t i = 0; i < group->count && group->queries > 0; i++) {
        group->workers[i].share = group->workers[i].queries / group->queries;
        if (group->workers[i].queries > group->workers[group->busiest].queries)
            group->busiest = i;
    }
    group->imbalance = group->workers[group->busiest].share *
                       (double)(group->receiving > 0 ? group->receiving : 1);
}

void explain_group_read(struct explain_group *group, const json_t *stats, size_t index)
{
    const json_t *about = members_item(stats, "groups", index);
    const json_t *steering = json_object_get(stats, "steering");
    const json_t *interval = json_object_get(stats, "interval");
    const char *effective = members_text(steering, "effective");

    *group = (struct explain_group){
        .address = members_text(about, "address"),
        .policy = *effective != '\0' ? effective : members_text(steering, "policy"),
        .seconds = members_number(interval, "seconds"),
        .ago = members_number(interval, "ago"),
        .cpus = members_number(stats, "cpus"),
    };
    interval = find_by_text(json_object_get(interval, "groups"), "address", group->address);
    read_workers(group, stats, about, interval);
    group->flows = floor(members_number(interval, "flows"));
    read_clients(group, interval);
    compare(group);
    expect(group);
}

bool explain_group_is_odd(const struct explain_group *group, size_t worker)
{
    double share = group->workers[worker].share;

    return group->has_band && group->workers[worker].receives &&
           (share > group->extreme.high + share_error || share < group->extreme.low - share_error);
}
