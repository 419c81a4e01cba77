#include "server/supervisor/interval.h"

#include "server/supervisor/supervision.h"

#include <stdlib.h>
#include <time.h>

enum {
    CLIENTS = 64, /* remembered of each second: who is not among them sends little */
    CLIENTS_SHOWN = 5,
    SAMPLES_AT_ONCE = 4096 /* looked at; sorting them takes a fraction of a millisecond */
};

/* A look that follows another sooner than this, for somebody has asked, is added to it. */
static const double whole_second = 0.9;

struct counts {
    uint64_t queries;
    uint64_t drops;
};

struct interval_address {
    uint64_t seen[FLOWS_WORDS];
    uint64_t sampled; /* queries that the samples stand for */
    size_t client_count;
    struct flows_sample clients[CLIENTS];
};

/* About a second in which something came. */
struct interval_second {
    double began, ended;
    size_t slot_count;
    size_t address_count;
    struct counts *counts; /* of slot s at address a: [a * slot_count + s] */
    struct interval_address addresses[];
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* --- looking ---------------------------------------------------------------------- */

static struct interval_second *new_second(const struct supervisor *supervisor)
{
    size_t addresses = supervisor->settings->listener_count;
    struct interval_second *second =
        calloc(1, sizeof *second + addresses * sizeof *second->addresses);

    if (second == NULL)
        return NULL;
    second->slot_count = supervisor->slot_count;
    second->address_count = addresses;
    second->counts = calloc(addresses * supervisor->slot_count, sizeof *second->counts);
    if (second->counts != NULL)
        return second;
    free(second);
    return NULL;
}

static void free_second(struct interval_second *second)
{
    free(second->counts);
    free(second);
}

/* Keeps the heaviest of the clients that are known and the `count` in `samples`, which is room for
 * both. */
static void merge_clients(struct interval_address *address, struct flows_sample *samples,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        address->sampled += samples[i].weight;
    memcpy(samples + count, address->clients, address->client_count * sizeof *samples);
    address->client_count = flows_merge(samples, count + address->client_count, CLIENTS);
    memcpy(address->clients, samples, address->client_count * sizeof *samples);
}

static void look_at_address(struct supervisor *supervisor, struct interval_second *second, size_t a)
{
    static struct flows_sample samples[SAMPLES_AT_ONCE + CLIENTS];
    struct interval_address *address = &second->addresses[a];
    size_t share = SAMPLES_AT_ONCE / supervisor->slot_count, count = 0;

    for (size_t s = 0; s < supervisor->slot_count; s++) {
        struct slot *slot = &supervisor->slots[s];
        struct slot_address *memory = &slot->memory->addresses[a];
        struct slot_queue *queue = &slot->queues[a];
        struct counts *counts = &second->counts[a * second->slot_count + s];
        uint64_t queries = counters_read(&memory->traffic.udp_queries);

        counts->queries += queries - queue->looked.queries;
        counts->drops += queue->drops - queue->looked.drops;
        queue->looked.queries = queries;
        queue->looked.drops = queue->drops;
        flows_take_seen(&memory->flows, address->seen);
        count += flows_take_samples(&memory->flows, &queue->looked.samples, samples + count, share);
    }
    merge_clients(address, samples, count);
}

static bool is_empty(const struct interval_second *second)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < second->address_count * second->slot_count; i++)
        sum += second->counts[i].queries + second->counts[i].drops;
    return sum == 0;
}

/* The second that a look at `time` continues; NULL: it begins one. */
static struct interval_second *unfinished(const struct supervisor *supervisor)
{
    const struct interval *interval = &supervisor->interval;
    struct interval_second *last =
        interval->count > 0 ? interval->seconds[interval->count - 1] : NULL;

    if (last == NULL || last->ended != interval->looked ||
        last->ended - last->began >= whole_second || last->slot_count != supervisor->slot_count)
        return NULL;
    return last;
}

static void forget_first(struct interval *interval)
{
    free_second(interval->seconds[0]);
    interval->count--;
    memmove(interval->seconds, interval->seconds + 1, interval->count * sizeof *interval->seconds);
}

static void remember(struct interval *interval, struct interval_second *second)
{
    while (interval->count > 0 &&
           (interval->count == INTERVAL_SECONDS ||
            second->ended - interval->seconds[0]->began > INTERVAL_SECONDS + 1))
        forget_first(interval);
    interval->seconds[interval->count++] = second;
}

void interval_look(struct supervisor *supervisor)
{
    struct interval *interval = &supervisor->interval;
    struct interval_second *second = unfinished(supervisor);
    bool is_new = second == NULL;
    double time = now();

    for (size_t s = 0; s < supervisor->slot_count; s++)
        slot_look_at_queues(&supervisor->slots[s]);
    if (supervisor->slot_count == 0 || (is_new && (second = new_second(supervisor)) == NULL))
        return;
    if (is_new)
        second->began = interval->looked;
    for (size_t a = 0; a < second->address_count; a++)
        look_at_address(supervisor, second, a);
    second->ended = interval->looked = time;
    if (is_new && is_empty(second))
        free_second(second);
    else if (is_new)
        remember(interval, second);
}

void interval_forget(struct supervisor *supervisor)
{
    interval_look(supervisor);
    while (supervisor->interval.count > 0)
        forget_first(&supervisor->interval);
}

static void tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    interval_look(watcher->data);
}

void interval_start(struct supervisor *supervisor)
{
    struct interval *interval = &supervisor->interval;

    interval->looked = now();
    ev_timer_init(&interval->tick, tick, 1, 1);
    interval->tick.data = supervisor;
    ev_timer_start(supervisor->loop, &interval->tick);
}

void interval_stop(struct supervisor *supervisor)
{
    ev_timer_stop(supervisor->loop, &supervisor->interval.tick);
    while (supervisor->interval.count > 0)
        forget_first(&supervisor->interval);
}

/* --- the document ------------------------------------------------------------------- */

/* All that is remembered, as one. NULL: out of memory. */
static struct interval_second *sum_up(const struct supervisor *supervisor)
{
    static struct flows_sample samples[2 * CLIENTS];
    const struct interval *interval = &supervisor->interval;
    struct interval_second *sum = new_second(supervisor);

    for (size_t i = 0; sum != NULL && i < interval->count; i++) {
        const struct interval_second *second = interval->seconds[i];
        for (size_t a = 0; a < sum->address_count; a++) {
            const struct interval_address *address = &second->addresses[a];
            for (size_t w = 0; w < FLOWS_WORDS; w++)
                sum->addresses[a].seen[w] |= address->seen[w];
            for (size_t s = 0; s < second->slot_count && s < sum->slot_count; s++) {
                sum->counts[a * sum->slot_count + s].queries +=
                    second->counts[a * second->slot_count + s].queries;
                sum->counts[a * sum->slot_count + s].drops +=
                    second->counts[a * second->slot_count + s].drops;
            }
            uint64_t sampled = sum->addresses[a].sampled + address->sampled;
            memcpy(samples, address->clients, address->client_count * sizeof *samples);
            merge_clients(&sum->addresses[a], samples, address->client_count);
            sum->addresses[a].sampled = sampled;
        }
    }
    return sum;
}

static json_t *heaviest_json(const struct interval_address *address)
{
    json_t *list = json_array();
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < address->client_count && i < CLIENTS_SHOWN; i++) {
        const struct flows_sample *client = &address->clients[i];
        json_array_append_new(list, json_pack("{s:s, s:f}", "client",
                                              address_to_text(&client->client, text), "share",
                                              (double)client->weight / (double)address->sampled));
    }
    return list;
}

static json_t *address_json(const struct supervisor *supervisor, const struct interval_second *sum,
                            size_t a)
{
    json_t *queries = json_array(), *drops = json_array();
    char text[ADDRESS_TEXT_MAX];

    for (size_t s = 0; s < sum->slot_count; s++) {
        const struct counts *counts = &sum->counts[a * sum->slot_count + s];
        json_array_append_new(queries, json_integer((json_int_t)counts->queries));
        json_array_append_new(drops, json_integer((json_int_t)counts->drops));
    }
    return json_pack("{s:s, s:o, s:o, s:I, s:o}", "address",
                     address_to_text(&supervisor->settings->listeners[a].address, text), "queries",
                     queries, "drops", drops, "flows",
                     (json_int_t)flows_estimate(sum->addresses[a].seen), "heaviest",
                     heaviest_json(&sum->addresses[a]));
}

json_t *interval_json(const struct supervisor *supervisor)
{
    const struct interval *interval = &supervisor->interval;

    if (interval->count == 0)
        return NULL;
    struct interval_second *sum = sum_up(supervisor);
    if (sum == NULL)
        return NULL;
    double ended = interval->seconds[interval->count - 1]->ended;
    json_t *groups = json_array();
    for (size_t a = 0; a < sum->address_count; a++)
        json_array_append_new(groups, address_json(supervisor, sum, a));
    free_second(sum);
    return json_pack("{s:f, s:f, s:o}", "seconds", ended - interval->seconds[0]->began, "ago",
                     now() - ended, "groups", groups);
}
