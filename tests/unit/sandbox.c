/* host/sandbox.c, landlock.c, syscalls.c: what is left to a process, tried by one that is forked
 * for each attempt. */
#include "server/host/landlock.h"
#include "server/host/sandbox.h"
#include "server/host/syscalls.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
    (void)state;
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
    return landlock_confine(NULL, 0);
}

static bool folder_by_landlock(void)
{
    const char *const folders[] = {"/tmp/sorrel-there-is-no-such-folder", folder};

    return landlock_confine(folders, 2);
}

static void landlock_leaves_the_folders_only(void **state)
{
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
        {"abort", attempt_abort, BY_SIGNAL + SIGABRT},
    };

    (void)state;
    sandbox_prepare(strcmp(SANDBOX_DEFAULT, "on") == 0 ? SANDBOX_ON : SANDBOX_OFF);
    if (!sandbox_in_force()->filter)
        skip();
    EXPECT_FATES(syscalls_confine_worker, worker);
    EXPECT_FATES(syscalls_confine_builder, builder);
}

static void what_is_missing_is_said(void **state)
{
    char text[SANDBOX_TEXT_MAX];

    (void)state;
    sandbox_prepare(SANDBOX_OFF);
    assert_false(sandbox_in_force()->filter);
    assert_int_equal(sandbox_in_force()->landlock, 0);
    assert_false(sandbox_describe(text));
    assert_string_equal(text, "workers run without a sandbox, as asked for");
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
