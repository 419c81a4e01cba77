#include "server/worker/worker.h"

#include "answer/answer.h"
#include "server/dnstap/rings.h"
#include "server/host/channel.h"
#include "server/host/privilege.h"
#include "server/host/process.h"
#include "server/host/sandbox.h"
#include "server/query/identity.h"
#include "server/query/tap.h"
#include "server/query/tcp.h"
#include "server/query/udp.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Seconds for answering what is still queued when a worker is told to finish. Under a load above
 * its capacity the queue would never be empty. */
static const ev_tstamp finish_limit = 0.3;

/*
 * How a worker retires, in turns of a timer. For a while after it has been left out it may still be
 * sent something: what was on its way inside the kernel, and the last packet of a connection whose
 * first it has answered, a round trip later. Connections get ten seconds; after that they are
 * closed between two queries.
 */
static const ev_tstamp retire_turn = 0.1;
enum { RETIRE_SETTLED = 5, RETIRE_IMPATIENT = 100 };

/* RFC 7828 §3.2.2, in 100 ms: what tcp.c allows then. */
enum { KEEPALIVE_RETIRING = 10 };

struct worker {
    struct ev_loop *loop;
    const struct inheritance *inherited;
    struct sealed_table table;
    struct answer_settings settings;
    struct access access;
    struct access transfers;
    struct answer_recent recent;
    struct udp *udp;
    struct tcp *tcp;
    struct tap *taps; /* one for each listener, and one for TCP; NULL: dnstap is off */
    struct identity_texts identity;
    ev_io channel;
    ev_check woken;
    ev_timer retirement;
    unsigned retire_turns;
    bool finishing;
    bool left; /* the sockets are closed */
};

static void tell_supervisor(struct worker *worker, enum channel_type type)
{
    struct channel_message message = {.type = type,
                                      .table.generation = worker->table.table.header->generation};

    channel_send(worker->inherited->channel, &message, -1);
}

static _Noreturn void fail(void)
{
    _exit(EXIT_FAILURE);
}

static _Noreturn void fail_for_memory(void)
{
    _exit(WORKER_EXIT_NO_MEMORY);
}

/* The rules of access, as they go with the table. */
static const struct access *compile_rules(const struct worker *worker,
                                          const struct access_rules *rules, struct access *access)
{
    if (rules->count == 0)
        return NULL;
    if (!access_rules_compile(rules, worker->table.table.header->seed, access))
        fail_for_memory();
    return access;
}

static void compile_access(struct worker *worker)
{
    const struct protection *protection = worker->inherited->protection;

    worker->settings.access = compile_rules(worker, &protection->access, &worker->access);
    worker->settings.transfers = compile_rules(worker, &protection->transfers, &worker->transfers);
}

static void adopt(struct worker *worker, int fd)
{
    struct sealed_table next;

    if (seal_map_trusted(&next, fd) != NULL)
        fail_for_memory();
    close(fd);
    struct sealed_table previous = worker->table;
    worker->table = next;
    worker->recent = (struct answer_recent){0};
    tcp_leave_table(worker->tcp, &previous);
    compile_access(worker);
    tell_supervisor(worker, CHANNEL_ADOPTED);
}

static void finish(struct worker *worker)
{
    worker->finishing = true;
    ev_io_stop(worker->loop, &worker->channel);
    ev_break(worker->loop, EVBREAK_ALL);
}

static void retire_on(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct worker *worker = watcher->data;
    unsigned turn = ++worker->retire_turns;

    (void)loop;
    (void)events;
    counters_add(&worker->inherited->memory->counters.heartbeat, 1);
    if (turn == RETIRE_IMPATIENT)
        tcp_finish(worker->tcp);
    if (turn >= RETIRE_SETTLED && !tcp_has_connections(worker->tcp))
        finish(worker);
}

static void stop_reading(struct worker *worker)
{
    tcp_leave(worker->tcp);
    for (size_t i = 0; i < worker->inherited->listener_count; i++)
        udp_stop(&worker->udp[i], worker->loop);
}

static void retire(struct worker *worker)
{
    worker->settings.keepalive = KEEPALIVE_RETIRING;
    if (worker->inherited->shares_sockets)
        stop_reading(worker);
    tcp_retire(worker->tcp);
    ev_timer_init(&worker->retirement, retire_on, retire_turn, retire_turn);
    worker->retirement.data = worker;
    ev_timer_start(worker->loop, &worker->retirement);
}

/* Answers what is queued already, on all sockets, but not for ever. */
static void drain(struct worker *worker)
{
    ev_now_update(worker->loop);
    ev_tstamp until = ev_now(worker->loop) + finish_limit;

    for (size_t i = 0; i < worker->inherited->listener_count; i++)
        while (udp_serve(&worker->udp[i]) == BATCH_WIDTH && ev_time() < until)
            ;
}

static void leave(struct worker *worker)
{
    if (worker->left)
        fail();
    tcp_leave(worker->tcp);
    drain(worker);
    for (size_t i = 0; i < worker->inherited->listener_count; i++) {
        udp_stop(&worker->udp[i], worker->loop);
        close(worker->inherited->sockets[i].udp);
        close(worker->inherited->sockets[i].tcp);
    }
    worker->left = true;
    tell_supervisor(worker, CHANNEL_LEFT);
    if (tcp_has_connections(worker->tcp))
        retire(worker);
    else
        finish(worker);
}

static void serve_channel(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct worker *worker = watcher->data;
    struct channel_message message;
    int fd;

    (void)loop;
    (void)events;
    switch (channel_receive(watcher->fd, &message, &fd)) {
    case CHANNEL_NOTHING:
        return;
    case CHANNEL_END:
        finish(worker);
        return;
    case CHANNEL_MALFORMED:
        fail();
    case CHANNEL_MESSAGE:
        break;
    }
    switch (message.type) {
    case CHANNEL_ADOPT:
        adopt(worker, fd);
        break;
    case CHANNEL_RETIRE:
        retire(worker);
        break;
    case CHANNEL_LEAVE:
        leave(worker);
        break;
    case CHANNEL_FINISH:
        finish(worker);
        break;
    default:
        fail();
    }
}

/*
 * Gives the process its own page table entries for the batches. Otherwise the kernel, while it
 * copies a datagram, may have to fault a page in; that fails if the worker has just been killed,
 * and the datagram is gone.
 */
static void populate(struct slot_memory *memory, size_t batches)
{
#ifdef MADV_POPULATE_WRITE
    madvise(memory, slot_memory_size(batches), MADV_POPULATE_WRITE);
#else
    for (size_t at = 0; at < slot_memory_size(batches); at += 4096)
        ((volatile uint8_t *)memory)[at] = ((volatile uint8_t *)memory)[at];
#endif
}

/* Before the turn's work: what clients are told of the server is kept true. */
static void wake_up(struct ev_loop *loop, ev_check *watcher, int events)
{
    struct worker *worker = watcher->data;

    (void)loop;
    (void)events;
    identity_update(&worker->identity, worker->inherited->memory->workers, &worker->settings);
}

/* A tap of the listeners' of that number; NULL if dnstap is off. */
static struct tap *tap_of(const struct worker *worker, size_t number)
{
    return worker->taps != NULL ? &worker->taps[number] : NULL;
}

static void open_taps(struct worker *worker)
{
    const struct inheritance *inherited = worker->inherited;
    const struct tap_settings *settings = &inherited->settings->tap;
    size_t count = inherited->listener_count;

    if (settings->rings == NULL)
        return;
    struct ring *ring = rings_keep_only(settings->rings, inherited->slot);
    worker->taps = calloc(count + 1, sizeof *worker->taps);
    if (worker->taps == NULL)
        fail();
    for (size_t i = 0; i < count; i++)
        tap_init(&worker->taps[i], settings, ring, &inherited->settings->listeners[i].address);
    tap_init(&worker->taps[count], settings, ring, NULL);
}

static void open_worker(struct worker *worker, const struct inheritance *inherited)
{
    /* Of the UDP sockets and a few others, by poll(2): it watches them while the worker sleeps.
     * epoll watches always, and the kernel tells it of every datagram that comes, and of every
     * answer that has gone, while the worker is busy with others: 10 % of all CPU time. */
    *worker = (struct worker){.loop = ev_loop_new(EVBACKEND_POLL | EVFLAG_NOTIMERFD),
                              .inherited = inherited,
                              .table = inherited->table,
                              .udp = calloc(inherited->listener_count, sizeof *worker->udp)};
    worker->settings =
        (struct answer_settings){.table = &worker->table.table,
                                 .udp_payload_max = (uint16_t)inherited->protection->edns_size,
                                 .keepalive = (uint16_t)(10 * inherited->protection->tcp_idle),
                                 .cookies_required = inherited->protection->cookies_required,
                                 .keys = &inherited->protection->keys.ready,
                                 .recent = &worker->recent};
    if (worker->loop == NULL || worker->udp == NULL)
        fail_for_memory();
    compile_access(worker);
    identity_tell(&worker->identity, &inherited->settings->identity, inherited->slot,
                  &worker->settings);
    identity_update(&worker->identity, inherited->memory->workers, &worker->settings);
    populate(inherited->memory, inherited->listener_count);
    open_taps(worker);
    for (size_t i = 0; i < inherited->listener_count; i++)
        udp_start(&worker->udp[i], worker->loop, inherited->sockets[i].udp,
                  address_is_wildcard(&inherited->settings->listeners[i].address),
                  &inherited->memory->addresses[i], &inherited->memory->counters, &worker->settings,
                  inherited->protection, tap_of(worker, i));
    worker->tcp = tcp_start(worker->loop, inherited->sockets, inherited->listener_count,
                            inherited->memory, &worker->settings, inherited->protection,
                            tap_of(worker, inherited->listener_count));
    if (worker->tcp == NULL)
        fail_for_memory();
    ev_check_init(&worker->woken, wake_up);
    ev_set_priority(&worker->woken, EV_MAXPRI);
    worker->woken.data = worker;
    if (inherited->settings->identity.told)
        ev_check_start(worker->loop, &worker->woken);
    ev_io_init(&worker->channel, serve_channel, inherited->channel, EV_READ);
    worker->channel.data = worker;
    ev_io_start(worker->loop, &worker->channel);
}

static void keep_inherited_only(const struct inheritance *inherited)
{
    size_t count = 0;
    int *kept = calloc(2 * inherited->listener_count + 1, sizeof *kept);

    if (kept == NULL)
        fail_for_memory();
    for (size_t i = 0; i < inherited->listener_count; i++) {
        kept[count++] = inherited->sockets[i].udp;
        kept[count++] = inherited->sockets[i].tcp;
    }
    kept[count++] = inherited->channel;
    process_keep_only(kept, count);
    free(kept);
}

/* Answers of the usual size get through everywhere in one piece; larger ones are what an operator
 * asked for. */
static void settle_fragments(const struct inheritance *inherited)
{
    bool allowed = inherited->protection->edns_size > ANSWER_UDP_PAYLOAD_DEFAULT;

    for (size_t i = 0; i < inherited->listener_count; i++)
        listener_allow_fragments(inherited->sockets[i].udp,
                                 &inherited->settings->listeners[i].address, allowed);
}

/* What ps and top show. */
static void name_process(unsigned slot)
{
    char name[16];

    snprintf(name, sizeof name, "sorreld:%u", slot);
    prctl(PR_SET_NAME, name);
}

_Noreturn void worker_run(const struct inheritance *inherited)
{
    static struct worker worker;

    name_process(inherited->slot);
    keep_inherited_only(inherited);
    settle_fragments(inherited);
    secrets_only_read(&inherited->protection->secrets);
    privilege_confine();
    sandbox_enter_worker();
    open_worker(&worker, inherited);
    tell_supervisor(&worker, CHANNEL_SERVING);
    ev_run(worker.loop, 0);
    if (worker.finishing)
        tcp_finish(worker.tcp);
    if (worker.finishing && !worker.left)
        drain(&worker);
    _exit(EXIT_SUCCESS);
}
