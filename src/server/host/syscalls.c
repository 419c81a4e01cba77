#include "server/host/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Of the argument of that number, the bits `mask` are those of `value`. */
struct part {
    unsigned argument;
    uint64_t mask; /* 0: there is no such part */
    uint64_t value;
};

enum { PARTS_MAX = 2 };

/* A call that is allowed if all parts are true of it. */
struct condition {
    int call;
    struct part parts[PARTS_MAX];
};

static const uint64_t whole = UINT64_MAX;

/* --- what all do --------------------------------------------------------------------- */

/* Memory, time, the channel to the supervisor, and the way out: by exit, or by abort(3) after a
 * sentence of assert(3) or of the C library's on standard error. */
static const int common[] = {
    SCMP_SYS(brk),          SCMP_SYS(munmap),          SCMP_SYS(mremap),
    SCMP_SYS(madvise),      SCMP_SYS(futex),           SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(getrandom),    SCMP_SYS(sched_yield),     SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),      SCMP_SYS(close),           SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),   SCMP_SYS(getpid),          SCMP_SYS(gettid),
    SCMP_SYS(getuid),       SCMP_SYS(geteuid),         SCMP_SYS(getgid),
    SCMP_SYS(getegid),      SCMP_SYS(uname),           SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(alarm),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),
};

/* Pages that were data are never code. */
static const struct condition common_conditions[] = {
    {SCMP_SYS(mmap), {{2, PROT_EXEC, 0}}},        {SCMP_SYS(mprotect), {{2, PROT_EXEC, 0}}},
    {SCMP_SYS(fcntl), {{1, whole, F_GET_SEALS}}}, {SCMP_SYS(fcntl), {{1, whole, F_GETFL}}},
    {SCMP_SYS(fcntl), {{1, whole, F_GETFD}}},     {SCMP_SYS(fcntl), {{1, whole, F_SETFD}}},
};

/* --- what only some do ------------------------------------------------------------- */

static const int worker[] = {
    SCMP_SYS(recvmmsg),     SCMP_SYS(sendmmsg),    SCMP_SYS(epoll_wait),    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),   SCMP_SYS(epoll_create1), SCMP_SYS(poll),
    SCMP_SYS(ppoll),        SCMP_SYS(accept4),     SCMP_SYS(recvfrom),      SCMP_SYS(sendto),
    SCMP_SYS(shutdown),     SCMP_SYS(getpeername), SCMP_SYS(getsockname),
};

static const struct condition worker_conditions[] = {
    {SCMP_SYS(setsockopt), {{1, whole, IPPROTO_TCP}, {2, whole, TCP_NODELAY}}},
    {SCMP_SYS(getsockopt), {{1, whole, IPPROTO_UDP}}},
    {SCMP_SYS(write), {{0, whole, STDERR_FILENO}}},
    {SCMP_SYS(writev), {{0, whole, STDERR_FILENO}}},
};

static const int builder[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(getdents64),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(memfd_create),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(copy_file_range),
    SCMP_SYS(fadvise64),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sysinfo),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getrusage),
};

static const int metrics[] = {
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
    SCMP_SYS(poll),       SCMP_SYS(ppoll),       SCMP_SYS(accept4),      SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),     SCMP_SYS(shutdown),    SCMP_SYS(getsockname),  SCMP_SYS(getpeername),
};

static const struct condition metrics_conditions[] = {
    {SCMP_SYS(setsockopt), {{1, whole, IPPROTO_TCP}}},
    {SCMP_SYS(getsockopt), {{1, whole, IPPROTO_TCP}}},
    {SCMP_SYS(fcntl), {{1, whole, F_SETFL}}},
    {SCMP_SYS(write), {{0, whole, STDERR_FILENO}}},
    {SCMP_SYS(writev), {{0, whole, STDERR_FILENO}}},
};

/* The file is open, and so is the lock on it to be had by its descriptor. */
static const int dnstap_file[] = {
    SCMP_SYS(poll),  SCMP_SYS(ppoll),   SCMP_SYS(writev),
    SCMP_SYS(flock), SCMP_SYS(pread64), SCMP_SYS(ftruncate),
};

static const struct condition dnstap_file_conditions[] = {
    {SCMP_SYS(write), {{0, whole, STDERR_FILENO}}},
};

static const int dnstap_socket[] = {
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(connect),
    SCMP_SYS(recvfrom),
};

static const struct condition dnstap_socket_conditions[] = {
    {SCMP_SYS(socket), {{0, whole, AF_UNIX}}},
    {SCMP_SYS(write), {{0, whole, STDERR_FILENO}}},
    {SCMP_SYS(writev), {{0, whole, STDERR_FILENO}}},
};

/* Which files these calls reach is for Landlock to say. */
static const int keeper[] = {
    SCMP_SYS(read),   SCMP_SYS(write),    SCMP_SYS(stat),     SCMP_SYS(lstat),
    SCMP_SYS(statx),  SCMP_SYS(flock),    SCMP_SYS(fchmod),   SCMP_SYS(ftruncate),
    SCMP_SYS(fsync),  SCMP_SYS(rename),   SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat),
};

/* It opens one file for writing, and never one that is a link. */
static const struct condition keeper_conditions[] = {
    {SCMP_SYS(open), {{1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
    {SCMP_SYS(openat), {{2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
    {SCMP_SYS(open), {{1, O_ACCMODE | O_NOFOLLOW | O_TRUNC, O_WRONLY | O_NOFOLLOW}}},
    {SCMP_SYS(openat), {{2, O_ACCMODE | O_NOFOLLOW | O_TRUNC, O_WRONLY | O_NOFOLLOW}}},
};

/* Beyond what all do, it writes its one reply. */
static const struct condition apart_conditions[] = {
    {SCMP_SYS(write), {{0, whole, STDERR_FILENO}}},
    {SCMP_SYS(writev), {{0, whole, STDERR_FILENO}}},
};

/* The signal that the C library takes for itself when it starts a thread, to change the user of all
 * threads at once; no header names it. */
enum { SIGNAL_SETXID = 33 };

/* fork(2) has no CLONE_THREAD. */
static const struct condition builder_conditions[] = {
    {SCMP_SYS(open), {{1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
    {SCMP_SYS(openat), {{2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
    {SCMP_SYS(clone), {{0, CLONE_THREAD, CLONE_THREAD}}},
    {SCMP_SYS(rt_sigaction), {{0, whole, SIGNAL_SETXID}}},
    {SCMP_SYS(fcntl), {{1, whole, F_ADD_SEALS}}},
    {SCMP_SYS(ioctl), {{1, whole, TCGETS}}},
    {SCMP_SYS(ioctl), {{1, whole, TIOCGWINSZ}}},
    {SCMP_SYS(prlimit64), {{2, whole, 0}}},
};

/* --- a filter ------------------------------------------------------------------------ */

static bool allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0)
            return false;
    return true;
}

static bool allow_if(scmp_filter_ctx filter, const struct condition *conditions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct scmp_arg_cmp comparisons[PARTS_MAX];
        unsigned parts = 0;
        for (; parts < PARTS_MAX && conditions[i].parts[parts].mask != 0; parts++) {
            const struct part *part = &conditions[i].parts[parts];
            comparisons[parts] = (struct scmp_arg_cmp){.arg = part->argument,
                                                       .op = SCMP_CMP_MASKED_EQ,
                                                       .datum_a = part->mask,
                                                       .datum_b = part->value};
        }
        if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditions[i].call, parts,
                                   comparisons) != 0)
            return false;
    }
    return true;
}

/* The C library asks for clone3(2), whose flags are in memory that a filter cannot read, and falls
 * back to clone(2) where there is none. And abort(3) is a signal to oneself. */
static bool allow_what_all_do(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp abort_self[] = {
        {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid(), .datum_b = 0},
        {.arg = 2, .op = SCMP_CMP_EQ, .datum_a = SIGABRT, .datum_b = 0},
    };

    return allow(filter, common, COUNT(common)) &&
           allow_if(filter, common_conditions, COUNT(common_conditions)) &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), COUNT(abort_self),
                                  abort_self) == 0;
}

static bool confine(const int *calls, size_t call_count, const struct condition *conditions,
                    size_t condition_count)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (filter == NULL)
        return false;
    int outcome = allow_what_all_do(filter) && allow(filter, calls, call_count) &&
                          allow_if(filter, conditions, condition_count)
                      ? seccomp_load(filter)
                      : -EINVAL;
    seccomp_release(filter);
    errno = -outcome;
    return outcome == 0;
}

bool syscalls_confine_worker(void)
{
    return confine(worker, COUNT(worker), worker_conditions, COUNT(worker_conditions));
}

bool syscalls_confine_builder(void)
{
    return confine(builder, COUNT(builder), builder_conditions, COUNT(builder_conditions));
}

bool syscalls_confine_metrics(void)
{
    return confine(metrics, COUNT(metrics), metrics_conditions, COUNT(metrics_conditions));
}

bool syscalls_confine_dnstap_file(void)
{
    return confine(dnstap_file, COUNT(dnstap_file), dnstap_file_conditions,
                   COUNT(dnstap_file_conditions));
}

bool syscalls_confine_dnstap_socket(void)
{
    return confine(dnstap_socket, COUNT(dnstap_socket), dnstap_socket_conditions,
                   COUNT(dnstap_socket_conditions));
}

bool syscalls_confine_keeper(void)
{
    return confine(keeper, COUNT(keeper), keeper_conditions, COUNT(keeper_conditions));
}

bool syscalls_confine_apart(void)
{
    return confine(NULL, 0, apart_conditions, COUNT(apart_conditions));
}
