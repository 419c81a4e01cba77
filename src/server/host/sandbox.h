/*
 * The sandbox of the child processes: a system-call filter and Landlock, around what privilege.h
 * leaves. On by default; where the kernel or a container refuses a part, the daemon works without
 * that part and says so.
 */
#ifndef SORREL_SERVER_SANDBOX_H
#define SORREL_SERVER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum { SANDBOX_TEXT_MAX = 256 };

struct sandbox {
    bool filter;  /* children run behind a system-call filter */
    int landlock; /* the version of Landlock that confines them; 0: none */
};

/* In the order of their words. */
enum sandbox_wish { SANDBOX_OFF, SANDBOX_ON };

/* A build with sanitizers asks the kernel for things of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_DEFAULT "off"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_DEFAULT "off"
#endif
#endif
#ifndef SANDBOX_DEFAULT
#define SANDBOX_DEFAULT "on"
#endif

/*
 * Called by the supervisor before it starts the first child. Finds out what can be had, by doing
 * it in a child process made for that; with SANDBOX_OFF nothing is. What is then in force is in
 * sandbox_in_force() and the same for all children.
 */
void sandbox_prepare(enum sandbox_wish wish);

const struct sandbox *sandbox_in_force(void);

/* In words: what the sandbox consists of, or what is missing and why. True if nothing is. */
bool sandbox_describe(char text[SANDBOX_TEXT_MAX]);

/* Called by a child once it has no capabilities and may get none any more (privilege.h). They abort
 * if the kernel now refuses what it has granted before. */
void sandbox_enter_worker(void);
void sandbox_enter_metrics(void);
void sandbox_enter_apart(void);

/* Its target is a Unix socket; else a file, which is open. */
void sandbox_enter_dnstap(bool is_socket);

/* The builder keeps the right to read what is beneath the `count` folders. */
void sandbox_enter_builder(const char *const *folders, size_t count);

/* The keeper likewise, and the right to make, write, rename and remove files in `directory`. */
void sandbox_enter_keeper(const char *const *folders, size_t count, const char *directory);

#endif
