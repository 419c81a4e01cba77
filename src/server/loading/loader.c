#include "server/loading/loader.h"

#include "server/host/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds between lines that tell how far a load is. */
static const double terminal_interval = 0.1, log_interval = 5;

void loader_init(struct loader *loader, struct ev_loop *loop, struct ledger *ledger)
{
    *loader = (struct loader){.loop = loop, .ledger = ledger, .fd = -1};
}

void loader_log_diagnostic(unsigned severity, const char *file, unsigned line, const char *sentence)
{
    bool is_warning = severity == SEVERITY_WARNING;
    enum log_level level = is_warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR;
    const char *rank = is_warning ? "warning: " : "";

    if (*file == '\0')
        log_plain(level, "sorreld: %s%s", rank, sentence);
    else if (line == 0)
        log_plain(level, "%s: %s%s", file, rank, sentence);
    else
        log_plain(level, "%s:%u: %s%s", file, line, rank, sentence);
}

static void show_progress(struct loader *loader, const struct channel_progress *progress)
{
    const struct tally_count count = {
        .expected = progress->expected, .done = progress->done, .records = progress->records};
    char text[PACE_TEXT_MAX];

    if (!pace_line(&loader->pace, &count, pace_clock(), text))
        return;
    if (loader->on_terminal)
        log_passing("%s", text);
    else
        log_info("%s", text);
}

static bool note_zones(struct loader *loader, const struct channel_message *message)
{
    struct name origin;
    unsigned outcome = 0;
    uint32_t position = 0;

    while (channel_next_zone(message, &position, &origin, &outcome) && outcome <= BUILD_FAILED)
        ledger_add_zone(loader->ledger, &origin, outcome);
    return position == message->zones.length && outcome <= BUILD_FAILED;
}

/* Notes and logs one finding of the builder; false if the message is none that may come now. */
static bool take_finding(struct loader *loader, const struct channel_message *message)
{
    if (loader->has_result)
        return false;
    if (message->type == CHANNEL_PROGRESS) {
        show_progress(loader, &message->progress);
        return true;
    }
    if (message->type == CHANNEL_DIAGNOSTIC) {
        const struct diagnostic diagnostic = {
            .severity = message->diagnostic.severity,
            .file = channel_diagnostic_file(message),
            .line = message->diagnostic.line,
            .text = channel_diagnostic_sentence(message),
        };
        ledger_add_fault(loader->ledger, &diagnostic);
        loader_log_diagnostic(diagnostic.severity, diagnostic.file, diagnostic.line,
                              diagnostic.text);
        return true;
    }
    return message->type == CHANNEL_ZONES && note_zones(loader, message);
}

/* Takes one message; false when no more is to be expected for now. */
static bool take_message(struct loader *loader)
{
    struct channel_message message;
    int fd;

    switch (channel_receive(loader->channel.fd, &message, &fd)) {
    case CHANNEL_NOTHING:
        return false;
    case CHANNEL_END:
        ev_io_stop(loader->loop, &loader->channel);
        return false;
    case CHANNEL_MALFORMED:
        break;
    case CHANNEL_MESSAGE:
        if (take_finding(loader, &message))
            return true;
        if (message.type == CHANNEL_BUILT && !loader->has_result) {
            loader->has_result = true;
            loader->result = message.built;
            loader->fd = fd;
            return true;
        }
        if (fd >= 0)
            close(fd);
        break;
    }
    log_error("the builder (process %d) sent what no builder sends: killed", (int)loader->pid);
    ev_io_stop(loader->loop, &loader->channel);
    loader_stop(loader);
    return false;
}

/* Some messages at a time: the workers are to be looked after as well. */
static void channel_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    enum { AT_ONCE = 64 };

    (void)loop;
    (void)events;
    for (unsigned left = AT_ONCE; left > 0 && take_message(watcher->data); left--)
        ;
}

bool loader_start(struct loader *loader, const struct builder_order *order)
{
    int channel;
    pid_t pid = builder_start(order, &channel);

    if (pid < 0) {
        log_error("cannot start a builder: %s", strerror(errno));
        return false;
    }
    log_debug("process %d reads the zones", (int)pid);
    ledger_begin(loader->ledger);
    loader->on_terminal = log_is_terminal();
    pace_start(&loader->pace, loader->on_terminal ? terminal_interval : log_interval, pace_clock());
    loader->pid = pid;
    loader->has_result = false;
    loader->fd = -1;
    ev_io_init(&loader->channel, channel_readable, channel, EV_READ);
    loader->channel.data = loader;
    ev_io_start(loader->loop, &loader->channel);
    return true;
}

static bool take_table(struct loader *loader, struct loader_table *table)
{
    const char *fault = seal_map(&table->sealed, loader->fd);

    if (fault != NULL) {
        log_error("the builder made a table that cannot be used: %s", fault);
        return false;
    }
    table->fd = loader->fd;
    table->result = loader->result;
    loader->fd = -1;
    return true;
}

enum loader_outcome loader_finish(struct loader *loader, int status, struct loader_table *table)
{
    bool exited = WIFEXITED(status);
    enum loader_outcome outcome = LOADER_NOTHING;
    pid_t pid = loader->pid;

    if (ev_is_active(&loader->channel))
        while (take_message(loader))
            ;
    ev_io_stop(loader->loop, &loader->channel);
    close(loader->channel.fd);
    loader->pid = 0;
    if (exited && loader->has_result && loader->result.made) {
        outcome = take_table(loader, table) ? LOADER_TABLE : LOADER_NOTHING;
    } else if (exited && loader->has_result && loader->result.unchanged) {
        table->result = loader->result;
        outcome = LOADER_UNCHANGED;
    } else if (WIFSIGNALED(status)) {
        log_error("the builder (process %d) died of SIG%s%s", (int)pid,
                  sigabbrev_np(WTERMSIG(status)) != NULL ? sigabbrev_np(WTERMSIG(status)) : "?",
                  WTERMSIG(status) == SIGKILL
                      ? ": if nobody has killed it, memory was short, as the kernel's log tells"
                      : "");
    }
    if (loader->fd >= 0)
        close(loader->fd);
    loader->fd = -1;
    return outcome;
}

void loader_discard(struct loader_table *table)
{
    seal_unmap(&table->sealed);
    close(table->fd);
    table->fd = -1;
}

void loader_stop(struct loader *loader)
{
    if (loader->pid != 0)
        kill(loader->pid, SIGKILL);
}

void loader_count(const struct table *table, unsigned long *zones, unsigned long long *records)
{
    uint32_t position = 0;
    const struct table_section *section;

    *zones = 0;
    *records = 0;
    while ((section = table_next_zone(table, &position)) != NULL) {
        *zones += 1;
        *records += section->record_count;
    }
}
