#include "server/statistics/tally.h"

#include "unit.h"

#include <string.h>

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);

    assert_non_null(json);
    return json;
}

static void assert_json(json_t *got, const char *wanted)
{
    json_t *expected = parse(wanted);

    if (!json_equal(got, expected))
        print_error("%s\n", json_dumps(got, 0));
    assert_true(json_equal(got, expected));
    json_decref(expected);
    json_decref(got);
}

static void totals_have_those_who_are_no_more(void **state)
{
    (void)state;
    json_t *stats = parse("{\"workers\": ["
                          "  {\"worker\": 0, \"pid\": 7, \"state\": \"serving\", \"uptime\": 9,"
                          "   \"edns\": 1, \"queries\": {\"udp4\": 10}, \"tcp\": {\"open\": 2}},"
                          "  {\"worker\": 1, \"edns\": 2, \"queries\": {\"udp4\": 20, \"new\": 5},"
                          "   \"tcp\": {\"open\": 1}}],"
                          " \"retired\": {\"edns\": 4, \"queries\": {\"udp4\": 40}}}");

    assert_json(tally_total(stats),
                "{\"edns\": 7, \"queries\": {\"udp4\": 70, \"new\": 5}, \"tcp\": {\"open\": 3}}");
    json_decref(stats);
    stats = parse("{}");
    assert_json(tally_total(stats), "{}");
    json_decref(stats);
}

static void changes_are_of_counters_only(void **state)
{
    (void)state;
    json_t *earlier =
        parse("{\"pid\": 3, \"time\": 100.0, \"workers\": ["
              "  {\"worker\": 1, \"edns\": 9, \"tcp\": {\"open\": 3, \"timeouts\": 1}}],"
              " \"retired\": {\"edns\": 1},"
              " \"groups\": [{\"address\": \"b\", \"sockets\": ["
              "   {\"worker\": 0, \"queries\": 50, \"queue\": 9, \"drops\": 1}]}]}");
    json_t *later =
        parse("{\"pid\": 3, \"time\": 102.5, \"workers\": ["
              "  {\"worker\": 0, \"edns\": 5}, "
              "  {\"worker\": 1, \"uptime\": 8, \"edns\": 11,"
              "   \"tcp\": {\"open\": 2, \"timeouts\": 4}}],"
              " \"retired\": {\"edns\": 1}, \"interval\": {},"
              " \"groups\": [{\"address\": \"a\", \"sockets\": []}, {\"address\": \"b\","
              "   \"sockets\": [{\"worker\": 0, \"queries\": 70, \"queue\": 2, \"drops\": 0}]}]}");

    assert_float_equal(tally_seconds(later, earlier), 2.5, 1e-9);
    assert_float_equal(tally_seconds(earlier, later), 0, 1e-9);
    /* Drops that are fewer: another socket. */
    assert_json(
        tally_change(later, earlier),
        "{\"pid\": 3, \"time\": 102.5, \"workers\": ["
        "  {\"worker\": 0, \"edns\": 5}, "
        "  {\"worker\": 1, \"uptime\": 8, \"edns\": 2,"
        "   \"tcp\": {\"open\": 2, \"timeouts\": 3}}],"
        " \"retired\": {\"edns\": 0},"
        " \"groups\": [{\"address\": \"a\", \"sockets\": []}, {\"address\": \"b\","
        "   \"sockets\": [{\"worker\": 0, \"queries\": 20, \"queue\": 2, \"drops\": 0}]}]}");
    json_object_set_new(later, "pid", json_integer(4));
    assert_float_equal(tally_seconds(later, earlier), 0, 1e-9);
    json_decref(earlier);
    json_decref(later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_have_those_who_are_no_more),
        cmocka_unit_test(changes_are_of_counters_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
