#include "unit.h"

#include "server/configuration/command_line.h"

#include <string.h>

enum { ARGUMENTS_MAX = 8 };

static bool read_command(struct options *options, const char *const *words,
                         char error[OPTION_ERROR_MAX])
{
    char *arguments[ARGUMENTS_MAX + 2] = {(char[]){"sorreld"}};
    static char copies[ARGUMENTS_MAX][64];
    int count = 1;

    for (; words[count - 1] != NULL; count++)
        arguments[count] = strcpy(copies[count - 1], words[count - 1]);
    options_init(options);
    return command_line_read(options, count, arguments, error);
}

static const struct {
    const char *words[ARGUMENTS_MAX];
    const char *error;
} faults[] = {
    {{"-w", "0"}, "-w 0: give a number of workers from 1 to 512, or auto"},
    {{"-w", "513"}, "-w 513: give a number of workers from 1 to 512, or auto"},
    {{"-w", "4x"}, "-w 4x: give a number of workers from 1 to 512, or auto"},
    {{"-w", "-1"}, "-w -1: give a number of workers from 1 to 512, or auto"},
    {{"-w", " 1"}, "-w  1: give a number of workers from 1 to 512, or auto"},
    {{"-w", "1.5"}, "-w 1.5: give a number of workers from 1 to 512, or auto"},
    {{"-w", ""}, "-w \"\": give a number of workers from 1 to 512, or auto"},
    {{"--stall", "0.4"}, "--stall 0.4: give a number of seconds from 0.5 to 3600, or 0"},
    {{"--stall", "3600.1"}, "--stall 3600.1: give a number of seconds from 0.5 to 3600, or 0"},
    {{"--stall", "nan"}, "--stall nan: give a number of seconds from 0.5 to 3600, or 0"},
    {{"--stall", "1e2"}, "--stall 1e2: give a number of seconds from 0.5 to 3600, or 0"},
    {{"--stall", ".5"}, "--stall .5: give a number of seconds from 0.5 to 3600, or 0"},
    {{"--rate-limit", "0"},
     "--rate-limit 0: give a number of responses a second from 1 to 1000000, or off, or auto"},
    {{"--rate-limit-slip", "11"}, "--rate-limit-slip 11: give a number of responses from 0 to 10"},
    {{"--rate-limit-exempt", "127.0.0.1/8"},
     "--rate-limit-exempt 127.0.0.1/8: the address has bits set behind the first 8: clear them, "
     "or give more bits"},
    {{"--edns-size", "511"}, "--edns-size 511: give a number of octets from 512 to 4096"},
    {{"--cookies", "maybe"}, "--cookies maybe: give yes, no or required"},
    {{"-s", "even"}, "-s even: give hash, query, cpu, random or shared"},
    {{"-s", "Hash"}, "-s Hash: give hash, query, cpu, random or shared"},
    {{"-u", ""}, "-u \"\": give USER, or leave the option out"},
    {{"-l", "127.0.0.1@1", "-l", "127.0.0.1@1"},
     "-l 127.0.0.1@1: the address is given twice: once is enough"},
    {{"-l"}, "--listen wants ADDR[@PORT] behind it"},
    {{"--control"}, "--control wants PATH behind it"},
    {{"--join=yes"}, "--join is a switch: leave out what is behind it"},
    {{"-q"}, "there is no option -q: sorreld --help lists them"},
    {{"--lisen=::1"}, "there is no option --lisen (is --listen meant?): sorreld --help lists them"},
    {{"--interface"}, "there is no option --interface: sorreld --help lists them"},
};

static void faults_are_told(void **state)
{
    struct options options;
    char error[OPTION_ERROR_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        assert_false(read_command(&options, faults[i].words, error));
        assert_string_equal(error, faults[i].error);
        options_free(&options);
    }
}

static void defaults_are_the_table_s(void **state)
{
    static const char *const words[] = {NULL};
    struct options options;
    char error[OPTION_ERROR_MAX];

    (void)state;
    assert_true(read_command(&options, words, error));
    assert_int_equal(options.settings.workers, 0);
    assert_int_equal(options.settings.steering, STEERING_HASH);
    assert_true(options.settings.stall == 2);
    assert_int_equal(options.settings.listener_count, 0);
    assert_int_equal(options.settings.zone_count, 0);
    assert_int_equal(options.settings.takeover, -1);
    assert_int_equal(options.settings.control.fd, -1);
    assert_null(options.user);
    assert_false(options.test || options.takeover || options.settings.join);
    options_free(&options);
}

static void values_arrive(void **state)
{
    static const char *const words[] = {"-w4",          "zone", "-l127.0.0.1@5300", "--steer=query",
                                        "--stall=0.75", "-t",   "-uroot",           NULL};
    struct options options;
    char error[OPTION_ERROR_MAX];

    (void)state;
    assert_true(read_command(&options, words, error));
    assert_int_equal(options.settings.workers, 4);
    assert_int_equal(options.settings.steering, STEERING_QUERY);
    assert_true(options.settings.stall == 0.75);
    assert_int_equal(options.settings.listener_count, 1);
    assert_int_equal(address_port(&options.settings.listeners[0].address), 5300);
    assert_string_equal(options.user, "root");
    assert_true(options.test);
    assert_int_equal(options.settings.zone_count, 1);
    assert_string_equal(options.settings.zones[0].text, "zone");
    assert_true(options_state(&options, options_find(NULL, "stall", OPTION_BOTH))->is_commanded);
    assert_false(options_state(&options, options_find(NULL, "control", OPTION_FILE))->is_commanded);
    options_free(&options);
}

static void words_are_in_order(void **state)
{
    const struct option_row *row = options_find(NULL, "steering", OPTION_COMMAND);
    enum steering_policy policy;

    (void)state;
    assert_non_null(row);
    for (unsigned i = 0; row->words[i] != NULL; i++) {
        assert_true(steering_parse(row->words[i], &policy));
        assert_int_equal(policy, i);
    }
}

static void rows_are_whole(void **state)
{
    (void)state;
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        assert_non_null(row->take);
        assert_non_null(row->help);
        assert_true(row->place != 0);
        assert_true(strlen(row->help) > 0 && row->help[strlen(row->help) - 1] != '.');
        if ((row->place & OPTION_FILE) != 0)
            assert_ptr_equal(options_find(row->section, row->name, OPTION_FILE), row);
        if ((row->place & OPTION_COMMAND) != 0)
            assert_ptr_equal(options_find(NULL, options_command_name(row), OPTION_COMMAND), row);
        for (const struct option_row *other = row + 1; other->name != NULL; other++)
            assert_true(row->letter == 0 || row->letter != other->letter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_told), cmocka_unit_test(defaults_are_the_table_s),
        cmocka_unit_test(values_arrive),   cmocka_unit_test(words_are_in_order),
        cmocka_unit_test(rows_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
