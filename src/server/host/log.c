#include "server/host/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LAST_ERROR_MAX = 512 };

static const char ident[] = "sorreld";

static struct log_settings current = {.level = LOG_LEVEL_INFO};
static char last_error[LAST_ERROR_MAX];

/* --- octets that are no text --------------------------------------------------------- */

/* How many octets the character at `text` has; 0: it is none, or one that controls. */
static size_t character_length(const unsigned char *text)
{
    static const struct {
        unsigned char first, last; /* of the first octet */
        unsigned char second_first, second_last;
        unsigned char length;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        if (forms[i].length > 1 &&
            (text[1] < forms[i].second_first || text[1] > forms[i].second_last))
            return 0;
        for (size_t j = 2; j < forms[i].length; j++)
            if (text[j] < 0x80 || text[j] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

size_t log_escape(char *to, size_t room, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = 0;

    while (*text != '\0') {
        size_t taken = character_length((const unsigned char *)text);
        if (length + (taken > 0 ? taken : 4) >= room)
            break;
        if (taken > 0) {
            memcpy(to + length, text, taken);
            length += taken;
            text += taken;
            continue;
        }
        unsigned char octet = (unsigned char)*text++;
        const char escape[] = {'\\', 'x', digits[octet >> 4], digits[octet & 15]};
        memcpy(to + length, escape, sizeof escape);
        length += sizeof escape;
    }
    to[length] = '\0';
    return length;
}

/* --- where lines go -------------------------------------------------------------------- */

/* systemd tells which file its journal reads; standard error may be another one by now. */
static bool is_journal(void)
{
    static enum { UNKNOWN, NO, YES } answer;
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;

    if (answer == UNKNOWN)
        answer = stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
                         fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
                         status.st_ino == inode
                     ? YES
                     : NO;
    return answer == YES;
}

static int priority_of(enum log_level level)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

    return priorities[level];
}

/* What is before the text on standard error. */
static size_t write_head(char *line, size_t room, enum log_level level, const char *prefix)
{
    struct timespec now;
    struct tm parts;
    char stamp[32] = "";

    if (is_journal()) /* which knows the time and the program */
        return (size_t)snprintf(line, room, "<%d>", priority_of(level));
    if (current.timestamps && clock_gettime(CLOCK_REALTIME, &now) == 0 &&
        gmtime_r(&now.tv_sec, &parts) != NULL &&
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts) > 0)
        return (size_t)snprintf(line, room, "%s.%03ldZ %s", stamp, now.tv_nsec / 1000000, prefix);
    return (size_t)snprintf(line, room, "%s", prefix);
}

/* Back to the margin, and what stands in the line gone (ECMA-48, EL). */
static const char erase[] = "\r\033[K";
static bool has_passing_line; /* the terminal */

static void write_line(enum log_level level, const char *prefix, const char *text)
{
    char line[sizeof erase + LOG_LINE_MAX];
    size_t erased = has_passing_line ? strlen(erase) : 0;

    memcpy(line, erase, erased);
    has_passing_line = false;
    size_t length = erased + write_head(line + erased, LOG_LINE_MAX, level, prefix);
    length += log_escape(line + length, sizeof line - length, text);
    line[length] = '\n';
    /* Nobody is left to be told when standard error is closed or full. */
    ssize_t ignored = write(STDERR_FILENO, line, length + 1);
    (void)ignored;
}

static void send_to_syslog(enum log_level level, const char *text)
{
    char line[LOG_LINE_MAX];

    log_escape(line, sizeof line, text);
    syslog(priority_of(level), "%s", line);
}

static void __attribute__((format(printf, 3, 0)))
compose(enum log_level level, const char *prefix, const char *format, va_list arguments)
{
    char text[LOG_LINE_MAX];

    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        return;
    if (level == LOG_LEVEL_ERROR)
        snprintf(last_error, sizeof last_error, "%.*s", LAST_ERROR_MAX - 1, text);
    if (level > current.level)
        return;
    if (current.target == LOG_TARGET_SYSLOG)
        send_to_syslog(level, text);
    if (current.target == LOG_TARGET_STDERR || level == LOG_LEVEL_ERROR)
        write_line(level, prefix, text);
}

void log_configure(const struct log_settings *settings)
{
    if (current.target == LOG_TARGET_SYSLOG)
        closelog();
    current = *settings;
    if (current.target == LOG_TARGET_SYSLOG)
        openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

/* --- events ------------------------------------------------------------------------------ */

#define DEFINE_LEVEL(function, level)                                                              \
    void function(const char *format, ...)                                                         \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        compose(level, "sorreld: ", format, arguments);                                            \
        va_end(arguments);                                                                         \
    }

DEFINE_LEVEL(log_error, LOG_LEVEL_ERROR)
DEFINE_LEVEL(log_warning, LOG_LEVEL_WARNING)
DEFINE_LEVEL(log_notice, LOG_LEVEL_NOTICE)
DEFINE_LEVEL(log_info, LOG_LEVEL_INFO)
DEFINE_LEVEL(log_debug, LOG_LEVEL_DEBUG)

void log_plain(enum log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    compose(level, "", format, arguments);
    va_end(arguments);
}

bool log_is_terminal(void)
{
    return current.target == LOG_TARGET_STDERR && current.level >= LOG_LEVEL_INFO &&
           isatty(STDERR_FILENO) != 0;
}

void log_passing(const char *format, ...)
{
    char text[LOG_LINE_MAX], line[sizeof erase + LOG_LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    length = snprintf(line, sizeof line, "%ssorreld: %s", erase, text);
    has_passing_line = true;
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)length);
    (void)ignored;
}

const char *log_last_error(void)
{
    return last_error;
}

char *log_hex(char *text, size_t room, const uint8_t *octets, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;

    if (length > (room - 1) / 2)
        length = (room - 1) / 2;
    for (size_t i = 0; i < length; i++) {
        *at++ = digits[octets[i] >> 4];
        *at++ = digits[octets[i] & 15];
    }
    *at = '\0';
    return text;
}
