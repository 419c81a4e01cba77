#include "unit.h"

#include "server/host/nearest.h"

static const char *const names[] = {"listen", "workers", "steering", "user",
                                    "stall",  "state",   "zones",    "zone"};

static const struct {
    const char *word;
    const char *nearest; /* NULL: none is near */
} cases[] = {
    {"lisen", "listen"},
    {"listne", "listen"},
    {"listenn", "listen"},
    {"Listen", "listen"},
    {"wrokers", "workers"},
    {"worker", "workers"},
    {"steer", "steering"},
    {"stal", "stall"},
    {"stat", "state"},
    {"zonse", "zones"},
    {"zne", "zone"},
    {"interface", NULL},
    {"user-name", NULL},
    {"x", NULL},
    {"", NULL},
    {"stall", "stall"},
    {"a-word-that-is-longer-than-any-option-can-ever-be", NULL},
};

static void names_are_found(void **state)
{
    struct nearest nearest;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nearest_begin(&nearest, cases[i].word);
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
            nearest_consider(&nearest, names[j]);
        if (cases[i].nearest == NULL && nearest.best != NULL)
            fail_msg("%s: nothing is near, but %s was found", cases[i].word, nearest.best);
        if (cases[i].nearest != NULL && nearest.best == NULL)
            fail_msg("%s: %s was not found", cases[i].word, cases[i].nearest);
        if (cases[i].nearest != NULL)
            assert_string_equal(nearest.best, cases[i].nearest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
