#include "server/supervisor/supervisor.h"

#include "server/host/channel.h"
#include "server/host/log.h"
#include "server/host/notify.h"
#include "server/host/sandbox.h"
#include "server/loading/builder.h"
#include "server/supervisor/apart.h"
#include "server/supervisor/commands.h"
#include "server/supervisor/fdstore.h"
#include "server/supervisor/leave.h"
#include "server/supervisor/reconfigure.h"
#include "server/supervisor/service.h"
#include "server/supervisor/supervision.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Seconds that workers have to answer what is queued when all is to stop (worker.c takes 0.3),
 * before they are killed. */
static const ev_tstamp stop_limit = 0.8;

static struct supervisor *supervisor_of(const struct slot *slot)
{
    return slot->readable.data;
}

/* --- stopping ---------------------------------------------------------------- */

static bool has_children(const struct supervisor *supervisor)
{
    bool has = loader_is_running(&supervisor->loader) || keeper_is_running(&supervisor->keeper) ||
               supervisor->metrics.pid != 0;

    for (size_t i = 0; i < supervisor->slot_count; i++)
        has |= supervisor->slots[i].pid != 0;
    return has;
}

void supervisor_end_if_alone(struct supervisor *supervisor)
{
    if (supervisor->stopping && !has_children(supervisor) && !dnstap_finish(supervisor))
        ev_break(supervisor->loop, EVBREAK_ALL);
}

void supervisor_stop(struct supervisor *supervisor, int status)
{
    const struct channel_message finish = {.type = CHANNEL_FINISH};

    if (supervisor->stopping)
        return;
    if (takeover_is_pending(&supervisor->takeover)) {
        takeover_abandon(supervisor);
        leave_begin(supervisor, status);
        return;
    }
    notify_stopping();
    succession_refuse(supervisor, "the daemon is stopping");
    supervisor->stopping = true;
    supervisor->status = status;
    stall_stop(supervisor);
    metrics_stop(supervisor);
    reloads_refuse(&supervisor->reloads, "the daemon is stopping");
    resize_refuse(&supervisor->resize, "the daemon is stopping");
    loader_stop(&supervisor->loader);
    keeper_end(&supervisor->keeper);
    for (size_t i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        ev_timer_stop(supervisor->loop, &slot->respawn);
        if (slot->pid != 0 && channel_send(slot->channel, &finish, -1) != 0)
            kill(slot->pid, SIGKILL);
    }
    ev_timer_start(supervisor->loop, &supervisor->stop_limit);
    supervisor_end_if_alone(supervisor);
}

static void stop_limit_reached(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;

    (void)loop;
    (void)events;
    for (size_t i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid != 0)
            kill(supervisor->slots[i].pid, SIGKILL);
    keeper_stop(&supervisor->keeper);
}

static void steer(struct supervisor *supervisor)
{
    policy_steer(supervisor, supervisor->slot_count);
}

/* --- workers ------------------------------------------------------------------ */

static void slot_readable(struct ev_loop *loop, ev_io *watcher, int events);
static void check_progress(struct supervisor *supervisor);

void supervisor_publish_workers(struct supervisor *supervisor)
{
    unsigned workers = 0;

    for (size_t i = 0; i < supervisor->slot_count; i++)
        workers += !supervisor->slots[i].retiring;
    for (size_t i = 0; i < supervisor->slot_count; i++)
        supervisor->slots[i].memory->workers = workers;
}

void supervisor_spawn(struct supervisor *supervisor, struct slot *slot)
{
    dnstap_use(supervisor, slot->number);
    if (slot_spawn(slot, supervisor->settings, &supervisor->table.sealed) != 0) {
        log_error("cannot start worker %u: %s", slot->number, strerror(errno));
        slot->respawn.repeat = 1;
        ev_timer_again(supervisor->loop, &slot->respawn);
        return;
    }
    log_debug("worker %u is process %d", slot->number, (int)slot->pid);
    ev_io_set(&slot->readable, slot->channel, EV_READ);
    ev_io_start(supervisor->loop, &slot->readable);
    policy_place_workers(supervisor);
    if (slot->retiring)
        resize_tell(slot);
}

static void respawn_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct slot *slot = watcher->data;
    struct supervisor *supervisor = supervisor_of(slot);

    (void)events;
    ev_timer_stop(loop, watcher);
    supervisor_spawn(supervisor, slot);
}

static void list_addresses(const struct settings *settings, char *text, size_t room)
{
    char address[ADDRESS_TEXT_MAX];
    size_t length = 0;

    *text = '\0';
    for (size_t i = 0; i < settings->listener_count && length < room; i++) {
        const char *between = i == 0 ? "" : i + 1 == settings->listener_count ? " and " : ", ";
        address_to_text(&settings->listeners[i].address, address);
        length += (size_t)snprintf(text + length, room - length, "%s%s", between, address);
    }
}

static void announce(struct supervisor *supervisor)
{
    const struct settings *settings = supervisor->settings;
    uint32_t zones = supervisor->table.sealed.table.header->zone_count;
    char addresses[1024];

    list_addresses(settings, addresses, sizeof addresses);
    log_notice("serving %u zone%s (%" PRIu64 " records) with %u worker%s on %s", zones,
               zones == 1 ? "" : "s", supervisor->ledger.records, settings->workers,
               settings->workers == 1 ? "" : "s", addresses);
    if (settings->control.fd >= 0)
        log_info("sorrelctl reaches this daemon at %s", settings->control.path);
    else
        log_warning("sorrelctl does not reach this daemon: %s", settings->control_fault);
    log_info("the receive buffer of each UDP socket holds %d KiB",
             listener_receive_buffer(&supervisor->slots[0].sockets[0]) / 1024);
    policy_tell(supervisor);
    if (geteuid() == 0 && supervisor->options->user == NULL)
        log_notice("running as root: name a user to run as with -u");
}

void supervisor_take_charge(struct supervisor *supervisor)
{
    control_socket_claim(&supervisor->settings->control);
    commands_open(supervisor);
    if (supervisor->slot_count > 0 && !policy_begin(supervisor))
        log_warning("the policy is not in force: see above");
    dnstap_start(supervisor);
    metrics_start(supervisor);
    if (supervisor->slot_count > 0)
        service_begin(supervisor);
    check_progress(supervisor);
}

bool supervisor_changes_hands(const struct supervisor *supervisor)
{
    return takeover_has_predecessor(supervisor) || succession_is_under_way(supervisor);
}

void supervisor_settle(struct supervisor *supervisor)
{
    if (policy_settle(supervisor))
        return;
    if (supervisor->slot_count > 0 && supervisor->slot_count != supervisor->settings->workers)
        resize_want(supervisor, NULL, supervisor->settings->workers);
    else
        resize_advance(supervisor);
}

static void announce_reload(struct supervisor *supervisor)
{
    const struct channel_built *result = &supervisor->table.result;
    uint32_t zones = supervisor->table.sealed.table.header->zone_count;

    log_notice("reloaded: serving %u zone%s (%" PRIu64 " records); %llu read, %llu unchanged%s",
               zones, zones == 1 ? "" : "s", supervisor->ledger.records,
               (unsigned long long)result->compiled, (unsigned long long)result->copied,
               result->kept + result->failed > 0 ? ", and see the errors above" : "");
}

/* Says so once all workers serve, or all have changed to a new table. */
static void check_progress(struct supervisor *supervisor)
{
    uint64_t generation = supervisor->table.sealed.table.header->generation;
    bool any_serves = false;

    for (size_t i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->pid != 0 && (!slot->serving || slot->generation < generation))
            return;
        any_serves |= slot->pid != 0;
    }
    if (!any_serves)
        return;
    if (takeover_is_pending(&supervisor->takeover)) {
        takeover_ready(supervisor);
        return;
    }
    if (!supervisor->announced) {
        supervisor->announced = true;
        announce(supervisor);
        if (!takeover_has_predecessor(supervisor))
            supervisor_settle(supervisor);
    } else if (supervisor->adopting) {
        supervisor->adopting = false;
        announce_reload(supervisor);
        reloads_end(&supervisor->reloads, &supervisor->ledger, NULL);
    }
    supervisor_reload(supervisor);
    service_settle(supervisor);
}

/* Takes one message of a worker; false when there is none. */
static bool take_message(struct supervisor *supervisor, struct slot *slot)
{
    struct channel_message message;
    int fd;

    switch (channel_receive(slot->channel, &message, &fd)) {
    case CHANNEL_NOTHING:
        return false;
    case CHANNEL_END:
        ev_io_stop(supervisor->loop, &slot->readable);
        return false;
    case CHANNEL_MALFORMED:
        break;
    case CHANNEL_MESSAGE:
        if (message.type == CHANNEL_SERVING) {
            slot->serving = true;
            if (slot->left_out || slot->suspect) {
                slot->left_out = slot->suspect = false;
                steer(supervisor);
            }
            return true;
        }
        if (message.type == CHANNEL_LEFT && supervisor->leaving && !slot->left) {
            leave_slot_left(supervisor, slot);
            return true;
        }
        if (message.type == CHANNEL_ADOPTED) {
            slot->generation = message.table.generation;
            return true;
        }
        if (fd >= 0)
            close(fd);
        break;
    }
    log_error("worker %u (process %d) sent what no worker sends: killed", slot->number,
              (int)slot->pid);
    ev_io_stop(supervisor->loop, &slot->readable);
    kill(slot->pid, SIGKILL);
    return false;
}

static void slot_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;
    struct slot *slot = (struct slot *)(void *)((char *)watcher - offsetof(struct slot, readable));

    (void)loop;
    (void)events;
    if (take_message(supervisor, slot) && !supervisor->stopping) {
        check_progress(supervisor);
        resize_advance(supervisor);
    }
}

static void bury(struct supervisor *supervisor, struct slot *slot, int status)
{
    ev_io_stop(supervisor->loop, &slot->readable);
    if (supervisor->takeover.state == TAKEOVER_PREPARING) {
        log_error("worker %u has died before it served: the running daemon goes on", slot->number);
        supervisor_stop(supervisor, EXIT_FAILURE);
    }
    if (supervisor->leaving) {
        leave_bury(supervisor, slot, status);
        return;
    }
    if (supervisor->stopping) {
        close(slot->channel);
        slot->pid = 0;
        supervisor_end_if_alone(supervisor);
        return;
    }
    if (resize_has_ended(supervisor, slot, status)) {
        check_progress(supervisor);
        resize_advance(supervisor);
        return;
    }
    ev_tstamp delay = slot_bury(slot, status, &supervisor->obituaries);
    if (delay > 0) {
        slot->left_out = true;
        slot->respawn.repeat = delay;
        ev_timer_again(supervisor->loop, &slot->respawn);
        steer(supervisor);
    } else {
        supervisor_spawn(supervisor, slot);
    }
    check_progress(supervisor);
    resize_advance(supervisor);
}

/* --- slots --------------------------------------------------------------------- */

/* What another daemon leaves is served as it is; the number is changed afterwards. */
static unsigned count_slots(const struct supervisor *supervisor, unsigned inherited)
{
    bool as_wanted = inherited == 0 || supervisor->policy.shared;

    return as_wanted ? supervisor->settings->workers : inherited;
}

bool supervisor_open_slot(struct supervisor *supervisor, char error[LISTENER_ERROR_MAX])
{
    struct settings *settings = supervisor->settings;
    unsigned number = (unsigned)supervisor->slot_count;
    struct slot *slot = &supervisor->slots[number];
    bool opened = number > 0 && supervisor->policy.shared
                      ? slot_open_shared(slot, number, &supervisor->slots[0], error)
                      : slot_open(slot, number, settings->listeners, &settings->listener_count,
                                  number == 0 && !settings->join, &settings->inherited, error);

    if (!opened)
        return false;
    supervisor->slot_count++;
    ev_init(&slot->readable, slot_readable);
    ev_init(&slot->respawn, respawn_due);
    slot->readable.data = supervisor;
    slot->respawn.data = slot;
    if (!takeover_is_pending(&supervisor->takeover))
        fdstore_put_slot(slot, settings->listeners);
    return true;
}

static bool open_slots(struct supervisor *supervisor)
{
    unsigned inherited = handover_slots(&supervisor->settings->inherited);
    char error[LISTENER_ERROR_MAX];

    policy_init(supervisor, inherited);
    unsigned slots = count_slots(supervisor, inherited);
    while (supervisor->slot_count < slots)
        if (!supervisor_open_slot(supervisor, error)) {
            log_error("%s", error);
            return false;
        }
    supervisor_publish_workers(supervisor);
    return policy_begin(supervisor);
}

/* --- tables -------------------------------------------------------------------- */

/* The table that another daemon serves or has kept, for what is unchanged. */
static void inherit_table(struct supervisor *supervisor)
{
    struct loader_table *table = &supervisor->inherited;

    table->fd = handover_take(&supervisor->settings->inherited, HANDOVER_TABLE, 0, NULL);
    if (table->fd < 0) {
        supervisor->was_kept =
            supervisor->settings->takeover < 0 && keeper_read(&supervisor->keeper, table);
        if (supervisor->was_kept)
            supervisor->generation = table->sealed.table.header->generation;
        return;
    }
    if (seal_map(&table->sealed, table->fd) == NULL) {
        supervisor->generation = table->sealed.table.header->generation;
        fdstore_note_table(supervisor->generation);
        return;
    }
    /* Another version's: this one reads all zones. */
    fdstore_forget_table();
    close(table->fd);
    table->fd = -1;
}

static void start_reload(struct supervisor *supervisor)
{
    bool has_table = supervisor->table.fd >= 0;
    const struct loader_table *current = has_table ? &supervisor->table : &supervisor->inherited;
    const struct builder_order order = {
        .zones = supervisor->settings->zones,
        .zone_count = supervisor->settings->zone_count,
        .only = reloads_begin(&supervisor->reloads),
        .previous = current->fd >= 0 ? &current->sealed.table : NULL,
        /* What is not known of files is known of the next table, if one is made. */
        .urgent = !has_table && !takeover_is_pending(&supervisor->takeover),
        .sparing = current->fd >= 0 && !current->result.renewed,
        .seed = supervisor->seed,
        .generation = ++supervisor->generation,
    };

    guard_reload(&supervisor->guard);
    dnstap_reopen(supervisor);
    supervisor->unready = true;
    if (supervisor->announced && !takeover_is_pending(&supervisor->takeover))
        notify_reloading();
    if (loader_start(&supervisor->loader, &order))
        return;
    ledger_abandon(&supervisor->ledger);
    reloads_end(&supervisor->reloads, &supervisor->ledger, "no process could be started");
    if (!has_table)
        supervisor_stop(supervisor, EXIT_FAILURE);
}

/* The zones to look at may be others by now. False if the configuration has faults. */
static bool renew_zones(struct supervisor *supervisor)
{
    char error[RECONFIGURE_ERROR_MAX];

    if (reconfigure(supervisor, error))
        return true;
    log_error("not reloaded: the configuration has faults, so everything is as it was");
    reloads_begin(&supervisor->reloads);
    reloads_end(&supervisor->reloads, &supervisor->ledger, error);
    return false;
}

void supervisor_reload(struct supervisor *supervisor)
{
    if (reloads_are_wanted(&supervisor->reloads) && !loader_is_running(&supervisor->loader) &&
        !supervisor->adopting && supervisor->announced && !supervisor->stopping &&
        !succession_is_under_way(supervisor) && renew_zones(supervisor))
        start_reload(supervisor);
}

/* Serves `next` from now on, and tells all workers. */
static void change_table(struct supervisor *supervisor, const struct loader_table *next)
{
    struct channel_message adopt = {.type = CHANNEL_ADOPT,
                                    .table.generation = next->sealed.table.header->generation};

    loader_discard(&supervisor->table);
    supervisor->table = *next;
    supervisor->adopting = true;
    service_keep_table(supervisor);
    for (size_t i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        /* One that has left so many messages unread does not work any more. */
        if (slot->pid != 0 && channel_send(slot->channel, &adopt, next->fd) != 0)
            kill(slot->pid, SIGKILL);
    }
}

static void begin_serving(struct supervisor *supervisor)
{
    if (supervisor->inherited.fd >= 0)
        loader_discard(&supervisor->inherited);
    if (supervisor->slot_count == 0 && !open_slots(supervisor)) {
        supervisor_stop(supervisor, EXIT_FAILURE);
        return;
    }
    if (!takeover_is_pending(&supervisor->takeover))
        service_begin(supervisor);
    for (size_t i = 0; i < supervisor->slot_count; i++)
        supervisor_spawn(supervisor, &supervisor->slots[i]);
}

/* Serves the table that an earlier start has left at once, and sees then what has changed since. */
static void serve_inherited(struct supervisor *supervisor)
{
    supervisor->table = supervisor->inherited;
    supervisor->inherited.fd = -1;
    supervisor->unready = true;
    ledger_commit(&supervisor->ledger, &supervisor->table.sealed.table, false, time(NULL));
    reloads_want_all(&supervisor->reloads);
    begin_serving(supervisor);
}

static void commit_ledger(struct supervisor *supervisor)
{
    bool partial = supervisor->reloads.only != NULL;

    ledger_commit(&supervisor->ledger, &supervisor->table.sealed.table, partial, time(NULL));
    if (!partial)
        reconfigure_tell_strays(supervisor);
}

/* All zones are as they are in the table that there is. */
static void find_unchanged(struct supervisor *supervisor, const struct channel_built *result)
{
    bool has_table = supervisor->table.fd >= 0;

    if (!has_table) {
        supervisor->table = supervisor->inherited;
        supervisor->inherited.fd = -1;
    }
    supervisor->table.result = *result;
    commit_ledger(supervisor);
    if (result->renewed)
        keeper_write(&supervisor->keeper);
    if (has_table) {
        supervisor->adopting = true;
        check_progress(supervisor);
    } else {
        begin_serving(supervisor);
    }
}

static void tell_of_kept_table(const struct supervisor *supervisor,
                               const struct channel_built *result)
{
    if (supervisor->was_kept && supervisor->table.fd < 0 && result->copied > 0)
        log_info("%llu zone%s not read: unchanged since the table in %s was kept",
                 (unsigned long long)result->copied, result->copied == 1 ? "" : "s",
                 supervisor->settings->state);
}

static void builder_exited(struct supervisor *supervisor, int status)
{
    struct loader_table next;
    bool has_table = supervisor->table.fd >= 0;

    enum loader_outcome outcome = loader_finish(&supervisor->loader, status, &next);
    bool loaded = outcome == LOADER_TABLE;
    if (outcome != LOADER_NOTHING && !supervisor->stopping)
        tell_of_kept_table(supervisor, &next.result);
    if (outcome == LOADER_UNCHANGED && !supervisor->stopping) {
        find_unchanged(supervisor, &next.result);
        return;
    }
    if (loaded && (supervisor->stopping || next.sealed.table.header->zone_count == 0)) {
        loader_discard(&next);
        loaded = false;
        if (!supervisor->stopping)
            log_error("no zone could be loaded: mend the errors above, or name other zone files");
    }
    if (supervisor->stopping) {
        supervisor_end_if_alone(supervisor);
    } else if (loaded && has_table) {
        change_table(supervisor, &next);
        commit_ledger(supervisor);
        keeper_write(&supervisor->keeper);
    } else if (loaded) {
        supervisor->table = next;
        commit_ledger(supervisor);
        keeper_write(&supervisor->keeper);
        begin_serving(supervisor);
    } else if (has_table) {
        log_error("not reloaded: the zones are served as they were");
        ledger_abandon(&supervisor->ledger);
        reloads_end(&supervisor->reloads, &supervisor->ledger,
                    "nothing was reloaded: the zones are served as they were");
        check_progress(supervisor);
    } else {
        supervisor_stop(supervisor, EXIT_FAILURE);
    }
}

/* --- signals -------------------------------------------------------------------- */

static void stop_wanted(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)events;
    supervisor_stop(watcher->data, EXIT_SUCCESS);
}

static void reload_wanted(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;

    (void)loop;
    (void)events;
    if (supervisor->leaving && supervisor->status == EXIT_SUCCESS) {
        kill(supervisor->succession.successor, SIGHUP);
        return;
    }
    reloads_want_all(&supervisor->reloads);
    supervisor_reload(supervisor);
}

static void child_died(struct ev_loop *loop, ev_child *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;

    (void)loop;
    (void)events;
    if (succession_child_died(supervisor, watcher->rpid, watcher->rstatus) ||
        metrics_child_died(supervisor, watcher->rpid, watcher->rstatus) ||
        dnstap_child_died(supervisor, watcher->rpid, watcher->rstatus))
        return;
    if (watcher->rpid == supervisor->loader.pid) {
        builder_exited(supervisor, watcher->rstatus);
        return;
    }
    if (watcher->rpid == supervisor->keeper.pid) {
        keeper_finish(&supervisor->keeper, watcher->rstatus);
        supervisor_end_if_alone(supervisor);
        return;
    }
    for (size_t i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid == watcher->rpid) {
            bury(supervisor, &supervisor->slots[i], watcher->rstatus);
            return;
        }
    apart_died(watcher->rstatus);
}

static void watch_signal(struct supervisor *supervisor, ev_signal *watcher, int number,
                         void (*callback)(struct ev_loop *, ev_signal *, int))
{
    ev_signal_init(watcher, callback, number);
    watcher->data = supervisor;
    ev_signal_start(supervisor->loop, watcher);
}

static bool open_supervisor(struct supervisor *supervisor, struct options *options)
{
    struct settings *settings = &options->settings;

    *supervisor = (struct supervisor){.loop = ev_default_loop(EVFLAG_NOTIMERFD),
                                      .settings = settings,
                                      .options = options,
                                      .slots = calloc(STEERING_SLOTS_MAX, sizeof(struct slot)),
                                      .started = slot_clock(),
                                      .table.fd = -1,
                                      .inherited.fd = -1};
    if (supervisor->loop == NULL || supervisor->slots == NULL ||
        getrandom(&supervisor->seed, sizeof supervisor->seed, 0) != sizeof supervisor->seed) {
        log_error("cannot start: the system has no memory or no event mechanism left");
        free(supervisor->slots);
        return false;
    }
    if (!guard_open(&supervisor->guard, supervisor->loop, &settings->protection,
                    &settings->inherited)) {
        free(supervisor->slots);
        return false;
    }
    loader_init(&supervisor->loader, supervisor->loop, &supervisor->ledger);
    keeper_init(&supervisor->keeper, supervisor->loop, settings, &supervisor->table);
    watch_signal(supervisor, &supervisor->terminate, SIGTERM, stop_wanted);
    watch_signal(supervisor, &supervisor->interrupt, SIGINT, stop_wanted);
    watch_signal(supervisor, &supervisor->hangup, SIGHUP, reload_wanted);
    ev_child_init(&supervisor->children, child_died, 0, 0);
    supervisor->children.data = supervisor;
    ev_child_start(supervisor->loop, &supervisor->children);
    ev_timer_init(&supervisor->stop_limit, stop_limit_reached, stop_limit, 0);
    supervisor->stop_limit.data = supervisor;
    obituaries_open(&supervisor->obituaries, supervisor->loop);
    stall_start(supervisor);
    interval_start(supervisor);
    return true;
}

static void close_supervisor(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->slot_count; i++)
        slot_close(&supervisor->slots[i]);
    free(supervisor->slots);
    if (supervisor->table.fd >= 0)
        loader_discard(&supervisor->table);
    if (supervisor->inherited.fd >= 0)
        loader_discard(&supervisor->inherited);
    handover_discard(&supervisor->settings->inherited);
    obituaries_close(&supervisor->obituaries);
    guard_close(&supervisor->guard);
    interval_stop(supervisor);
    stats_free(&supervisor->stats);
    ledger_free(&supervisor->ledger);
    keeper_close(&supervisor->keeper);
    commands_close(supervisor);
    metrics_close(supervisor);
    dnstap_close(supervisor);
    reconfigure_close(supervisor);
    ev_loop_destroy(supervisor->loop);
}

int supervisor_run(struct options *options)
{
    static struct supervisor supervisor;
    struct settings *settings = &options->settings;
    char sandbox[SANDBOX_TEXT_MAX];

    sandbox_prepare(settings->sandbox);
    if (!sandbox_describe(sandbox) && settings->sandbox == SANDBOX_ON)
        log_warning("%s", sandbox);
    if (!open_supervisor(&supervisor, options))
        return EXIT_FAILURE;
    identity_complete(&settings->identity);
    inherit_table(&supervisor);
    succession_init(&supervisor);
    takeover_begin(&supervisor);
    bool is_pending = takeover_is_pending(&supervisor.takeover);
    /* Queries wait in the sockets while the zones are read; but addresses that are shared with
     * others, or not ours yet, must not take queries from them before there is an answer. */
    if (!dnstap_open(&supervisor) || !metrics_open(&supervisor) ||
        (!settings->join && !is_pending && !open_slots(&supervisor)) ||
        (!is_pending && !commands_open(&supervisor))) {
        supervisor.status = EXIT_FAILURE;
    } else {
        if (!is_pending) {
            dnstap_start(&supervisor);
            metrics_start(&supervisor);
        }
        if (supervisor.inherited.fd >= 0 && !supervisor.was_kept && !is_pending)
            serve_inherited(&supervisor);
        else
            start_reload(&supervisor);
        if (!supervisor.stopping)
            ev_run(supervisor.loop, 0);
    }
    close_supervisor(&supervisor);
    if (supervisor.status == EXIT_SUCCESS)
        log_notice("stopped");
    return supervisor.status;
}
