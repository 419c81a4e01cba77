#include "server/protection/rrl.h"

#include "server/host/mappings.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define SECOND UINT64_C(1000000000)

enum {
    /* Accounts that a hash may stand for: with so many a table that is four fifths full loses an
     * account in use about once in a hundred. Two cache lines, which are fetched together. */
    SET_WAYS = 5,
    SET_SIZE = 128,

    EVENTS = 64, /* a power of two; more than are logged in the second between two readings */
};

/* What a flooding account may be behind: it makes up for a clock that ticks every 4 ms, for
 * batches, and for workers that do not run. */
static const uint64_t slack = SECOND / 5;

struct account {
    _Atomic uint64_t key;        /* 0: nobody's */
    _Atomic uint64_t paid_until; /* nanoseconds */
    _Atomic uint32_t limited_at; /* second in which it was limited last; 0: never */
    _Atomic uint32_t held_back;  /* responses */
};

struct set {
    _Alignas(SET_SIZE) struct account accounts[SET_WAYS];
};
static_assert(sizeof(struct set) == SET_SIZE, "one set, two cache lines");

/* `number` is set last, to that of the event + 1: what else it is belongs to an event that is being
 * written, or never was. */
struct event {
    _Atomic uint64_t number;
    struct rrl_event event;
};

/* Any process that has it may write anything to it: what is read here is not believed. */
struct shared {
    _Alignas(64) _Atomic uint64_t events_begun;
    struct event events[EVENTS];
    struct set sets[];
};

/* Each process has its own, as it was when it was forked. */
struct rrl {
    const struct rrl_settings *settings;
    uint64_t cost[RRL_CLASSES]; /* nanoseconds for one response; 0: not limited */
    uint64_t mask[2];           /* for the first 8 octets of an address: IPv4, IPv6 */
    uint64_t set_mask;
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct shared *shared;
    size_t shared_size; /* octets */
};

/* --- making it --------------------------------------------------------------------------- */

static size_t count_sets(unsigned accounts)
{
    size_t sets = 1;

    while (sets * SET_WAYS < accounts)
        sets *= 2;
    return sets;
}

/* As it lies in an address, `bits` 1 bits first. */
static uint64_t mask_of(unsigned bits)
{
    uint8_t octets[8] = {0};
    uint64_t mask;

    for (unsigned i = 0; i < bits; i++)
        octets[i / 8] |= (uint8_t)(0x80 >> i % 8);
    memcpy(&mask, octets, sizeof mask);
    return mask;
}

static bool map_shared(struct rrl *rrl)
{
    size_t sets = count_sets(rrl->settings->table_size);

    rrl->set_mask = sets - 1;
    rrl->shared_size = sizeof(struct shared) + sets * sizeof(struct set);
    rrl->shared = mappings_add(mmap(NULL, rrl->shared_size, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
                               rrl->shared_size);
    return rrl->shared != MAP_FAILED;
}

struct rrl *rrl_create(const struct rrl_settings *settings)
{
    struct rrl *rrl = calloc(1, sizeof *rrl);

    if (rrl == NULL)
        return NULL;
    rrl->settings = settings;
    rrl->mask[0] = mask_of(settings->ipv4_prefix);
    rrl->mask[1] = mask_of(settings->ipv6_prefix);
    for (unsigned i = 0; i < RRL_CLASSES; i++)
        rrl->cost[i] = settings->per_second[i] > 0 ? SECOND / settings->per_second[i] : 0;
    if (getrandom(rrl->key, sizeof rrl->key, 0) == sizeof rrl->key && map_shared(rrl))
        return rrl;
    free(rrl);
    return NULL;
}

void rrl_destroy(struct rrl *rrl)
{
    mappings_remove(rrl->shared);
    free(rrl);
}

const void *rrl_memory(const struct rrl *rrl)
{
    return rrl != NULL ? rrl->shared : NULL;
}

/* --- accounts ---------------------------------------------------------------------------- */

static uint64_t prefix_of(const struct rrl *rrl, const struct client *client)
{
    uint64_t address;

    memcpy(&address, client->address, sizeof address);
    return address & rrl->mask[client->length == sizeof client->address];
}

/* Never 0. */
static uint64_t key_of(const struct rrl *rrl, const struct client *client, enum rrl_class class,
                       uint64_t source)
{
    uint64_t input[3] = {prefix_of(rrl, client), (uint64_t) class << 8 | client->length, source};
    uint64_t key;

    static_assert(sizeof key == crypto_shorthash_BYTES, "SipHash-2-4");
    crypto_shorthash((uint8_t *)&key, (const uint8_t *)input, sizeof input, rrl->key);
    return key | 1;
}

/* Bit 0 of a key says nothing. */
static uint64_t set_number(const struct rrl *rrl, uint64_t key)
{
    return key >> 1 & rrl->set_mask;
}

static uint64_t load(const _Atomic uint64_t *place)
{
    return atomic_load_explicit(place, memory_order_relaxed);
}

/* Until when it is in use. One that is being limited has not paid for what it is refused: it would
 * be lost to others, and begin anew with a second's worth, just because it gets no more than its
 * due. */
static uint64_t used_until(const struct account *account)
{
    uint64_t limited_until =
        atomic_load_explicit(&account->limited_at, memory_order_relaxed) * SECOND;
    uint64_t paid_until = load(&account->paid_until);

    return limited_until > paid_until ? limited_until : paid_until;
}

/* One that nobody has, or whose owner has been idle longest. */
static struct account *choose_victim(struct set *set)
{
    struct account *victim = &set->accounts[0];

    for (unsigned i = 1; i < SET_WAYS; i++)
        if (used_until(&set->accounts[i]) < used_until(victim))
            victim = &set->accounts[i];
    return victim;
}

/*
 * Gives the account to `key`. Whoever finds it before all is done, or if the worker dies in
 * between, finds a debt of a second at most that is not his.
 */
static bool take_over(struct account *account, uint64_t key, uint64_t now)
{
    uint64_t old = load(&account->key);
    uint64_t paid_until = load(&account->paid_until);

    if (!atomic_compare_exchange_strong_explicit(&account->key, &old, key, memory_order_relaxed,
                                                 memory_order_relaxed))
        return false;
    atomic_store_explicit(&account->limited_at, 0, memory_order_relaxed);
    atomic_store_explicit(&account->held_back, 0, memory_order_relaxed);
    if (paid_until > now)
        atomic_compare_exchange_strong_explicit(&account->paid_until, &paid_until, now,
                                                memory_order_relaxed, memory_order_relaxed);
    return true;
}

static struct account *find_account(struct rrl *rrl, uint64_t key, uint64_t now)
{
    struct set *set = &rrl->shared->sets[set_number(rrl, key)];

    for (;;) {
        for (unsigned i = 0; i < SET_WAYS; i++)
            if (load(&set->accounts[i].key) == key)
                return &set->accounts[i];
        struct account *victim = choose_victim(set);
        if (take_over(victim, key, now))
            return victim;
        /* Another worker has taken it, perhaps for the same key. */
    }
}

/* Never 0. */
static uint32_t second_of(uint64_t now)
{
    return (uint32_t)(now / SECOND) + 1;
}

/* Is that less than `window` seconds ago? Another worker's clock may be a tick ahead. */
static bool is_recent(const struct rrl *rrl, uint32_t second, uint64_t now)
{
    return second != 0 && (int64_t)second_of(now) - second < (int64_t)rrl->settings->window;
}

static bool is_limited(const struct rrl *rrl, const struct account *account, uint64_t now)
{
    return is_recent(rrl, atomic_load_explicit(&account->limited_at, memory_order_relaxed), now);
}

/* Has it asked for more than twice its due? Less may be a burst that a busy worker has made of what
 * had waited for it. */
static bool is_flooding(const struct rrl *rrl, const struct account *account, enum rrl_class class,
                        uint64_t now)
{
    return is_limited(rrl, account, now) &&
           atomic_load_explicit(&account->held_back, memory_order_relaxed) >=
               rrl->settings->per_second[class];
}

static bool pay(struct account *account, uint64_t cost, uint64_t now, bool flooding)
{
    uint64_t floor = flooding && now > slack ? now - slack : now;
    uint64_t ceiling = flooding ? now : now + SECOND - cost;
    uint64_t paid_until = load(&account->paid_until);

    for (;;) {
        uint64_t from = paid_until > floor ? paid_until : floor;
        if (from > ceiling)
            return false;
        if (atomic_compare_exchange_weak_explicit(&account->paid_until, &paid_until, from + cost,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    }
}

/* --- events ------------------------------------------------------------------------------ */

static uint32_t place_of(struct rrl *rrl, const struct account *account)
{
    uint64_t set = set_number(rrl, load(&account->key));

    return (uint32_t)(set * SET_WAYS + (uint64_t)(account - rrl->shared->sets[set].accounts));
}

static void report(struct rrl *rrl, const struct account *account, const struct client *client,
                   enum rrl_class class)
{
    uint64_t number =
        atomic_fetch_add_explicit(&rrl->shared->events_begun, 1, memory_order_relaxed);
    struct event *event = &rrl->shared->events[number % EVENTS];
    uint64_t prefix = prefix_of(rrl, client);

    atomic_store_explicit(&event->number, 0, memory_order_release);
    atomic_thread_fence(memory_order_release);
    event->event = (struct rrl_event){
        .client.length = client->length,
        .bits = client->length == 4 ? rrl->settings->ipv4_prefix : rrl->settings->ipv6_prefix,
        .class = class,
        .key = load(&account->key),
        .place = place_of(rrl, account),
    };
    memcpy(event->event.client.address, &prefix, client->length == 4 ? 4 : sizeof prefix);
    atomic_store_explicit(&event->number, number + 1, memory_order_release);
}

static bool is_sound(const struct rrl *rrl, const struct rrl_event *event)
{
    return (event->client.length == 4 || event->client.length == 16) &&
           event->bits <= 8u * event->client.length && event->class < RRL_CLASSES &&
           event->place / SET_WAYS <= rrl->set_mask;
}

bool rrl_next_event(struct rrl *rrl, struct rrl_reader *reader, struct rrl_event *event,
                    uint64_t *missed)
{
    uint64_t begun = load(&rrl->shared->events_begun);

    if (begun - reader->next > EVENTS) {
        *missed += begun - EVENTS - reader->next;
        reader->next = begun - EVENTS;
    }
    while (reader->next < begun) {
        struct event *from = &rrl->shared->events[reader->next % EVENTS];
        uint64_t number = ++reader->next;
        if (atomic_load_explicit(&from->number, memory_order_acquire) != number) {
            ++*missed;
            continue;
        }
        *event = from->event;
        atomic_thread_fence(memory_order_acquire);
        if (load(&from->number) == number && is_sound(rrl, event))
            return true;
        ++*missed;
    }
    return false;
}

bool rrl_has_ended(const struct rrl *rrl, const struct rrl_event *event, uint64_t now,
                   uint32_t *held_back)
{
    const struct account *account =
        &rrl->shared->sets[event->place / SET_WAYS].accounts[event->place % SET_WAYS];

    *held_back = atomic_load_explicit(&account->held_back, memory_order_relaxed);
    return load(&account->key) != event->key || !is_limited(rrl, account, now);
}

/* --- the limit --------------------------------------------------------------------------- */

static enum rrl_verdict hold_back(struct rrl *rrl, struct account *account,
                                  const struct client *client, enum rrl_class class, uint64_t now)
{
    unsigned slip = rrl->settings->slip;
    uint32_t before =
        atomic_exchange_explicit(&account->limited_at, second_of(now), memory_order_relaxed);

    if (!is_recent(rrl, before, now)) {
        atomic_store_explicit(&account->held_back, 0, memory_order_relaxed);
        report(rrl, account, client, class);
    }
    uint32_t number = atomic_fetch_add_explicit(&account->held_back, 1, memory_order_relaxed);
    return slip > 0 && number % slip == slip - 1 ? RRL_SLIP : RRL_DROP;
}

static enum rrl_verdict settle(struct rrl *rrl, const struct client *client, enum rrl_class class,
                               uint64_t key, uint64_t now)
{
    struct account *account = find_account(rrl, key, now);

    if (pay(account, rrl->cost[class], now, is_flooding(rrl, account, class, now)))
        return RRL_SEND;
    return hold_back(rrl, account, client, class, now);
}

static uint64_t claim_account(const struct rrl *rrl, const struct client *client,
                              enum rrl_class class, uint64_t source)
{
    if (rrl->cost[class] == 0)
        return 0;
    uint64_t key = key_of(rrl, client, class, source);
    const struct set *set = &rrl->shared->sets[set_number(rrl, key)];
    __builtin_prefetch(set, 1);
    __builtin_prefetch((const uint8_t *)set + SET_SIZE / 2, 1);
    return key;
}

bool rrl_claim(const struct rrl *rrl, const struct client *client, enum rrl_class class,
               uint64_t source, struct rrl_claim *claim)
{
    if (prefix_list_covers(&rrl->settings->exempt, client))
        return false;
    claim->class = class;
    claim->class_key = claim_account(rrl, client, class, rrl->settings->per_name ? source : 0);
    claim->all_key = claim_account(rrl, client, RRL_ALL, 0);
    return claim->class_key != 0 || claim->all_key != 0;
}

enum rrl_verdict rrl_settle(struct rrl *rrl, const struct client *client,
                            const struct rrl_claim *claim, uint64_t now)
{
    enum rrl_verdict verdict = RRL_SEND;

    if (claim->class_key != 0)
        verdict = settle(rrl, client, claim->class, claim->class_key, now);
    if (verdict == RRL_SEND && claim->all_key != 0)
        verdict = settle(rrl, client, RRL_ALL, claim->all_key, now);
    return verdict;
}
