/* server/loading/progress.c: looks at a worker, one after the other, and what they come to. */
#include "server/loading/progress.h"
#include "unit.h"

#include <stdbool.h>

enum { PID = 100 };

static const double limit = 2;

/* One look, as often as `times` says: what has changed since the one before. */
struct look {
    unsigned times;
    double elapsed;
    double cpu; /* used since */
    bool beats;
    bool has_work;
    bool wants_cpu;
    enum progress_verdict verdict; /* of the last of them */
};

struct life {
    const char *what;
    struct look looks[4];
};

/* clang-format off */
static const struct life lives[] = {
    {"nothing to do, asleep",
     {{100, 0.1, 0, false, false, false, PROGRESS_MADE}}},
    {"work, and it gets done",
     {{100, 0.1, 0.1, true, true, true, PROGRESS_MADE}}},
    {"the first look says nothing",
     {{1, 0.1, 0, false, true, false, PROGRESS_MADE}}},
    {"work that arrives just now, before a worker that sleeps",
     {{20, 0.1, 0, false, false, false, PROGRESS_MADE},
      {1, 0.1, 0, false, true, false, PROGRESS_MADE},
      {1, 0.02, 0, false, true, false, PROGRESS_DOUBTFUL}}},
    {"doubts that go away",
     {{5, 0.1, 0, false, true, false, PROGRESS_DOUBTFUL},
      {1, 0.1, 0, true, true, true, PROGRESS_MADE},
      {1, 0.1, 0, false, true, false, PROGRESS_MADE}}},
    {"stopped, with work",
     {{21, 0.1, 0, false, true, false, PROGRESS_DOUBTFUL},
      {2, 0.1, 0, false, true, false, PROGRESS_STUCK}}},
    {"its work is taken away just in time",
     {{21, 0.1, 0, false, true, false, PROGRESS_DOUBTFUL},
      {1, 0.1, 0, false, false, false, PROGRESS_MADE},
      {20, 0.1, 0, false, true, false, PROGRESS_DOUBTFUL}}},
    {"waits for a CPU, for ever",
     {{1000, 0.1, 0, false, true, true, PROGRESS_MADE}}},
    {"is let run now and then, too little to get anything done",
     {{400, 0.1, 0.0002, false, true, true, PROGRESS_MADE}}},
    {"runs and runs",
     {{3, 0.1, 0.1, false, true, true, PROGRESS_DOUBTFUL},
      {17, 0.1, 0.1, false, true, true, PROGRESS_DOUBTFUL},
      {3, 0.1, 0.1, false, true, true, PROGRESS_LOOPING}}},
    {"runs and runs, on half a CPU: its time counts, not ours",
     {{39, 0.1, 0.05, false, true, true, PROGRESS_DOUBTFUL},
      {3, 0.1, 0.05, false, true, true, PROGRESS_LOOPING}}},
    {"sleeps as often as it runs",
     {{19, 0.1, 0, false, true, false, PROGRESS_DOUBTFUL},
      {10, 0.1, 0.01, false, true, true, PROGRESS_DOUBTFUL},
      {3, 0.1, 0, false, true, false, PROGRESS_STUCK}}},
};
/* clang-format on */

static void a_life_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        struct progress progress = {0};
        struct progress_sight sight = {.pid = PID};
        for (size_t j = 0; j < 4 && lives[i].looks[j].times > 0; j++) {
            const struct look *look = &lives[i].looks[j];
            enum progress_verdict verdict = PROGRESS_MADE;
            for (unsigned k = 0; k < look->times; k++) {
                sight.heartbeat += look->beats;
                sight.has_work = look->has_work;
                sight.wants_cpu = look->wants_cpu;
                sight.cpu += look->cpu;
                sight.elapsed = look->elapsed;
                verdict = progress_judge(&progress, &sight, limit);
            }
            if (verdict != look->verdict)
                fail_msg("%s, phase %zu: %d, expected %d", lives[i].what, j, (int)verdict,
                         (int)look->verdict);
        }
    }
}

/* A successor is not to blame for what came before it, nor for the CPU its predecessor has used. */
static void a_new_worker_begins_anew(void **state)
{
    struct progress progress = {0};
    struct progress_sight sight = {
        .pid = PID, .heartbeat = 7, .has_work = true, .cpu = 50, .elapsed = 1.5};

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(progress_judge(&progress, &sight, limit), PROGRESS_MADE);
    assert_int_equal(progress_judge(&progress, &sight, limit), PROGRESS_DOUBTFUL);
    sight.pid = PID + 1;
    sight.cpu = 0;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(progress_judge(&progress, &sight, limit), PROGRESS_MADE);
    assert_int_equal(progress_judge(&progress, &sight, limit), PROGRESS_DOUBTFUL);
    assert_int_equal(progress_judge(&progress, &sight, limit), PROGRESS_STUCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_is_judged),
        cmocka_unit_test(a_new_worker_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
