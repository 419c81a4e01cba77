#include "server/loading/keeper.h"

#include "server/host/account.h"
#include "server/host/log.h"
#include "server/host/mappings.h"
#include "server/host/privilege.h"
#include "server/host/process.h"
#include "server/host/sandbox.h"
#include "server/loading/builder.h"
#include "table/table_file.h"
#include "zone/provenance.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KEEPER_NICENESS = 19,
    /* How the child exits: with 0, an errno value, or this: written, but time stamps of zone files
     * are too fresh to be relied on. */
    EXIT_UNSETTLED = 255,
};

/* Till no time stamp of before is fresh any more. */
static const ev_tstamp settling_time = INPUT_RECENT_SECONDS + 1;

/* A disk that is full may have room again, and there may be no other reload for long. */
static const ev_tstamp retry_time = 60;

static void settle_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    keeper_write(watcher->data);
}

void keeper_init(struct keeper *keeper, struct ev_loop *loop, const struct settings *settings,
                 const struct loader_table *table)
{
    *keeper = (struct keeper){
        .loop = loop, .settings = settings, .directory = settings->state, .table = table};
    if (keeper->directory != NULL &&
        asprintf(&keeper->path, "%s/zone-table", keeper->directory) < 0)
        keeper->directory = NULL;
    ev_timer_init(&keeper->settle, settle_due, settling_time, 0);
    keeper->settle.data = keeper;
}

bool keeper_read(const struct keeper *keeper, struct loader_table *table)
{
    const char *reason;

    if (keeper->directory == NULL)
        return false;
    table->fd = table_file_read(&table->sealed, keeper->path, geteuid(), &reason);
    table->result = (struct channel_built){0};
    /* Where nothing can be written either, that is told of once it is tried. */
    if (table->fd < 0 && reason != NULL && access(keeper->directory, W_OK | X_OK) == 0)
        log_warning("the table kept in %s is of no use, so all zones are read: %s; it is replaced",
                    keeper->path, reason);
    return table->fd >= 0;
}

/* --- the child ------------------------------------------------------------------------ */

/* Adds to the table what has become certain of the zone files since they were read. */
static enum provenance_age settle_sources(const struct table *table)
{
    const struct table_section *section;
    enum provenance_age age = PROVENANCE_SETTLED;
    uint32_t position = 0;

    while ((section = table_next_zone(table, &position)) != NULL)
        if (provenance_settle((struct table_section *)(uintptr_t)section) == PROVENANCE_RECENT)
            age = PROVENANCE_RECENT;
    return age;
}

static int write_table(const char *path, const struct loader_table *served)
{
    size_t length = served->sealed.length;
    struct table table;
    /* A mapping of this process' own: what it changes in there nobody else sees. */
    void *base =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, served->fd, 0);

    if (base == MAP_FAILED)
        return errno;
    table_attach(&table, base);
    enum provenance_age age = settle_sources(&table);
    seal_sum(base, length);
    int error = table_file_write(path, base, length);
    if (error != 0)
        return error;
    return age == PROVENANCE_SETTLED ? 0 : EXIT_UNSETTLED;
}

/* The folders are those of the zones that are to be served, whatever the table says. */
static void enter_sandbox(const struct keeper *keeper)
{
    const struct settings *settings = keeper->settings;
    size_t count;
    char **folders = builder_folders(settings->zones, settings->zone_count, &count);

    sandbox_enter_keeper((const char *const *)folders, count, keeper->directory);
    source_free_folders(folders, count);
}

static _Noreturn void run_child(const struct keeper *keeper)
{
    int kept[] = {keeper->table->fd};

    prctl(PR_SET_NAME, "sorreld:keeper");
    process_keep_only(kept, 1);
    mappings_keep_only(NULL, 0);
    setpriority(PRIO_PROCESS, 0, KEEPER_NICENESS);
    privilege_confine_reader();
    enter_sandbox(keeper);
    _exit(write_table(keeper->path, keeper->table));
}

/* --- the supervisor's side --------------------------------------------------------------- */

#define COMPLAINT "cannot keep the table in %s, so the next start may have to read all zones: %s%s"

static void complain(const struct keeper *keeper, const char *reason, const char *advice)
{
    log_warning(COMPLAINT, keeper->directory, reason, advice);
}

static const char *name_user(void)
{
    static char advice[ACCOUNT_NAME_MAX + 64];
    char user[ACCOUNT_NAME_MAX];

    snprintf(advice, sizeof advice, "; give it to user %s, whom sorreld runs as",
             account_name(geteuid(), user));
    return advice;
}

static const char *advice_on(int fault)
{
    switch (fault) {
    case ENOENT:
        return "; make that directory";
    case ENOTDIR:
        return "; name a directory with --state";
    case EROFS:
        return "; name another with --state, or with systemd add ReadWritePaths=";
    case EACCES:
    case EPERM:
        return name_user();
    case ENOSPC:
    case EDQUOT:
        return "; make room, and it is kept again";
    default:
        return "";
    }
}

bool keeper_check(const char *directory)
{
    struct stat status;
    int fault = 0;

    if (directory == NULL)
        return true;
    if (stat(directory, &status) != 0)
        fault = errno;
    else if (!S_ISDIR(status.st_mode))
        fault = ENOTDIR;
    if (fault == 0 && faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
        fault = errno;
    if (fault != 0)
        log_error(COMPLAINT, directory, strerror(fault), advice_on(fault));
    return fault == 0;
}

static void write_later(struct keeper *keeper, ev_tstamp delay)
{
    ev_timer_stop(keeper->loop, &keeper->settle);
    ev_timer_set(&keeper->settle, delay, 0);
    ev_timer_start(keeper->loop, &keeper->settle);
}

/* It has been tried, and `fault` tells why in vain, or is 0. Said once, however often it is tried.
 */
static void note_fault(struct keeper *keeper, int fault)
{
    if (fault != 0 && fault != keeper->fault)
        complain(keeper, seal_error(fault), advice_on(fault));
    if (fault == 0 && keeper->fault != 0)
        log_notice("the table is kept in %s again", keeper->directory);
    keeper->fault = fault;
    if (fault != 0)
        write_later(keeper, retry_time);
}

void keeper_write(struct keeper *keeper)
{
    int channel;

    if (keeper->directory == NULL || keeper->stopped)
        return;
    ev_timer_stop(keeper->loop, &keeper->settle);
    keeper->again = keeper_is_running(keeper);
    if (keeper->again)
        return;
    pid_t pid = process_fork(&channel, PROCESS_KILLED);
    if (pid == 0)
        run_child(keeper);
    if (pid < 0) {
        note_fault(keeper, errno);
        return;
    }
    close(channel);
    keeper->pid = pid;
}

void keeper_finish(struct keeper *keeper, int status)
{
    bool exited = WIFEXITED(status);
    int code = exited ? WEXITSTATUS(status) : 0;

    keeper->pid = 0;
    /* EBUSY: a daemon that this one has replaced, or that has replaced it, is writing. */
    if (keeper->stopped || keeper->again) {
        /* nothing more to be told of that one */
    } else if (code == EXIT_UNSETTLED || code == EBUSY) {
        if (code == EXIT_UNSETTLED)
            note_fault(keeper, 0);
        write_later(keeper, settling_time);
    } else if (exited) {
        note_fault(keeper, code);
    } else {
        complain(keeper, strsignal(WTERMSIG(status)), "");
    }
    if (keeper->again)
        keeper_write(keeper);
}

void keeper_end(struct keeper *keeper)
{
    keeper->stopped = true;
    keeper->again = false;
    ev_timer_stop(keeper->loop, &keeper->settle);
}

void keeper_stop(struct keeper *keeper)
{
    keeper_end(keeper);
    if (keeper_is_running(keeper))
        kill(keeper->pid, SIGKILL);
}

void keeper_close(struct keeper *keeper)
{
    ev_timer_stop(keeper->loop, &keeper->settle);
    free(keeper->path);
    keeper->path = NULL;
}
