/*
 * What the operator hears: one line per event on standard error, each in a single write so that
 * lines of several processes do not mix.
 */
#ifndef SORREL_SERVER_LOG_H
#define SORREL_SERVER_LOG_H

#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 4096 };

/* `sorreld: ` and the text. Control characters become `?`; what is too long is cut off. */
void log_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What log_event() was told last: why a program that ends after it does so. */
const char *log_last_event(void);

/* The text alone, for lines that open with FILE:LINE: as editors and other tools expect it. */
void log_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Octets in hex, as many as a line can hold; `text` has room for `room` characters. Returns `text`.
 */
char *log_hex(char *text, size_t room, const uint8_t *octets, size_t length);

#endif
