/*
 * What users are called, for people to read.
 */
#ifndef SORREL_SERVER_ACCOUNT_H
#define SORREL_SERVER_ACCOUNT_H

#include <sys/types.h>

enum { ACCOUNT_NAME_MAX = 64 };

/* The user's name, or number if there is none or it is too long, in `text`, which is returned. Asks
 * the system's databases, which may take a while. */
const char *account_name(uid_t uid, char text[ACCOUNT_NAME_MAX]);

#endif
