/*
 * The dealings of tests with other processes: they are started, waited for and stopped by their
 * process ids, and all die with the test. No function returns an error: where a test cannot go on
 * it ends with one sentence (child_fail).
 */
#ifndef SORREL_LOSS_CHILD_H
#define SORREL_LOSS_CHILD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit status of the tests. */
enum { CHILD_EXIT_FAILED = 1, CHILD_EXIT_BROKEN = 99 };

/* Says why the test itself is broken, removes what was made, and ends it. */
_Noreturn void child_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Calls `clean_up` before child_fail() ends the program. */
void child_at_fail(void (*clean_up)(void));

/* Starts argv[0], found along PATH, with standard output and error appended to the file `log`. */
pid_t child_start(const char *const argv[], const char *log);

/* The same; what is written to `input`, which becomes the caller's, it reads from standard input.
 */
pid_t child_start_fed(const char *const argv[], const char *log, int *input);

/* Runs argv[0] to its end; what it prints goes to `log`. Its exit status, or -1 if a signal ended
 * it. */
int child_run(const char *const argv[], const char *log);

/* Runs `program --help` and tells whether it prints `word`. */
bool child_helps_with(const char *program, const char *word);

/* The path of the program `name` in the directory of the one that runs. */
void child_beside(char path[PATH_MAX], const char *name);

/* Has our child `pid` ended? If so it is waited for. */
bool child_has_ended(pid_t pid);

/* Sends `signal` to our child, and waits for its end; kills it if that takes more than `seconds`.
 * False if it had to be killed. */
bool child_stop(pid_t pid, int signal, unsigned seconds);

/* Is there a process `pid` that is not a zombie? Whoever's child. */
bool child_is_alive(pid_t pid);

enum { CHILD_LIST_MAX = 1024 };

/* The children of `parent`, whoever that is, in the order of their birth; zombies are left out. */
size_t child_list(pid_t parent, pid_t list[CHILD_LIST_MAX]);

/* The name that process `pid` bears (comm). False if it is no more. */
bool child_name(pid_t pid, char name[16]);

/* Is there a program of that name along PATH, or at that path? */
bool child_can_run(const char *program);

/* A port of 127.0.0.1 that is free for UDP and TCP now, and none that the kernel gives to clients:
 * another test's could have it a moment later. */
uint16_t child_free_port(void);

/* Waits until `condition(context)`; false once `seconds` have passed. */
bool child_wait(bool (*condition)(void *), void *context, unsigned seconds);

#endif
