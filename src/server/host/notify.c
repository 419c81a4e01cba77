#include "server/host/notify.h"

#include "config.h"

#include <stddef.h>

#ifdef HAVE_LIBSYSTEMD

#include "server/host/library.h"
#include "server/host/log.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

/* libsystemd, if there is anybody to talk to; its functions by their names without sd_. */
static struct {
    __typeof__(sd_notifyf) *notifyf;
    __typeof__(sd_watchdog_enabled) *watchdog_enabled;
    __typeof__(sd_listen_fds_with_names) *listen_fds_with_names;
    __typeof__(sd_pid_notify_with_fds) *pid_notify_with_fds;
} systemd;

#define FUNCTION(name) {"sd_" #name, &systemd.name}

/* Started by the service manager, which says so in the environment (sd_notify(3), sd_listen_fds(3),
 * sd_watchdog_enabled(3))? Without it the library need not be there. */
static bool load(void)
{
    static const struct library_function functions[] = {
        FUNCTION(notifyf),
        FUNCTION(watchdog_enabled),
        FUNCTION(listen_fds_with_names),
        FUNCTION(pid_notify_with_fds),
    };
    char error[LIBRARY_ERROR_MAX];

    if (getenv("NOTIFY_SOCKET") == NULL && getenv("LISTEN_FDS") == NULL &&
        getenv("WATCHDOG_USEC") == NULL)
        return false;
    if (library_load(SYSTEMD_LIBRARY, functions, sizeof functions / sizeof functions[0], error))
        return true;
    log_error("the service manager is told nothing, and keeps nothing: %s", error);
    return false;
}

static bool is_managed(void)
{
    static enum { UNKNOWN, MANAGED, ALONE } state;

    if (state == UNKNOWN)
        state = load() ? MANAGED : ALONE;
    return state == MANAGED;
}

#define tell(...) (is_managed() ? systemd.notifyf(0, __VA_ARGS__) : 0)

void notify_ready(const char *status)
{
    tell("READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    tell("RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
         (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(void)
{
    tell("STOPPING=1");
}

void notify_main(pid_t pid)
{
    tell("MAINPID=%ld", (long)pid);
}

double notify_interval(void)
{
    uint64_t microseconds;

    /* Half of what it allows, as sd_watchdog_enabled(3) advises. */
    return is_managed() && systemd.watchdog_enabled(0, &microseconds) > 0
               ? (double)microseconds / 2e6
               : 0;
}

void notify_alive(void)
{
    tell("WATCHDOG=1");
}

int notify_passed(int *first, char ***names)
{
    *first = SD_LISTEN_FDS_START;
    *names = NULL;
    int count = is_managed() ? systemd.listen_fds_with_names(1, names) : 0;
    return count > 0 ? count : 0;
}

void notify_free_names(char **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

void notify_store(const char *name, int descriptor)
{
    char text[512];

    if (!is_managed())
        return;
    /* FDPOLL=0: an error that waits on a socket is no reason to drop it. */
    snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
    systemd.pid_notify_with_fds(0, 0, text, &descriptor, 1);
}

void notify_remove(const char *name)
{
    tell("FDSTOREREMOVE=1\nFDNAME=%s", name);
}

#else

void notify_ready(const char *status)
{
    (void)status;
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_main(pid_t pid)
{
    (void)pid;
}

double notify_interval(void)
{
    return 0;
}

void notify_alive(void)
{
}

int notify_passed(int *first, char ***names)
{
    *first = -1;
    *names = NULL;
    return 0;
}

void notify_free_names(char **names, int count)
{
    (void)names;
    (void)count;
}

void notify_store(const char *name, int descriptor)
{
    (void)name;
    (void)descriptor;
}

void notify_remove(const char *name)
{
    (void)name;
}

#endif
