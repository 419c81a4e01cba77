/* tools/render.c and tools/columns.c: what people see of a reply. */
#include "tools/render.h"

#include "server/statistics/explain.h"
#include "server/statistics/tally.h"

#include "documents.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void replies_look_right(void **state)
{
    (void)state;
    static const struct {
        render_function *render;
        const char *json;
        const char *text;
    } cases[] = {
        {render_stop, "{'pid': 12}", "process 12 has stopped\n"},
        {render_status,
         "{'version': '1.2', 'pid': 12, 'uptime': 93784, 'steering': 'hash',"
         " 'listen': ['127.0.0.1@53', '::1@53'],"
         " 'sandbox': {'filter': true, 'landlock': 6},"
         " 'table': {'generation': 3, 'octets': 2621440, 'zones': 2, 'records': 99,"
         "           'pages': '2 MB'},"
         " 'workers': [{'worker': 0, 'pid': 13, 'state': 'serving', 'uptime': 65, 'deaths': 0,"
         "              'udp_queries': 40, 'tcp_queries': 2},"
         "             {'worker': 10, 'state': 'waiting', 'deaths': 7,"
         "              'udp_queries': 123456789, 'tcp_queries': 0}],"
         " 'zones': [{'zone': 'a.example.', 'state': 'ok', 'serial': 7},"
         "           {'zone': 'b.example.', 'state': 'failed'}],"
         " 'zone_count': 2, 'zone_failures': 1}",
         "sorreld    1.2, process 12, up 1 d 2 h\n"
         "listening  127.0.0.1@53, ::1@53\n"
         "steering   hash\n"
         "table      generation 3, 99 records, 2.5 MiB in pages of 2 MB\n"
         "sandbox    system-call filters, Landlock\n"
         "zones      2, of which 1 failed to load (sorrelctl zones tells why)\n"
         "\n"
         "worker  process  state           up  deaths    queries\n"
         "     0       13  serving  1 min 5 s       0         42\n"
         "    10        -  waiting          -       7  123456789\n"
         "\n"
         "serial  zone\n"
         "     7  a.example.\n"
         "     -  b.example.\n"},
        {render_status,
         "{'version': '1.2', 'pid': 12, 'uptime': 3600, 'steering': 'query',"
         " 'listen': [], 'workers': [], 'zones': [], 'zone_count': 0, 'zone_failures': 0}",
         "sorreld    1.2, process 12, up 1 h\n"
         "listening  \n"
         "steering   query\n"
         "table      none yet: the zones are being read\n"
         "sandbox    none\n"
         "zones      0\n"
         "\n"
         "worker  process  state  up  deaths  queries\n"
         "\n"
         "serial  zone\n"},
        {render_zones,
         "{'zones': [{'zone': 'a.', 'state': 'ok', 'serial': 4294967295, 'records': 5, 'age': 59},"
         "           {'zone': 'b.', 'state': 'failed', 'serial': 1, 'records': 12345, 'age': 60,"
         "            'errors': [{'file': 'b.zone', 'line': 7, 'reason': 'no SOA'},"
         "                       {'file': 'b.zone', 'reason': 'no NS'}, {'reason': 'no memory'}],"
         "            'warnings': [{'file': 'b.zone', 'line': 1, 'reason': 'old'}]}]}",
         "state       serial  records     loaded  zone\n"
         "ok      4294967295        5   59 s ago  a.\n"
         "failed           1    12345  1 min ago  b.\n"
         "b.zone:7: no SOA\n"
         "b.zone: no NS\n"
         "no memory\n"},
        {render_reload, "{'loaded': 0, 'unchanged': 3, 'zones': []}", "3 unchanged\n"},
        {render_reload,
         "{'loaded': 1, 'unchanged': 1, 'failed': 2, 'removed': 1, 'unknown': 1, 'zones': ["
         " {'zone': 'a.', 'outcome': 'unchanged', 'serial': 1, 'records': 9},"
         " {'zone': 'b.', 'outcome': 'loaded', 'serial': 2, 'records': 1,"
         "  'warnings': [{'file': 'b.zone', 'line': 3, 'reason': 'odd'}]},"
         " {'zone': 'c.', 'outcome': 'failed', 'serial': 3, 'records': 9,"
         "  'errors': [{'file': 'c.zone', 'line': 4, 'reason': 'bad'}]},"
         " {'zone': 'd.', 'outcome': 'failed', 'errors': [{'file': 'd.zone', 'reason': 'gone'}]},"
         " {'zone': 'e.', 'outcome': 'removed'}, {'zone': 'f.', 'outcome': 'unknown'}]}",
         "b.zone:3: warning: odd\n"
         "b. loaded, serial 2, 1 record\n"
         "c.zone:4: bad\n"
         "c. failed; serial 3 is served as before\n"
         "d.zone: gone\n"
         "d. failed, and is not served\n"
         "e. removed\n"
         "f. is none of the zones: sorrelctl zones lists them\n"
         "1 loaded, 1 unchanged, 2 failed, 1 removed, 1 unknown\n"},
        {render_reload, "{'error': 'no', 'errors': [{'reason': 'no such directory'}]}",
         "no such directory\n"},
    };
    char json[2048], text[2048];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(strlen(cases[i].json) < sizeof json);
        strcpy(json, cases[i].json);
        for (char *quote = json; (quote = strchr(quote, '\'')) != NULL;)
            *quote = '"';
        json_t *reply = json_loads(json, 0, NULL);
        assert_non_null(reply);
        FILE *out = fmemopen(text, sizeof text, "w");
        cases[i].render(reply, out);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, cases[i].text);
        json_decref(reply);
    }
}

static void many_zones_do_not_scroll_the_status_away(void **state)
{
    (void)state;
    char text[4096], name[16];
    json_t *zones = json_array();

    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "z%d.", i);
        json_array_append_new(
            zones, json_pack("{s:s, s:s, s:i}", "zone", name, "state", "ok", "serial", i));
    }
    json_t *reply =
        json_pack("{s:o, s:i, s:i}", "zones", zones, "zone_count", 12, "zone_failures", 0);
    FILE *out = fmemopen(text, sizeof text, "w");
    render_status(reply, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "     9  z9.\n... and 2 more (sorrelctl zones lists all)\n"));
    json_decref(reply);
}

/* What a function prints; to be freed. */
static char *printed(render_function *render, const json_t *document)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    render(document, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_fits(const char *text)
{
    for (; *text != '\0'; text += strcspn(text, "\n") + 1)
        assert_true(strcspn(text, "\n") <= 80);
}

static void statistics_fit_the_screen(void **state)
{
    (void)state;
    json_t *stats = documents_stats(100, 5000000);
    char *text = printed(render_stats, stats);

    assert_fits(text);
    assert_non_null(
        strstr(text, " 150.0 M         0  15,000,000         0     150.0 M   5,000,000\n"));
    assert_non_null(strstr(text, "\nretired           7         0 "));
    assert_non_null(strstr(text, "\nall         200.0 M         0  20,000,000 "));
    assert_non_null(strstr(text, "\nTypes          A 200.0 M (91 %), other 20,000,000 (9.1 %)\n"));
    free(text);
    json_decref(stats);
}

static void dnstap_has_a_line_if_it_is_on(void **state)
{
    static const struct {
        const char *dnstap, *line;
    } cases[] = {
        {"{'writing': true, 'written': 12345678, 'dropped': {'slow': 7, 'away': 0}}",
         "\ndnstap         12,345,678 written, dropped: 7 slow, 0 away\n"},
        {"{'writing': false, 'written': 0, 'dropped': {'slow': 0, 'away': 3}}",
         "\ndnstap         0 written, dropped: 0 slow, 3 away; nothing is written now\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *stats = documents_stats(100, 10);
        json_object_set_new(stats, "dnstap", documents_read(cases[i].dnstap));
        char *text = printed(render_stats, stats);
        assert_non_null(strstr(text, cases[i].line));
        assert_fits(text);
        free(text);
        json_decref(stats);
    }
}

static void rates_are_per_second(void **state)
{
    (void)state;
    json_t *later = documents_stats(102, 20), *earlier = documents_stats(100, 10);
    json_t *change = tally_change(later, earlier);
    char text[4096];
    FILE *out = fmemopen(text, sizeof text, "w");

    render_rates(change, 2, out);
    assert_int_equal(fclose(out), 0);
    assert_fits(text);
    assert_non_null(strstr(text, "\nPer second, over 2.0 s\n"));
    assert_non_null(
        strstr(text, "\n0            150         0        15         0       150        5\n"));
    json_decref(later);
    json_decref(earlier);
    json_decref(change);
}

static void an_explanation_can_be_read(void **state)
{
    (void)state;
    json_t *stats = documents_stats(100, 10);
    json_t *explanation = explain(stats);
    char *text = printed(render_explanation, explanation);

    assert_fits(text);
    assert_string_equal(
        text, "192.0.2.1@53, policy hash, 2 workers in bind order\n"
              "\n"
              "worker  queries   share                          expected  queue  drops\n"
              "     0    3,000  75.0 %  ###############.....  0 to 100 %   75 %      5\n"
              "     1    1,000  25.0 %  #####...............  0 to 100 %    0 %      0\n"
              "\n"
              "4,000 queries in 10 s, from about 3 client ports\n"
              "busiest by mean 1.50; expected about 1.70, and up to 2.00\n"
              "  ! 1 client port (192.0.2.9@4000) carries 70 % of the queries; hash cannot\n"
              "    split one flow, so worker 0 gets 75 %.\n"
              "    Try: sorrelctl steering query\n"
              "  ! The kernel dropped 5 datagrams (0.1 % of those that came) as receive queues\n"
              "    were full, nearly all of them worker 0's.\n"
              "    Try: sorrelctl steering query\n"
              "  ! The receive queue of worker 0 is 75 % full.\n");
    free(text);
    json_decref(explanation);
    json_decref(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_look_right),
        cmocka_unit_test(many_zones_do_not_scroll_the_status_away),
        cmocka_unit_test(statistics_fit_the_screen),
        cmocka_unit_test(dnstap_has_a_line_if_it_is_on),
        cmocka_unit_test(rates_are_per_second),
        cmocka_unit_test(an_explanation_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
