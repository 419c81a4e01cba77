#include "server/host/privilege.h"

#include <assert.h>
#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct passwd *find_user(const char *user, char error[PRIVILEGE_ERROR_MAX])
{
    const struct passwd *entry = getpwnam(user);

    if (entry == NULL) {
        char *end;
        unsigned long number = strtoul(user, &end, 10);
        if (*user != '\0' && *end == '\0' && number < (uid_t)-1)
            entry = getpwuid((uid_t)number);
    }
    if (entry == NULL)
        snprintf(error, PRIVILEGE_ERROR_MAX,
                 "there is no user %s: create it, or name another with -u", user);
    return entry;
}

bool privilege_find(const char *user, uid_t *uid, char error[PRIVILEGE_ERROR_MAX])
{
    const struct passwd *entry = find_user(user, error);

    if (entry != NULL)
        *uid = entry->pw_uid;
    return entry != NULL;
}

/* Selects, out of what the process may do now, these rights and no others; capng_apply() makes it
 * so. */
static void select_rights(const unsigned *rights, size_t count)
{
    const capng_type_t sets = (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
    bool held[2] = {false, false};

    assert(count <= 2);
    capng_get_caps_process();
    for (size_t i = 0; i < count; i++)
        held[i] = capng_have_capability(CAPNG_PERMITTED, rights[i]) == 1;
    capng_clear(CAPNG_SELECT_CAPS);
    for (size_t i = 0; i < count; i++)
        if (held[i])
            capng_update(CAPNG_ADD, sets, rights[i]);
}

bool privilege_become(const char *user, char error[PRIVILEGE_ERROR_MAX])
{
    static const unsigned rights[] = {CAP_NET_BIND_SERVICE, CAP_NET_ADMIN};
    const struct passwd *entry = find_user(user, error);

    if (entry == NULL)
        return false;
    if (entry->pw_uid == geteuid() && entry->pw_uid == getuid())
        return true;
    if (geteuid() != 0) {
        snprintf(error, PRIVILEGE_ERROR_MAX,
                 "cannot become user %s: only root can, so start as root or leave out -u", user);
        return false;
    }
    select_rights(rights, sizeof rights / sizeof rights[0]);
    if (capng_change_id((int)entry->pw_uid, (int)entry->pw_gid, CAPNG_INIT_SUPP_GRP) != 0) {
        snprintf(error, PRIVILEGE_ERROR_MAX, "cannot become user %s: %s", user, strerror(errno));
        return false;
    }
    /* For good: the rights that a takeover hands on are ambient, which this leaves alone. */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return true;
}

void privilege_keep_rights(void)
{
    static const unsigned rights[] = {CAP_NET_BIND_SERVICE, CAP_NET_ADMIN};

    /* Root's programs have all rights anyway. */
    if (geteuid() == 0)
        return;
    capng_get_caps_process();
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        if (capng_have_capability(CAPNG_PERMITTED, rights[i]) == 1)
            capng_update(CAPNG_ADD, CAPNG_INHERITABLE, rights[i]);
    capng_apply(CAPNG_SELECT_CAPS);
    /* Where that was refused, the next program has to do without. */
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0);
}

static void confine_to(const unsigned *rights, size_t count)
{
    select_rights(rights, count);
    int refused = capng_apply(CAPNG_SELECT_CAPS);
    refused |= prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (refused != 0)
        abort();
}

void privilege_confine_reader(void)
{
    /* Without -u the zone files are those that whoever started the daemon may read, root included.
     */
    static const unsigned rights[] = {CAP_DAC_READ_SEARCH};

    confine_to(rights, 1);
}

void privilege_confine(void)
{
    confine_to(NULL, 0);
}
