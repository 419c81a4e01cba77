/* table/table_file.c: what is written is read again, whatever happened to the file in between is
 * noticed, and nobody ever finds a part of a table. */
#include "table/table_file.h"

#include "tables.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[32], path[48], temporary[64];
static struct sealed_table made;

static int set_up(void **state)
{
    static const struct zone_text zone = {
        "example.", "@ 60 SOA a b 7 1 1 1 1\n@ 60 NS a\na 60 A 192.0.2.1\n*.w 60 TXT x\n"};

    (void)state;
    strcpy(directory, "/tmp/sorrel-unit-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/table", directory);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    tables_build(&made, &zone, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    seal_unmap(&made);
    unlink(path);
    unlink(temporary);
    return rmdir(directory);
}

static void write_good(void)
{
    assert_int_equal(table_file_write(path, made.base, made.length), 0);
}

/* NULL: it was read, and is what was written. */
static const char *read_back(void)
{
    struct sealed_table sealed;
    const char *reason;
    int fd = table_file_read(&sealed, path, geteuid(), &reason);

    if (fd < 0)
        return reason != NULL ? reason : "none";
    assert_null(reason);
    assert_int_equal(sealed.length, made.length);
    assert_memory_equal(sealed.base, made.base, made.length);
    seal_unmap(&sealed);
    close(fd);
    return NULL;
}

static void what_is_written_is_read(void **state)
{
    struct stat status;

    (void)state;
    assert_string_equal(read_back(), "none");
    for (unsigned i = 0; i < 2; i++) {
        write_good();
        assert_null(read_back());
    }
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(access(temporary, F_OK), -1);
}

static void every_changed_octet_is_noticed(void **state)
{
    (void)state;
    write_good();
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    for (off_t at = 0; at < (off_t)made.length; at++) {
        uint8_t octet = ((const uint8_t *)made.base)[at];
        uint8_t changed = (uint8_t)(octet ^ (1 << at % 8));
        assert_int_equal(pwrite(file, &changed, 1, at), 1);
        assert_non_null(read_back());
        assert_int_equal(pwrite(file, &octet, 1, at), 1);
    }
    assert_null(read_back());
    close(file);
}

static void every_other_length_is_noticed(void **state)
{
    (void)state;
    for (size_t length = 0; length <= made.length + 8; length++) {
        write_good();
        assert_int_equal(truncate(path, (off_t)length), 0);
        assert_true((read_back() == NULL) == (length == made.length));
    }
}

static void files_of_others_are_refused(void **state)
{
    struct sealed_table sealed;
    const char *reason;

    (void)state;
    write_good();
    assert_int_equal(table_file_read(&sealed, path, geteuid() + 1, &reason), -1);
    assert_string_equal(reason, "it belongs to another user");
    assert_int_equal(chmod(path, 0620), 0);
    assert_string_equal(read_back(), "others may write to it");
    assert_int_equal(chmod(path, 0602), 0);
    assert_string_equal(read_back(), "others may write to it");
    unlink(path);
    assert_int_equal(symlink(temporary, path), 0);
    assert_string_equal(read_back(), "it is no plain file");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_string_equal(read_back(), "it is no plain file");
    unlink(path);
}

static void what_cannot_be_written_leaves_the_old(void **state)
{
    const struct rlimit none = {.rlim_cur = 8, .rlim_max = RLIM_INFINITY};
    struct rlimit before;

    (void)state;
    write_good();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int error = table_file_write(path, made.base, made.length);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(error, EFBIG);
    assert_int_equal(access(temporary, F_OK), -1);
    assert_null(read_back());
    assert_int_equal(table_file_write("/nonexistent/table", made.base, made.length), ENOENT);
}

static void one_writes_at_a_time(void **state)
{
    (void)state;
    write_good();
    int other = open(temporary, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(table_file_write(path, "nothing", 7), EBUSY);
    assert_null(read_back());
    /* It dies, and leaves what it had so far. */
    assert_int_equal(write(other, "part of a table", 15), 15);
    close(other);
    write_good();
    assert_null(read_back());
}

/* Killed at any moment, a writer leaves the old table or the new one. */
static void killed_writers_leave_whole_tables(void **state)
{
    (void)state;
    write_good();
    for (useconds_t moment = 0; moment < 2000; moment += 40) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            for (;;)
                table_file_write(path, made.base, made.length);
        usleep(moment);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_null(read_back());
    }
    write_good();
    assert_int_equal(access(temporary, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_changed_octet_is_noticed),
        cmocka_unit_test(every_other_length_is_noticed),
        cmocka_unit_test(files_of_others_are_refused),
        cmocka_unit_test(what_cannot_be_written_leaves_the_old),
        cmocka_unit_test(one_writes_at_a_time),
        cmocka_unit_test(killed_writers_leave_whole_tables),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
