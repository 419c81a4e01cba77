/*
 * As whom each process runs, and what it may do.
 *
 *   supervisor        the user of -u, with the right to bind low ports and to size receive buffers
 *   builder, keeper   the same user, without rights but to read files (where the supervisor may)
 *   all others        the same user, without any right
 */
#ifndef SORREL_SERVER_PRIVILEGE_H
#define SORREL_SERVER_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

enum { PRIVILEGE_ERROR_MAX = 256 };

/* The id of `user`, a name or number. False with a sentence in `error`. */
bool privilege_find(const char *user, uid_t *uid, char error[PRIVILEGE_ERROR_MAX]);

/* Makes the supervisor run as `user` (a name or number) for good; no program that it starts can get
 * more rights than it has. False with a sentence in `error`. */
bool privilege_become(const char *user, char error[PRIVILEGE_ERROR_MAX]);

/* Before execve(2): the rights that this process has are the next program's too, whoever the user
 * is. */
void privilege_keep_rights(void);

/* Called by a child first thing. They abort if the kernel refuses to take rights away. */
void privilege_confine_reader(void); /* that reads zone files */
void privilege_confine(void);

#endif
