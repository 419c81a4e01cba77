#include "server/supervisor/guard.h"

#include "server/control/handover.h"
#include "server/host/account.h"
#include "server/host/clock.h"
#include "server/host/log.h"
#include "server/host/prefix_text.h"
#include "server/worker/slot.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

/* Lines at once, and a second: more would serve an attacker to fill the disk. */
enum { LINES_AT_ONCE = 10, LINES_A_SECOND = 1 };

static const ev_tstamp interval = 1;

static const char *const class_names[RRL_CLASSES] = {
    [RRL_RESPONSES] = "answers",
    [RRL_NODATA] = "NODATA answers",
    [RRL_NXDOMAINS] = "NXDOMAIN answers",
    [RRL_REFERRALS] = "referrals",
    [RRL_ERRORS] = "errors",
    [RRL_ALL] = "responses of all kinds",
};

/* --- whose responses are limited ------------------------------------------------------ */

static bool may_log(struct guard *guard)
{
    return quota_take(&guard->quota, (double)clock_nanoseconds() / 1e9);
}

static void tell_untold(struct guard *guard)
{
    if (guard->untold == 0 || !may_log(guard))
        return;
    log_warning("the same begins for %" PRIu64 " other networks or kinds of responses",
                guard->untold);
    guard->untold = 0;
}

static void begin_limit(struct guard *guard, const struct rrl_event *event)
{
    char prefix[PREFIX_TEXT_MAX];

    if (guard->limited_count == GUARD_LIMITED_MAX || !may_log(guard)) {
        guard->untold++;
        return;
    }
    guard->limited[guard->limited_count++] = *event;
    log_warning("%s for %s are limited to %u a second: it has asked for more",
                class_names[event->class], prefix_text_write(&event->client, event->bits, prefix),
                guard->protection->rrl.per_second[event->class]);
}

static void end_limits(struct guard *guard)
{
    char prefix[PREFIX_TEXT_MAX];
    uint32_t held_back;
    size_t kept = 0;

    for (size_t i = 0; i < guard->limited_count; i++) {
        const struct rrl_event *event = &guard->limited[i];
        if (!rrl_has_ended(guard->protection->limiter, event, clock_nanoseconds(), &held_back)) {
            guard->limited[kept++] = *event;
            continue;
        }
        log_notice("%s for %s are not limited any more: %" PRIu32 " were held back",
                   class_names[event->class],
                   prefix_text_write(&event->client, event->bits, prefix), held_back);
    }
    guard->limited_count = kept;
}

static void watch_limits(struct guard *guard)
{
    struct rrl_event event;

    while (rrl_next_event(guard->protection->limiter, &guard->reader, &event, &guard->untold))
        begin_limit(guard, &event);
    tell_untold(guard);
    end_limits(guard);
}

/* --- secrets --------------------------------------------------------------------------- */

static void renew_secrets(struct guard *guard)
{
    if (slot_clock() - guard->secrets_age_from < SECRETS_OWN_LIFETIME)
        return;
    guard->secrets_age_from = slot_clock();
    secrets_renew(&guard->protection->secrets);
}

/* Without an owner who may still read it the file would be of no use after the advice. */
static void warn_of_public(const char *file, const char *danger)
{
    char user[ACCOUNT_NAME_MAX];

    log_warning("%s: anyone on this machine can read %s: give it to user %s, and chmod o-rwx", file,
                danger, account_name(geteuid(), user));
}

static void warn_of_public_secrets(const char *file)
{
    if (secrets_are_public(file))
        warn_of_public(file, "the secrets of cookies, and forge cookies");
}

/* Has a key before that number the same place? */
static bool is_told(const struct keys *keys, size_t number, const char *place)
{
    size_t i = 0;

    while (i < number && (keys_place(keys, i) == NULL || strcmp(keys_place(keys, i), place) != 0))
        i++;
    return i < number;
}

static void warn_of_public_keys(const struct keys *keys)
{
    for (size_t i = 0; i < keys->ready.count; i++) {
        const char *place = keys_place(keys, i);
        if (place != NULL && secrets_are_public(place) && !is_told(keys, i, place))
            warn_of_public(place, "the secret of a key in it, and sign with it");
    }
}

static void reread_cookie_secrets(struct protection *protection)
{
    struct cookie_secrets read;
    char error[SECRETS_ERROR_MAX];

    if (!secrets_read(&read, protection->secret_file, error))
        log_warning("%s: the secrets for cookies stay as they are", error);
    else if (memcmp(&read, secrets_current(protection->secrets.board), sizeof read) != 0)
        secrets_change(&protection->secrets, &read);
    sodium_memzero(&read, sizeof read);
    warn_of_public_secrets(protection->secret_file);
}

void guard_reload(struct guard *guard)
{
    struct protection *protection = guard->protection;

    if (protection->cookies && protection->secret_file != NULL)
        reread_cookie_secrets(protection);
    warn_of_public_keys(&protection->keys);
}

/* --- start and end ----------------------------------------------------------------------- */

static void tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct guard *guard = watcher->data;

    (void)loop;
    (void)events;
    if (guard->protection->limiter != NULL)
        watch_limits(guard);
    if (guard->protection->cookies && guard->protection->secret_file == NULL)
        renew_secrets(guard);
}

bool guard_open(struct guard *guard, struct ev_loop *loop, struct protection *protection,
                struct handover *inherited)
{
    char error[PROTECTION_ERROR_MAX];
    int secrets = handover_take(inherited, HANDOVER_SECRETS, 0, NULL);

    *guard = (struct guard){.loop = loop,
                            .protection = protection,
                            .quota = {.most = LINES_AT_ONCE,
                                      .per_second = LINES_A_SECOND,
                                      .left = LINES_AT_ONCE,
                                      .when = (double)clock_nanoseconds() / 1e9},
                            .secrets_age_from = slot_clock()};
    if (!protection_open(protection, secrets, error)) {
        log_error("%s", error);
        return false;
    }
    ev_timer_init(&guard->tick, tick, interval, interval);
    guard->tick.data = guard;
    ev_timer_start(loop, &guard->tick);
    return true;
}

void guard_close(struct guard *guard)
{
    ev_timer_stop(guard->loop, &guard->tick);
    protection_close(guard->protection);
}
