#include "server/worker/slot.h"

#include "server/host/channel.h"
#include "server/host/log.h"
#include "server/host/mappings.h"
#include "server/host/process.h"
#include "server/worker/inheritance.h"
#include "server/worker/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    /* So many workers may die in a row without an answer before the next has to wait ... */
    FRUITLESS_TOLERATED = 3,
    /* ... 0.1 s, then twice as long each time, up to 0.1 * 2^6 = 6.4 s. */
    BACKOFF_DOUBLINGS = 6,
    /* Crashes on one batch, no query to blame, before the batch is given up. */
    UNEXPLAINED_MAX = 5,
};

static const ev_tstamp backoff_first = 0.1;

static bool map_memory(struct slot *slot)
{
    size_t size = slot_memory_size(slot->listener_count);
    void *memory = mappings_add(
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), size);

    if (memory == MAP_FAILED)
        return false;
    /* Swapped out, it would make the kernel wait for a disk in the middle of recvmmsg. A limit may
     * forbid this, and the machine is not likely to swap what is used all the time. */
    mlock(memory, size);
    slot->memory = memory;
    return true;
}

/* Has another daemon, or a service manager, left us a socket that would forbid this address to
 * anyone who does not join it? */
static bool is_inherited(const struct handover *inherited, enum handover_kind kind,
                         const union address *address)
{
    for (size_t i = 0; i < inherited->count; i++)
        if (inherited->records[i].kind == kind &&
            address_overlaps(&inherited->records[i].address, address))
            return true;
    return false;
}

static enum listener_outcome open_listener(const struct slot *slot, const struct listener *listener,
                                           bool exclusive, struct handover *inherited,
                                           struct listener_sockets *sockets,
                                           char error[LISTENER_ERROR_MAX])
{
    const union address *address = &listener->address;

    *sockets = (struct listener_sockets){
        .udp = handover_take(inherited, HANDOVER_UDP, slot->number, address),
        .tcp = handover_take(inherited, HANDOVER_TCP, slot->number, address),
    };
    bool joins = (sockets->udp < 0 && is_inherited(inherited, HANDOVER_UDP, address)) ||
                 (sockets->tcp < 0 && is_inherited(inherited, HANDOVER_TCP, address));
    return listener_open(listener, exclusive && !joins, sockets, error);
}

bool slot_open(struct slot *slot, unsigned number, struct listener *listeners, size_t *count,
               bool exclusive, struct handover *inherited, char error[LISTENER_ERROR_MAX])
{
    *slot = (struct slot){.number = number, .channel = -1};
    slot->sockets = calloc(*count, sizeof *slot->sockets);
    slot->queues = calloc(*count, sizeof *slot->queues);
    bool sound = slot->sockets != NULL && slot->queues != NULL;
    snprintf(error, LISTENER_ERROR_MAX, "out of memory");
    for (size_t i = 0; sound && i < *count;) {
        switch (
            open_listener(slot, &listeners[i], exclusive, inherited, &slot->sockets[i], error)) {
        case LISTENER_BOUND:
            slot->listener_count = ++i;
            break;
        case LISTENER_ABSENT:
            memmove(&listeners[i], &listeners[i + 1], (--*count - i) * sizeof *listeners);
            snprintf(error, LISTENER_ERROR_MAX,
                     "this machine has neither IPv4 nor IPv6: name an address with -l");
            break;
        case LISTENER_FAILED:
            sound = false;
            break;
        }
    }
    if (!sound || *count == 0 || !map_memory(slot)) {
        slot_close(slot);
        return false;
    }
    /* A socket of another daemon's counts on. */
    for (size_t i = 0; i < slot->listener_count; i++)
        slot->queues[i].last_drops = listener_queue(&slot->sockets[i]).drops;
    return true;
}

bool slot_open_shared(struct slot *slot, unsigned number, const struct slot *first,
                      char error[LISTENER_ERROR_MAX])
{
    size_t count = first->listener_count;
    bool sound = true;

    *slot = (struct slot){.number = number, .channel = -1, .shares = true};
    slot->sockets = calloc(count, sizeof *slot->sockets);
    slot->queues = calloc(count, sizeof *slot->queues);
    if (slot->sockets != NULL && slot->queues != NULL)
        for (; sound && slot->listener_count < count; slot->listener_count++) {
            struct listener_sockets *sockets = &slot->sockets[slot->listener_count];
            sockets->udp = fcntl(first->sockets[slot->listener_count].udp, F_DUPFD_CLOEXEC, 0);
            sockets->tcp = fcntl(first->sockets[slot->listener_count].tcp, F_DUPFD_CLOEXEC, 0);
            sound = sockets->udp >= 0 && sockets->tcp >= 0;
        }
    if (sound && slot->listener_count == count && map_memory(slot))
        return true;
    snprintf(error, LISTENER_ERROR_MAX, "%s", strerror(errno));
    slot_close(slot);
    return false;
}

/* The queue of a shared socket is told of once, by the slot that has it. */
void slot_look_at_queues(struct slot *slot)
{
    if (slot->shares)
        return;
    for (size_t i = 0; i < slot->listener_count && slot->sockets[i].udp >= 0; i++) {
        struct listener_queue told = listener_queue(&slot->sockets[i]);
        struct slot_queue *queue = &slot->queues[i];
        queue->length = told.length;
        queue->room = told.room;
        queue->drops += told.drops - queue->last_drops;
        queue->last_drops = told.drops;
    }
}

void slot_fence(const struct slot *slot, const struct listener *listeners)
{
    if (slot->shares)
        return;
    for (size_t i = 0; i < slot->listener_count; i++)
        listener_fence(&listeners[i], &slot->sockets[i]);
}

void slot_leave_groups(const struct slot *slot)
{
    if (slot->shares)
        return;
    for (size_t i = 0; i < slot->listener_count; i++)
        listener_leave_group(slot->sockets[i].udp);
}

void slot_close_sockets(struct slot *slot)
{
    for (size_t i = 0; i < slot->listener_count; i++)
        listener_close(&slot->sockets[i]);
}

void slot_close(struct slot *slot)
{
    assert(slot->pid == 0);
    slot_close_sockets(slot);
    mappings_remove(slot->memory);
    free(slot->sockets);
    free(slot->queues);
    *slot = (struct slot){.channel = -1};
}

bool slot_has_input(const struct slot *slot)
{
    for (size_t i = 0; i < slot->listener_count; i++) {
        struct pollfd sockets[] = {{.fd = slot->sockets[i].udp, .events = POLLIN},
                                   {.fd = slot->sockets[i].tcp, .events = POLLIN}};
        if (poll(sockets, 2, 0) > 0 && ((sockets[0].revents | sockets[1].revents) & POLLIN) != 0)
            return true;
    }
    return false;
}

bool slot_has_batch(const struct slot *slot)
{
    for (size_t i = 0; i < slot->listener_count; i++)
        if (slot->memory->addresses[i].batch.stage != BATCH_EMPTY)
            return true;
    return false;
}

static void forget_what_is_others(const struct slot *slot, const struct settings *settings)
{
    const struct protection *protection = &settings->protection;
    const void *const kept[] = {slot->memory, settings->tap.rings, protection->secrets.board,
                                protection->keys.list, rrl_memory(protection->limiter)};

    mappings_keep_only(kept, sizeof kept / sizeof kept[0]);
}

static _Noreturn void run_child(struct slot *slot, const struct settings *settings,
                                const struct sealed_table *table, int channel)
{
    struct inheritance inheritance = {.slot = slot->number,
                                      .channel = channel,
                                      .sockets = slot->sockets,
                                      .settings = settings,
                                      .shares_sockets = slot->shares,
                                      .listener_count = slot->listener_count,
                                      .memory = slot->memory,
                                      .protection = &settings->protection,
                                      .table = *table};

    forget_what_is_others(slot, settings);
    worker_run(&inheritance);
}

int slot_spawn(struct slot *slot, const struct settings *settings, const struct sealed_table *table)
{
    int channel;
    pid_t pid = process_fork(&channel, PROCESS_WARNED);

    if (pid == 0)
        run_child(slot, settings, table, channel);
    if (pid < 0)
        return -1;
    slot->pid = pid;
    slot->channel = channel;
    slot->started = slot_clock();
    slot->serving = false;
    slot->fault = SLOT_SOUND;
    slot->cpu = SLOT_ANY_CPU;
    slot->generation = table->table.header->generation;
    slot->first_beat = slot->memory->counters.heartbeat;
    return 0;
}

static bool is_crash(int status)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS, SIGTRAP};

    if (!WIFSIGNALED(status))
        return false;
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        if (WTERMSIG(status) == crashes[i])
            return true;
    return false;
}

static void describe_death(const struct slot *slot, int status, char text[64])
{
    if (slot->fault == SLOT_STUCK)
        snprintf(text, 64, "had stopped working, and was killed");
    else if (slot->fault == SLOT_LOOPING)
        snprintf(text, 64, "worked without end, and was killed");
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        snprintf(text, 64, "made a system call that workers do not, and was killed");
    else if (WIFSIGNALED(status))
        snprintf(text, 64, "died of SIG%s",
                 sigabbrev_np(WTERMSIG(status)) != NULL ? sigabbrev_np(WTERMSIG(status)) : "?");
    else if (WEXITSTATUS(status) == WORKER_EXIT_NO_MEMORY)
        snprintf(text, 64, "found no memory (MemoryMax=, ulimit -v?)");
    else
        snprintf(text, 64, "exited with status %d", WEXITSTATUS(status));
}

static void log_query(const struct slot *slot, const char *transport, const char *death,
                      const uint8_t *query, size_t length)
{
    char hex[2 * 1024 + 1];

    log_error("worker %u (process %d) %s on this query over %s, which is given up: %s%s",
              slot->number, (int)slot->pid, death, transport,
              log_hex(hex, sizeof hex, query, length), 2 * length >= sizeof hex ? "..." : "");
}

/* The slot has no worker, so that there is still but one who writes. */
static void count_given_up(struct slot *slot, unsigned queries)
{
    counters_add(&slot->memory->counters.dropped[COUNTERS_DROP_CRASHED], queries);
}

/* A batch that no worker will finish. */
static void count_remains(struct slot *slot, size_t address, const struct batch_remains *remains)
{
    struct counters_traffic *traffic = &slot->memory->addresses[address].traffic;

    if (remains->taken == 0)
        return;
    counters_add(&traffic->udp_queries, remains->taken);
    counters_add(&traffic->udp_responses, remains->sent);
    counters_batch(&slot->memory->counters, remains->taken);
    count_given_up(slot, remains->given_up);
}

/* What the worker would have counted with its answer. */
static void count_tcp_query(struct slot *slot, uint32_t address)
{
    if (address < slot->listener_count)
        counters_add(&slot->memory->addresses[address].traffic.tcp_queries, 1);
}

/* Gives up what the worker crashed on, if that can be told: then its successor will get further.
 * Logged if `death` is given. Returns the number of queries. */
static unsigned blame(struct slot *slot, const char *death, bool crashed)
{
    struct slot_tcp_query *tcp_query = &slot->memory->tcp_query;
    unsigned blamed = 0;
    const uint8_t *query;
    size_t length;

    for (size_t i = 0; i < slot->listener_count; i++)
        if (batch_blame(&slot->memory->addresses[i].batch, crashed, &query, &length)) {
            if (death != NULL)
                log_query(slot, "UDP", death, query, length);
            blamed++;
        }
    length = tcp_query->length;
    tcp_query->length = 0;
    if (crashed && length > 0 && length <= SLOT_TCP_QUERY_MAX) {
        if (death != NULL)
            log_query(slot, "TCP", death, tcp_query->octets, length);
        count_tcp_query(slot, tcp_query->address);
        blamed++;
    }
    return blamed;
}

/* A batch on which worker after worker dies, and none on a query of it, would keep the slot down.
 */
static void drop_deadly_batches(struct slot *slot)
{
    for (size_t i = 0; i < slot->listener_count; i++) {
        struct batch *batch = &slot->memory->addresses[i].batch;
        if (batch->unexplained < UNEXPLAINED_MAX)
            continue;
        struct batch_remains remains = batch_drop(batch);
        count_remains(slot, i, &remains);
        if (remains.given_up > 0)
            log_error("worker %u: %u queries are given up, for %d workers have crashed on them",
                      slot->number, remains.given_up, UNEXPLAINED_MAX);
    }
}

static ev_tstamp back_off(const struct slot *slot)
{
    unsigned excess = slot->fruitless - FRUITLESS_TOLERATED;

    if (slot->fruitless <= FRUITLESS_TOLERATED)
        return 0;
    ev_tstamp delay =
        backoff_first * (1u << (excess < BACKOFF_DOUBLINGS ? excess : BACKOFF_DOUBLINGS));
    log_error("worker %u: %u workers in a row have died before they answered anything; the next "
              "starts in %.1f s",
              slot->number, slot->fruitless, delay);
    return delay;
}

ev_tstamp slot_bury(struct slot *slot, int status, struct obituaries *obituaries)
{
    bool crashed = is_crash(status) || slot->fault == SLOT_LOOPING;
    bool told = obituaries_admit(obituaries);
    char death[64];

    describe_death(slot, status, death);
    unsigned blamed = blame(slot, told ? death : NULL, crashed);
    count_given_up(slot, blamed);
    atomic_store_explicit(&slot->memory->counters.tcp_open, 0, memory_order_relaxed);
    if (!told)
        obituaries_count(obituaries, blamed);
    else if (blamed == 0)
        log_warning("worker %u (process %d) %s; its successor goes on where it stopped",
                    slot->number, (int)slot->pid, death);
    close(slot->channel);
    slot->channel = -1;
    slot->pid = 0;
    slot->serving = false;
    slot->deaths++;
    bool progress = blamed > 0 || slot->memory->counters.heartbeat != slot->first_beat;
    slot->fruitless = progress ? 0 : slot->fruitless + 1;
    drop_deadly_batches(slot);
    return back_off(slot);
}
