/* protection/rrl.c: limits are kept exactly, whoever asks and whatever becomes of the workers. */
#include "server/protection/rrl.h"
#include "unit.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)

static struct rrl_settings settings_of(unsigned rate)
{
    return (struct rrl_settings){
        .per_second = {[RRL_RESPONSES] = rate, [RRL_NXDOMAINS] = rate, [RRL_ERRORS] = 3},
        .window = 15,
        .slip = 0,
        .ipv4_prefix = 24,
        .ipv6_prefix = 56,
        .table_size = 10000};
}

static struct rrl *create(const struct rrl_settings *settings)
{
    struct rrl *rrl = rrl_create(settings);

    assert_non_null(rrl);
    return rrl;
}

static struct client ipv4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    return (struct client){.length = 4,
                           .address = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d}};
}

static enum rrl_verdict account(struct rrl *rrl, const struct client *client,
                                enum rrl_class class, uint64_t source, uint64_t now)
{
    struct rrl_claim claim;

    return rrl_claim(rrl, client, class, source, &claim) ? rrl_settle(rrl, client, &claim, now)
                                                         : RRL_SEND;
}

static bool sends(struct rrl *rrl, const struct client *client, uint64_t now)
{
    return account(rrl, client, RRL_RESPONSES, 0, now) == RRL_SEND;
}

/* Asks at `rate` a second from *now to `end`. Returns how many are answered. */
static unsigned ask(struct rrl *rrl, const struct client *client, unsigned rate, uint64_t *now,
                    uint64_t end)
{
    unsigned sent = 0;

    for (; *now < end; *now += SECOND / rate)
        sent += sends(rrl, client, *now);
    return sent;
}

/* --- one process ------------------------------------------------------------------- */

static const struct {
    unsigned limit, rate;
} floods[] = {{1, 1000},   {5, 1000},    {5, 50000},   {200, 50000}, {1000, 50000}, {1000, 1001},
              {3, 7},      {7777, 9999}, {999, 50000}, {49999, 50000}, {20000, 100000}};

/* For the time that it lasts a flood gets what the rate gives; first a second's share at once. */
static void a_flood_gets_the_rate(void **state)
{
    const struct client client = ipv4(192, 0, 2, 1);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(floods); i++) {
        struct rrl_settings settings = settings_of(floods[i].limit);
        struct rrl *rrl = create(&settings);
        uint64_t now = START;
        unsigned limit = floods[i].limit;
        unsigned sent = ask(rrl, &client, floods[i].rate, &now, START + SECOND);
        assert_in_range(sent, limit, 2 * limit);
        sent += ask(rrl, &client, floods[i].rate, &now, START + 10 * SECOND);
        assert_in_range(sent, 10 * limit - limit / 5 - 1, 10 * limit + limit / 5 + 1);
        rrl_destroy(rrl);
    }
}

/* However the queries are grouped: a worker takes the time once a batch, by a clock of 4 ms. */
static void neither_batches_nor_ticks_matter(void **state)
{
    static const uint64_t pauses[] = {SECOND / 250, SECOND / 100, SECOND / 20};
    const struct client client = ipv4(192, 0, 2, 1);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pauses); i++) {
        struct rrl_settings settings = settings_of(1000);
        struct rrl *rrl = create(&settings);
        unsigned sent = 0;
        for (uint64_t now = START; now < START + 10 * SECOND; now += pauses[i])
            for (unsigned n = 0; n < 3000; n++)
                sent += sends(rrl, &client, now);
        assert_in_range(sent, 9900, 10100);
        rrl_destroy(rrl);
    }
}

static void who_stays_below_is_never_limited(void **state)
{
    struct rrl_settings settings = settings_of(100);
    struct rrl *rrl = create(&settings);
    const struct client client = ipv4(192, 0, 2, 1);
    uint64_t now = START;

    (void)state;
    /* evenly */
    assert_int_equal(ask(rrl, &client, 100, &now, START + 10 * SECOND), 1000);
    /* and all at once, every second */
    for (unsigned second = 0; second < 10; second++) {
        now += 2 * SECOND;
        for (unsigned i = 0; i < 100; i++)
            assert_true(sends(rrl, &client, now));
    }
    rrl_destroy(rrl);
}

/* Until it has kept within its limit for `window` seconds a client has no second in advance. */
static void a_limited_client_is_trusted_again(void **state)
{
    struct rrl_settings settings = settings_of(100);
    struct rrl *rrl = create(&settings);
    const struct client client = ipv4(192, 0, 2, 1);
    uint64_t now = START;
    unsigned sent = 0;

    (void)state;
    ask(rrl, &client, 1000, &now, START + 3 * SECOND);
    now += 5 * SECOND;
    for (unsigned i = 0; i < 100; i++)
        sent += sends(rrl, &client, now);
    assert_in_range(sent, 20, 22);
    now += 16 * SECOND;
    for (unsigned i = 0; i < 100; i++)
        assert_true(sends(rrl, &client, now));
    assert_false(sends(rrl, &client, now));
    rrl_destroy(rrl);
}

/* A worker that was kept waiting sees at once what came one by one; that makes no flood of it. */
static void a_burst_is_forgiven(void **state)
{
    struct rrl_settings settings = settings_of(100);
    struct rrl *rrl = create(&settings);
    const struct client client = ipv4(192, 0, 2, 1);
    uint64_t now = START;

    (void)state;
    for (unsigned i = 0; i < 150; i++)
        assert_int_equal(sends(rrl, &client, now), i < 100);
    now += 2 * SECOND;
    for (unsigned i = 0; i < 100; i++)
        assert_true(sends(rrl, &client, now));
    rrl_destroy(rrl);
}

/* --- who has an account with whom -------------------------------------------------------- */

static void exhaust(struct rrl *rrl, const struct client *client)
{
    while (sends(rrl, client, START))
        ;
}

static const struct {
    struct client flooding, other;
    bool shares;
} neighbours[] = {
    {{.length = 4, .address = {192, 0, 2, 1}}, {.length = 4, .address = {192, 0, 2, 255}}, true},
    {{.length = 4, .address = {192, 0, 2, 1}}, {.length = 4, .address = {192, 0, 3, 1}}, false},
    {{.length = 4, .address = {192, 0, 2, 1}}, {.length = 4, .address = {193, 0, 2, 1}}, false},
    {{.length = 16, .address = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4}},
     {.length = 16, .address = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 5, 6}},
     true},
    {{.length = 16, .address = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4}},
     {.length = 16, .address = {0x20, 1, 0xd, 0xb8, 1, 2, 2, 4}},
     false},
    {{.length = 4, .address = {192, 0, 2, 0}}, {.length = 16, .address = {192, 0, 2, 0}}, false},
};

static void a_prefix_is_a_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(neighbours); i++) {
        struct rrl_settings settings = settings_of(10);
        struct rrl *rrl = create(&settings);
        exhaust(rrl, &neighbours[i].flooding);
        assert_int_equal(sends(rrl, &neighbours[i].other, START), !neighbours[i].shares);
        rrl_destroy(rrl);
    }
}

/* A flood, and far more neighbours than the table has room for, all in the same sets with it: each
 * of them is answered, and the flood is still held to its rate. */
static void nobody_suffers_for_another(void **state)
{
    struct rrl_settings settings = settings_of(100);
    const struct client flooding = ipv4(192, 0, 2, 1);
    unsigned sent = 0, asked = 0;

    (void)state;
    settings.table_size = RRL_TABLE_MIN;
    struct rrl *rrl = create(&settings);
    for (uint64_t now = START; now < START + 4 * SECOND; now += SECOND / 50000) {
        sent += sends(rrl, &flooding, now);
        if (++asked % 4 == 0) {
            const struct client neighbour = ipv4(10, asked >> 10, asked >> 2, 1);
            assert_true(sends(rrl, &neighbour, now));
        }
    }
    assert_in_range(sent, 395, 405);
    rrl_destroy(rrl);
}

static void every_class_has_its_account(void **state)
{
    struct rrl_settings settings = settings_of(10);
    const struct client client = ipv4(192, 0, 2, 1);
    struct rrl *rrl = create(&settings);
    unsigned errors = 0;

    (void)state;
    exhaust(rrl, &client);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(account(rrl, &client, RRL_NXDOMAINS, 0, START), RRL_SEND);
        /* not limited by these settings */
        assert_int_equal(account(rrl, &client, RRL_REFERRALS, 0, START), RRL_SEND);
        errors += account(rrl, &client, RRL_ERRORS, 0, START) == RRL_SEND;
    }
    assert_int_equal(account(rrl, &client, RRL_NXDOMAINS, 0, START), RRL_DROP);
    assert_int_equal(errors, 3);
    rrl_destroy(rrl);
}

static void all_together_have_one_too(void **state)
{
    struct rrl_settings settings = settings_of(10);
    const struct client client = ipv4(192, 0, 2, 1);
    unsigned sent = 0;

    (void)state;
    settings.per_second[RRL_ALL] = 12;
    struct rrl *rrl = create(&settings);
    for (unsigned i = 0; i < 10; i++) {
        sent += account(rrl, &client, RRL_RESPONSES, 0, START) == RRL_SEND;
        sent += account(rrl, &client, RRL_NXDOMAINS, 0, START) == RRL_SEND;
    }
    assert_int_equal(sent, 12);
    rrl_destroy(rrl);
}

static void names_may_have_their_own(void **state)
{
    struct rrl_settings settings = settings_of(10);
    const struct client client = ipv4(192, 0, 2, 1);

    (void)state;
    for (int per_name = 0; per_name <= 1; per_name++) {
        unsigned sent = 0;
        settings.per_name = per_name;
        struct rrl *rrl = create(&settings);
        for (uint64_t name = 0; name < 40; name++)
            for (unsigned i = 0; i < 20; i++)
                sent += account(rrl, &client, RRL_RESPONSES, name, START) == RRL_SEND;
        assert_int_equal(sent, per_name ? 400 : 10);
        rrl_destroy(rrl);
    }
}

static void some_are_exempt(void **state)
{
    struct prefix exempt[] = {
        {.length = 4, .bits = 31, .address = {192, 0, 2, 2}, .mask = {255, 255, 255, 254}}};
    struct rrl_settings settings = settings_of(10);
    const struct client first = ipv4(192, 0, 2, 3), second = ipv4(192, 0, 2, 4);

    (void)state;
    settings.exempt = (struct prefix_list){exempt, 1};
    struct rrl *rrl = create(&settings);
    for (unsigned i = 0; i < 100; i++)
        assert_true(sends(rrl, &first, START));
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(sends(rrl, &second, START), i < 10);
    rrl_destroy(rrl);
}

static void some_slip_through(void **state)
{
    const struct client client = ipv4(192, 0, 2, 1);

    (void)state;
    for (unsigned slip = 0; slip <= 10; slip++) {
        struct rrl_settings settings = settings_of(10);
        unsigned slipped = 0;
        settings.slip = slip;
        struct rrl *rrl = create(&settings);
        for (unsigned i = 0; i < 10 + 2520; i++) /* a multiple of all */
            slipped += account(rrl, &client, RRL_RESPONSES, 0, START) == RRL_SLIP;
        assert_int_equal(slipped, slip == 0 ? 0 : 2520 / slip);
        rrl_destroy(rrl);
    }
}

/* --- what the supervisor hears -------------------------------------------------------------- */

static void limits_are_reported_once(void **state)
{
    struct rrl_settings settings = settings_of(10);
    struct rrl *rrl = create(&settings);
    const struct client client = ipv4(192, 0, 2, 77);
    struct rrl_reader reader = {0};
    struct rrl_event event, other;
    uint64_t missed = 0, now = START;
    uint32_t held_back;

    (void)state;
    assert_false(rrl_next_event(rrl, &reader, &event, &missed));
    ask(rrl, &client, 1000, &now, START + 2 * SECOND);
    assert_true(rrl_next_event(rrl, &reader, &event, &missed));
    assert_false(rrl_next_event(rrl, &reader, &other, &missed));
    assert_int_equal(event.class, RRL_RESPONSES);
    assert_int_equal(event.bits, 24);
    assert_int_equal(event.client.length, 4);
    assert_memory_equal(event.client.address, "\300\0\2\0", 4);
    assert_false(rrl_has_ended(rrl, &event, now, &held_back));
    assert_in_range(held_back, 1975, 1985);
    /* It goes on, below the limit. */
    ask(rrl, &client, 5, &now, now + 13 * SECOND);
    assert_false(rrl_has_ended(rrl, &event, now, &held_back));
    ask(rrl, &client, 5, &now, now + 3 * SECOND);
    assert_true(rrl_has_ended(rrl, &event, now, &held_back));
    assert_in_range(held_back, 1975, 1985);
    /* The next time is another. */
    ask(rrl, &client, 1000, &now, now + SECOND);
    assert_true(rrl_next_event(rrl, &reader, &event, &missed));
    assert_false(rrl_has_ended(rrl, &event, now, &held_back));
    assert_in_range(held_back, 980, 995);
    assert_int_equal(missed, 0);
    rrl_destroy(rrl);
}

static void reports_that_nobody_reads_are_counted(void **state)
{
    struct rrl_settings settings = settings_of(1);
    struct rrl *rrl = create(&settings);
    struct rrl_reader reader = {0};
    struct rrl_event event;
    uint64_t missed = 0;
    unsigned told = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        const struct client client = ipv4(10, 0, i, 0);
        assert_true(sends(rrl, &client, START));
        assert_false(sends(rrl, &client, START));
    }
    for (; rrl_next_event(rrl, &reader, &event, &missed); told++)
        assert_int_equal(event.client.address[2], 136 + told);
    assert_int_equal(told, 64);
    assert_int_equal(missed, 136);
    rrl_destroy(rrl);
}

/* --- several processes ----------------------------------------------------------------------- */

enum { WORKERS = 4, QUERIES = 500000, PER_SECOND = 50000, LIMIT = 1000 };

struct scene {
    _Atomic uint64_t asked; /* by all: also the clock */
    _Atomic uint32_t sent;
};

static uint64_t clock_of(uint64_t asked)
{
    return START + asked * (SECOND / PER_SECOND);
}

static _Noreturn void work(struct rrl *rrl, struct scene *scene)
{
    const struct client client = ipv4(192, 0, 2, 1);
    uint64_t asked;

    while ((asked = atomic_fetch_add(&scene->asked, 1)) < QUERIES)
        if (sends(rrl, &client, clock_of(asked)))
            atomic_fetch_add(&scene->sent, 1);
    _exit(0);
}

static pid_t start_worker(struct rrl *rrl, struct scene *scene)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        work(rrl, scene);
    return pid;
}

/* Ten seconds of a flood over four workers; `deaths` of them die at any instant, and have
 * successors. */
static void flood(unsigned deaths)
{
    struct rrl_settings settings = settings_of(LIMIT);
    struct rrl *rrl = create(&settings);
    struct scene *scene =
        mmap(NULL, sizeof *scene, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[WORKERS];
    unsigned killed = 0;

    assert_true(scene != MAP_FAILED);
    for (unsigned i = 0; i < WORKERS; i++)
        pids[i] = start_worker(rrl, scene);
    for (; killed < deaths && atomic_load(&scene->asked) < QUERIES; killed++) {
        pid_t *pid = &pids[killed % WORKERS];
        uint64_t due = (uint64_t)QUERIES / (deaths + 1) * (killed + 1);
        while (atomic_load(&scene->asked) < due)
            ;
        kill(*pid, SIGKILL);
        assert_int_equal(waitpid(*pid, NULL, 0), *pid);
        *pid = start_worker(rrl, scene);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    /* 10 s at LIMIT; a worker that dies may have sent, or been about to send, one uncounted. */
    assert_in_range(atomic_load(&scene->sent), 10 * LIMIT - 100 - killed, 10 * LIMIT + 100);
    munmap(scene, sizeof *scene);
    rrl_destroy(rrl);
}

static void workers_share_the_limit(void **state)
{
    (void)state;
    flood(0);
}

static void a_death_changes_nothing(void **state)
{
    (void)state;
    flood(50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_gets_the_rate),
        cmocka_unit_test(neither_batches_nor_ticks_matter),
        cmocka_unit_test(who_stays_below_is_never_limited),
        cmocka_unit_test(a_limited_client_is_trusted_again),
        cmocka_unit_test(a_burst_is_forgiven),
        cmocka_unit_test(a_prefix_is_a_client),
        cmocka_unit_test(nobody_suffers_for_another),
        cmocka_unit_test(every_class_has_its_account),
        cmocka_unit_test(all_together_have_one_too),
        cmocka_unit_test(names_may_have_their_own),
        cmocka_unit_test(some_are_exempt),
        cmocka_unit_test(some_slip_through),
        cmocka_unit_test(limits_are_reported_once),
        cmocka_unit_test(reports_that_nobody_reads_are_counted),
        cmocka_unit_test(workers_share_the_limit),
        cmocka_unit_test(a_death_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
