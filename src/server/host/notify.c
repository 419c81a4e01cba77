#include "server/host/notify.h"

#include "config.h"

#include <stddef.h>

#ifdef HAVE_LIBSYSTEMD

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void notify_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
               (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_main(pid_t pid)
{
    sd_notifyf(0, "MAINPID=%ld", (long)pid);
}

double notify_interval(void)
{
    uint64_t microseconds;

    /* Half of what it allows, as sd_watchdog_enabled(3) advises. */
    return sd_watchdog_enabled(0, &microseconds) > 0 ? (double)microseconds / 2e6 : 0;
}

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

int notify_passed(int *first, char ***names)
{
    *first = SD_LISTEN_FDS_START;
    *names = NULL;
    int count = sd_listen_fds_with_names(1, names);
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

    /* FDPOLL=0: an error that waits on a socket is no reason to drop it. */
    snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
    sd_pid_notify_with_fds(0, 0, text, &descriptor, 1);
}

void notify_remove(const char *name)
{
    sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
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
