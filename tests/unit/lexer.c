/* zone/lexer.c: master file text becomes entries of tokens. */
#include "zone/lexer.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

/*
 * Writes what the lexer makes of `text`: each entry with its line, `-` if it begins with a blank,
 * and its tokens in brackets, quoted ones in quotes, adjacent ones without a blank before them.
 */
static void describe(const char *text, char *out, size_t size)
{
    struct entry entry = {0};
    struct lexer lexer;
    const char *error;
    FILE *file = fmemopen(out, size, "w");
    char copy[200];

    /* the newline behind the end is not part of the text */
    snprintf(copy, sizeof copy, "%s\n", text);
    assert_non_null(file);
    setbuf(file, NULL);
    out[0] = '\0';
    lexer_start(&lexer, copy, strlen(text));
    for (;;) {
        enum lexer_result result = lexer_next(&lexer, &entry, &error);
        if (result == LEXER_END)
            break;
        fprintf(file, "%u%s", entry.line, entry.owner_omitted ? "-" : "");
        if (result == LEXER_ERROR)
            fprintf(file, " %s", error);
        for (size_t i = 0; result == LEXER_ENTRY && i < entry.count; i++) {
            const struct token *token = &entry.tokens[i];
            const char *quote = token->quoted ? "\"" : "";
            fprintf(file, "%s[%s%.*s%s]", token->adjacent ? "" : " ", quote, (int)token->length,
                    token->text, quote);
        }
        fputs("; ", file);
    }
    fclose(file);
    lexer_free_entry(&entry);
}

static void text_becomes_entries(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *entries;
    } cases[] = {
        {"", ""},
        {"\n \n; nothing\n  ; nothing\n", ""},
        {"a b", "1 [a] [b]; "},
        {"a\tb  c\r\nd", "1 [a] [b] [c]; 2 [d]; "},
        {" a", "1- [a]; "},
        {"a ; b ( \" \nc", "1 [a]; 2 [c]; "},
        {"a ( b\n c ; (\n) d\ne", "1 [a] [b] [c] [d]; 4 [e]; "},
        {"a ((b) c\n) d", "1 [a] [b] [c] [d]; "},
        {"(a\n)b", "1 [a] [b]; "},
        {"a \"b ; (c\" \"\"", "1 [a] [\"b ; (c\"] [\"\"]; "},
        {"k=\"v\"w \"x\"\"y\"", "1 [k=][\"v\"][w] [\"x\"][\"y\"]; "},
        {"a\\ b\\;c \"d\\\"e\"", "1 [a\\ b\\;c] [\"d\\\"e\"]; "},
    };
    char found[500];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        describe(cases[i].text, found, sizeof found);
        assert_string_equal(found, cases[i].entries);
    }
}

static void reading_goes_on_behind_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *entries;
    } cases[] = {
        {"a )\nb", "1 a closing parenthesis without an opening one; 2 [b]; "},
        {"a\nb \"c\nd", "1 [a]; 2 a quotation mark is missing at the end of the line; 3 [d]; "},
        {"a \"c\\", "1 a quotation mark is missing at the end of the line; "},
        {"a b\\\nc", "1 a backslash ends the line; 2 [c]; "},
        {"a\nb (\nc\n(\n", "1 [a]; 2 a parenthesis is opened here and never closed; "},
    };
    char found[500];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        describe(cases[i].text, found, sizeof found);
        assert_string_equal(found, cases[i].entries);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_entries),
        cmocka_unit_test(reading_goes_on_behind_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
