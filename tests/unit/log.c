#include "unit.h"

#include "server/host/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

static const struct {
    const char *text;
    const char *escaped;
} escapes[] = {
    {"", ""},
    {"plain text, 100 %", "plain text, 100 %"},
    {"a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"},
    {"\033[31mred\007", "\\x1b[31mred\\x07"},
    {"\x7f", "\\x7f"},
    {"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b31m"}, /* a control character of ISO 6429, in UTF-8 */
    {"\x9b"
     "31m",
     "\\x9b31m"},
    {"\xc0\xaf", "\\xc0\\xaf"},          /* too long a form */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"cut \xe2\x82", "cut \\xe2\\x82"},
};

static void octets_are_escaped(void **state)
{
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        assert_int_equal(log_escape(text, sizeof text, escapes[i].text),
                         strlen(escapes[i].escaped));
        assert_string_equal(text, escapes[i].escaped);
    }
}

static void room_is_kept_to(void **state)
{
    static const struct {
        const char *text;
        size_t room;
        const char *escaped;
    } cases[] = {
        {"abc", 4, "abc"},
        {"abcd", 4, "abc"},
        {"\n", 5, "\\x0a"},
        {"\n", 4, ""},
        {"\xe2\x82\xac", 4, "\xe2\x82\xac"},
        {"\xe2\x82\xac", 3, ""},
    };
    char text[8];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(text, 'x', sizeof text);
        log_escape(text, cases[i].room, cases[i].text);
        assert_string_equal(text, cases[i].escaped);
        for (size_t j = cases[i].room; j < sizeof text; j++)
            assert_int_equal(text[j], 'x');
    }
}

/* --- whole lines: each case in a process of its own, whose standard error is a file ----------- */

struct line_case {
    struct log_settings settings;
    enum log_level level;
    bool is_plain;
    bool is_journal;
    const char *line;
};

static const struct line_case lines[] = {
    {{.level = LOG_LEVEL_INFO}, LOG_LEVEL_NOTICE, false, false, "sorreld: a\\x1bb\n"},
    {{.level = LOG_LEVEL_INFO}, LOG_LEVEL_NOTICE, true, false, "a\\x1bb\n"},
    {{.level = LOG_LEVEL_INFO}, LOG_LEVEL_DEBUG, false, false, ""},
    {{.level = LOG_LEVEL_DEBUG}, LOG_LEVEL_DEBUG, false, false, "sorreld: a\\x1bb\n"},
    {{.level = LOG_LEVEL_ERROR}, LOG_LEVEL_WARNING, false, false, ""},
    {{.level = LOG_LEVEL_ERROR}, LOG_LEVEL_ERROR, false, false, "sorreld: a\\x1bb\n"},
    {{.level = LOG_LEVEL_INFO}, LOG_LEVEL_ERROR, false, true, "<3>a\\x1bb\n"},
    {{.level = LOG_LEVEL_INFO}, LOG_LEVEL_WARNING, true, true, "<4>a\\x1bb\n"},
    {{.level = LOG_LEVEL_INFO, .timestamps = true}, LOG_LEVEL_INFO, false, true, "<6>a\\x1bb\n"},
};

static void log_at(enum log_level level, bool is_plain, const char *text)
{
    static void (*const functions[])(const char *, ...) = {log_error, log_warning, log_notice,
                                                           log_info, log_debug};

    if (is_plain)
        log_plain(level, "%s", text);
    else
        functions[level]("%s", text);
}

static _Noreturn void log_in_child(const struct line_case *line, int fd)
{
    char stream[64];
    struct stat status;

    fstat(fd, &status);
    dup2(fd, STDERR_FILENO);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino + !line->is_journal);
    setenv("JOURNAL_STREAM", stream, 1);
    log_configure(&line->settings);
    log_at(line->level, line->is_plain, "a\033b");
    _exit(0);
}

static void take_line(const struct line_case *line, char *text, size_t room)
{
    int status;
    FILE *file = tmpfile();

    assert_non_null(file);
    pid_t pid = fork();
    if (pid == 0)
        log_in_child(line, fileno(file));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    ssize_t length = pread(fileno(file), text, room - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    fclose(file);
}

static void lines_are_as_wanted(void **state)
{
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        take_line(&lines[i], text, sizeof text);
        assert_string_equal(text, lines[i].line);
    }
}

static void timestamps_are_utc(void **state)
{
    const struct line_case line = {.settings = {.level = LOG_LEVEL_INFO, .timestamps = true},
                                   .level = LOG_LEVEL_INFO};
    char text[256];
    int end = 0;

    (void)state;
    take_line(&line, text, sizeof text);
    sscanf(text, "%*4[0-9]-%*2[0-9]-%*2[0-9]T%*2[0-9]:%*2[0-9]:%*2[0-9].%*3[0-9]Z sorreld: a%n",
           &end);
    assert_true(end > 0);
}

/* --- syslog, which the linker leads here (--wrap)
 * ------------------------------------------------- */

static char sent[256];
static int sent_priority;

void __wrap_openlog(const char *ident, int option, int facility);
void __wrap_syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap___syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void __wrap_openlog(const char *ident, int option, int facility)
{
    assert_string_equal(ident, "sorreld");
    assert_int_equal(option & LOG_PID, LOG_PID);
    assert_int_equal(facility, LOG_DAEMON);
}

static void __attribute__((format(printf, 2, 0)))
take_sent(int priority, const char *format, va_list arguments)
{
    sent_priority = priority;
    vsnprintf(sent, sizeof sent, format, arguments);
}

void __wrap_syslog(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    take_sent(priority, format, arguments);
    va_end(arguments);
}

/* The same, with _FORTIFY_SOURCE. */
void __wrap___syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start(arguments, format);
    take_sent(priority, format, arguments);
    va_end(arguments);
}

static void syslog_gets_events(void **state)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

    (void)state;
    log_configure(&(struct log_settings){.target = LOG_TARGET_SYSLOG, .level = LOG_LEVEL_DEBUG});
    for (unsigned i = LOG_LEVEL_WARNING; i <= LOG_LEVEL_DEBUG; i++) {
        log_at(i, i % 2 == 0, "100 %s\n");
        assert_string_equal(sent, "100 %s\\x0a");
        assert_int_equal(sent_priority, priorities[i]);
    }
    *sent = '\0';
    log_configure(&(struct log_settings){.target = LOG_TARGET_SYSLOG, .level = LOG_LEVEL_NOTICE});
    log_info("not this");
    assert_string_equal(sent, "");
    log_configure(&(struct log_settings){.level = LOG_LEVEL_NOTICE});
    log_notice("to standard error again");
    assert_string_equal(sent, "");
}

static void the_last_error_is_kept(void **state)
{
    (void)state;
    log_configure(&(struct log_settings){.level = LOG_LEVEL_ERROR});
    log_error("the %s", "reason");
    log_warning("not this");
    assert_string_equal(log_last_error(), "the reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_are_escaped),     cmocka_unit_test(room_is_kept_to),
        cmocka_unit_test(lines_are_as_wanted),    cmocka_unit_test(timestamps_are_utc),
        cmocka_unit_test(the_last_error_is_kept), cmocka_unit_test(syslog_gets_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
