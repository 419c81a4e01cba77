/*
 * System-call filters (seccomp(2)): the lists of what each kind of child process asks of the
 * kernel. Anything else ends the process at once, by SIGSYS, before it has happened.
 */
#ifndef SORREL_SERVER_SYSCALLS_H
#define SORREL_SERVER_SYSCALLS_H

#include <stdbool.h>

/*
 * Puts this process, and its threads to come, behind the filter of its kind, for good. The process
 * must have PR_SET_NO_NEW_PRIVS. False with errno if the kernel refuses.
 *
 *   worker    may use the descriptors it has, accept connections and map memory that is not
 *             executable; it opens, creates, connects and starts nothing
 *   builder   may besides open files for reading, make memory files, and run threads
 *   metrics   may use the descriptors it has, and accept connections
 *   dnstap    may write, read, lock and shorten the file it has; or, of a socket, connect Unix ones
 *             and use them: never both
 *   keeper    may open files for reading, and for writing those that are no links; rename and
 * remove apart     may write what it has to say to the descriptor it has
 */
bool syscalls_confine_worker(void);
bool syscalls_confine_builder(void);
bool syscalls_confine_metrics(void);
bool syscalls_confine_dnstap_file(void);
bool syscalls_confine_dnstap_socket(void);
bool syscalls_confine_keeper(void);
bool syscalls_confine_apart(void);

#endif
