/* tools/render.c and tools/columns.c: what people see of a reply. */
#include "tools/render.h"

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
         " 'table': {'generation': 3, 'octets': 2621440, 'zones': 2, 'records': 99},"
         " 'workers': [{'worker': 0, 'pid': 13, 'state': 'serving', 'uptime': 65, 'deaths': 0,"
         "              'udp_queries': 40, 'tcp_queries': 2},"
         "             {'worker': 10, 'state': 'waiting', 'deaths': 7,"
         "              'udp_queries': 123456789, 'tcp_queries': 0}],"
         " 'zones': [{'zone': 'a.example.', 'state': 'ok', 'serial': 7},"
         "           {'zone': 'b.example.', 'state': 'failed'}]}",
         "sorreld    1.2, process 12, up 1 d 2 h\n"
         "listening  127.0.0.1@53, ::1@53\n"
         "steering   hash\n"
         "table      generation 3, 99 records, 2.5 MiB\n"
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
         " 'listen': [], 'workers': [], 'zones': []}",
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
         "f. is none of the zones\n"
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

    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "z%d.", i);
        json_array_append_new(
            zones, json_pack("{s:s, s:s, s:i}", "zone", name, "state", "ok", "serial", i));
    }
    json_t *reply = json_pack("{s:o}", "zones", zones);
    FILE *out = fmemopen(text, sizeof text, "w");
    render_status(reply, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "     9  z9.\n... and 2 more (sorrelctl zones lists all)\n"));
    assert_null(strstr(text, "z10."));
    json_decref(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_look_right),
        cmocka_unit_test(many_zones_do_not_scroll_the_status_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
