#include "load.h"

#include "child.h"
#include "message/wire.h"
#include "question.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    IDS = 65536,
    CAPACITY = 1 << 23, /* queries: nearly three minutes at 50,000/s */
    WIDTH = 16, /* answers taken off a socket at once; what remains is there at the next tick */

    /* Answers wait here while the generator has no CPU: at 50,000/s over 64 flows 4 MiB last for
       seconds. */
    RECEIVE_BUFFER = 4 << 20,

    /* A generator that was held up does not make good for it with a burst that no resolver would
       send. */
    BURST_US = 10000,

    /* How late the last answers may be: after the last one that came, and in all. */
    QUIET_US = 2000000,
    DRAIN_US = 20000000,

    UNANSWERED = UINT32_MAX,
    ANSWERED_WRONGLY = UINT32_MAX - 1,

    SHORTFALL_DEFAULT = 5,
};

/* What is known of a query. Times in microseconds since the start. */
struct query {
    uint32_t sent_us;
    uint32_t latency_us; /* or UNANSWERED, ANSWERED_WRONGLY */
    uint32_t oldest;     /* version that may answer it */
};

struct load {
    struct load_settings settings;
    pthread_t thread;
    struct timespec start;
    int epoll;
    int sockets[LOAD_FLOWS_MAX];
    struct query *queries;

    _Atomic uint64_t sent;
    _Atomic uint64_t enough; /* to be sent in all; UINT64_MAX while the event is under way */
    _Atomic uint32_t oldest;
    _Atomic uint32_t newest;
    _Atomic uint32_t newest_seen;
    _Atomic bool all_sent;

    /* of the thread */
    uint64_t settled;   /* queries that have got an answer, right or wrong */
    uint64_t behind_us; /* how much the schedule has been put off */
    uint32_t last_answer_us;
    uint32_t sending_us; /* how long it took to send them all */
    struct load_tally tally;
    struct mmsghdr messages[WIDTH];
    struct iovec vectors[WIDTH];
    uint8_t buffers[WIDTH][QUESTION_ANSWER_MAX];
};

/* --- numbers ---------------------------------------------------------------- */

/* An odd factor permutes the IDs: a policy that looks at them does not see them count up. */
enum { ID_FACTOR = 40503, ID_INVERSE = 30599, FLOW_FACTOR = 7919 };

static const uint64_t NOT_SENT = UINT64_MAX;

static_assert((uint16_t)(ID_FACTOR * ID_INVERSE) == 1, "inverse modulo 65536");

static unsigned flow_of(const struct load *load, uint64_t n)
{
    return (unsigned)(n % load->settings.flows);
}

static uint16_t id_of(const struct load *load, uint64_t n)
{
    return (uint16_t)(n / load->settings.flows * ID_FACTOR + flow_of(load, n) * FLOW_FACTOR);
}

/* The last query sent that bears this ID; NOT_SENT if none has. */
static uint64_t number_of(const struct load *load, unsigned flow, uint16_t id)
{
    const uint64_t flows = load->settings.flows, sent = load->sent;
    uint16_t turn = (uint16_t)((id - flow * FLOW_FACTOR) * ID_INVERSE);

    if (sent <= flow)
        return NOT_SENT;
    uint64_t last = (sent - 1 - flow) / flows;
    uint16_t ago = (uint16_t)(last - turn);
    return ago > last ? NOT_SENT : (last - ago) * flows + flow;
}

static uint32_t microseconds(const struct load *load)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((now.tv_sec - load->start.tv_sec) * 1000000 +
                      (now.tv_nsec - load->start.tv_nsec) / 1000);
}

/* --- sending ---------------------------------------------------------------- */

/* False if the kernel wants it sent later. That a port is closed is told on the next call, which
 * then has sent nothing: it is made again. */
static bool send_query(struct load *load, uint64_t n)
{
    uint8_t query[QUESTION_LENGTH];
    int socket = load->sockets[flow_of(load, n)];

    question_write(query, n, load->settings.names, id_of(load, n));
    while (send(socket, query, sizeof query, MSG_DONTWAIT) < 0) {
        if (errno == ECONNREFUSED) {
            load->tally.refused++;
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            load->tally.congested++;
            return false;
        } else if (errno != EINTR) {
            child_fail("cannot send a query: %s", strerror(errno));
        }
    }
    return true;
}

/* The number of queries that should have been sent by now. */
static uint64_t due(struct load *load)
{
    const uint64_t rate = load->settings.rate;
    uint64_t now = microseconds(load) - load->behind_us;
    uint64_t sent = atomic_load(&load->sent) * 1000000 / rate;

    if (now > sent + BURST_US) {
        load->behind_us += now - sent - BURST_US;
        now = sent + BURST_US;
    }
    return now * rate / 1000000;
}

/* An ID is used again once its last query is answered, or lost. */
static bool is_id_free(const struct load *load, uint64_t n)
{
    const uint64_t round = (uint64_t)load->settings.flows * IDS;

    if (n == CAPACITY)
        return false;
    if (n < round)
        return true;
    const struct query *last = &load->queries[n - round];
    return last->latency_us != UNANSWERED || microseconds(load) - last->sent_us > QUIET_US;
}

static void send_due(struct load *load)
{
    uint64_t until = due(load), enough = atomic_load(&load->enough);

    if (until > enough)
        until = enough;
    for (uint64_t n = load->sent; n < until; n++) {
        if (!is_id_free(load, n)) {
            load->tally.exhausted = true;
            return;
        }
        struct query *query = &load->queries[n];
        query->sent_us = microseconds(load);
        query->latency_us = UNANSWERED;
        query->oldest = atomic_load(&load->oldest);
        if (!send_query(load, n))
            return;
        atomic_store(&load->sent, n + 1);
    }
}

static bool all_is_sent(const struct load *load)
{
    return load->sent >= load->enough || load->tally.exhausted;
}

/* --- receiving -------------------------------------------------------------- */

static void count_wrong(struct load *load, struct query *query, uint64_t *kind)
{
    load->tally.wrong++;
    if (kind != NULL)
        (*kind)++;
    query->latency_us = ANSWERED_WRONGLY;
    load->settled++;
}

static void count_right(struct load *load, struct query *query, uint32_t now)
{
    query->latency_us = now - query->sent_us;
    load->tally.answered++;
    load->settled++;
}

static void judge(struct load *load, struct query *query, uint32_t version, uint32_t now)
{
    if (version < query->oldest)
        count_wrong(load, query, &load->tally.stale);
    else if (version > atomic_load(&load->newest))
        count_wrong(load, query, &load->tally.premature);
    else
        count_right(load, query, now);
    if (version > load->newest_seen)
        atomic_store(&load->newest_seen, version);
}

static void take_answer(struct load *load, unsigned flow, const uint8_t *message, size_t length,
                        uint32_t now)
{
    struct load_tally *tally = &load->tally;
    uint8_t asked[QUESTION_LENGTH];
    uint32_t version;
    uint64_t n = length < 2 ? NOT_SENT : number_of(load, flow, wire_read_u16(message));

    if (n == NOT_SENT) {
        tally->strange++;
        tally->wrong++;
        return;
    }
    struct query *query = &load->queries[n];
    if (query->latency_us != UNANSWERED) {
        tally->duplicates++;
        return;
    }
    question_write(asked, n, load->settings.names, id_of(load, n));
    switch (question_check(message, length, asked, n, load->settings.names, &version)) {
    case QUESTION_ANSWERED:
        judge(load, query, version, now);
        break;
    case QUESTION_MIXED:
        count_wrong(load, query, &tally->mixed);
        break;
    case QUESTION_WRONG:
        count_wrong(load, query, NULL);
        break;
    }
}

static void note_gap(struct load *load, uint32_t now)
{
    if (now - load->last_answer_us > load->tally.gap_us)
        load->tally.gap_us = now - load->last_answer_us;
}

static void receive_from(struct load *load, unsigned flow)
{
    int got = recvmmsg(load->sockets[flow], load->messages, WIDTH, MSG_DONTWAIT, NULL);
    uint32_t now = microseconds(load);

    if (got < 0) {
        if (errno == ECONNREFUSED)
            load->tally.refused++;
        else if (errno != EAGAIN && errno != EINTR)
            child_fail("cannot receive answers: %s", strerror(errno));
        return;
    }
    note_gap(load, now);
    load->last_answer_us = now;
    for (int i = 0; i < got; i++)
        take_answer(load, flow, load->buffers[i], load->messages[i].msg_len, now);
}

static void receive_ready(struct load *load)
{
    struct epoll_event events[LOAD_FLOWS_MAX];
    int ready = epoll_wait(load->epoll, events, LOAD_FLOWS_MAX, 0);

    for (int i = 0; i < ready; i++)
        receive_from(load, events[i].data.u32);
}

/* --- the thread --------------------------------------------------------------- */

static void next_tick(struct timespec *tick)
{
    struct timespec now;

    tick->tv_nsec += LOAD_TICK_US * 1000;
    if (tick->tv_nsec >= 1000000000) {
        tick->tv_nsec -= 1000000000;
        tick->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, tick, NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec > tick->tv_sec)
        *tick = now; /* held up: the ticks missed are not made good for */
}

/* Nothing has come for QUIET_US since the last answer and since all were sent. */
static bool is_quiet(const struct load *load, uint32_t now)
{
    uint32_t since =
        load->last_answer_us > load->sending_us ? load->last_answer_us : load->sending_us;

    return now - since > QUIET_US || now - load->sending_us > DRAIN_US;
}

static void *run(void *argument)
{
    struct load *load = argument;
    struct timespec tick = load->start;

    /* An open loop stands or falls with its clock. Where the right to it is missing, it does
     * without. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    setpriority(PRIO_PROCESS, (id_t)gettid(), -10);
    while (!all_is_sent(load)) {
        send_due(load);
        receive_ready(load);
        next_tick(&tick);
    }
    load->sending_us = microseconds(load);
    atomic_store(&load->all_sent, true);
    while (load->settled < load->sent && !is_quiet(load, microseconds(load))) {
        receive_ready(load);
        next_tick(&tick);
    }
    if (load->last_answer_us < load->sending_us)
        note_gap(load, load->sending_us); /* it fell silent for good */
    return NULL;
}

/* --- start and end -------------------------------------------------------------- */

static int open_flow(uint16_t port)
{
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = RECEIVE_BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) != 0)
        child_fail("cannot open the sockets of the generator: %s", strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

static void open_flows(struct load *load)
{
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0)
        child_fail("cannot open the sockets of the generator: %s", strerror(errno));
    for (unsigned i = 0; i < load->settings.flows; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        load->sockets[i] = open_flow(load->settings.port);
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->sockets[i], &event) != 0)
            child_fail("cannot watch the sockets of the generator: %s", strerror(errno));
    }
    for (unsigned i = 0; i < WIDTH; i++) {
        load->vectors[i] = (struct iovec){load->buffers[i], sizeof load->buffers[i]};
        load->messages[i].msg_hdr = (struct msghdr){.msg_iov = &load->vectors[i], .msg_iovlen = 1};
    }
}

struct load *load_start(const struct load_settings *settings)
{
    struct load *load = calloc(1, sizeof *load);

    if (load == NULL)
        child_fail("no memory for the generator");
    load->settings = *settings;
    /* What is never sent is never touched, and so takes address space only. */
    load->queries = calloc(CAPACITY, sizeof *load->queries);
    if (load->queries == NULL)
        child_fail("no memory for the generator");
    load->enough = UINT64_MAX;
    load->oldest = settings->version;
    load->newest = settings->version;
    open_flows(load);
    clock_gettime(CLOCK_MONOTONIC, &load->start);
    if (pthread_create(&load->thread, NULL, run, load) != 0)
        child_fail("cannot start the generator's thread");
    return load;
}

uint64_t load_sent(const struct load *load)
{
    return atomic_load(&load->sent);
}

uint32_t load_clock(const struct load *load)
{
    return microseconds(load);
}

void load_wait_sent(const struct load *load, uint64_t queries)
{
    static const struct timespec moment = {.tv_nsec = 500000};

    while (atomic_load(&load->sent) < queries && !atomic_load(&load->all_sent))
        nanosleep(&moment, NULL);
}

void load_expect(struct load *load, uint32_t oldest, uint32_t newest)
{
    atomic_store(&load->newest, newest);
    atomic_store(&load->oldest, oldest);
}

uint32_t load_newest_seen(const struct load *load)
{
    return atomic_load(&load->newest_seen);
}

bool load_has_ended(const struct load *load)
{
    return atomic_load(&load->all_sent);
}

void load_event_over(struct load *load)
{
    uint64_t enough = load_sent(load) + load->settings.queries / 4;

    atomic_store(&load->enough, enough > load->settings.queries ? enough : load->settings.queries);
}

/* --- counting ---------------------------------------------------------------- */

static int compare_latencies(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void count_latencies(const struct load *load, struct load_tally *tally)
{
    uint32_t *latency = malloc((tally->answered + 1) * sizeof *latency);
    size_t count = 0;

    if (latency == NULL)
        child_fail("no memory to sort the latencies");
    for (uint64_t n = 0; n < load->sent; n++)
        if (load->queries[n].latency_us < ANSWERED_WRONGLY)
            latency[count++] = load->queries[n].latency_us;
    qsort(latency, count, sizeof *latency, compare_latencies);
    tally->p99_us = count == 0 ? 0 : latency[count * 99 / 100];
    tally->slowest_us = count == 0 ? 0 : latency[count - 1];
    free(latency);
}

static void count_lost(const struct load *load, struct load_tally *tally)
{
    bool lost_here[LOAD_FLOWS_MAX] = {false};

    for (uint64_t n = 0; n < load->sent; n++) {
        if (load->queries[n].latency_us != UNANSWERED)
            continue;
        if (tally->lost < LOAD_LOST_TOLD)
            tally->lost_us[tally->lost] = load->queries[n].sent_us;
        if (tally->lost++ == 0)
            tally->first_lost_us = load->queries[n].sent_us;
        tally->last_lost_us = load->queries[n].sent_us;
        lost_here[flow_of(load, n)] = true;
    }
    for (unsigned i = 0; i < load->settings.flows; i++)
        tally->lost_flows += lost_here[i];
}

static void count_shortfalls(const struct load *load, struct load_tally *tally)
{
    for (unsigned i = 0; i < load->settings.flows; i++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t size = sizeof info;
        if (getsockopt(load->sockets[i], SOL_SOCKET, SO_MEMINFO, info, &size) != 0)
            child_fail("the kernel does not tell what sockets drop: %s", strerror(errno));
        tally->own_drops += info[SK_MEMINFO_DROPS];
    }
    tally->rate = load->sending_us == 0 ? 0 : (unsigned)(load->sent * 1000000 / load->sending_us);
    unsigned shortfall = load->settings.shortfall;
    unsigned least = 100 - (shortfall != 0 ? shortfall : SHORTFALL_DEFAULT);
    tally->is_void = tally->own_drops > 0 || tally->exhausted ||
                     tally->rate * 100ULL < (uint64_t)load->settings.rate * least;
}

void load_finish(struct load *load, struct load_tally *tally)
{
    pthread_join(load->thread, NULL);
    *tally = load->tally;
    tally->sent = load->sent;
    count_latencies(load, tally);
    count_lost(load, tally);
    count_shortfalls(load, tally);
    for (unsigned i = 0; i < load->settings.flows; i++)
        close(load->sockets[i]);
    close(load->epoll);
    free(load->queries);
    free(load);
}
