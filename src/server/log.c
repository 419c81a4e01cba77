#include "server/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void write_line(char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    line[length] = '\n';
    /* Nobody is left to be told when standard error is closed or full. */
    ssize_t ignored = write(STDERR_FILENO, line, length + 1);
    (void)ignored;
}

static void __attribute__((format(printf, 2, 0)))
compose(const char *prefix, const char *format, va_list arguments)
{
    char line[LOG_LINE_MAX];
    size_t length = strlen(prefix);

    memcpy(line, prefix, length);
    int n = vsnprintf(line + length, sizeof line - length, format, arguments);
    if (n < 0)
        return;
    length += (size_t)n;
    write_line(line, length < sizeof line ? length : sizeof line - 1);
}

static char last_event[512];

const char *log_last_event(void)
{
    return last_event;
}

void log_event(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(last_event, sizeof last_event, format, arguments);
    va_end(arguments);
    va_start(arguments, format);
    compose("sorreld: ", format, arguments);
    va_end(arguments);
}

void log_plain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    compose("", format, arguments);
    va_end(arguments);
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
