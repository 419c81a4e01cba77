/*
 * What the service manager is told (sd_notify(3)), if there is one: the daemon's state, and the
 * descriptors that it keeps for the next start. Without libsystemd nobody is told anything.
 */
#ifndef SORREL_SERVER_NOTIFY_H
#define SORREL_SERVER_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

/* It serves, or has finished a reload. The status is for people. */
void notify_ready(const char *status);

void notify_reloading(void);
void notify_stopping(void);

/* Another process is the daemon's main process from now on. */
void notify_main(pid_t pid);

/* Seconds after which it has to be told again that the daemon lives; 0: never. */
double notify_interval(void);

/* The daemon lives. */
void notify_alive(void);

/*
 * Descriptors that the manager passes to this process: their number; `first` is the first of them,
 * the others follow, all close-on-exec. names[i], "" if unknown, is to be freed by
 * notify_free_names(). Neither children nor a second call are told of them.
 */
int notify_passed(int *first, char ***names);
void notify_free_names(char **names, int count);

/* Keep this descriptor, which may be passed again, and pass it to the next start as `name`. */
void notify_store(const char *name, int descriptor);

/* Keep those of that name no more. */
void notify_remove(const char *name);

#endif
