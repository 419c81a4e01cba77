/* loading/strays.c: rules for zones that nobody serves. */
#include "server/loading/strays.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 20000, SAID_MAX = 32 };

static struct ledger ledger;
static struct protection protection;
static char said[SAID_MAX][STRAYS_SENTENCE_MAX];
static size_t lines;

static void note(void *closure, const char *sentence)
{
    (void)closure;
    assert_true(lines < SAID_MAX);
    snprintf(said[lines++], STRAYS_SENTENCE_MAX, "%s", sentence);
}

static size_t tell(void)
{
    lines = 0;
    return strays_tell(&protection, &ledger, note, NULL);
}

/* Ascending, as the ledger has them. */
static void serve(char (*names)[32], size_t count)
{
    ledger.zones =
        (struct ledger_zones){.items = calloc(count, sizeof(struct ledger_zone)), .count = count};
    assert_non_null(ledger.zones.items);
    for (size_t i = 0; i < count; i++)
        ledger.zones.items[i].name = names[i];
}

static void add(struct access_rules *rules, const char *text, const char *file, unsigned line)
{
    char error[ACCESS_RULES_ERROR_MAX];

    rules->origin = (struct access_origin){.text = text, .file = file, .line = line};
    assert_true(access_rules_read(rules, text, error));
}

static int forget(void **state)
{
    (void)state;
    access_rules_free(&protection.access);
    access_rules_free(&protection.transfers);
    free(ledger.zones.items);
    ledger = (struct ledger){0};
    return 0;
}

static void rules_without_a_zone_are_told(void **state)
{
    static char names[][32] = {"a.test.", "example.com."};

    (void)state;
    serve(names, 2);
    protection.transfers.with_keys = true;
    add(&protection.access, "exampl.com=10.0.0.0/8", "f.conf", 3);
    add(&protection.access, "exampl.com=10.1.0.0/16", "f.conf", 4);
    add(&protection.access, "EXAMPLE.com=none", "f.conf", 5);
    add(&protection.access, "::1", "f.conf", 6);
    add(&protection.access, "nothing.like.it=any", NULL, 0);
    add(&protection.transfers, "b.test=key:k", "g\033.conf", 7);
    assert_int_equal(tell(), 3);
    assert_int_equal(lines, 3);
    assert_string_equal(said[0], "f.conf:3: allow-query = exampl.com=10.0.0.0/8: no zone "
                                 "exampl.com. is served, so this protects nothing: is "
                                 "example.com. meant?");
    assert_string_equal(said[1], "--allow-query nothing.like.it=any: no zone nothing.like.it. is "
                                 "served, so this protects nothing: mend its name, or leave this "
                                 "out");
    assert_string_equal(said[2], "g\\x1b.conf:7: allow-transfer = b.test=key:k: no zone b.test. is "
                                 "served, so this protects nothing: is a.test. meant?");
}

static void sections_of_zones_name_no_other(void **state)
{
    char error[ACCESS_RULES_ERROR_MAX];

    (void)state;
    protection.access.origin = (struct access_origin){.file = "f.conf", .line = 1};
    assert_true(access_rules_allow(&protection.access, "gone.test", "::1", error));
    assert_int_equal(tell(), 0);
    assert_int_equal(lines, 0);
}

/* However many there are, the log has few lines, and nobody waits for them. */
static void many_are_counted(void **state)
{
    static char names[5 * MANY][32], texts[MANY][40];

    (void)state;
    for (unsigned i = 0; i < 5 * MANY; i++)
        snprintf(names[i], sizeof names[i], "zone%06u.example.", i);
    serve(names, 5 * MANY);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "zne%06u.example=::1", i);
        add(&protection.access, texts[i], "f.conf", i + 1);
    }
    assert_int_equal(tell(), MANY);
    assert_int_equal(lines, STRAYS_LINES_MAX + 1);
    assert_non_null(strstr(said[1], "zne000001.example. is served, so this protects nothing: is "
                                    "zone000001.example. meant?"));
    assert_null(strstr(said[STRAYS_LINES_MAX - 1], "meant?"));
    assert_string_equal(said[STRAYS_LINES_MAX],
                        "19980 more rules of allow-query and allow-transfer are for zones that are "
                        "not served, and protect nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rules_without_a_zone_are_told, forget),
        cmocka_unit_test_teardown(sections_of_zones_name_no_other, forget),
        cmocka_unit_test_teardown(many_are_counted, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
