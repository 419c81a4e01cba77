#include "server/statistics/tally.h"

#include "server/statistics/members.h"

#include <stdbool.h>
#include <string.h>

/* Is the number of this name none that is counted up? */
static bool is_state(const char *name)
{
    static const char *const names[] = {"worker", "pid",       "uptime", "cpu",
                                        "queue",  "queue_max", "open",   "deaths"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Adds the counters in `counters` to those in `sum`, which get those that it lacks. */
static void add(json_t *sum, const json_t *counters)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)counters, name, value)
    {
        json_t *old = json_object_get(sum, name);
        if (json_is_object(value)) {
            if (old == NULL)
                json_object_set_new(sum, name, old = json_object());
            add(old, value);
        } else if (json_is_integer(value) && (!is_state(name) || strcmp(name, "open") == 0)) {
            json_object_set_new(sum, name,
                                json_integer(json_integer_value(old) + json_integer_value(value)));
        }
    }
}

/* Takes `earlier` away from `counters`. Where that is more, the count has begun anew. */
static void subtract(json_t *counters, const json_t *earlier)
{
    const char *name;
    json_t *value;

    json_object_foreach(counters, name, value)
    {
        const json_t *old = json_object_get(earlier, name);
        json_int_t before = json_integer_value(old);
        if (json_is_object(value))
            subtract(value, old);
        else if (json_is_integer(value) && !is_state(name) && json_integer_value(value) >= before)
            json_integer_set(value, json_integer_value(value) - before);
    }
}

/* The item of `list` that has the same number, or text, under `name` as `like`. */
static const json_t *find_alike(const json_t *list, const char *name, const json_t *like)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) if (json_equal(json_object_get(item, name),
                                                     json_object_get(like, name))) return item;
    return NULL;
}

static void subtract_list(json_t *list, const json_t *earlier, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) subtract(item, find_alike(earlier, name, item));
}

json_t *tally_total(const json_t *stats)
{
    json_t *sum = json_object();
    size_t i;
    json_t *worker;

    add(sum, json_object_get(stats, "retired"));
    json_array_foreach(json_object_get(stats, "workers"), i, worker) add(sum, worker);
    return sum;
}

json_t *tally_change(const json_t *later, const json_t *earlier)
{
    json_t *change = json_deep_copy(later);
    const json_t *groups = json_object_get(earlier, "groups");
    size_t i;
    json_t *group;

    json_object_del(change, "interval");
    subtract_list(json_object_get(change, "workers"), json_object_get(earlier, "workers"),
                  "worker");
    subtract(json_object_get(change, "retired"), json_object_get(earlier, "retired"));
    subtract(json_object_get(change, "dnstap"), json_object_get(earlier, "dnstap"));
    json_array_foreach(json_object_get(change, "groups"), i, group)
    {
        const json_t *before = find_alike(groups, "address", group);
        subtract(json_object_get(group, "retired"), json_object_get(before, "retired"));
        subtract_list(json_object_get(group, "sockets"), json_object_get(before, "sockets"),
                      "worker");
    }
    return change;
}

double tally_seconds(const json_t *later, const json_t *earlier)
{
    double seconds = members_number(later, "time") - members_number(earlier, "time");

    if (members_number(later, "pid") != members_number(earlier, "pid") || seconds < 0)
        return 0;
    return seconds;
}
