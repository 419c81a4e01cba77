/* control/control_socket.c: paths, abandoned sockets, sockets in use, unsafe directories.
 */
#include "server/control/control_socket.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/sorrel-unit-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[CONTROL_SOCKET_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path_of("control"));
    return rmdir(directory);
}

static void defaults_depend_on_the_user(void **state)
{
    (void)state;
    char longest[200];
    static const struct {
        uid_t uid;
        bool daemon;
        const char *runtime_directory;
        const char *xdg_runtime_dir;
        const char *path;
    } cases[] = {
        {0, true, NULL, NULL, "/run/sorrel/control"},
        {0, true, NULL, "/run/user/0", "/run/sorrel/control"},
        {0, true, "/run/other", NULL, "/run/other/control"},
        {0, false, "/run/other", NULL, "/run/sorrel/control"},
        {7000001, true, NULL, "/xdg", "/xdg/sorrel/control"},
        {7000001, false, "/run/other", "/xdg", "/xdg/sorrel/control"},
        {7000001, true, "/run/sorrel", "/xdg", "/run/sorrel/control"},
        {7000001, false, NULL, NULL, "/tmp/sorrel-7000001/control"},
        {7000001, false, NULL, "relative", "/tmp/sorrel-7000001/control"},
        {7000001, false, NULL, "", "/tmp/sorrel-7000001/control"},
        {7000001, false, NULL, "LONG", "/tmp/sorrel-7000001/control"},
    };
    char path[CONTROL_SOCKET_PATH_MAX];

    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *xdg = cases[i].xdg_runtime_dir;
        unsetenv("RUNTIME_DIRECTORY");
        unsetenv("XDG_RUNTIME_DIR");
        if (cases[i].runtime_directory != NULL)
            setenv("RUNTIME_DIRECTORY", cases[i].runtime_directory, 1);
        if (xdg != NULL)
            setenv("XDG_RUNTIME_DIR", strcmp(xdg, "LONG") == 0 ? longest : xdg, 1);
        control_socket_default_path(cases[i].uid, cases[i].daemon, path);
        assert_string_equal(path, cases[i].path);
    }
}

static void the_default_directory_is_made_once(void **state)
{
    (void)state;
    char error[CONTROL_SOCKET_ERROR_MAX] = "";
    char path[CONTROL_SOCKET_PATH_MAX];
    struct stat status;

    snprintf(path, sizeof path, "%s/new/control", directory);
    assert_true(control_socket_make_directory(path, error));
    assert_true(control_socket_make_directory(path, error));
    assert_int_equal(stat(path_of("new"), &status), 0);
    assert_int_equal(status.st_mode & 07777, geteuid() == 0 ? 0755 : 0700);
    snprintf(path, sizeof path, "%s/none/new/control", directory);
    assert_false(control_socket_make_directory(path, error));
    assert_non_null(strstr(error, "--control"));
    assert_int_equal(rmdir(path_of("new")), 0);
}

static void assert_connects(const char *path)
{
    char error[CONTROL_SOCKET_ERROR_MAX];
    int connection = control_socket_connect(path, error);

    assert_true(connection >= 0);
    close(connection);
}

static void the_socket_is_for_its_owner_alone(void **state)
{
    (void)state;
    struct control_socket control;
    char error[CONTROL_SOCKET_ERROR_MAX];
    const char *path = path_of("control");
    struct stat status;

    assert_int_equal(control_socket_listen(&control, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    assert_string_equal(control.path, path);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_connects(path);
    int connection = control_socket_connect(path, error);
    int peer = accept(control.fd, NULL, NULL);
    close(peer);
    peer = accept(control.fd, NULL, NULL);
    assert_true(control_socket_obeys(peer));
    close(peer);
    close(connection);
    control_socket_close(&control, true);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_socket_in_use_is_left_alone(void **state)
{
    (void)state;
    struct control_socket first, second;
    char error[CONTROL_SOCKET_ERROR_MAX], pid[32];
    const char *path = path_of("control");

    assert_int_equal(control_socket_listen(&first, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    assert_int_equal(control_socket_listen(&second, path, geteuid(), error), CONTROL_SOCKET_TAKEN);
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(error, path));
    assert_non_null(strstr(error, pid));
    assert_non_null(strstr(error, "--control"));
    assert_int_equal(second.fd, -1);
    assert_connects(path);
    control_socket_close(&first, true);
}

static void an_abandoned_socket_is_replaced(void **state)
{
    (void)state;
    struct control_socket first, second;
    char error[CONTROL_SOCKET_ERROR_MAX];
    const char *path = path_of("control");

    assert_int_equal(control_socket_listen(&first, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    control_socket_close(&first, false);
    assert_int_equal(control_socket_connect(path, error), -1);
    assert_non_null(strstr(error, path));
    assert_int_equal(control_socket_listen(&second, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    assert_connects(path);
    control_socket_close(&second, true);
}

static void only_what_is_ours_is_removed(void **state)
{
    (void)state;
    struct control_socket first, second;
    char error[CONTROL_SOCKET_ERROR_MAX];
    const char *path = path_of("control");

    assert_int_equal(control_socket_listen(&first, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    char moved[CONTROL_SOCKET_PATH_MAX];
    snprintf(moved, sizeof moved, "%s/moved", directory);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(control_socket_listen(&second, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    control_socket_close(&first, true);
    assert_connects(path);
    control_socket_close(&second, true);
    assert_int_equal(unlink(moved), 0);
}

static void an_inherited_socket_is_adopted(void **state)
{
    (void)state;
    struct control_socket first, second;
    char error[CONTROL_SOCKET_ERROR_MAX];
    const char *path = path_of("control");
    int ends[2];

    assert_int_equal(control_socket_listen(&first, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    assert_true(control_socket_adopt(&second, dup(first.fd)));
    control_socket_close(&first, false);
    assert_connects(path);
    control_socket_close(&second, true);
    assert_int_equal(access(path, F_OK), -1);
    assert_false(control_socket_adopt(&second, STDERR_FILENO));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_false(control_socket_adopt(&second, ends[0]));
    close(ends[0]);
    close(ends[1]);
}

static void a_file_in_the_way_is_left_alone(void **state)
{
    (void)state;
    struct control_socket control;
    char error[CONTROL_SOCKET_ERROR_MAX];
    const char *path = path_of("control");
    FILE *file = fopen(path, "w");

    fclose(file);
    assert_int_equal(control_socket_listen(&control, path, geteuid(), error),
                     CONTROL_SOCKET_FAILED);
    assert_non_null(strstr(error, path));
    assert_int_equal(access(path, F_OK), 0);
}

static void a_directory_others_can_write_to_is_refused(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        enum control_socket_outcome outcome;
    } cases[] = {
        {0700, CONTROL_SOCKET_LISTENING},  {0755, CONTROL_SOCKET_LISTENING},
        {0775, CONTROL_SOCKET_FAILED},     {0757, CONTROL_SOCKET_FAILED},
        {01777, CONTROL_SOCKET_LISTENING},
    };
    struct control_socket control;
    char error[CONTROL_SOCKET_ERROR_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(chmod(directory, cases[i].mode), 0);
        assert_int_equal(control_socket_listen(&control, path_of("control"), geteuid(), error),
                         cases[i].outcome);
        assert_int_equal(control_socket_check(path_of("control"), error),
                         cases[i].outcome == CONTROL_SOCKET_LISTENING);
        control_socket_close(&control, true);
        assert_int_equal(access(path_of("control"), F_OK), -1);
        assert_int_equal(control_socket_check(path_of("control"), error),
                         cases[i].outcome == CONTROL_SOCKET_LISTENING);
        assert_int_equal(access(path_of("control"), F_OK), -1);
    }
}

static void bad_paths_are_refused_with_a_sentence(void **state)
{
    (void)state;
    char longest[CONTROL_SOCKET_PATH_MAX + 1];
    struct control_socket control;
    char error[CONTROL_SOCKET_ERROR_MAX], checked[CONTROL_SOCKET_ERROR_MAX];

    memset(longest, 'x', sizeof longest);
    longest[CONTROL_SOCKET_PATH_MAX] = '\0';
    const char *const cases[] = {"", longest, "/nonexistent/directory/control"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        error[0] = '\0';
        assert_int_equal(control_socket_listen(&control, cases[i], geteuid(), error),
                         CONTROL_SOCKET_FAILED);
        assert_non_null(strstr(error, "another"));
        assert_non_null(strstr(error, "--control PATH"));
        assert_false(control_socket_check(cases[i], checked));
        assert_string_equal(checked, error);
        error[0] = '\0';
        assert_int_equal(control_socket_connect(cases[i], error), -1);
        assert_true(strlen(error) > 0);
    }
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_depend_on_the_user),
        WITH_DIRECTORY(the_default_directory_is_made_once),
        WITH_DIRECTORY(the_socket_is_for_its_owner_alone),
        WITH_DIRECTORY(a_socket_in_use_is_left_alone),
        WITH_DIRECTORY(an_abandoned_socket_is_replaced),
        WITH_DIRECTORY(only_what_is_ours_is_removed),
        WITH_DIRECTORY(an_inherited_socket_is_adopted),
        WITH_DIRECTORY(a_file_in_the_way_is_left_alone),
        WITH_DIRECTORY(a_directory_others_can_write_to_is_refused),
        cmocka_unit_test(bad_paths_are_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
