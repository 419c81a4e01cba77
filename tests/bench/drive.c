#include "drive.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    NS = 1000000000,
    LOST_NS = NS / 2,    /* a query without an answer for so long is lost */
    DRAIN_NS = NS / 5,   /* for the last answers */
    EXPIRY_NS = NS / 10, /* how often lost ones are looked for */
    IDLE_MS = 2,         /* a closed loop with nothing to read waits so long */
    PACED_WINDOW = 512,  /* queries under way of a paced flow: beyond, they are skipped */
    ID_SPACE = 65536,
};

struct driver {
    const struct drive_settings *settings;
    struct drive_result *result;
    struct flow *flows;
    uint64_t random;
    uint64_t start, measure_from, until;
    uint64_t expire_next;
    uint32_t *latency; /* ns, of the answers to queries due in the measured time */
    size_t latencies, latency_room;
};

/* --- chance: splitmix64, good enough and reproducible ------------------------ */

static uint64_t next_random(struct driver *driver)
{
    uint64_t z = driver->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint32_t next_number(struct driver *driver)
{
    return (uint32_t)((next_random(driver) >> 32) * questions_count(driver->settings->questions) >>
                      32);
}

/* The time to the next query of many independent clients. */
static uint64_t next_gap(struct driver *driver)
{
    double uniform = (double)(next_random(driver) >> 11) * 0x1p-53;

    return (uint64_t)(-log1p(-uniform) * NS / driver->settings->rate);
}

/* --- both -------------------------------------------------------------------- */

static void expire(struct driver *driver, uint64_t now)
{
    if (now < driver->expire_next)
        return;
    driver->expire_next = now + EXPIRY_NS;
    for (unsigned i = 0; i < driver->settings->flows; i++)
        flow_expire(&driver->flows[i], now - LOST_NS, &driver->result->counts);
}

static unsigned under_way(const struct driver *driver)
{
    unsigned count = 0;

    for (unsigned i = 0; i < driver->settings->flows; i++)
        count += driver->flows[i].window - driver->flows[i].free_count;
    return count;
}

/* Awaits the last answers; what has not come then is lost. */
static void drain(struct driver *driver, flow_answered *answered)
{
    uint64_t end = flow_clock() + DRAIN_NS;

    while (under_way(driver) > 0 && flow_clock() < end)
        for (unsigned i = 0; i < driver->settings->flows; i++)
            flow_receive(&driver->flows[i], &driver->result->counts, answered, driver);
    for (unsigned i = 0; i < driver->settings->flows; i++)
        flow_expire(&driver->flows[i], UINT64_MAX, &driver->result->counts);
}

/* --- closed ------------------------------------------------------------------ */

static void fill(struct driver *driver, struct flow *flow, uint64_t now)
{
    struct flow_slot *slots[FLOW_WIDTH];

    while (flow->free_count > 0) {
        unsigned count = flow->free_count < FLOW_WIDTH ? flow->free_count : FLOW_WIDTH;
        for (unsigned i = 0; i < count; i++)
            slots[i] = flow_prepare(flow, driver->settings->questions, next_number(driver), now);
        flow_send(flow, slots, count, &driver->result->counts);
    }
}

static void wait_for_any(struct driver *driver)
{
    struct pollfd poll_for[DRIVE_FLOWS_MAX];

    for (unsigned i = 0; i < driver->settings->flows; i++)
        poll_for[i] = (struct pollfd){.fd = driver->flows[i].socket, .events = POLLIN};
    poll(poll_for, driver->settings->flows, IDLE_MS);
}

static void run_closed(struct driver *driver)
{
    struct flow_counts *counts = &driver->result->counts;
    uint64_t before = 0, from = driver->start, now;

    while ((now = flow_clock()) < driver->until) {
        unsigned received = 0;
        if (now < driver->measure_from) {
            before = counts->answered;
            from = now;
        }
        for (unsigned i = 0; i < driver->settings->flows; i++) {
            received += flow_receive(&driver->flows[i], counts, NULL, NULL);
            fill(driver, &driver->flows[i], now);
        }
        expire(driver, now);
        if (received == 0)
            wait_for_any(driver);
    }
    driver->result->seconds = (double)(now - from) / NS;
    driver->result->rate = (double)(counts->answered - before) / driver->result->seconds;
    drain(driver, NULL);
}

/* --- paced ------------------------------------------------------------------- */

static void note_latency(void *context, uint64_t since, uint64_t now)
{
    struct driver *driver = context;
    uint64_t latency = now - since;

    if (since >= driver->measure_from && driver->latencies < driver->latency_room)
        driver->latency[driver->latencies++] =
            latency < UINT32_MAX ? (uint32_t)latency : UINT32_MAX;
}

static void send_one(struct driver *driver, struct flow *flow, uint64_t due)
{
    if (flow->free_count == 0) {
        driver->result->skipped++;
        return;
    }
    struct flow_slot *slot =
        flow_prepare(flow, driver->settings->questions, next_number(driver), due);
    flow_send(flow, &slot, 1, &driver->result->counts);
}

static int watch_flows(struct driver *driver)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    for (unsigned i = 0; fd >= 0 && i < driver->settings->flows; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(fd, EPOLL_CTL_ADD, driver->flows[i].socket, &event);
    }
    return fd;
}

static void receive_ready(struct driver *driver, int watched)
{
    struct epoll_event events[DRIVE_FLOWS_MAX];
    int ready = epoll_wait(watched, events, DRIVE_FLOWS_MAX, 0);

    for (int i = 0; i < ready; i++)
        flow_receive(&driver->flows[events[i].data.u32], &driver->result->counts, note_latency,
                     driver);
}

/* It never sleeps: a timer would be late by more than an answer takes. */
static void run_paced(struct driver *driver, int watched)
{
    uint64_t due = driver->start, now;
    unsigned flow = 0;

    while ((now = flow_clock()) < driver->until) {
        while (due <= now) {
            send_one(driver, &driver->flows[flow], due);
            flow = (flow + 1) % driver->settings->flows;
            due += next_gap(driver);
            receive_ready(driver, watched);
        }
        receive_ready(driver, watched);
        expire(driver, now);
    }
    drain(driver, note_latency);
    driver->result->seconds = (double)(driver->until - driver->measure_from) / NS;
    driver->result->rate = (double)driver->latencies / driver->result->seconds;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void summarize(struct driver *driver)
{
    size_t n = driver->latencies;

    if (n == 0)
        return;
    qsort(driver->latency, n, sizeof *driver->latency, compare);
    driver->result->median_ns = driver->latency[n / 2];
    driver->result->p99_ns = driver->latency[n * 99 / 100];
    driver->result->slowest_ns = driver->latency[n - 1];
}

/* --- start and end ----------------------------------------------------------- */

/* The window of each flow, a power of two as its slots want it. */
static unsigned flow_window(const struct drive_settings *settings)
{
    unsigned window = 1, wanted = settings->rate > 0 ? PACED_WINDOW : settings->window;

    if (settings->rate == 0)
        wanted /= settings->flows;
    while (window * 2 <= wanted && window < FLOW_WINDOW_MAX)
        window *= 2;
    return window;
}

static bool open_flows(struct driver *driver)
{
    unsigned window = flow_window(driver->settings);

    for (unsigned i = 0; i < driver->settings->flows; i++)
        if (!flow_open(&driver->flows[i], driver->settings->port, window))
            return false;
    return true;
}

static bool run(struct driver *driver)
{
    const struct drive_settings *settings = driver->settings;
    int watched;

    if (!open_flows(driver))
        return false;
    driver->start = flow_clock();
    driver->measure_from = driver->start + (uint64_t)(settings->warm_up * NS);
    driver->until = driver->measure_from + (uint64_t)(settings->seconds * NS);
    driver->expire_next = driver->start;
    if (settings->rate == 0) {
        run_closed(driver);
        return true;
    }
    driver->latency_room = (size_t)(settings->rate * settings->seconds * 1.5) + 4096;
    driver->latency = malloc(driver->latency_room * sizeof *driver->latency);
    watched = watch_flows(driver);
    if (driver->latency == NULL || watched < 0)
        return false;
    run_paced(driver, watched);
    summarize(driver);
    close(watched);
    return true;
}

bool drive(const struct drive_settings *settings, struct drive_result *result)
{
    struct driver driver = {.settings = settings, .result = result, .random = settings->seed};

    *result = (struct drive_result){.seconds = 0};
    driver.flows = calloc(settings->flows, sizeof *driver.flows);
    bool done = driver.flows != NULL && run(&driver);
    if (!done)
        fprintf(stderr, "no load on port %u: %s\n", settings->port, strerror(errno));
    for (unsigned i = 0; driver.flows != NULL && i < settings->flows; i++)
        if (driver.flows[i].window != 0)
            flow_close(&driver.flows[i]);
    free(driver.flows);
    free(driver.latency);
    return done;
}
