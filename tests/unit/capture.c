/* dnstap/capture.c: which files are gone on with, and from where. */
#include "server/dnstap/capture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START "\0\0\0\0\0\0\0\42\0\0\0\2\0\0\0\1\0\0\0\26protobuf:dnstap.Dnstap"
#define STOP  "\0\0\0\0\0\0\0\4\0\0\0\3"
#define FRAME "\0\0\0\5hello"

enum { START_SIZE = 42, STOP_SIZE = 12, FRAME_SIZE = 9 };

static char directory[] = "/tmp/captureXXXXXX";
static char path[sizeof directory + 8];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void write_file(const char *octets, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(octets, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

#define CASE(octets, end)                                                                          \
    {                                                                                              \
        octets, sizeof(octets) - 1, end                                                            \
    }

static void it_is_gone_on_behind_the_last_whole_frame(void **state)
{
    static const struct {
        const char *octets;
        size_t size;
        off_t end;
    } cases[] = {
        CASE("", 0),
        CASE("\0\0\0\0\0\0\0\42\0", 0),
        CASE(START, START_SIZE),
        CASE(START STOP, START_SIZE),
        CASE(START FRAME FRAME STOP, START_SIZE + 2 * FRAME_SIZE),
        CASE(START FRAME FRAME, START_SIZE + 2 * FRAME_SIZE),
        CASE(START FRAME FRAME "\0\0\0\5hell", START_SIZE + 2 * FRAME_SIZE),
        CASE(START FRAME FRAME "\0\0\0", START_SIZE + 2 * FRAME_SIZE),
        CASE(START FRAME FRAME "\0\0\0\0\0\0\0\4\0", START_SIZE + 2 * FRAME_SIZE),
        CASE(START FRAME "\377\377\377\377hello", START_SIZE + FRAME_SIZE),
    };
    char error[CAPTURE_ERROR_MAX];
    struct stat status;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(cases[i].octets, cases[i].size);
        int fd = capture_open(path, error);
        assert_true(fd >= 0);
        assert_int_equal(capture_resume(fd), cases[i].end);
        assert_int_equal(fstat(fd, &status), 0);
        assert_int_equal(status.st_size, cases[i].end);
        close(fd);
    }
}

/* Longer than what is read at once. */
static void long_files_are_walked_through(void **state)
{
    enum { FRAMES = 20000 };
    char error[CAPTURE_ERROR_MAX];
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    fwrite(START, 1, START_SIZE, file);
    for (unsigned i = 0; i < FRAMES; i++)
        fwrite(FRAME, 1, FRAME_SIZE, file);
    fputc('\0', file);
    assert_int_equal(fclose(file), 0);
    int fd = capture_open(path, error);
    assert_true(fd >= 0);
    assert_int_equal(capture_resume(fd), START_SIZE + FRAMES * FRAME_SIZE);
    close(fd);
}

static void something_else_is_left_alone(void **state)
{
    static const char *const contents[] = {"a text", "\1", "\0\0\0\0\0\0\0\41"};
    char error[CAPTURE_ERROR_MAX];
    struct stat status;

    (void)state;
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        size_t size = i < 2 ? strlen(contents[i]) : 8;
        write_file(contents[i], size);
        assert_int_equal(capture_open(path, error), -1);
        assert_non_null(strstr(error, "no capture of dnstap"));
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, size);
    }
    assert_int_equal(capture_open(directory, error), -1);
    assert_non_null(strstr(error, "Is a directory"));
    assert_int_equal(capture_open("/dev/zero", error), -1);
}

/* What is checked is said as it would be later, and nothing is made. */
static void a_check_leaves_nothing(void **state)
{
    char error[CAPTURE_ERROR_MAX], checked[CAPTURE_ERROR_MAX], missing[sizeof directory + 16];
    struct stat status;

    (void)state;
    unlink(path);
    assert_true(capture_check(path, checked));
    assert_int_equal(stat(path, &status), -1);
    write_file(START STOP, START_SIZE + STOP_SIZE);
    assert_true(capture_check(path, checked));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, START_SIZE + STOP_SIZE);
    write_file("a text", 6);
    assert_false(capture_check(path, checked));
    assert_int_equal(capture_open(path, error), -1);
    assert_string_equal(checked, error);
    snprintf(missing, sizeof missing, "%s/none/taps", directory);
    assert_false(capture_check(missing, checked));
    assert_int_equal(capture_open(missing, error), -1);
    assert_string_equal(checked, error);
    assert_non_null(strstr(error, ": No such file or directory: make its directory"));
}

static void a_file_has_one_writer(void **state)
{
    char error[CAPTURE_ERROR_MAX];

    (void)state;
    write_file("", 0);
    int first = capture_open(path, error), second = capture_open(path, error);
    assert_int_equal(capture_resume(first), 0);
    assert_int_equal(capture_resume(second), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    capture_leave(first);
    assert_int_equal(capture_resume(second), 0);
    close(first);
    close(second);
}

static void that_it_was_moved_is_seen(void **state)
{
    char error[CAPTURE_ERROR_MAX], moved[sizeof path + 2];

    (void)state;
    snprintf(moved, sizeof moved, "%s.1", path);
    write_file("", 0);
    int fd = capture_open(path, error);
    assert_false(capture_was_moved(fd, path));
    assert_int_equal(rename(path, moved), 0);
    assert_true(capture_was_moved(fd, path));
    write_file("", 0);
    assert_true(capture_was_moved(fd, path));
    assert_int_equal(unlink(moved), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_gone_on_behind_the_last_whole_frame),
        cmocka_unit_test(long_files_are_walked_through),
        cmocka_unit_test(something_else_is_left_alone),
        cmocka_unit_test(a_check_leaves_nothing),
        cmocka_unit_test(a_file_has_one_writer),
        cmocka_unit_test(that_it_was_moved_is_seen),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
