#include "child.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void (*at_fail)(void);

void child_at_fail(void (*clean_up)(void))
{
    at_fail = clean_up;
}

void child_fail(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (at_fail != NULL)
        at_fail();
    exit(CHILD_EXIT_BROKEN);
}

static _Noreturn void become(const char *const argv[], int in, int out)
{
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[0], (char *const *)(uintptr_t)argv); /* which changes none of them */
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static pid_t start(const char *const argv[], int in, int out)
{
    pid_t pid = fork();

    if (pid < 0)
        child_fail("cannot fork: %s", strerror(errno));
    if (pid == 0)
        become(argv, in, out);
    close(in);
    close(out);
    return pid;
}

static int open_or_fail(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd < 0)
        child_fail("cannot open %s: %s", path, strerror(errno));
    return fd;
}

static void open_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        child_fail("cannot open a pipe: %s", strerror(errno));
}

static int open_log(const char *log)
{
    return open_or_fail(log, O_WRONLY | O_CREAT | O_APPEND);
}

pid_t child_start(const char *const argv[], const char *log)
{
    return start(argv, open_or_fail("/dev/null", O_RDONLY), open_log(log));
}

pid_t child_start_fed(const char *const argv[], const char *log, int *input)
{
    int ends[2];

    open_pipe(ends);
    *input = ends[1];
    return start(argv, ends[0], open_log(log));
}

bool child_helps_with(const char *program, const char *word)
{
    const char *argv[] = {program, "--help", NULL};
    char text[16384];
    size_t used = 0;
    ssize_t got;
    int ends[2];

    open_pipe(ends);
    pid_t pid = start(argv, open_or_fail("/dev/null", O_RDONLY), ends[1]);
    while ((got = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)got;
    close(ends[0]);
    waitpid(pid, NULL, 0);
    text[used] = '\0';
    return strstr(text, word) != NULL;
}

void child_beside(char path[PATH_MAX], const char *name)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    if (length < 0)
        child_fail("cannot tell where this program is: %s", strerror(errno));
    self[length] = '\0';
    snprintf(path, PATH_MAX, "%.*s/%s", (int)(strrchr(self, '/') - self), self, name);
}

int child_run(const char *const argv[], const char *log)
{
    pid_t pid = child_start(argv, log);
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            child_fail("cannot wait for %s: %s", argv[0], strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool child_has_ended(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == pid;
}

static bool has_ended(void *pid)
{
    return child_has_ended(*(pid_t *)pid);
}

bool child_stop(pid_t pid, int signal, unsigned seconds)
{
    kill(pid, signal);
    if (child_wait(has_ended, &pid, seconds))
        return true;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return false;
}

/* Reads state and parent from /proc/PID/stat. The name before them may hold any octet: they follow
 * the last parenthesis. */
static bool read_stat(pid_t pid, char *state, pid_t *parent)
{
    char path[64], text[512], *end;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    end = strrchr(text, ')');
    return end != NULL && sscanf(end + 1, " %c %d", state, parent) == 2;
}

bool child_is_alive(pid_t pid)
{
    char state;
    pid_t parent;

    return read_stat(pid, &state, &parent) && state != 'Z' && state != 'X';
}

static int compare_pids(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

    return x < y ? -1 : x > y;
}

size_t child_list(pid_t parent, pid_t list[CHILD_LIST_MAX])
{
    DIR *directory = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    if (directory == NULL)
        child_fail("/proc is not there: %s", strerror(errno));
    while ((entry = readdir(directory)) != NULL && count < CHILD_LIST_MAX) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), its_parent;
        char state;
        if (pid > 0 && read_stat(pid, &state, &its_parent) && its_parent == parent &&
            state != 'Z' && state != 'X')
            list[count++] = pid;
    }
    closedir(directory);
    qsort(list, count, sizeof *list, compare_pids);
    return count;
}

bool child_name(pid_t pid, char name[16])
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool read = fgets(name, 16, file) != NULL;
    fclose(file);
    if (read)
        name[strcspn(name, "\n")] = '\0';
    return read;
}

bool child_can_run(const char *program)
{
    const char *path = getenv("PATH");
    char candidate[PATH_MAX];

    if (strchr(program, '/') != NULL)
        return access(program, X_OK) == 0;
    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        snprintf(candidate, sizeof candidate, "%.*s/%s", (int)length, path, program);
        if (access(candidate, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

static bool is_free(int type, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (fd < 0)
        child_fail("cannot open a socket: %s", strerror(errno));
    bool bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return bound;
}

uint16_t child_free_port(void)
{
    enum { LOWEST = 10000, COUNT = 20000, ATTEMPTS = 100 };

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint16_t chance = 0;
        if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
            child_fail("no random number: %s", strerror(errno));
        uint16_t port = (uint16_t)(LOWEST + chance % COUNT);
        if (is_free(SOCK_STREAM, port) && is_free(SOCK_DGRAM, port))
            return port;
    }
    child_fail("no port of 127.0.0.1 is free");
}

bool child_wait(bool (*condition)(void *), void *context, unsigned seconds)
{
    static const struct timespec moment = {.tv_nsec = 1000000};
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t until = now.tv_sec + (time_t)seconds + 1;
    while (!condition(context)) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= until)
            return false;
        nanosleep(&moment, NULL);
    }
    return true;
}
