/*
 * Members of JSON objects that may be absent, as in another version's document: what reads one gets
 * along with less.
 */
#ifndef SORREL_SERVER_MEMBERS_H
#define SORREL_SERVER_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>

/* 0 if there is none. */
static inline double members_number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

/* Empty if there is none. */
static inline const char *members_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* An item of a list that is a member; NULL if there is none. */
static inline const json_t *members_item(const json_t *object, const char *name, size_t index)
{
    return json_array_get(json_object_get(object, name), index);
}

/* The sum of all numbers in `value`: a number itself, or an object of numbers. */
static inline double members_sum(const json_t *value)
{
    const char *name;
    json_t *item;
    double sum = json_number_value(value);

    json_object_foreach((json_t *)value, name, item) sum += json_number_value(item);
    return sum;
}

#endif
