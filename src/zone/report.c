#include "zone/report.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    TEXT_MAX = 2 * NAME_TEXT_MAX + 512, /* a sentence with two of the longest names in it */
    QUOTED_OCTETS_MAX = 40,
};

static void tell(const struct report *report, enum severity severity, const char *file,
                 unsigned line, const char *text)
{
    const struct diagnostic diagnostic = {
        .severity = severity, .file = file, .line = line, .text = text};

    report->sink(report->closure, &diagnostic);
}

__attribute__((format(printf, 5, 0))) static void
tell_formatted(const struct report *report, enum severity severity, const char *file, unsigned line,
               const char *format, va_list arguments)
{
    char text[TEXT_MAX];

    vsnprintf(text, sizeof text, format, arguments);
    tell(report, severity, file, line, text);
}

void report_error(struct report *report, const char *file, unsigned line, const char *format, ...)
{
    va_list arguments;

    if (report_is_full(report->errors++))
        return;
    va_start(arguments, format);
    tell_formatted(report, SEVERITY_ERROR, file, line, format, arguments);
    va_end(arguments);
}

void report_warning(struct report *report, const char *file, unsigned line, const char *format, ...)
{
    va_list arguments;

    if (report_is_full(report->warnings++))
        return;
    va_start(arguments, format);
    tell_formatted(report, SEVERITY_WARNING, file, line, format, arguments);
    va_end(arguments);
}

static void tell_rest(const struct report *report, enum severity severity, const char *file,
                      unsigned found, const char *what)
{
    char text[80];

    if (found <= REPORT_LIMIT)
        return;
    snprintf(text, sizeof text, "%u more %s not shown", found - REPORT_LIMIT, what);
    tell(report, severity, file, 0, text);
}

void report_close(struct report *report, const char *file)
{
    tell_rest(report, SEVERITY_ERROR, file, report->errors, "errors");
    tell_rest(report, SEVERITY_WARNING, file, report->warnings, "warnings");
}

const char *report_quote(char quote[REPORT_QUOTE_MAX], const char *text, size_t length)
{
    char *at = quote;
    size_t shown = length <= QUOTED_OCTETS_MAX ? length : QUOTED_OCTETS_MAX;

    for (size_t i = 0; i < shown; i++) {
        unsigned char octet = (unsigned char)text[i];
        if (octet >= ' ' && octet <= '~')
            *at++ = (char)octet;
        else
            at += sprintf(at, "\\%03u", octet);
    }
    sprintf(at, "%s", shown < length ? "..." : "");
    return quote;
}
