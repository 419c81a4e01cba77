/*
 * Landlock (landlock(7)): takes from a process, for good, the file system, TCP sockets and other
 * processes, as far as the kernel knows how to.
 */
#ifndef SORREL_SERVER_LANDLOCK_H
#define SORREL_SERVER_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* The kernel's version of Landlock: 1 since Linux 5.13; 0 if it has none, or has it switched off.
 */
int landlock_version(void);

/*
 * From now on this process and its descendants can open no file but those beneath the `count`
 * folders, and these for reading only; and in the folder `written`, unless that is NULL, they can
 * make plain files, write, rename and remove them, and list it. They can bind and connect no TCP
 * socket (version 4), and reach neither abstract Unix sockets nor, by signals, processes that are
 * not so confined (version 6). Descriptors that are open stay as they are. A folder that cannot be
 * opened is left out: what is in it could not be reached anyway.
 *
 * The process must have PR_SET_NO_NEW_PRIVS. False with errno if the kernel refuses.
 */
bool landlock_confine(const char *const *folders, size_t count, const char *written);

#endif
