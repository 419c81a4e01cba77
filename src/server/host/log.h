/*
 * What the operator hears: one line for each event, in a single write so that lines of several
 * processes do not mix.
 *
 *   standard error      sorreld: TEXT
 *   systemd's journal   <PRIORITY>TEXT, where standard error leads to it (JOURNAL_STREAM)
 *   syslog              TEXT, of facility daemon; errors go to standard error as well
 *
 * What comes from files or the network cannot write lines of its own, or speak to a terminal:
 * control characters and octets that are no UTF-8 are shown as \xHH.
 */
#ifndef SORREL_SERVER_LOG_H
#define SORREL_SERVER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 4096 };

enum log_level {
    LOG_LEVEL_ERROR,   /* something asked for is not done, or the program ends */
    LOG_LEVEL_WARNING, /* it goes on, but somebody should look */
    LOG_LEVEL_NOTICE,  /* starts, stops, reloads: what an operator has done */
    LOG_LEVEL_INFO,    /* particulars of that */
    LOG_LEVEL_DEBUG,
};

enum log_target {
    LOG_TARGET_STDERR,
    LOG_TARGET_SYSLOG,
};

struct log_settings {
    enum log_target target;
    enum log_level level; /* what is less urgent is left out */
    bool timestamps;      /* before lines of standard error, unless the journal has them */
};

/* From now on. Until it is called: all but debugging, to standard error. */
void log_configure(const struct log_settings *settings);

/* One event; what is too long is cut off. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Is standard error, and nothing else, where lines go, and a terminal? */
bool log_is_terminal(void);

/* There, a line that the next one replaces. */
void log_passing(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The last error: why a program that ends after it does so. */
const char *log_last_error(void);

/* Without `sorreld: `, for lines that open with FILE:LINE: as editors and other tools expect it. */
void log_plain(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Octets in hex, as many as a line can hold; `text` has room for `room` characters. Returns `text`.
 */
char *log_hex(char *text, size_t room, const uint8_t *octets, size_t length);

/* Copies `text` as it would be logged into `to`, `room` octets with the NUL. Returns its length. */
size_t log_escape(char *to, size_t room, const char *text);

#endif
