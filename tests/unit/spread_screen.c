/* tools/spread/bar.c, number.c, screen.c and reading.c: what people see. */
#include "tools/spread/bar.h"
#include "tools/spread/number.h"
#include "tools/spread/reading.h"
#include "tools/spread/screen.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void bars_are_as_long_as_what_they_stand_for(void **state)
{
    (void)state;
    static const struct {
        double part;
        const char *blocks, *plain;
    } cases[] = {
        {0, "    ", "    "},     {1, "████", "####"},    {0.5, "██  ", "##  "},
        {0.25, "█   ", "#   "},  {0.28, "█▏  ", "#   "}, {0.38, "█▌  ", "#-  "},
        {0.001, "▏   ", "-   "}, /* very little, but not nothing */
        {0.97, "███▉", "####"},  {1.5, "████", "####"},  {-1, "    ", "    "},
    };
    char text[BAR_TEXT_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(bar_draw(cases[i].part, 4, true, text), cases[i].blocks);
        assert_string_equal(bar_draw(cases[i].part, 4, false, text), cases[i].plain);
    }
    assert_int_equal(strlen(bar_draw(1, BAR_WIDTH_MAX, true, text)), 3 * BAR_WIDTH_MAX);
}

static void numbers_are_readable(void **state)
{
    (void)state;
    char text[NUMBER_MAX];

    assert_string_equal(number_thousands(0, text), "0");
    assert_string_equal(number_thousands(999, text), "999");
    assert_string_equal(number_thousands(1000, text), "1,000");
    assert_string_equal(number_thousands(1234567.6, text), "1,234,568");
    assert_string_equal(number_decimal(1.005, 1, text), "1.0");
    assert_string_equal(number_decimal(-1, 3, text), "-");
}

/* --- cells ------------------------------------------------------------------------------ */

static struct cells cells;

static struct cell *add(const char *policy, unsigned flows, unsigned workers,
                        const uint64_t *answers)
{
    struct cell *cell = cells_add(&cells);

    assert_non_null(cell);
    cell->policy = policy != NULL ? policy_find(policy) : &policy_of_server;
    assert_non_null(cell->policy);
    cell->flows = flows;
    cell->workers = workers;
    for (unsigned i = 0; i < workers; i++) {
        cell->tally.workers[i] = answers[i];
        cell->tally.answered += answers[i];
    }
    cell->tally.sent = cell->tally.answered;
    cell->tally.seconds = 1;
    cell->usage = (struct usage){-1, -1, -1};
    return cell;
}

static int clear(void **state)
{
    (void)state;
    cells_free(&cells);
    memset(&cells, 0, sizeof cells);
    cells.queries = 100000;
    return 0;
}

static bool reads(const char *sentence)
{
    struct reading reading;
    bool found = false;

    assert_true(reading_make(&reading, &cells));
    for (size_t i = 0; i < reading.count; i++)
        found = found || strstr(reading.paragraphs[i], sentence) != NULL;
    if (!found)
        for (size_t i = 0; i < reading.count; i++)
            print_message("%s\n", reading.paragraphs[i]);
    reading_free(&reading);
    return found;
}

static void hash_is_explained_by_its_flows(void **state)
{
    (void)state;

    add("hash", 1, 4, (uint64_t[]){0, 100000, 0, 0});
    add("hash", 1000, 4, (uint64_t[]){26000, 25000, 25000, 24000});
    assert_true(reads("hash: One flow kept one worker busy and left 3 idle"));
    assert_true(reads("With 1000 flows 1.04 times the mean"));
    assert_true(reads("what chance does"));
    add("hash", 1000, 4, (uint64_t[]){40000, 20000, 20000, 20000});
    assert_true(reads("1 of 3 rows are more uneven than chance explains"));
}

static void queries_are_placed_one_by_one(void **state)
{
    (void)state;

    add("query", 1, 4, (uint64_t[]){25100, 24900, 25000, 25000});
    assert_true(reads("at most 1.004 times the mean, no more than chance explains"));
    add("query", 16, 4, (uint64_t[]){30000, 20000, 25000, 25000});
    assert_true(reads("at most 1.200 times the mean; 1 of 2 rows are more uneven"));
}

static void cpus_without_queries_are_named(void **state)
{
    (void)state;

    add("cpu", 1, 4, (uint64_t[]){0, 100000, 0, 0});
    add("cpu", 16, 4, (uint64_t[]){50000, 50000, 0, 0});
    assert_true(reads("1 flow reached 1 worker, 16 flows reached 2 workers of 4. A worker whose"));
}

static void a_server_is_judged_by_what_it_does(void **state)
{
    (void)state;

    add(NULL, 1, 4, (uint64_t[]){25000, 25000, 25000, 25000});
    assert_true(reads("One flow reached 4 of 4 workers: it is not spread by its addresses"));
    add(NULL, 16, 4, (uint64_t[]){50000, 20000, 20000, 10000});
    assert_true(reads("With 16 flows 2.00 times the mean"));
}

static void one_worker_is_no_spread(void **state)
{
    (void)state;

    add(NULL, 1, 1, (uint64_t[]){1000});
    add(NULL, 16, 1, (uint64_t[]){1000});
    assert_true(reads("there is no spread to be seen."));
    assert_false(reads("times the mean"));
}

static void costs_are_compared_where_they_differ(void **state)
{
    (void)state;
    const uint64_t even[] = {25000, 25000};

    add("hash", 16, 2, even)->usage = (struct usage){150000, 500, 10};
    add("shared", 16, 2, even)->usage = (struct usage){300000, 600, 20000};
    assert_true(reads("CPU time of the workers for an answer: least under hash (3.00 us), most "
                      "under shared (6.00 us)."));
    assert_true(reads("For 100 answers a worker was woken 40 times and found nothing to read."));
    assert_false(reads("Context switches"));
}

/* --- the screen --------------------------------------------------------------------------- */

static char screen[65536];

static void show(void)
{
    FILE *out = fmemopen(screen, sizeof screen, "w");

    assert_non_null(out);
    screen_begin(&cells, cells.items[0].workers, out);
    for (size_t i = 0; i < cells.count; i++)
        screen_bars(&cells.items[i], out);
    screen_figures(&cells, out);
    assert_int_equal(fclose(out), 0);
}

static void assert_narrow(void)
{
    for (const char *line = screen; *line != '\0'; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > SCREEN_COLUMNS)
            fail_msg("wider than %d: %s", SCREEN_COLUMNS, line);
}

static void figures_fit_on_the_screen(void **state)
{
    (void)state;
    const uint64_t even[ROSTER_MAX] = {30000, 70000};

    add("random", 16384, 4, even)->usage = (struct usage){12345678, 98765, 87654};
    cells.items[0].tally.seconds = 0.02;
    show();
    assert_narrow();
    assert_non_null(
        strstr(screen, "random  16384  ##-       30.0  #####-    70.0             0.0"));
    assert_non_null(strstr(screen, "\nrandom 16384  2.800 1.000-1.0"));
    assert_non_null(strstr(screen, " <.001  5000.0    0.00  0.00  123.5  0.988 0.877\n"));
    clear(NULL);
    add("hash", 1, 512, even);
    add("hash", 16384, 512, even);
    show();
    assert_narrow();
    assert_non_null(strstr(screen, "\n                  508           0.0"));
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    struct cell *cell = add("query", 16, 2, (uint64_t[]){400, 600});

    cell->tally.lost = 3;
    cell->tally.nameless = 1;
    cells.skipped[cells.skipped_count++] =
        (struct cell_skipped){.policy = policy_find("cpu"), .reason = "not known"};
    show();
    assert_non_null(strstr(screen, "query, 16 flows: 3 of 1,000 queries were not answered"));
    assert_non_null(strstr(screen, "query, 16 flows: 1 answers did not tell who gave them"));
    assert_non_null(strstr(screen, "in 1 of 1 rows (at least 1,000)"));
    assert_non_null(strstr(screen, "cpu was skipped: not known"));
}

static void paragraphs_are_broken_between_words(void **state)
{
    (void)state;
    char text[400] = "";

    for (unsigned i = 0; i < 30; i++)
        strcat(text, "word123 ");
    FILE *out = fmemopen(screen, sizeof screen, "w");
    screen_paragraph(text, out);
    assert_int_equal(fclose(out), 0);
    assert_narrow();
    assert_int_equal(strcspn(screen, "\n"), 79);
    assert_null(strstr(screen, " \n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_are_as_long_as_what_they_stand_for),
        cmocka_unit_test(numbers_are_readable),
        cmocka_unit_test_setup_teardown(hash_is_explained_by_its_flows, clear, clear),
        cmocka_unit_test_setup_teardown(queries_are_placed_one_by_one, clear, clear),
        cmocka_unit_test_setup_teardown(cpus_without_queries_are_named, clear, clear),
        cmocka_unit_test_setup_teardown(a_server_is_judged_by_what_it_does, clear, clear),
        cmocka_unit_test_setup_teardown(one_worker_is_no_spread, clear, clear),
        cmocka_unit_test_setup_teardown(costs_are_compared_where_they_differ, clear, clear),
        cmocka_unit_test_setup_teardown(figures_fit_on_the_screen, clear, clear),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said, clear, clear),
        cmocka_unit_test(paragraphs_are_broken_between_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
