#include "server/supervisor/reloads.h"

#include "server/loading/ledger_json.h"
#include "server/supervisor/apart.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct reloads_request {
    struct reloads_request *next;
    struct control_request *request;
    size_t count;
    char *names[]; /* as in the ledger, ended by NULL; none: all zones */
};

/* A zone's name as people write it, as it is in the ledger: in lower case, with the final dot. */
static char *normalise(const char *argument)
{
    size_t length = strlen(argument);
    char *name = malloc(length + 2);

    if (name == NULL)
        return NULL;
    for (size_t i = 0; i <= length; i++)
        name[i] =
            argument[i] >= 'A' && argument[i] <= 'Z' ? (char)(argument[i] | 0x20) : argument[i];
    if (length == 0 || name[length - 1] != '.')
        strcpy(name + length, ".");
    return name;
}

static void free_request(struct reloads_request *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        free(wanted->names[i]);
    free(wanted);
}

static struct reloads_request *new_request(struct control_request *request)
{
    char *const *arguments = control_arguments(request);
    size_t count = 0;

    while (arguments[count] != NULL)
        count++;
    struct reloads_request *wanted =
        calloc(1, sizeof *wanted + (count + 1) * sizeof wanted->names[0]);
    if (wanted == NULL)
        return NULL;
    wanted->request = request;
    for (; wanted->count < count; wanted->count++) {
        wanted->names[wanted->count] = normalise(arguments[wanted->count]);
        if (wanted->names[wanted->count] == NULL) {
            free_request(wanted);
            return NULL;
        }
    }
    return wanted;
}

void reloads_want_all(struct reloads *reloads)
{
    reloads->all_wanted = true;
}

void reloads_want(struct reloads *reloads, struct control_request *request)
{
    struct reloads_request *wanted = new_request(request);

    if (wanted == NULL) {
        control_refuse(request, "out of memory");
        return;
    }
    wanted->next = reloads->waiting;
    reloads->waiting = wanted;
}

bool reloads_are_wanted(const struct reloads *reloads)
{
    return reloads->all_wanted || reloads->waiting != NULL;
}

/* The names of all that wait, some perhaps twice; NULL if one of them wants all zones. */
static const char **collect_names(const struct reloads *reloads)
{
    size_t count = 0;

    for (const struct reloads_request *i = reloads->waiting; i != NULL; i = i->next) {
        if (i->count == 0)
            return NULL;
        count += i->count;
    }
    const char **names = calloc(count + 1, sizeof *names);
    size_t next = 0;
    for (const struct reloads_request *i = reloads->waiting; names != NULL && i != NULL;
         i = i->next)
        for (size_t j = 0; j < i->count; j++)
            names[next++] = i->names[j];
    return names;
}

const char *const *reloads_begin(struct reloads *reloads)
{
    reloads->only = reloads->all_wanted || reloads->waiting == NULL ? NULL : collect_names(reloads);
    reloads->served = reloads->waiting;
    reloads->waiting = NULL;
    reloads->all_wanted = false;
    return reloads->only;
}

/* What a reload has to be told of. */
struct outcome {
    const struct reloads_request *wanted;
    const struct ledger *ledger;
    const char *failure;
};

static void answer(void *closure, struct control_request *request)
{
    const struct outcome *outcome = closure;
    const struct reloads_request *wanted = outcome->wanted;
    const char *const *names = wanted->count > 0 ? (const char *const *)wanted->names : NULL;
    bool done = outcome->failure == NULL;
    json_t *document = done ? ledger_json_reload(outcome->ledger, names, time(NULL), &done)
                            : ledger_json_failure(outcome->ledger, outcome->failure);

    control_reply(request, done, document);
}

static void answer_or_apart(const struct reloads_request *wanted, const struct ledger *ledger,
                            const char *failure)
{
    struct outcome outcome = {wanted, ledger, failure};
    bool all = wanted->count == 0 || wanted->count > APART_ZONES_MIN;

    if (failure == NULL && all && ledger->zones.count > APART_ZONES_MIN)
        apart_answer(wanted->request, answer, &outcome);
    else
        answer(&outcome, wanted->request);
}

void reloads_end(struct reloads *reloads, const struct ledger *ledger, const char *failure)
{
    struct reloads_request *next;

    for (struct reloads_request *i = reloads->served; i != NULL; i = next) {
        next = i->next;
        answer_or_apart(i, ledger, failure);
        free_request(i);
    }
    reloads->served = NULL;
    free(reloads->only);
    reloads->only = NULL;
}

static void refuse_list(struct reloads_request *list, const char *sentence)
{
    struct reloads_request *next;

    for (; list != NULL; list = next) {
        next = list->next;
        control_refuse(list->request, "%s", sentence);
        free_request(list);
    }
}

void reloads_refuse(struct reloads *reloads, const char *sentence)
{
    refuse_list(reloads->served, sentence);
    refuse_list(reloads->waiting, sentence);
    free(reloads->only);
    *reloads = (struct reloads){0};
}
