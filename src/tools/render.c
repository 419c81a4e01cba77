#include "tools/render.h"

#include "server/statistics/words.h"
#include "tools/columns.h"

#include <stdbool.h>
#include <string.h>

/* --- members ------------------------------------------------------------------- */

/* 0 if there is none. */
static long long number(const json_t *object, const char *member)
{
    return (long long)json_number_value(json_object_get(object, member));
}

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value != NULL ? value : "";
}

static const char *plural(long long count)
{
    return count == 1 ? "" : "s";
}

static void print_list(const json_t *list, FILE *out)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const char *value = json_string_value(item);
        fprintf(out, "%s%s", i == 0 ? "" : ", ", value != NULL ? value : "?");
    }
    fputc('\n', out);
}

/* FILE:LINE: reason, as sorreld logs it and editors read it. */
static void print_faults(const json_t *zone, const char *member, const char *rank, FILE *out)
{
    size_t i;
    json_t *fault;

    json_array_foreach(json_object_get(zone, member), i, fault)
    {
        const char *file = text(fault, "file");
        long long line = number(fault, "line");
        fprintf(out, "%s%s", file, *file != '\0' ? ":" : "");
        if (line > 0)
            fprintf(out, "%lld:", line);
        fprintf(out, "%s%s%s\n", *file != '\0' ? " " : "", rank, text(fault, "reason"));
    }
}

/* --- status ---------------------------------------------------------------------- */

static void print_workers(const json_t *workers, FILE *out)
{
    struct columns columns;
    char room[WORDS_MAX];
    size_t i;
    json_t *worker;

    columns_start(&columns, "rrlrrr");
    columns_add(&columns, "worker");
    columns_add(&columns, "process");
    columns_add(&columns, "state");
    columns_add(&columns, "up");
    columns_add(&columns, "deaths");
    columns_add(&columns, "queries");
    json_array_foreach(workers, i, worker)
    {
        bool runs = json_object_get(worker, "pid") != NULL;
        columns_add(&columns, "%lld", number(worker, "worker"));
        columns_add(&columns, runs ? "%lld" : "-", number(worker, "pid"));
        columns_add(&columns, "%s", text(worker, "state"));
        columns_add(&columns, "%s", runs ? words_duration(number(worker, "uptime"), room) : "-");
        columns_add(&columns, "%lld", number(worker, "deaths"));
        columns_add(&columns, "%lld",
                    number(worker, "udp_queries") + number(worker, "tcp_queries"));
    }
    columns_finish(&columns, out);
}

static void print_zone_summary(const json_t *reply, FILE *out)
{
    long long failed = number(reply, "zone_failures");

    fprintf(out, "zones      %lld", number(reply, "zone_count"));
    if (failed > 0)
        fprintf(out, ", of which %lld failed to load (sorrelctl zones tells why)", failed);
    fputc('\n', out);
}

static void print_serials(const json_t *reply, FILE *out)
{
    const json_t *zones = json_object_get(reply, "zones");
    long long more = number(reply, "zone_count") - (long long)json_array_size(zones);
    struct columns columns;
    size_t i;
    json_t *zone;

    columns_start(&columns, "rl");
    columns_add(&columns, "serial");
    columns_add(&columns, "zone");
    json_array_foreach(zones, i, zone)
    {
        bool served = json_object_get(zone, "serial") != NULL;
        columns_add(&columns, served ? "%lld" : "-", number(zone, "serial"));
        columns_add(&columns, "%s", text(zone, "zone"));
    }
    columns_finish(&columns, out);
    if (more > 0)
        fprintf(out, "... and %lld more (sorrelctl zones lists all)\n", more);
}

static void print_sandbox(const json_t *sandbox, FILE *out)
{
    bool filter = json_is_true(json_object_get(sandbox, "filter"));
    bool landlock = number(sandbox, "landlock") > 0;

    fprintf(out, "sandbox    %s\n",
            filter && landlock ? "system-call filters, Landlock"
            : filter           ? "system-call filters, no Landlock"
            : landlock         ? "Landlock, no system-call filters"
                               : "none");
}

void render_status(const json_t *reply, FILE *out)
{
    const json_t *table = json_object_get(reply, "table");
    char room[WORDS_MAX];

    fprintf(out, "sorreld    %s, process %lld, up %s\n", text(reply, "version"),
            number(reply, "pid"), words_duration(number(reply, "uptime"), room));
    fprintf(out, "listening  ");
    print_list(json_object_get(reply, "listen"), out);
    fprintf(out, "steering   %s\n", text(reply, "steering"));
    if (*text(reply, "steering_proof") != '\0')
        fprintf(out, "           %s\n", text(reply, "steering_proof"));
    if (table != NULL)
        fprintf(out, "table      generation %lld, %lld records, %s in pages of %s\n",
                number(table, "generation"), number(table, "records"),
                words_size(number(table, "octets"), room), text(table, "pages"));
    else
        fputs("table      none yet: the zones are being read\n", out);
    print_sandbox(json_object_get(reply, "sandbox"), out);
    print_zone_summary(reply, out);
    fputc('\n', out);
    print_workers(json_object_get(reply, "workers"), out);
    fputc('\n', out);
    print_serials(reply, out);
}

/* --- zones ------------------------------------------------------------------------ */

void render_zones(const json_t *reply, FILE *out)
{
    const json_t *zones = json_object_get(reply, "zones");
    struct columns columns;
    char room[WORDS_MAX];
    size_t i;
    json_t *zone;

    columns_start(&columns, "lrrrl");
    columns_add(&columns, "state");
    columns_add(&columns, "serial");
    columns_add(&columns, "records");
    columns_add(&columns, "loaded");
    columns_add(&columns, "zone");
    json_array_foreach(zones, i, zone)
    {
        bool served = json_object_get(zone, "serial") != NULL;
        columns_add(&columns, "%s", text(zone, "state"));
        columns_add(&columns, served ? "%lld" : "-", number(zone, "serial"));
        columns_add(&columns, served ? "%lld" : "-", number(zone, "records"));
        columns_add(&columns, served ? "%s ago" : "-", words_duration(number(zone, "age"), room));
        columns_add(&columns, "%s", text(zone, "zone"));
    }
    columns_finish(&columns, out);
    json_array_foreach(zones, i, zone) print_faults(zone, "errors", "", out);
}

/* --- reload ------------------------------------------------------------------------- */

static void print_outcome(const json_t *zone, FILE *out)
{
    const char *outcome = text(zone, "outcome");

    print_faults(zone, "errors", "", out);
    print_faults(zone, "warnings", "warning: ", out);
    if (strcmp(outcome, "unchanged") == 0)
        return;
    if (strcmp(outcome, "unknown") == 0)
        outcome = "is none of the zones: sorrelctl zones lists them";
    fprintf(out, "%s %s", text(zone, "zone"), outcome);
    if (strcmp(outcome, "loaded") == 0)
        fprintf(out, ", serial %lld, %lld record%s", number(zone, "serial"),
                number(zone, "records"), plural(number(zone, "records")));
    else if (strcmp(outcome, "failed") == 0 && json_object_get(zone, "serial") != NULL)
        fprintf(out, "; serial %lld is served as before", number(zone, "serial"));
    else if (strcmp(outcome, "failed") == 0)
        fputs(", and is not served", out);
    fputc('\n', out);
}

void render_reload(const json_t *reply, FILE *out)
{
    static const char *const outcomes[] = {"loaded", "unchanged", "failed", "removed", "unknown"};
    const char *between = "";
    size_t i;
    json_t *zone;

    print_faults(reply, "errors", "", out);
    json_array_foreach(json_object_get(reply, "zones"), i, zone) print_outcome(zone, out);
    for (i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        long long count = number(reply, outcomes[i]);
        if (count == 0)
            continue;
        fprintf(out, "%s%lld %s", between, count, outcomes[i]);
        between = ", ";
    }
    fputs(*between != '\0' ? "\n" : "", out);
}

/* --- workers ---------------------------------------------------------------------- */

void render_workers(const json_t *reply, FILE *out)
{
    long long count = number(reply, "workers");

    fprintf(out, "%lld worker%s\n", count, plural(count));
}

/* --- steering --------------------------------------------------------------------- */

void render_steering(const json_t *reply, FILE *out)
{
    const char *policy = text(reply, "policy"), *effective = text(reply, "effective");

    fprintf(out, "%s\n", policy);
    if (strcmp(policy, effective) != 0)
        fprintf(out, "in force is %s\n", effective);
    fprintf(out, "%s\n", text(reply, "proof"));
}

/* --- stop ------------------------------------------------------------------------- */

void render_stop(const json_t *reply, FILE *out)
{
    fprintf(out, "process %lld has stopped\n", number(reply, "pid"));
}

void render_takeover(const json_t *reply, FILE *out)
{
    fprintf(out, "process %lld has taken over from process %lld\n", number(reply, "pid"),
            number(reply, "previous"));
}
