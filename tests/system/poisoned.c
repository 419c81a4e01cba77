/* Stands between the worker and answer(), and crashes for every QNAME whose first label is
 * `poison`; those whose first label is `endless` it never answers. */
#include "answer/answer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

size_t __real_answer(const struct answer_settings *settings, const struct client *client,
                     const uint8_t *query, size_t query_length, uint8_t *reply, size_t reply_max,
                     struct answer_report *report);
size_t __wrap_answer(const struct answer_settings *settings, const struct client *client,
                     const uint8_t *query, size_t query_length, uint8_t *reply, size_t reply_max,
                     struct answer_report *report);
size_t __real_answer_finish(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *reply, size_t reply_max,
                            struct answer_report *report);
size_t __wrap_answer_finish(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *reply, size_t reply_max,
                            struct answer_report *report);

static void crash_if_poison(const uint8_t *query)
{
    static volatile bool forever = true;

    if (memcmp(query + 12, "\6poison", 7) == 0)
        abort();
    if (memcmp(query + 12, "\7endless", 8) == 0)
        while (forever)
            ;
}

size_t __wrap_answer(const struct answer_settings *settings, const struct client *client,
                     const uint8_t *query, size_t query_length, uint8_t *reply, size_t reply_max,
                     struct answer_report *report)
{
    if (query_length > 20)
        crash_if_poison(query);
    return __real_answer(settings, client, query, query_length, reply, reply_max, report);
}

size_t __wrap_answer_finish(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *reply, size_t reply_max,
                            struct answer_report *report)
{
    if (task->verdict == QUERY_ANSWER)
        crash_if_poison(task->wire);
    return __real_answer_finish(task, settings, client, reply, reply_max, report);
}
