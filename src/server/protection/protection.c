#include "server/protection/protection.h"

#include "server/host/prefix_text.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where nobody on the internet can be: senders there cannot lie about it, for no router lets it
 * through (RFC 6890; RFC 5737 and RFC 3849 for the addresses of examples). */
static const char *const local_prefixes[] = {
    "127.0.0.0/8",    "10.0.0.0/8",   "192.168.0.0/16", "172.16.0.0/12",   "100.64.0.0/10",
    "169.254.0.0/16", "192.0.2.0/24", "198.18.0.0/15",  "198.51.100.0/24", "203.0.113.0/24",
    "::1/128",        "fe80::/10",    "fc00::/7",       "2001:db8::/32"};

static bool exempt_local(struct rrl_settings *rrl)
{
    char error[PREFIX_TEXT_ERROR_MAX];

    for (size_t i = 0; i < sizeof local_prefixes / sizeof local_prefixes[0]; i++)
        if (!prefix_text_add(&rrl->exempt, local_prefixes[i], error))
            return false;
    return true;
}

static void complete_rates(struct rrl_settings *rrl)
{
    for (unsigned class = RRL_NODATA; class <= RRL_ERRORS; class ++)
        if (rrl->per_second[class] == 0)
            rrl->per_second[class] = rrl->per_second[RRL_RESPONSES];
}

static bool has_limit(const struct rrl_settings *rrl)
{
    for (unsigned class = 0; class < RRL_CLASSES; class ++)
        if (rrl->per_second[class] > 0)
            return true;
    return false;
}

/* Has every key that may transfer zones a secret? */
static bool keys_are_there(const struct protection *protection, char error[PROTECTION_ERROR_MAX])
{
    char text[NAME_TEXT_MAX];

    for (size_t i = 0; i < protection->transfers.count; i++) {
        const struct access_list *allowed = &protection->transfers.rules[i].allowed;
        for (size_t k = 0; k < allowed->key_count; k++) {
            if (keys_have(&protection->keys, &allowed->keys[k].name))
                continue;
            snprintf(error, PROTECTION_ERROR_MAX,
                     "allow-transfer = key:%.300s: there is no key of that name in sorrel.conf",
                     name_to_text(&allowed->keys[k].name, text));
            return false;
        }
    }
    return true;
}

bool protection_complete(struct protection *protection, char error[PROTECTION_ERROR_MAX])
{
    struct rrl_settings *rrl = &protection->rrl;

    protection->secrets.fd = -1;
    if (rrl->per_second[RRL_RESPONSES] == PROTECTION_RATE_AUTO) {
        rrl->per_second[RRL_RESPONSES] = PROTECTION_RATE;
        if (!exempt_local(rrl)) {
            snprintf(error, PROTECTION_ERROR_MAX, "out of memory");
            return false;
        }
    }
    complete_rates(rrl);
    if (!keys_are_there(protection, error) || !keys_read_files(&protection->keys, error))
        return false;
    return !protection->cookies || protection->secret_file == NULL ||
           secrets_read(&protection->given, protection->secret_file, error);
}

bool protection_open(struct protection *protection, int secrets, char error[PROTECTION_ERROR_MAX])
{
    const struct cookie_secrets *given =
        protection->secret_file != NULL ? &protection->given : NULL;

    if (protection->cookies && !secrets_open(&protection->secrets, given, secrets, error))
        return false;
    /* They are on the board now, and children that have no business with that have this. */
    sodium_memzero(&protection->given, sizeof protection->given);
    if (!has_limit(&protection->rrl))
        return true;
    protection->limiter = rrl_create(&protection->rrl);
    if (protection->limiter == NULL)
        snprintf(error, PROTECTION_ERROR_MAX, "cannot limit the rate of responses: %s",
                 strerror(errno));
    return protection->limiter != NULL;
}

void protection_close(struct protection *protection)
{
    secrets_close(&protection->secrets);
    if (protection->limiter != NULL)
        rrl_destroy(protection->limiter);
    protection->limiter = NULL;
    access_rules_free(&protection->access);
    access_rules_free(&protection->transfers);
    keys_free(&protection->keys);
    free(protection->rrl.exempt.prefixes);
    protection->rrl.exempt = (struct prefix_list){0};
}
