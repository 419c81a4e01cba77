#include "server/supervisor/service.h"

#include "server/host/notify.h"
#include "server/supervisor/fdstore.h"

#include <stdio.h>

void service_keep_table(const struct supervisor *supervisor)
{
    const struct loader_table *table = &supervisor->table;

    fdstore_put_table(table->fd, table->sealed.table.header->generation);
}

/* Has the service manager keep what there is, and nothing else. */
static void keep_all(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->slot_count; i++)
        fdstore_put_slot(&supervisor->slots[i], supervisor->settings->listeners);
    fdstore_remove_rest(&supervisor->settings->inherited);
    service_keep_table(supervisor);
}

static void watchdog_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
    notify_alive();
}

static void start_watchdog(struct supervisor *supervisor)
{
    ev_tstamp interval = notify_interval();

    ev_init(&supervisor->watchdog, watchdog_due);
    supervisor->watchdog.repeat = interval;
    if (interval <= 0)
        return;
    ev_timer_again(supervisor->loop, &supervisor->watchdog);
    /* A daemon that was taken over from may have been about to. */
    notify_alive();
}

void service_begin(struct supervisor *supervisor)
{
    keep_all(supervisor);
    start_watchdog(supervisor);
}

void service_settle(struct supervisor *supervisor)
{
    const struct settings *settings = supervisor->settings;
    char status[128];

    if (!supervisor->unready || !supervisor->announced || supervisor->adopting ||
        loader_is_running(&supervisor->loader))
        return;
    supervisor->unready = false;
    uint32_t zones = supervisor->table.sealed.table.header->zone_count;
    snprintf(status, sizeof status, "serving %u zone%s with %u worker%s", zones,
             zones == 1 ? "" : "s", settings->workers, settings->workers == 1 ? "" : "s");
    notify_ready(status);
}
