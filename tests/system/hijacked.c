/*
 * Stands between the worker and answer_finish(), and does for some QNAMEs, by their first label,
 * what somebody would who had taken the worker over. If that is let through, the query is answered.
 *
 * Likewise before the keeper writes a table, by the name of the directory, and before the process
 * apart replies; either then goes on if it is let through.
 */
#include "answer/answer.h"
#include "server/control/control.h"
#include "table/table_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

__typeof__(answer_finish) __real_answer_finish, __wrap_answer_finish;
__typeof__(table_file_write) __real_table_file_write, __wrap_table_file_write;
__typeof__(control_reply) __real_control_reply, __wrap_control_reply;

static void try_socket(void)
{
    socket(AF_INET, SOCK_DGRAM, 0);
}

static void try_bind(void)
{
    const struct sockaddr_in any = {.sin_family = AF_INET};

    bind(STDERR_FILENO, (const struct sockaddr *)&any, sizeof any);
}

static void try_connect(void)
{
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(9)};

    connect(STDERR_FILENO, (const struct sockaddr *)&here, sizeof here);
}

static void try_open(void)
{
    open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void try_execve(void)
{
    execl("/bin/true", "true", (char *)NULL);
}

static void try_fork(void)
{
    if (fork() == 0)
        _exit(EXIT_SUCCESS);
}

static void try_ptrace(void)
{
    ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void try_kill(void)
{
    kill(getppid(), SIGCONT);
}

/* Code from data: the last step of most attacks. */
static void try_mmap(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_write(void)
{
    if (write(STDOUT_FILENO, "", 0) != 0)
        return;
}

static void try_prctl(void)
{
    prctl(PR_SET_NAME, "bash");
}

static const struct attempt {
    const char *label;
    void (*attempt)(void);
} attempts[] = {
    {"socket", try_socket}, {"bind", try_bind},   {"connect", try_connect}, {"open", try_open},
    {"execve", try_execve}, {"fork", try_fork},   {"ptrace", try_ptrace},   {"kill", try_kill},
    {"mmap", try_mmap},     {"write", try_write}, {"prctl", try_prctl},
};

static void attempt(const uint8_t *label)
{
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        size_t length = strlen(attempts[i].label);
        if (label[0] == length && memcmp(label + 1, attempts[i].label, length) == 0)
            attempts[i].attempt();
    }
}

size_t __wrap_answer_finish(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *reply, size_t reply_max,
                            struct answer_report *report)
{
    enum { HEADER = 12 };

    if (task->verdict == QUERY_ANSWER)
        attempt(task->wire + HEADER);
    return __real_answer_finish(task, settings, client, reply, reply_max, report);
}

/* 0, or an errno value. */
static int attempt_as_keeper(const char *directory)
{
    if (strstr(directory, "/hijacked-socket/") != NULL)
        try_socket();
    if (strstr(directory, "/hijacked-open/") != NULL && open("/etc/passwd", O_RDONLY) < 0)
        return errno;
    return 0;
}

int __wrap_table_file_write(const char *path, const void *base, size_t length)
{
    int refused = attempt_as_keeper(path);

    return refused != 0 ? refused : __real_table_file_write(path, base, length);
}

void __wrap_control_reply(struct control_request *request, bool done, json_t *document)
{
    char name[16];

    prctl(PR_GET_NAME, name);
    if (strcmp(name, "sorreld:apart") == 0)
        try_socket();
    __real_control_reply(request, done, document);
}
