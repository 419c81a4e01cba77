/* host/sandbox.c, landlock.c, syscalls.c: what is left to a process, tried by one that is forked
 * for each attempt. */
#include "server/host/sandbox.h"
#include "server/host/landlock.h"
#include "server/host/syscalls.h"
#include "table/table_file.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/sorrel-sandbox-XXXXXX";
static char inside[sizeof folder + 8];
static char beneath[sizeof folder + 16];

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(beneath, sizeof beneath, "%s/beneath", folder);
    assert_int_equal(mkdir(beneath, 0700), 0);
    snprintf(inside, sizeof inside, "%s/file", folder);
    int fd = open(inside, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int remove_folder(void **state)
{
    char kept[sizeof inside + 4];

    (void)state;
    snprintf(kept, sizeof kept, "%s.new", inside);
    unlink(kept);
    unlink(inside);
    rmdir(beneath);
    return rmdir(folder);
}

/* An attempt's errno, or 0. */
static int result(long outcome)
{
    return outcome < 0 ? errno : 0;
}

static int attempt_read_inside(void)
{
    return result(open(inside, O_RDONLY | O_CLOEXEC));
}

static int attempt_list(void)
{
    return result(open(beneath, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int attempt_read_outside(void)
{
    return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int attempt_write_inside(void)
{
    return result(open(inside, O_WRONLY | O_CLOEXEC));
}

static int attempt_create(void)
{
    char path[sizeof inside + 4];

    snprintf(path, sizeof path, "%s.new", inside);
    return result(open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600));
}

static int attempt_remove(void)
{
    return result(rmdir(beneath));
}

static int attempt_socket(void)
{
    return result(socket(AF_INET, SOCK_DGRAM, 0));
}

static int attempt_unix_socket(void)
{
    return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* Of the descriptors that there are, one that nobody has is as good as any. */
static int attempt_connect(void)
{
    const struct sockaddr any = {.sa_family = AF_UNIX};

    return result(connect(-1, &any, sizeof any));
}

static int attempt_write_octets(void)
{
    const struct iovec part = {.iov_base = inside, .iov_len = 1};

    return result(writev(-1, &part, 1));
}

static int attempt_read_octets(void)
{
    char octet;

    return result(pread(-1, &octet, 1, 0));
}

static int attempt_lock(void)
{
    return result(flock(-1, LOCK_EX));
}

static int attempt_send(void)
{
    const struct msghdr message = {0};

    return result(sendmsg(-1, &message, 0));
}

static int attempt_send_file(void)
{
    return result(sendfile(-1, -1, NULL, 1));
}

static int attempt_no_delay(void)
{
    const int on = 1;

    return result(setsockopt(-1, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

static int attempt_congestion_control(void)
{
    return result(setsockopt(-1, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
}

static int attempt_look_at_limit(void)
{
    struct rlimit limit;

    return result(getrlimit(RLIMIT_NOFILE, &limit));
}

static int attempt_set_limit(void)
{
    const struct rlimit limit = {0, 0};

    return result(setrlimit(RLIMIT_CORE, &limit));
}

/* What the keeper does with its file. */
static int attempt_keep(void)
{
    char path[sizeof inside + 4];

    snprintf(path, sizeof path, "%s.new", inside);
    return table_file_write(path, inside, sizeof inside);
}

static int attempt_write_through_link(void)
{
    return result(open(inside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int attempt_make_link(void)
{
    char path[sizeof inside + 4];

    snprintf(path, sizeof path, "%s.lnk", inside);
    return result(symlink("/etc/passwd", path));
}

static int attempt_make_folder(void)
{
    char path[sizeof inside + 4];

    snprintf(path, sizeof path, "%s.dir", inside);
    return result(mkdir(path, 0700));
}

static int attempt_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return result(pid);
}

static void *nothing(void *closure)
{
    return closure;
}

static int attempt_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, nothing, NULL);

    if (error == 0)
        pthread_join(thread, NULL);
    return error;
}

static int attempt_memory_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    return fd < 0 || ftruncate(fd, 4096) != 0 ? errno : result(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
}

static int attempt_execute(void)
{
    return result(execl("/bin/true", "true", (char *)NULL));
}

static int attempt_heap(void)
{
    /* Once small enough for brk(2), once for mmap(2). */
    void *volatile small = malloc(100), *volatile large = malloc(1 << 24);
    int outcome = small == NULL || large == NULL ? ENOMEM : 0;

    free(small);
    free(large);
    return outcome;
}

static int attempt_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int attempt_abort(void)
{
    abort();
}

enum { BY_SIGNAL = 1000 };

/* What becomes of `attempt` in a process of its own behind `confine`: 0, its errno, or BY_SIGNAL +
 * the signal that ended it. */
static int fate(bool (*confine)(void), int (*attempt)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(confine() ? attempt() : 255);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

struct expectation {
    const char *what;
    int (*attempt)(void);
    int fate;
};

static void expect_fates(bool (*confine)(void), const struct expectation *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int became = fate(confine, list[i].attempt);
        if (became != list[i].fate)
            fail_msg("%s: %d, not %d", list[i].what, became, list[i].fate);
    }
}

#define EXPECT_FATES(confine, list) expect_fates(confine, list, sizeof(list) / sizeof(list)[0])

static bool nothing_by_landlock(void)
{
    return landlock_confine(NULL, 0, NULL);
}

static bool folder_by_landlock(void)
{
    const char *const folders[] = {"/tmp/sorrel-there-is-no-such-folder", folder};

    return landlock_confine(folders, 2, NULL);
}

static bool written_by_landlock(void)
{
    return landlock_confine(NULL, 0, folder);
}

static bool other_by_landlock(void)
{
    const char *const folders[] = {folder};

    return landlock_confine(folders, 1, beneath);
}

static void landlock_leaves_the_folders_only(void **state)
{
    static const struct expectation writing[] = {
        {"keep a table", attempt_keep, 0},
        {"write inside", attempt_write_inside, 0},
        {"list", attempt_list, 0},
        {"read inside", attempt_read_inside, EACCES},
        {"read outside", attempt_read_outside, EACCES},
        {"make a link", attempt_make_link, EACCES},
        {"make a folder", attempt_make_folder, EACCES},
        {"remove a folder", attempt_remove, EACCES},
        {"execute", attempt_execute, EACCES},
    };
    static const struct expectation elsewhere[] = {
        {"keep a table", attempt_keep, EACCES},
        {"write inside", attempt_write_inside, EACCES},
        {"read inside", attempt_read_inside, 0},
    };
    static const struct expectation none[] = {
        {"read inside", attempt_read_inside, EACCES},
        {"read outside", attempt_read_outside, EACCES},
        {"list", attempt_list, EACCES},
        {"make a memory file", attempt_memory_file, 0},
    };
    static const struct expectation reading[] = {
        {"read inside", attempt_read_inside, 0},
        {"list", attempt_list, 0},
        {"read outside", attempt_read_outside, EACCES},
        {"write inside", attempt_write_inside, EACCES},
        {"create", attempt_create, EACCES},
        {"remove", attempt_remove, EACCES},
        {"execute", attempt_execute, EACCES},
    };

    (void)state;
    if (landlock_version() == 0)
        skip();
    EXPECT_FATES(nothing_by_landlock, none);
    EXPECT_FATES(folder_by_landlock, reading);
    EXPECT_FATES(written_by_landlock, writing);
    EXPECT_FATES(other_by_landlock, elsewhere);
}

static const int killed = BY_SIGNAL + SIGSYS;

static void filters_leave_what_each_kind_does(void **state)
{
    const struct expectation worker[] = {
        {"read a file", attempt_read_outside, killed},
        {"create a file", attempt_create, killed},
        {"make a socket", attempt_socket, killed},
        {"fork", attempt_fork, killed},
        {"make a thread", attempt_thread, killed},
        {"execute", attempt_execute, killed},
        {"make code", attempt_code, killed},
        {"use the heap", attempt_heap, 0},
        {"make a memory file", attempt_memory_file, killed},
        {"have TCP wait for nothing", attempt_no_delay, EBADF},
        {"change what else TCP does", attempt_congestion_control, killed},
        {"abort", attempt_abort, BY_SIGNAL + SIGABRT},
    };
    const struct expectation builder[] = {
        {"read a file", attempt_read_outside, 0},
        {"list a folder", attempt_list, 0},
        {"create a file", attempt_create, killed},
        {"write a file", attempt_write_inside, killed},
        {"remove a folder", attempt_remove, killed},
        {"make a socket", attempt_socket, killed},
        {"fork", attempt_fork, killed},
        {"make a thread", attempt_thread, 0},
        {"execute", attempt_execute, killed},
        {"make code", attempt_code, killed},
        {"use the heap", attempt_heap, 0},
        {"make a memory file", attempt_memory_file, 0},
        {"look at a limit", attempt_look_at_limit, 0},
        {"set a limit", attempt_set_limit, killed},
        {"abort", attempt_abort, BY_SIGNAL + SIGABRT},
    };
    const struct expectation keeper[] = {
        {"keep a table", attempt_keep, 0},
        {"read a file", attempt_read_outside, 0},
        {"create a file", attempt_create, killed},
        {"write through a link", attempt_write_through_link, killed},
        {"make a link", attempt_make_link, killed},
        {"make a folder", attempt_make_folder, killed},
        {"remove a folder", attempt_remove, killed},
        {"make a socket", attempt_unix_socket, killed},
        {"fork", attempt_fork, killed},
        {"execute", attempt_execute, killed},
        {"make code", attempt_code, killed},
        {"make a memory file", attempt_memory_file, killed},
        {"use the heap", attempt_heap, 0},
        {"abort", attempt_abort, BY_SIGNAL + SIGABRT},
    };
    const struct expectation metrics[] = {
        {"read a file", attempt_read_outside, killed},
        {"make a socket", attempt_unix_socket, killed},
        {"send a file", attempt_send_file, killed},
        {"fork", attempt_fork, killed},
        {"use the heap", attempt_heap, 0},
    };
    const struct expectation dnstap_file[] = {
        {"write", attempt_write_octets, EBADF}, {"read", attempt_read_octets, EBADF},
        {"lock", attempt_lock, EBADF},          {"make a socket", attempt_unix_socket, killed},
        {"connect", attempt_connect, killed},   {"read another file", attempt_read_outside, killed},
        {"fork", attempt_fork, killed},
    };
    const struct expectation dnstap_socket[] = {
        {"make a socket", attempt_unix_socket, 0},
        {"connect", attempt_connect, EBADF},
        {"send", attempt_send, EBADF},
        {"make another kind of socket", attempt_socket, killed},
        {"write", attempt_write_octets, killed},
        {"read", attempt_read_octets, killed},
        {"lock", attempt_lock, killed},
        {"read a file", attempt_read_outside, killed},
        {"fork", attempt_fork, killed},
    };
    const struct expectation apart[] = {
        {"send", attempt_send, EBADF},
        {"use the heap", attempt_heap, 0},
        {"write", attempt_write_octets, killed},
        {"read a file", attempt_read_outside, killed},
        {"make a socket", attempt_unix_socket, killed},
        {"fork", attempt_fork, killed},
        {"execute", attempt_execute, killed},
    };

    (void)state;
    sandbox_prepare(strcmp(SANDBOX_DEFAULT, "on") == 0 ? SANDBOX_ON : SANDBOX_OFF);
    if (!sandbox_in_force()->filter)
        skip();
    EXPECT_FATES(syscalls_confine_worker, worker);
    EXPECT_FATES(syscalls_confine_builder, builder);
    EXPECT_FATES(syscalls_confine_keeper, keeper);
    EXPECT_FATES(syscalls_confine_metrics, metrics);
    EXPECT_FATES(syscalls_confine_dnstap_file, dnstap_file);
    EXPECT_FATES(syscalls_confine_dnstap_socket, dnstap_socket);
    EXPECT_FATES(syscalls_confine_apart, apart);
}

static void what_is_missing_is_said(void **state)
{
    char text[SANDBOX_TEXT_MAX];

    (void)state;
    sandbox_prepare(SANDBOX_OFF);
    assert_false(sandbox_in_force()->filter);
    assert_int_equal(sandbox_in_force()->landlock, 0);
    assert_false(sandbox_describe(text));
    assert_string_equal(text, "no process runs in a sandbox, as asked for");
    sandbox_prepare(SANDBOX_ON);
    assert_int_equal(sandbox_describe(text),
                     sandbox_in_force()->filter && sandbox_in_force()->landlock > 0);
    assert_int_equal(strstr(text, "to be had") == NULL, sandbox_describe(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(landlock_leaves_the_folders_only),
        cmocka_unit_test(filters_leave_what_each_kind_does),
        cmocka_unit_test(what_is_missing_is_said),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
