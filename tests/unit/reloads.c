/* server/supervisor/reloads.c: which load is for which request. */
#include "server/supervisor/reloads.h"

#include "server/supervisor/apart.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a control socket that is none: requests are numbers, and answers are noted ------------- */

struct control_request {
    char *arguments[4];
};

static struct control_request requests[8];
static char answered[256]; /* each request that was answered: its number, ! if not all was done */

char *const *control_arguments(const struct control_request *request)
{
    return request->arguments;
}

static void note_answer(const struct control_request *request, bool done)
{
    size_t length = strlen(answered);

    snprintf(answered + length, sizeof answered - length, "%d%s ", (int)(request - requests),
             done ? "" : "!");
}

void control_reply(struct control_request *request, bool done, json_t *document)
{
    assert_non_null(document);
    json_decref(document);
    note_answer(request, done);
}

void apart_answer(struct control_request *request, control_function *function, void *closure)
{
    function(closure, request);
}

void control_refuse(struct control_request *request, const char *format, ...)
{
    (void)format;
    note_answer(request, false);
}

/* --- orders ------------------------------------------------------------------------------- */

/* `text`: the number of a request, then its zones, in words. */
static void want(struct reloads *reloads, const char *text)
{
    static char words[8][64];
    char *next = words[text[0] - '0'], *rest;
    struct control_request *request = &requests[text[0] - '0'];

    *request = (struct control_request){0};
    strcpy(next, text + 1);
    size_t count = 0;
    for (char *word = strtok_r(next, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        request->arguments[count++] = word;
    reloads_want(reloads, request);
}

/* Begins a load; the zones that it looks at, in no particular order, or `all`. */
static void assert_begins(struct reloads *reloads, const char *wanted)
{
    const char *const *only = reloads_begin(reloads);
    size_t length = 0;

    if (only == NULL) {
        assert_string_equal("all", wanted);
        return;
    }
    for (; *only != NULL; only++) {
        assert_non_null(strstr(wanted, *only));
        length += strlen(*only) + 1;
    }
    assert_int_equal(length, strlen(wanted) + 1);
}

/* Ends it; the requests that are answered then. */
static void assert_ends(struct reloads *reloads, const char *failure, const char *wanted)
{
    static const struct ledger nothing;
    char each[8];

    answered[0] = '\0';
    reloads_end(reloads, &nothing, failure);
    assert_int_equal(strlen(answered), strlen(wanted));
    for (const char *next = wanted; *next != '\0'; next = strchr(next, ' ') + 1) {
        snprintf(each, sizeof each, "%.*s", (int)(strchr(next, ' ') + 1 - next), next);
        assert_non_null(strstr(answered, each));
    }
}

static void what_is_wanted_during_a_load_waits_for_the_next(void **state)
{
    (void)state;
    struct reloads reloads = {0};

    assert_false(reloads_are_wanted(&reloads));
    want(&reloads, "0");
    assert_true(reloads_are_wanted(&reloads));
    assert_begins(&reloads, "all");
    assert_false(reloads_are_wanted(&reloads));
    want(&reloads, "1");
    want(&reloads, "2");
    assert_true(reloads_are_wanted(&reloads));
    assert_ends(&reloads, NULL, "0 ");
    assert_true(reloads_are_wanted(&reloads));
    assert_begins(&reloads, "all");
    assert_ends(&reloads, NULL, "1 2 ");
    assert_false(reloads_are_wanted(&reloads));
}

static void one_load_does_all_that_waits(void **state)
{
    (void)state;
    struct reloads reloads = {0};

    want(&reloads, "0 Example.COM net.");
    want(&reloads, "1 org");
    assert_begins(&reloads, "example.com. net. org.");
    want(&reloads, "2 a");
    assert_ends(&reloads, NULL, "0! 1! "); /* there are no such zones */
    want(&reloads, "3");
    assert_begins(&reloads, "all");
    assert_ends(&reloads, NULL, "2! 3 ");
    want(&reloads, "4 .");
    assert_begins(&reloads, ".");
    assert_ends(&reloads, NULL, "4! ");
    want(&reloads, "5 b");
    reloads_want_all(&reloads);
    assert_begins(&reloads, "all");
    assert_ends(&reloads, NULL, "5! ");
    assert_false(reloads_are_wanted(&reloads));
}

static void a_load_that_fails_is_a_failure_for_all(void **state)
{
    (void)state;
    struct reloads reloads = {0};

    want(&reloads, "0");
    reloads_want_all(&reloads);
    assert_begins(&reloads, "all");
    want(&reloads, "1");
    assert_ends(&reloads, "no", "0! ");
    assert_begins(&reloads, "all");
    assert_ends(&reloads, NULL, "1 ");
}

static void all_are_refused_when_it_is_over(void **state)
{
    (void)state;
    struct reloads reloads = {0};

    want(&reloads, "0 a");
    assert_begins(&reloads, "a.");
    want(&reloads, "1 b");
    answered[0] = '\0';
    reloads_refuse(&reloads, "the daemon is stopping");
    assert_string_equal(answered, "0! 1! ");
    assert_false(reloads_are_wanted(&reloads));
    assert_ends(&reloads, NULL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_during_a_load_waits_for_the_next),
        cmocka_unit_test(one_load_does_all_that_waits),
        cmocka_unit_test(a_load_that_fails_is_a_failure_for_all),
        cmocka_unit_test(all_are_refused_when_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
