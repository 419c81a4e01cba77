#include "server/metrics/page.h"

#include "documents.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *make_page(const struct snapshot *snapshot)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    page_write(snapshot, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_has(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("no '%s' in:\n%s", words, text);
}

static void the_page_shows_what_is_going_on(void **state)
{
    (void)state;
    struct snapshot snapshot = {.stats = documents_stats(102, 20),
                                .earlier = documents_stats(100, 10),
                                .status = documents_status()};
    char *text = make_page(&snapshot);

    assert_has(text, "<title>! sorrel: 220 queries/s</title>");
    assert_has(text, "data-rate=\"220.0\">220</b>");
    assert_has(text, "1 client port (192.0.2.9@4000) carries 70 % of the queries");
    assert_has(text, "<code>sorrelctl steering query</code>");
    assert_has(text, "<b class=\"hot\">75 %</b><span>fullest queue</span>");
    assert_has(text, "<td>4294967295</td>");
    assert_has(text, "and 1,300 more");
    assert_has(text, "<noscript><meta http-equiv=\"refresh\"");
    free(text);
    snapshot_clear(&snapshot);
}

/* The only markup is ours, whatever names there are. */
static void names_are_no_markup(void **state)
{
    (void)state;
    struct snapshot snapshot = {.stats = documents_stats(100, 10), .status = documents_status()};
    json_t *groups = json_object_get(snapshot.stats, "groups");

    json_object_set_new(json_array_get(groups, 0), "address", json_string("<script>x</script>"));
    json_object_set_new(snapshot.stats, "version", json_string("\"><img src=x>"));
    char *text = make_page(&snapshot);
    assert_has(text, "&lt;i&gt;\\&quot;&amp;.");
    assert_has(text, "&lt;f&gt;:3: no &lt;SOA&gt;");
    assert_has(text, "&lt;script&gt;x&lt;/script&gt;");
    assert_has(text, "&quot;&gt;&lt;img src=x&gt;");
    assert_null(strstr(text, "<i>"));
    assert_null(strstr(text, "<f>"));
    assert_null(strstr(text, "<script>x"));
    assert_null(strstr(text, "<img"));
    free(text);
    snapshot_clear(&snapshot);
}

static void a_page_can_be_made_of_nothing(void **state)
{
    (void)state;
    struct snapshot snapshot = {.stats = json_object(), .status = json_object()};
    char *text = make_page(&snapshot);

    assert_has(text, "<main>");
    assert_has(text, "</html>");
    free(text);
    snapshot_clear(&snapshot);
}

/* Nothing runs, or is styled, but what the page has; and it has no handlers or styles in
 * attributes. */
static void the_policy_is_strict(void **state)
{
    (void)state;
    struct snapshot snapshot = {.stats = documents_stats(100, 10), .status = documents_status()};
    char *text = make_page(&snapshot);

    assert_has(page_policy(), "default-src 'none'");
    assert_has(page_policy(), "script-src 'sha256-");
    assert_has(page_policy(), "frame-ancestors 'none'");
    assert_null(strstr(page_policy(), "unsafe"));
    assert_null(strstr(text, " style=\""));
    assert_null(strstr(text, " onclick="));
    assert_null(strstr(text, "http://"));
    free(text);
    snapshot_clear(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_shows_what_is_going_on),
        cmocka_unit_test(names_are_no_markup),
        cmocka_unit_test(a_page_can_be_made_of_nothing),
        cmocka_unit_test(the_policy_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
