/* steering/steering.c: the generated programs, run over datagrams by an interpreter of classic BPF.
 */
#include "server/steering/steering.h"
#include "unit.h"

#include <string.h>
#include <sys/socket.h>

enum { NETWORK_HEADER = 40 };

struct datagram {
    uint8_t network[NETWORK_HEADER + 8]; /* from the network header on, ports included */
    uint8_t payload[16];
    size_t payload_length;
    uint32_t random;
    uint32_t cpu;
};

static bool load(const struct datagram *datagram, uint32_t k, unsigned size, uint32_t *value)
{
    const uint8_t *at = datagram->payload + k;
    int32_t offset = (int32_t)k;

    if (offset == SKF_AD_OFF + SKF_AD_RANDOM) {
        *value = datagram->random;
        return true;
    }
    if (offset == SKF_AD_OFF + SKF_AD_CPU) {
        *value = datagram->cpu;
        return true;
    }
    if (offset >= SKF_NET_OFF && offset < 0)
        at = datagram->network + (offset - SKF_NET_OFF);
    else if (k + size > datagram->payload_length)
        return false;
    *value = 0;
    for (unsigned i = 0; i < size; i++)
        *value = *value << 8 | at[i];
    return true;
}

/* Runs the program as the kernel would (Documentation/networking/filter.rst). */
static uint32_t run(const struct steering_program *program, const struct datagram *datagram)
{
    uint32_t a = 0, x = 0;

    for (unsigned at = 0; at < program->length; at++) {
        const struct sock_filter *i = &program->code[at];
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
        case BPF_LD | BPF_H | BPF_ABS:
            if (!load(datagram, i->k, BPF_SIZE(i->code) == BPF_W ? 4 : 2, &a))
                return 0;
            break;
        case BPF_MISC | BPF_TAX:
            x = a;
            break;
        case BPF_ALU | BPF_XOR | BPF_X:
            a ^= x;
            break;
        case BPF_ALU | BPF_MUL | BPF_K:
            a *= i->k;
            break;
        case BPF_ALU | BPF_RSH | BPF_K:
            a >>= i->k;
            break;
        case BPF_ALU | BPF_MOD | BPF_K:
            assert_int_not_equal(i->k, 0);
            a %= i->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == i->k ? i->jt : i->jf;
            break;
        case BPF_RET | BPF_A:
            return a;
        case BPF_RET | BPF_K:
            return i->k;
        default:
            fail_msg("instruction %u is none that the interpreter knows", i->code);
        }
    }
    fail_msg("the program has no end");
    return 0;
}

static void set_active(bool *active, const char *pattern)
{
    for (size_t i = 0; pattern[i] != '\0'; i++)
        active[i] = pattern[i] == '1';
}

static struct datagram query_with_id(unsigned id)
{
    return (struct datagram){.payload = {(uint8_t)(id >> 8), (uint8_t)id}, .payload_length = 12};
}

static void query_takes_active_slots_in_turn(void **state)
{
    static const struct {
        const char *active;
        unsigned expected[6]; /* of IDs 0 to 5 */
    } cases[] = {
        {"11", {0, 1, 0, 1, 0, 1}},
        {"1111", {0, 1, 2, 3, 0, 1}},
        {"110", {0, 1, 0, 1, 0, 1}}, /* the last is about to be closed */
        {"011", {1, 2, 1, 2, 1, 2}},
        {"1011", {0, 2, 3, 0, 2, 3}},
        {"0010", {2, 2, 2, 2, 2, 2}},
        {"000", {0, 1, 2, 0, 1, 2}}, /* none: a query has to go somewhere */
    };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        static struct steering_program program;
        bool active[STEERING_SLOTS_MAX];
        set_active(active, cases[c].active);
        steering_generate(&program, STEERING_QUERY, AF_INET, active,
                          (unsigned)strlen(cases[c].active));
        for (unsigned id = 0; id < 6; id++) {
            struct datagram datagram = query_with_id(id);
            assert_int_equal(run(&program, &datagram), cases[c].expected[id]);
        }
    }
}

/* Whatever the datagram has in it: a connection request has nothing. */
static void cpu_takes_active_slots_in_turn(void **state)
{
    static const struct {
        const char *active;
        unsigned expected[6]; /* of CPUs 0 to 5 */
    } cases[] = {
        {"11", {0, 1, 0, 1, 0, 1}},
        {"1111", {0, 1, 2, 3, 0, 1}},
        {"0111", {1, 2, 3, 1, 2, 3}},
        {"10", {0, 0, 0, 0, 0, 0}},
    };
    static const int families[] = {AF_INET, AF_INET6};

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (size_t f = 0; f < 2; f++) {
            static struct steering_program program;
            bool active[STEERING_SLOTS_MAX];
            set_active(active, cases[c].active);
            steering_generate(&program, STEERING_CPU, families[f], active,
                              (unsigned)strlen(cases[c].active));
            for (unsigned cpu = 0; cpu < 6; cpu++) {
                struct datagram datagram = {.cpu = cpu, .random = 77 * cpu};
                assert_int_equal(run(&program, &datagram), cases[c].expected[cpu]);
            }
        }
}

static void a_datagram_without_an_id_ends_the_program(void **state)
{
    static struct steering_program program;
    const bool active[] = {true, true, true};
    const struct datagram datagram = {.payload = {1}, .payload_length = 1};

    (void)state;
    steering_generate(&program, STEERING_QUERY, AF_INET, active, 3);
    assert_int_equal(run(&program, &datagram), 0);
}

static void random_uses_every_active_slot(void **state)
{
    static struct steering_program program;
    const bool active[] = {true, false, true};
    unsigned hits[3] = {0};

    (void)state;
    steering_generate(&program, STEERING_RANDOM, AF_INET, active, 3);
    for (uint32_t i = 0; i < 100; i++) {
        struct datagram datagram = {.random = i * 0x9E3779B1u};
        uint32_t slot = run(&program, &datagram);
        assert_true(slot < 3);
        hits[slot]++;
    }
    assert_int_equal(hits[1], 0);
    assert_true(hits[0] > 20 && hits[2] > 20);
}

/* While all receive, the kernel's own hash is asked; a program only where it is better or needed.
 */
static void no_program_where_the_kernel_does_it(void **state)
{
    static const struct {
        enum steering_policy policy;
        const char *active;
        bool program;
    } cases[] = {
        {STEERING_HASH, "1", false},    {STEERING_HASH, "1111", false},
        {STEERING_HASH, "0000", false}, {STEERING_HASH, "1110", true},
        {STEERING_QUERY, "1", false},   {STEERING_QUERY, "11", true},
        {STEERING_RANDOM, "1", false},  {STEERING_RANDOM, "11", true},
        {STEERING_CPU, "1", false},     {STEERING_CPU, "11", true},
        {STEERING_SHARED, "1", false},  {STEERING_SHARED, "1110", false},
    };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        static struct steering_program program;
        bool active[STEERING_SLOTS_MAX];
        set_active(active, cases[c].active);
        steering_generate(&program, cases[c].policy, AF_INET, active,
                          (unsigned)strlen(cases[c].active));
        assert_int_equal(program.length > 0, cases[c].program);
    }
}

static void hash_keeps_a_flow_and_spreads_flows(void **state)
{
    static const struct {
        int family;
        unsigned source_tail, ports;
    } cases[] = {{AF_INET, 15, 20}, {AF_INET6, 23, 40}};
    const bool active[] = {true, true, false, true};

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        static struct steering_program program;
        unsigned hits[4] = {0};
        steering_generate(&program, STEERING_HASH, cases[c].family, active, 4);
        for (unsigned flow = 0; flow < 300; flow++) {
            struct datagram datagram = {.random = flow};
            datagram.network[cases[c].source_tail] = (uint8_t)(flow % 7);
            datagram.network[cases[c].ports] = (uint8_t)(flow >> 8);
            datagram.network[cases[c].ports + 1] = (uint8_t)flow;
            uint32_t slot = run(&program, &datagram);
            assert_true(slot < 4);
            hits[slot]++;
            datagram.random++;
            datagram.payload[0]++;
            assert_int_equal(run(&program, &datagram), slot);
        }
        assert_int_equal(hits[2], 0);
        assert_true(hits[0] > 60 && hits[1] > 60 && hits[3] > 60);
    }
}

static void the_largest_group_fits(void **state)
{
    static struct steering_program program;
    bool active[STEERING_SLOTS_MAX];

    (void)state;
    memset(active, 1, sizeof active);
    active[0] = false;
    steering_generate(&program, STEERING_QUERY, AF_INET, active, STEERING_SLOTS_MAX);
    assert_true(program.length <= BPF_MAXINSNS);
    for (unsigned id = 0; id < STEERING_SLOTS_MAX - 1; id++) {
        struct datagram datagram = query_with_id(id);
        assert_int_equal(run(&program, &datagram), id + 1);
    }
}

static void policies_have_names(void **state)
{
    enum steering_policy policy;

    (void)state;
    for (unsigned i = STEERING_HASH; i <= STEERING_SHARED; i++) {
        assert_true(steering_parse(steering_name((enum steering_policy)i), &policy));
        assert_int_equal(policy, i);
    }
    assert_false(steering_parse("hashes", &policy));
    assert_false(steering_parse("", &policy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_takes_active_slots_in_turn),
        cmocka_unit_test(cpu_takes_active_slots_in_turn),
        cmocka_unit_test(a_datagram_without_an_id_ends_the_program),
        cmocka_unit_test(random_uses_every_active_slot),
        cmocka_unit_test(no_program_where_the_kernel_does_it),
        cmocka_unit_test(hash_keeps_a_flow_and_spreads_flows),
        cmocka_unit_test(the_largest_group_fits),
        cmocka_unit_test(policies_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
