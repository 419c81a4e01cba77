#include "server/host/account.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

const char *account_name(uid_t uid, char text[ACCOUNT_NAME_MAX])
{
    char room[4096];
    struct passwd entry, *found;

    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found != NULL &&
        *found->pw_name != '\0' && strlen(found->pw_name) < ACCOUNT_NAME_MAX)
        strcpy(text, found->pw_name);
    else
        snprintf(text, ACCOUNT_NAME_MAX, "%lu", (unsigned long)uid);
    return text;
}
