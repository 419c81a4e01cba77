/* NSD and Knot DNS as subjects, configured for what they do best here: a socket and a worker for
 * each CPU. */
#include "subject.h"

#include "question.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STOP_SECONDS = 30 };

static void __attribute__((format(printf, 2, 3)))
configure(const struct subject *subject, const char *format, ...)
{
    FILE *file = fopen(subject->configuration, "we");
    va_list arguments;

    if (file == NULL)
        child_fail("cannot write %s: %s", subject->configuration, strerror(errno));
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    if (fclose(file) != 0)
        child_fail("cannot write %s: %s", subject->configuration, strerror(errno));
}

static void stop(struct subject *subject)
{
    child_stop(subject->pid, SIGTERM, STOP_SECONDS);
}

/* Without a store for their sockets there is nothing better than this. */
static bool restart(struct subject *subject)
{
    stop(subject);
    subject->kind->start(subject);
    subject_wait_answering(subject);
    return true;
}

static bool can(enum subject_ability ability)
{
    return ability == SUBJECT_STARTS || ability == SUBJECT_RELOADS || ability == SUBJECT_RESPAWNS ||
           ability == SUBJECT_RESTARTS;
}

/* --- NSD ---------------------------------------------------------------------- */

static bool nsd_is_installed(void)
{
    return child_can_run("nsd") && child_can_run("nsd-control");
}

static void nsd_start(struct subject *subject)
{
    const char *directory = subject->directory;
    const char *argv[] = {"nsd", "-d", "-c", subject->configuration, NULL};

    configure(subject,
              "server:\n ip-address: 127.0.0.1@%u\n server-count: %u\n reuseport: yes\n"
              " username: \"\"\n chroot: \"\"\n database: \"\"\n zonesdir: \"%s\"\n"
              " pidfile: \"%s/pid\"\n xfrdfile: \"%s/xfrd\"\n xfrdir: \"%s\"\n"
              " zonelistfile: \"%s/zonelist\"\n"
              "remote-control:\n control-enable: yes\n control-interface: \"%s\"\n"
              "zone:\n name: " QUESTION_ORIGIN "\n zonefile: \"%s\"\n",
              subject->port, subject->workers, directory, directory, directory, directory,
              directory, subject->control, subject->zone);
    subject->pid = child_start(argv, subject->log);
}

static enum subject_reload nsd_reload(struct subject *subject)
{
    const char *argv[] = {"nsd-control", "-c", subject->configuration, "reload", NULL};

    return child_run(argv, subject->log) == 0 ? SUBJECT_TOLD : SUBJECT_REFUSED;
}

/* Its workers are grandchildren of the process that started first. */
static size_t nsd_list_workers(const struct subject *subject, pid_t workers[CHILD_LIST_MAX])
{
    pid_t mains[CHILD_LIST_MAX], servers[CHILD_LIST_MAX];
    size_t main_count = child_list(subject->pid, mains), count = 0;

    for (size_t i = 0; i < main_count; i++) {
        size_t server_count = child_list(mains[i], servers);
        for (size_t k = 0; k < server_count && count < CHILD_LIST_MAX; k++) {
            char name[16];
            if (child_name(servers[k], name) && strncmp(name, "nsd: server", 11) == 0)
                workers[count++] = servers[k];
        }
    }
    return count;
}

const struct subject_kind subject_nsd = {.name = "nsd",
                                         .is_installed = nsd_is_installed,
                                         .start = nsd_start,
                                         .stop = stop,
                                         .reload = nsd_reload,
                                         .can = can,
                                         .restart = restart,
                                         .list_workers = nsd_list_workers};

/* --- Knot DNS ----------------------------------------------------------------- */

static bool knotd_is_installed(void)
{
    return child_can_run("knotd") && child_can_run("knotc");
}

static void knotd_start(struct subject *subject)
{
    const char *directory = subject->directory;
    const char *argv[] = {"knotd", "-c", subject->configuration, NULL};

    configure(subject,
              "server:\n rundir: %s\n listen: 127.0.0.1@%u\n udp-workers: %u\n"
              "database:\n storage: %s/database\n"
              "control:\n listen: %s\n"
              "log:\n - target: stderr\n   any: info\n"
              "template:\n - id: default\n   journal-content: none\n   zonefile-load: whole\n"
              "zone:\n - domain: " QUESTION_ORIGIN "\n   file: %s\n",
              directory, subject->port, subject->workers, directory, subject->control,
              subject->zone);
    subject->pid = child_start(argv, subject->log);
}

static enum subject_reload knotd_reload(struct subject *subject)
{
    const char *argv[] = {"knotc", "-s", subject->control, "zone-reload", NULL};

    return child_run(argv, subject->log) == 0 ? SUBJECT_TOLD : SUBJECT_REFUSED;
}

/* Its workers are threads: who kills one kills all. */
static size_t knotd_list_workers(const struct subject *subject, pid_t workers[CHILD_LIST_MAX])
{
    workers[0] = subject->pid;
    return child_is_alive(subject->pid) ? 1 : 0;
}

const struct subject_kind subject_knotd = {.name = "knotd",
                                           .is_installed = knotd_is_installed,
                                           .start = knotd_start,
                                           .stop = stop,
                                           .reload = knotd_reload,
                                           .can = can,
                                           .restart = restart,
                                           .list_workers = knotd_list_workers,
                                           .one_process = true};
