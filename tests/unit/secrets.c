/* server/protection/secrets.c: secrets from files, from another daemon, and made up. */
#include "server/protection/secrets.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define ONE "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define TWO "445536BCD2513298075a5d379663c962"

static const struct {
    const char *text;
    unsigned count;    /* 0: refused ... */
    const char *error; /* ... with this behind the file's name */
} files[] = {
    {ONE "\n", 1, NULL},
    {ONE, 1, NULL},
    {"# the current one\n" ONE "\r\n\n# the next\n" TWO "\n", 2, NULL},
    {"# " TWO TWO TWO TWO TWO "\n" ONE "\n", 1, NULL},
    {ONE "\n\r" TWO "\n", 0, ":2: a secret is 32 hexadecimal digits"},
    {ONE "\n" TWO "\n" ONE "\n" TWO "\n", 4, NULL},
    {ONE "\n" TWO "\n" ONE "\n" TWO "\n" ONE "\n", 0,
     ":5: there are more than 4 secrets: leave old ones out"},
    {"", 0, ": there is no secret in it"},
    {"# none\n", 0, ": there is no secret in it"},
    {ONE "0\n", 0, ":1: a secret is 32 hexadecimal digits"},
    {ONE "\n" ONE ONE ONE ONE ONE "\n", 0, ":2: a secret is 32 hexadecimal digits"},
    {"e5e973e5a6b2a43f48e7dc849e37bfc\n", 0, ":1: a secret is 32 hexadecimal digits"},
    {"e5e973e5a6b2a43f48e7dc849e37bfcg\n", 0, ":1: a secret is 32 hexadecimal digits"},
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void files_are_read(void **state)
{
    char path[] = "/tmp/sorrel-secrets.XXXXXX", error[SECRETS_ERROR_MAX];
    struct cookie_secrets read;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        write_file(path, files[i].text);
        assert_int_equal(secrets_read(&read, path, error), files[i].count > 0);
        if (files[i].count == 0)
            assert_string_equal(error + strlen(path), files[i].error);
        else
            assert_int_equal(read.count, files[i].count);
        if (files[i].count > 0)
            assert_memory_equal(read.secrets[0], "\xe5\xe9\x73\xe5", 4);
        if (files[i].count > 1)
            assert_memory_equal(read.secrets[1], "\x44\x55\x36\xbc", 4);
    }
    unlink(path);
    assert_false(secrets_read(&read, path, error));
    assert_string_equal(strchr(error, '/') + strlen(path), ": No such file or directory");
}

static struct secrets open_secrets(const struct cookie_secrets *given, int inherited)
{
    char error[SECRETS_ERROR_MAX];
    struct secrets secrets;

    assert_true(secrets_open(&secrets, given, inherited, error));
    return secrets;
}

static const uint8_t *first(const struct secrets *secrets)
{
    return secrets_current(secrets->board)->secrets[0];
}

static void a_successor_knows_them(void **state)
{
    static const struct cookie_secrets given = {.count = 1, .secrets = {"0123456789abcde"}};
    struct secrets old = open_secrets(NULL, -1), other = open_secrets(NULL, -1);
    struct secrets heir = open_secrets(NULL, dup(old.fd));
    struct secrets set = open_secrets(&given, dup(old.fd));

    (void)state;
    assert_memory_not_equal(first(&old), first(&other), COOKIE_SECRET_SIZE);
    assert_memory_equal(first(&old), first(&heir), COOKIE_SECRET_SIZE);
    assert_memory_equal(first(&set), given.secrets[0], COOKIE_SECRET_SIZE);
    /* What it does from now on is its own business. */
    assert_true(secrets_renew(&old));
    assert_memory_not_equal(first(&old), first(&heir), COOKIE_SECRET_SIZE);
    secrets_close(&old);
    secrets_close(&other);
    secrets_close(&heir);
    secrets_close(&set);
}

static void what_is_no_board_is_not_believed(void **state)
{
    char path[] = "/tmp/sorrel-secrets.XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    unlink(path);
    struct secrets made = open_secrets(NULL, dup(fd)); /* too short */
    assert_int_equal(ftruncate(fd, sizeof(struct secrets_board)), 0);
    struct secrets other = open_secrets(NULL, fd); /* no secrets */
    assert_int_equal(secrets_current(made.board)->count, 1);
    assert_int_equal(secrets_current(other.board)->count, 1);
    secrets_close(&made);
    secrets_close(&other);
}

/* A cookie is valid for an hour, a secret for two days. */
static void the_last_secret_stays_valid(void **state)
{
    struct secrets secrets = open_secrets(NULL, -1);
    uint8_t before[COOKIE_SECRET_SIZE];

    (void)state;
    for (unsigned i = 0; i < 3 * SECRETS_VERSIONS; i++) {
        memcpy(before, first(&secrets), sizeof before);
        assert_true(secrets_renew(&secrets));
        const struct cookie_secrets *current = secrets_current(secrets.board);
        assert_int_equal(current->count, 2);
        assert_memory_equal(current->secrets[1], before, sizeof before);
        assert_memory_not_equal(current->secrets[0], before, sizeof before);
    }
    secrets_close(&secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(a_successor_knows_them),
        cmocka_unit_test(what_is_no_board_is_not_believed),
        cmocka_unit_test(the_last_secret_stays_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
