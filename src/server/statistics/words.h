/*
 * Numbers as people read them.
 */
#ifndef SORREL_SERVER_WORDS_H
#define SORREL_SERVER_WORDS_H

enum { WORDS_MAX = 64 };

/* Seconds in their two largest units: "1 d 2 h". Returns `to`, as all of these. */
const char *words_duration(long long seconds, char to[WORDS_MAX]);

/* Octets in KiB, MiB and so on. */
const char *words_size(long long octets, char to[WORDS_MAX]);

/* "1,234,567" */
const char *words_grouped(double number, char to[WORDS_MAX]);

/* A number of at most ten characters: "12,345,678" in full, larger ones as "1.234 G". */
const char *words_number(double number, char to[WORDS_MAX]);

/* A share of 1 in per cent, with a decimal below ten. */
const char *words_share(double share, char to[WORDS_MAX]);

#endif
