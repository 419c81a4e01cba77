/* tools/spread/export.c and plot.c: what programs read, and pictures. */
#include "config.h"
#include "tools/spread/export.h"
#include "tools/spread/plot.h"

#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct cells cells;

static void add(const char *policy, unsigned flows, uint64_t first, uint64_t second)
{
    struct cell *cell = cells_add(&cells);

    assert_non_null(cell);
    cell->policy = policy_find(policy);
    cell->flows = flows;
    cell->workers = 2;
    cell->tally.workers[0] = first;
    cell->tally.workers[1] = second;
    cell->tally.answered = first + second;
    cell->tally.sent = first + second + 1;
    cell->tally.lost = 1;
    cell->tally.seconds = 0.5;
    for (unsigned i = 0; i < first + second; i++)
        latency_add(&cell->tally.latency, 250000);
    cell->usage = (struct usage){3000, 200, -1};
}

static int fill(void **state)
{
    (void)state;
    cells = (struct cells){.queries = 1001, .server = "a \"server\", 2 workers"};
    add("hash", 1, 1000, 0);
    add("shared", 16, 250, 750);
    cells.skipped[cells.skipped_count++] =
        (struct cell_skipped){.policy = policy_find("cpu"), .reason = "not known"};
    return 0;
}

static int clear(void **state)
{
    (void)state;
    cells_free(&cells);
    return 0;
}

static json_t *member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    if (value == NULL)
        fail_msg("no member %s", name);
    return value;
}

static void assert_number(const json_t *object, const char *name, double expected)
{
    double value = json_number_value(member(object, name));

    if (value < expected * 0.98 - 1e-9 || value > expected * 1.02 + 1e-9)
        fail_msg("%s is %g, and %g was expected", name, value, expected);
}

static void json_has_it_all(void **state)
{
    (void)state;
    struct reading reading;
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    assert_true(reading_make(&reading, &cells));
    export_json(&cells, &reading, out);
    assert_int_equal(fclose(out), 0);
    json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    assert_string_equal(json_string_value(member(document, "server")), cells.server);
    assert_string_equal(json_string_value(member(document, "transport")), "udp");
    assert_int_equal(json_array_size(member(document, "reading")), reading.count);
    assert_true(reading.count >= 2);

    const json_t *rows = member(document, "rows");
    assert_int_equal(json_array_size(rows), 2);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(json_string_value(member(row, "policy")), "hash");
    assert_number(row, "flows", 1);
    assert_number(row, "sent", 1001);
    assert_number(row, "answered", 1000);
    assert_number(row, "lost", 1);
    assert_number(row, "busiest_over_mean", 2);
    assert_number(row, "p_even", 0);
    assert_number(row, "answers_per_second", 2000);
    assert_number(row, "median_us", 250);
    assert_number(row, "p99_us", 250);
    assert_number(row, "cpu_us_per_answer", 3);
    assert_number(row, "switches_per_answer", 0.2);
    assert_true(json_is_null(member(row, "empty_wakeups_per_answer")));
    assert_number(member(row, "by_chance"), "low", 2);
    assert_number(member(row, "by_chance"), "high", 2);

    row = json_array_get(rows, 1);
    assert_true(json_is_null(member(row, "by_chance"))); /* nothing is left to chance */
    const json_t *worker = json_array_get(member(row, "workers"), 1);
    assert_number(worker, "worker", 1);
    assert_number(worker, "answers", 750);
    assert_number(worker, "share", 0.75);
    const json_t *skipped = json_array_get(member(document, "skipped"), 0);
    assert_string_equal(json_string_value(member(skipped, "reason")), "not known");
    json_decref(document);
    reading_free(&reading);
    free(text);
}

static size_t count_fields(const char *line)
{
    size_t fields = 1;

    for (; *line != '\n' && *line != '\0'; line++)
        fields += *line == ',';
    return fields;
}

static void csv_has_as_many_fields_as_its_heading(void **state)
{
    (void)state;
    char text[2048];
    FILE *out = fmemopen(text, sizeof text, "w");

    export_csv(&cells, out);
    assert_int_equal(fclose(out), 0);
    const char *first = strchr(text, '\n') + 1, *second = strchr(first, '\n') + 1;
    assert_int_equal(count_fields(first), count_fields(text));
    assert_int_equal(count_fields(second), count_fields(text));
    assert_non_null(strstr(text, ",worker_0,worker_1\n"));
    assert_int_equal(strncmp(first, "hash,udp,1,1001,1000,1,2,2,2,2,", 31), 0);
    assert_int_equal(strncmp(second, "shared,udp,16,1001,1000,1,1.5,,,,", 33), 0);
    assert_non_null(strstr(second, ",3,0.2,,250,750\n"));
}

#ifdef HAVE_CAIRO

static void assert_begins(const char *path, const char *begin, size_t length)
{
    char octets[16] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_int_equal(fread(octets, 1, length, file), length);
    assert_memory_equal(octets, begin, length);
    fclose(file);
    unlink(path);
}

static void pictures_are_drawn(void **state)
{
    (void)state;
    char directory[] = "/tmp/sorrel-unit.XXXXXX", path[64], error[PLOT_ERROR_MAX] = "";

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/plot.svg", directory);
    assert_true(plot_can_draw(path, error));
    assert_true(plot_draw(&cells, path, error));
    assert_begins(path, "<?xml ", 6);
    snprintf(path, sizeof path, "%s/plot.png", directory);
    assert_true(plot_draw(&cells, path, error));
    assert_begins(path, "\x89PNG\r\n\x1a\n", 8);
    /* The directory is gone. */
    rmdir(directory);
    assert_false(plot_draw(&cells, path, error));
    assert_non_null(strstr(error, path));
    snprintf(path, sizeof path, "%s/plot.svg", directory);
    assert_false(plot_draw(&cells, path, error));
    assert_non_null(strstr(error, path));
}

static void names_of_pictures_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"plot",         "plot.pdf", ".svg",
                                      "plot.svg.txt", "",         "/no/such/plot.svg"};
    char error[PLOT_ERROR_MAX];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(plot_can_draw(bad[i], error));
}

#else

static void pictures_are_drawn(void **state)
{
    (void)state;
    char error[PLOT_ERROR_MAX];

    assert_false(plot_can_draw("plot.svg", error));
    assert_non_null(strstr(error, "without cairo"));
}

static void names_of_pictures_are_checked(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_has_it_all, fill, clear),
        cmocka_unit_test_setup_teardown(csv_has_as_many_fields_as_its_heading, fill, clear),
        cmocka_unit_test_setup_teardown(pictures_are_drawn, fill, clear),
        cmocka_unit_test(names_of_pictures_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
