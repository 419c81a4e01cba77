/* sorreld as a subject, with every way it has to be changed under load. */
#include "subject.h"

#include "sockets.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOP_SECONDS = 10, READY_SECONDS = 60, TRIAL_SECONDS = 1 };

/* ARGUMENTS_MAX: the program, its options with their values, the zone and the final NULL. */
enum { ARGUMENTS_MAX = 32, TEXT_MAX = 64 };

struct command {
    const char *argv[ARGUMENTS_MAX];
    size_t count;
    char listen[TEXT_MAX];
    char workers[TEXT_MAX];
    char manager[PATH_MAX];
};

static const char *program(const char *variable, const char *otherwise)
{
    const char *path = getenv(variable);

    return path != NULL && *path != '\0' ? path : otherwise;
}

static const char *daemon_program(void)
{
    return program("SORRELD", "./sorreld");
}

static const char *control_program(void)
{
    return program("SORRELCTL", "./sorrelctl");
}

static bool is_installed(void)
{
    return child_can_run(daemon_program());
}

static bool has_control(void)
{
    static enum { UNKNOWN, NO, YES } answer;

    if (answer == UNKNOWN)
        answer = child_can_run(control_program()) && child_helps_with(daemon_program(), "--control")
                     ? YES
                     : NO;
    return answer == YES;
}

/* --- starting and stopping --------------------------------------------------------- */

static void add(struct command *command, const char *argument)
{
    command->argv[command->count++] = argument;
    command->argv[command->count] = NULL;
}

static void add_daemon(struct command *command, const struct subject *subject)
{
    snprintf(command->listen, sizeof command->listen, "127.0.0.1@%u", subject->port);
    snprintf(command->workers, sizeof command->workers, "%u", subject->workers);
    add(command, daemon_program());
    add(command, "-l");
    add(command, command->listen);
    add(command, "-w");
    add(command, command->workers);
    add(command, "-s");
    add(command, subject->steering);
    if (has_control()) {
        add(command, "--control");
        add(command, subject->control);
    }
    for (size_t i = 0; subject->options != NULL && subject->options[i] != NULL; i++)
        add(command, subject->options[i]);
}

static size_t count_lines(const char *path, const char *start, char *last, size_t room)
{
    FILE *file = fopen(path, "re");
    char line[4096];
    size_t count = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, start, strlen(start)) == 0) {
            count++;
            snprintf(last, room, "%s", line + strlen(start));
        }
    if (file != NULL)
        fclose(file);
    return count;
}

/* What the stand-in has told, and the daemon's process as it last was. */
struct told {
    struct subject *subject;
    const char *what;
    size_t times;
};

static size_t count_told(struct subject *subject, const char *what)
{
    char pid[TEXT_MAX] = "0", rest[TEXT_MAX];
    size_t times = count_lines(subject->log, what, rest, sizeof rest);

    /* Second, so that it is there if it was counted. */
    count_lines(subject->log, "started ", pid, sizeof pid);
    subject->pid = (pid_t)strtol(pid, NULL, 10);
    return times;
}

static bool is_told(void *argument)
{
    const struct told *told = argument;

    return count_told(told->subject, told->what) >= told->times;
}

static void start_managed(struct subject *subject)
{
    struct command command = {.count = 0};
    struct told told = {subject, "started ", 1};

    child_beside(command.manager, "fdstore");
    add(&command, command.manager);
    add_daemon(&command, subject);
    add(&command, subject->directory);
    subject->manager = child_start_fed(command.argv, subject->log, &subject->orders);
    child_wait(is_told, &told, READY_SECONDS);
}

static void start(struct subject *subject)
{
    struct command command = {.count = 0};

    if (subject->is_managed) {
        start_managed(subject);
        return;
    }
    add_daemon(&command, subject);
    add(&command, subject->directory);
    subject->pid = child_start(command.argv, subject->log);
}

static void order(const struct subject *subject, const char *text)
{
    if (write(subject->orders, text, strlen(text)) < 0)
        child_fail("the stand-in of the service manager has gone: %s", strerror(errno));
}

static bool manager_has_ended(void *subject)
{
    return child_has_ended(((struct subject *)subject)->manager);
}

static void stop(struct subject *subject)
{
    if (!subject->is_managed) {
        child_stop(subject->pid, SIGTERM, STOP_SECONDS);
        return;
    }
    order(subject, "stop\n");
    close(subject->orders);
    if (!child_wait(manager_has_ended, subject, 2 * STOP_SECONDS))
        child_stop(subject->manager, SIGKILL, STOP_SECONDS);
}

/* --- changing ---------------------------------------------------------------------- */

static int control(struct subject *subject, const char *word, const char *argument)
{
    const char *argv[] = {control_program(), "--control", subject->control, word, argument, NULL};

    return child_run(argv, subject->log);
}

static enum subject_reload hang_up(struct subject *subject)
{
    kill(subject->pid, SIGHUP);
    return SUBJECT_TOLD;
}

static enum subject_reload reload(struct subject *subject)
{
    if (!has_control())
        return hang_up(subject);
    return control(subject, "reload", NULL) == 0 ? SUBJECT_RELOADED : SUBJECT_REFUSED;
}

static bool resize(struct subject *subject, unsigned workers)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "%u", workers);
    subject->workers = workers;
    return control(subject, "workers", text) == 0;
}

static bool steer(struct subject *subject, const char *policy)
{
    return control(subject, "steering", policy) == 0;
}

/* The sum of "udp4" of all "queries" in the document of stats: of each worker, and of those there
 * are no more. */
static uint64_t sum_queries(const char *document)
{
    const char *at = document;
    uint64_t sum = 0;

    while ((at = strstr(at, "\"queries\": {")) != NULL) {
        const char *udp = strstr(at, "\"udp4\": ");
        if (udp == NULL)
            child_fail("stats has queries without udp4");
        sum += strtoull(udp + strlen("\"udp4\": "), NULL, 10);
        at = udp;
    }
    return sum;
}

static uint64_t count(struct subject *subject)
{
    const char *argv[] = {control_program(), "--control", subject->control,
                          "--json",          "stats",     NULL};
    static char document[1 << 20];
    char path[SUBJECT_PATH_MAX + TEXT_MAX];

    snprintf(path, sizeof path, "%s/stats", subject->directory);
    unlink(path);
    if (child_run(argv, path) != 0)
        child_fail("sorrelctl stats has failed");
    FILE *file = fopen(path, "re");
    if (file == NULL)
        child_fail("%s: %s", path, strerror(errno));
    document[fread(document, 1, sizeof document - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    return sum_queries(document);
}

static bool has_ended(void *pid)
{
    return child_has_ended(*(pid_t *)pid);
}

struct takeover {
    struct subject *subject;
    pid_t successor;
    bool is_done;
};

/* The old daemon ends once the new one serves: then this has happened. */
static bool has_one_ended(void *argument)
{
    struct takeover *takeover = argument;

    takeover->is_done = child_has_ended(takeover->subject->pid);
    return takeover->is_done || child_has_ended(takeover->successor);
}

/* Until it is done: while the number of workers changes, the old daemon refuses. */
static bool try_to_take_over(void *argument)
{
    struct takeover *takeover = argument;
    struct subject *subject = takeover->subject;
    struct command command = {.count = 0};

    add_daemon(&command, subject);
    add(&command, "--takeover");
    add(&command, subject->directory);
    takeover->successor = child_start(command.argv, subject->log);
    child_wait(has_one_ended, takeover, READY_SECONDS);
    return takeover->is_done;
}

static bool take_over(struct subject *subject)
{
    struct takeover takeover = {.subject = subject};

    if (!child_wait(try_to_take_over, &takeover, READY_SECONDS))
        return false;
    subject->pid = takeover.successor;
    return child_is_alive(subject->pid);
}

/* The daemon among our children: who loses its parent becomes ours (main). */
static pid_t find_adopted(void)
{
    pid_t children[CHILD_LIST_MAX];
    size_t count = child_list(getpid(), children);
    char name[16];

    for (size_t i = 0; i < count; i++)
        if (child_name(children[i], name) && strcmp(name, "sorreld") == 0)
            return children[i];
    return 0;
}

static bool upgrade(struct subject *subject)
{
    pid_t old = subject->pid;

    if (control(subject, "takeover", NULL) != 0 || !child_wait(has_ended, &old, READY_SECONDS))
        return false;
    subject->pid = find_adopted();
    return subject->pid != 0;
}

/* Does `change`, which ends in another start of the service, and waits for that. */
static bool start_again(struct subject *subject, void (*change)(const struct subject *))
{
    struct told ready = {subject, "ready ", 1};

    if (!child_wait(is_told, &ready, READY_SECONDS))
        return false;
    ready.times = count_told(subject, "ready ") + 1;
    change(subject);
    if (!child_wait(is_told, &ready, READY_SECONDS))
        return false;
    subject_wait_answering(subject);
    return true;
}

static void order_restart(const struct subject *subject)
{
    order(subject, "restart\n");
}

static void kill_daemon(const struct subject *subject)
{
    kill(subject->pid, SIGKILL);
}

static bool restart(struct subject *subject)
{
    return start_again(subject, order_restart);
}

static bool kill_supervisor(struct subject *subject)
{
    return start_again(subject, kill_daemon);
}

/* --- looking ----------------------------------------------------------------------- */

/* A worker holds its own socket and no other's; the supervisor's other children hold none. */
static size_t list_workers(const struct subject *subject, pid_t workers[CHILD_LIST_MAX])
{
    static struct sockets_one sockets[SOCKETS_MAX];
    pid_t children[CHILD_LIST_MAX];
    size_t socket_count = sockets_list(subject->port, sockets), count = 0;
    size_t child_count = child_list(subject->pid, children);

    for (size_t i = 0; i < child_count; i++)
        if (sockets_held(children[i], sockets, socket_count) == 1)
            workers[count++] = children[i];
    return count;
}

/* Whether it gives its sockets to a service manager can only be told by trying. */
static bool try_managed(void)
{
    struct subject subject = {
        .kind = &subject_sorreld, .steering = "hash", .workers = 1, .names = 1, .is_managed = true};
    struct told stored = {&subject, "stored ", 1};

    subject_start(&subject);
    bool stores = child_wait(is_told, &stored, TRIAL_SECONDS);
    subject_stop(&subject);
    return stores;
}

static bool can_be_managed(void)
{
    static enum { UNKNOWN, NO, YES } answer;

    if (answer == UNKNOWN)
        answer = try_managed() ? YES : NO;
    return answer == YES;
}

static bool can(enum subject_ability ability)
{
    switch (ability) {
    case SUBJECT_STARTS:
    case SUBJECT_RELOADS:
    case SUBJECT_HEEDS_SIGHUP:
    case SUBJECT_RESPAWNS:
        return true;
    case SUBJECT_SAYS_WHEN_RELOADED:
        return has_control();
    case SUBJECT_REPLACES_STALLED:
        return child_helps_with(daemon_program(), "stall");
    case SUBJECT_RESIZES:
    case SUBJECT_STEERS:
        return has_control();
    case SUBJECT_TAKES_OVER:
        return has_control() && child_helps_with(daemon_program(), "--takeover");
    case SUBJECT_RESTARTS:
    case SUBJECT_OUTLIVES_SUPERVISOR:
        return can_be_managed();
    }
    return false;
}

static const char *const steerings[] = {"hash", "query", NULL};

const struct subject_kind subject_sorreld = {.name = "sorreld",
                                             .steerings = steerings,
                                             .is_installed = is_installed,
                                             .start = start,
                                             .stop = stop,
                                             .reload = reload,
                                             .hang_up = hang_up,
                                             .can = can,
                                             .resize = resize,
                                             .steer = steer,
                                             .count = count,
                                             .take_over = take_over,
                                             .upgrade = upgrade,
                                             .restart = restart,
                                             .kill_supervisor = kill_supervisor,
                                             .list_workers = list_workers,
                                             .is_ours = true};
