#include "server/metrics/exposition.h"

#include "documents.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *expose(json_t *stats, json_t *status)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    exposition_write(stats, status, out);
    assert_int_equal(fclose(out), 0);
    json_decref(stats);
    json_decref(status);
    return text;
}

static void has_line(const char *text, const char *line)
{
    size_t length = strlen(line);
    const char *place = text;

    while ((place = strstr(place, line)) != NULL) {
        if ((place == text || place[-1] == '\n') && place[length] == '\n')
            return;
        place += length;
    }
    fail_msg("no line '%s' in:\n%s", line, text);
}

static void every_number_has_its_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "# TYPE sorrel_queries_total counter",
        "sorrel_build_info{version=\"1.2\"} 1",
        "sorrel_steering_info{policy=\"hash\",effective=\"hash\"} 1",
        "sorrel_queries_total{worker=\"0\",transport=\"udp\",family=\"ipv4\"} 300",
        "sorrel_queries_total{worker=\"0\",transport=\"tcp\",family=\"ipv4\"} 30",
        "sorrel_queries_total{worker=\"retired\",transport=\"udp\",family=\"ipv4\"} 7",
        "sorrel_queries_by_type_total{worker=\"1\",qtype=\"A\"} 100",
        "sorrel_responses_by_rcode_total{worker=\"0\",rcode=\"NXDOMAIN\"} 30",
        "sorrel_queries_dropped_total{worker=\"0\",reason=\"short\"} 10",
        "sorrel_queries_edns_total{worker=\"1\"} 100",
        "sorrel_batch_width_bucket{worker=\"0\",le=\"1\"} 75",
        "sorrel_batch_width_bucket{worker=\"0\",le=\"3\"} 150",
        "sorrel_batch_width_bucket{worker=\"0\",le=\"+Inf\"} 150",
        "sorrel_batch_width_sum{worker=\"0\"} 300",
        "sorrel_batch_width_count{worker=\"0\"} 150",
        "sorrel_worker_serving{worker=\"0\"} 1",
        "sorrel_worker_serving{worker=\"1\"} 0",
        "sorrel_worker_deaths_total{worker=\"1\"} 1",
        "sorrel_tcp_connections_open{worker=\"0\"} 1",
        "sorrel_socket_queue_bytes{address=\"192.0.2.1@53\",worker=\"0\"} 768",
        "sorrel_socket_drops_total{address=\"192.0.2.1@53\",worker=\"0\"} 50",
        "sorrel_zones 1500",
        "sorrel_zones_failed 1",
        "sorrel_zone_failed{zone=\"<i>\\\\\\\"&.\"} 1",
        "sorrel_zone_serial{zone=\"a.\"} 4294967295",
        "sorrel_zone_loaded_timestamp_seconds{zone=\"a.\"} 1699999990",
        "sorrel_table_bytes 4096",
        "sorrel_cookies_total{worker=\"0\",state=\"valid\"} 4",
        "sorrel_rate_limited_total{worker=\"0\",outcome=\"slipped\"} 2",
        "sorrel_dnstap_writing 1",
        "sorrel_dnstap_messages_written_total 300",
        "sorrel_dnstap_messages_dropped_total{reason=\"slow\"} 20",
        "sorrel_dnstap_messages_dropped_total{reason=\"away\"} 1",
    };
    json_t *stats = documents_stats(100, 10);

    json_object_set_new(json_array_get(json_object_get(stats, "workers"), 1), "state",
                        json_string("starting"));
    json_object_set_new(stats, "dnstap",
                        documents_read("{'target': 'unix:/run/dnstap', 'writing': true, "
                                       "'written': 300, 'dropped': {'slow': 20, 'away': 1}}"));
    json_object_update_new(json_array_get(json_object_get(stats, "workers"), 0),
                           documents_read("{'cookies': {'valid': 4}, 'rrl': {'slipped': 2}}"));
    char *text = expose(stats, documents_status());
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        has_line(text, lines[i]);
    assert_null(strstr(text, "sorrel_zone_serial{zone=\"<"));
    free(text);
}

/* Each family is announced once, and before its samples. */
static void families_are_whole(void **state)
{
    (void)state;
    char *text = expose(documents_stats(100, 10), documents_status());
    char family[128] = "", *save;

    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char name[128];
        if (sscanf(line, "# HELP %127s", name) == 1)
            strcpy(family, name);
        else if (sscanf(line, "# TYPE %127s", name) == 1)
            assert_string_equal(name, family);
        else
            assert_memory_equal(line, family, strlen(family));
    }
    free(text);
}

static void documents_may_lack_anything(void **state)
{
    (void)state;
    char *text = expose(json_object(), json_object());

    has_line(text, "sorrel_zones 0");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_has_its_line),
        cmocka_unit_test(families_are_whole),
        cmocka_unit_test(documents_may_lack_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
