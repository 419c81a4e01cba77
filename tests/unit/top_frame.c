/* tools/top_frame.c and tools/canvas.c: what top shows, in rooms of all sizes. */
#include "tools/top_frame.h"

#include "documents.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *draw(const struct top_frame *frame, int width, int height)
{
    struct canvas canvas;
    char *text;
    size_t length;

    canvas_open(&canvas, width, height);
    top_frame_draw(frame, &canvas);
    FILE *out = open_memstream(&text, &length);
    canvas_write(&canvas, out);
    assert_int_equal(fclose(out), 0);
    canvas_close(&canvas);
    return text;
}

static void assert_frame(const struct top_frame *frame, int width, int height, const char *wanted)
{
    char *text = draw(frame, width, height);

    assert_string_equal(text, wanted);
    free(text);
}

static void a_frame_has_rates_and_findings(void **state)
{
    (void)state;
    struct top_frame frame = {
        .stats = documents_stats(102, 20), .earlier = documents_stats(100, 10), .interval = 2};

    assert_frame(
        &frame, 80, 18,
        "sorreld 1.2, process 99, up 1 min 42 s             every 2 s  + - change  q quit\n"
        "220 queries/s, steering hash, 2 of 2 workers serve, 25 dropped/s\n"
        "\n"
        "worker   share                      queries/s  queue dropped/s  batch  state\n"
        "     0   75.0% ###############.....       165    75%        25    2.0  serving\n"
        "     1   25.0% #####...............        55     0%         0    2.0  serving\n"
        "\n"
        "types    A 91 %  other 9.1 %\n"
        "answers  NOERROR 91 %  NXDOMAIN 9.1 %\n"
        "\n"
        "! 1 client port (192.0.2.9@4000) carries 70 % of the queries; hash cannot split\n"
        "  one flow, so worker 0 gets 75 %. Try: sorrelctl steering query\n"
        "! The kernel dropped 5 datagrams (0.1 % of those that came) as receive queues\n"
        "  were full, nearly all of them worker 0's. Try: sorrelctl steering query\n"
        "! The receive queue of worker 0 is 75 % full.\n"
        "\n"
        "\n"
        "\n");
    json_decref((json_t *)frame.stats);
    json_decref((json_t *)frame.earlier);
}

static void workers_that_have_no_room_can_be_scrolled_to(void **state)
{
    (void)state;
    json_t *stats = documents_stats(100, 10);
    json_t *workers = json_object_get(stats, "workers");
    struct top_frame frame = {.stats = stats, .interval = 1};

    json_object_del(stats, "interval");
    json_object_del(stats, "groups");
    for (int i = 2; i < 20; i++)
        json_array_append_new(workers, json_pack("{s:i, s:s}", "worker", i, "state", "serving"));
    json_object_set_new(json_array_get(workers, 1), "state", json_string("serving"));
    char *text = draw(&frame, 80, 10);
    assert_non_null(strstr(text, "\n     4    0.0%"));
    assert_null(strstr(text, "\n     5    0.0%"));
    assert_non_null(strstr(text, "\nand 15 more: arrow keys show them\n"));
    free(text);
    frame.first = 3;
    text = draw(&frame, 80, 10);
    assert_null(strstr(text, "\n     2    0.0%"));
    assert_non_null(strstr(text, "\n     7    0.0%"));
    free(text);
    frame.first = 99;
    text = draw(&frame, 80, 10);
    assert_non_null(strstr(text, "\n    19    0.0%"));
    free(text);
    json_decref(stats);
}

static void a_message_covers_what_is_below(void **state)
{
    (void)state;
    struct top_frame frame = {.message = "nobody answers, and that takes more than a line"};

    assert_frame(&frame, 30, 4, "\n\nnobody answers, and that takes\nmore than a line\n");
    frame.message = "gone\033[2J";
    assert_frame(&frame, 30, 2, "\ngone?[2J\n");
}

/* Whatever the size, nothing is drawn outside; the sanitizers see to that. */
static void any_size_will_do(void **state)
{
    (void)state;
    struct top_frame frame = {.stats = documents_stats(102, 20),
                              .earlier = documents_stats(100, 10),
                              .interval = 1,
                              .message = "so it is"};

    for (int width = 1; width < 130; width += 7)
        for (int height = 1; height < 20; height++)
            free(draw(&frame, width, height));
    json_decref((json_t *)frame.stats);
    json_decref((json_t *)frame.earlier);
}

/* All that there is to see has room in the height that is told. */
static void the_height_is_enough(void **state)
{
    (void)state;
    struct top_frame frame = {.stats = documents_stats(102, 20),
                              .earlier = documents_stats(100, 10)};
    int height = top_frame_height(&frame);
    char *text = draw(&frame, TOP_FRAME_WIDTH, height);
    size_t length = strlen(text);

    assert_non_null(strstr(text, "! The receive queue of worker 0 is 75 % full.\n"));
    assert_true(length > 2 && text[length - 2] != '\n');
    free(text);
    json_decref((json_t *)frame.stats);
    json_decref((json_t *)frame.earlier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_has_rates_and_findings),
        cmocka_unit_test(workers_that_have_no_room_can_be_scrolled_to),
        cmocka_unit_test(a_message_covers_what_is_below),
        cmocka_unit_test(any_size_will_do),
        cmocka_unit_test(the_height_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
