/* zone/generate.c: $GENERATE makes the lines that BIND makes. */
#include "zone/generate.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static void read_directive(struct entry *entry, char *copy, const char *text)
{
    struct lexer lexer;
    const char *error;

    sprintf(copy, "$GENERATE %s\n", text);
    lexer_start(&lexer, copy, strlen(copy) - 1);
    assert_int_equal(lexer_next(&lexer, entry, &error), LEXER_ENTRY);
}

static void lines_are_made(void **state)
{
    (void)state;
    static const struct {
        const char *directive;
        const char *lines; /* each with a newline */
    } cases[] = {
        {"1-3 h$ A 10.0.0.$", "h1 A 10.0.0.1\nh2 A 10.0.0.2\nh3 A 10.0.0.3\n"},
        {"0-9/4 $ 60 IN A 1.2.3.$", "0 60 IN A 1.2.3.0\n4 60 IN A 1.2.3.4\n8 60 IN A 1.2.3.8\n"},
        {"7-7 a${0,3}b TXT x", "a007b TXT x\n"},
        {"7-7 ${1} TXT ${-7,2,d}", "8 TXT 00\n"},
        {"30-30 ${0,4,x} TXT ${0,4,X} ${0,0,o}", "001e TXT 001E 36\n"},
        /* nibbles: the width takes in the dots */
        {"30-30 ${0,1,n} TXT ${0,5,n} ${0,4,N}", "e.1 TXT e.1.0 E.1.\n"},
        {"1-1 $$ TXT \\$ a\\$b$", "$ TXT \\$ a\\$b1\n"},
        /* a quoted RDATA at the end is meant without its quotes, others are not */
        {"1-1 $ MX \"10 m$\"", "1 MX 10 m1\n"},
        {"1-1 $ TXT \"a b\" c", "1 TXT \"a b\" c\n"},
        {"1-1 $ SVCB 1 . alpn=\"h$\" x", "1 SVCB 1 . alpn=\"h1\" x\n"},
    };
    char copy[200];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct entry entry = {0};
        struct generate generate;
        const struct token *culprit;
        char made[500] = "";
        read_directive(&entry, copy, cases[i].directive);
        assert_null(generate_start(&generate, &entry, &culprit));
        while (generate_next(&generate)) {
            assert_int_equal(generate.line[generate.length], '\n');
            strncat(made, generate.line, generate.length + 1);
        }
        assert_string_equal(made, cases[i].lines);
        generate_end(&generate);
        lexer_free_entry(&entry);
    }
}

static void the_culprit_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *directive;
        unsigned culprit; /* number of its token */
    } cases[] = {
        {"1-3 h$ A", 0},
        {"1 h$ A 1.2.3.4", 1},
        {"3-1 h$ A 1.2.3.4", 1},
        {"1-3/0 h$ A 1.2.3.4", 1},
        {"1-3x h$ A 1.2.3.4", 1},
        {"-1-3 h$ A 1.2.3.4", 1},
        {"0-2147483648 h$ A 1.2.3.4", 1},
        {"0-16777216 h$ A 1.2.3.4", 1},
        {"1-3 h${ A 1.2.3.4", 2},
        {"1-3 h${1,2,q} A 1.2.3.4", 2},
        {"1-3 h$ A 1.2.3.${1,999}", 4},
        {"1-3 h$ A 1.2.3.${-2}", 4},
    };
    char copy[200];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct entry entry = {0};
        struct generate generate;
        const struct token *culprit;
        read_directive(&entry, copy, cases[i].directive);
        assert_non_null(generate_start(&generate, &entry, &culprit));
        assert_int_equal(culprit - entry.tokens, cases[i].culprit);
        lexer_free_entry(&entry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_made),
        cmocka_unit_test(the_culprit_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
