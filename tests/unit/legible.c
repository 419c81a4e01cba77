/* tools/legible.c: no reply controls a terminal, or counts beyond bounds. */
#include "tools/legible.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void controls_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        const char *legible;
    } cases[] = {
        {"{\"a\":[1,null,\"b c\"],\"d\":{\"e\":\"\xc3\xa4\xe2\x82\xac\"}}", NULL},
        {"\"\xc2\xa0\xc3\x80\"", NULL},
        {"[]", NULL},
        {"\"\"", NULL},
        {"\"\\u001b[31mred\"", "\"\\\\x1b[31mred\""},
        {"[[\"a\\nb\\u007f\"]]", "[[\"a\\\\x0ab\\\\x7f\"]]"},
        {"{\"a\":\"\\u009bA\"}", "{\"a\":\"\\\\xc2\\\\x9bA\"}"},
        {"[1,-2.5,9007199254740992]", NULL},
        {"[-9.3e18,9223372036854775807]", "[-9007199254740992.0,9007199254740992]"},
        {"{\"\\u001bc\":1,\"b\":2}", "{\"b\":2}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *document = json_loads(cases[i].document, JSON_DECODE_ANY, NULL);
        assert_non_null(document);
        assert_true(legible_make(document));
        char *text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_string_equal(text, cases[i].legible != NULL ? cases[i].legible : cases[i].document);
        free(text);
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(controls_are_escaped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
