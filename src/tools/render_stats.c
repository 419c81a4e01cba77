/* What `sorrelctl stats` prints. */
#include "server/statistics/kinds.h"
#include "server/statistics/members.h"
#include "server/statistics/tally.h"
#include "server/statistics/words.h"
#include "tools/columns.h"
#include "tools/render.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_CHARACTERS = 79 };

/* How counters are shown: as they are, or as rates. */
struct view {
    double seconds; /* that they are of; 0: all since the start */
};

static double scaled(const struct view *view, double count)
{
    return view->seconds > 0 ? count / view->seconds : count;
}

static void add_number(struct columns *columns, const struct view *view, double count)
{
    char text[WORDS_MAX];

    columns_add(columns, "%s", words_number(scaled(view, count), text));
}

/* --- a row for each worker ---------------------------------------------------------- */

/* Adds a row for the counters of one worker, or of all. */
typedef void row_function(struct columns *columns, const struct view *view, const json_t *counters);

static const char *const transports[] = {"udp4", "udp6", "tcp4", "tcp6"};

static void add_queries(struct columns *columns, const struct view *view, const json_t *counters)
{
    const json_t *queries = json_object_get(counters, "queries");

    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++)
        add_number(columns, view, members_number(queries, transports[i]));
    add_number(columns, view, members_sum(json_object_get(counters, "responses")));
    add_number(columns, view, members_sum(json_object_get(counters, "dropped")));
}

static void add_batches(struct columns *columns, const struct view *view, const json_t *counters)
{
    const json_t *queries = json_object_get(counters, "queries");
    double udp = members_number(queries, "udp4") + members_number(queries, "udp6");
    double batches = members_number(counters, "batches");
    double wakeups = members_number(counters, "wakeups");
    char share[WORDS_MAX];

    add_number(columns, view, batches);
    columns_add(columns, batches > 0 ? "%.1f" : "-", batches > 0 ? udp / batches : 0);
    add_number(columns, view, wakeups);
    columns_add(columns, "%s",
                wakeups > 0
                    ? words_share(members_number(counters, "wakeups_empty") / wakeups, share)
                    : "-");
    add_number(columns, view, members_number(json_object_get(counters, "tcp"), "connections"));
    columns_add(columns, "%.0f", members_number(json_object_get(counters, "tcp"), "open"));
}

static void print_rows(const json_t *stats, const json_t *total, const struct view *view,
                       const char *const *heads, row_function *add_row, FILE *out)
{
    const json_t *retired = json_object_get(stats, "retired");
    struct columns columns;
    size_t i;
    json_t *worker;

    columns_start(&columns, "lrrrrrr");
    for (; *heads != NULL; heads++)
        columns_add(&columns, "%s", *heads);
    json_array_foreach(json_object_get(stats, "workers"), i, worker)
    {
        columns_add(&columns, "%.0f", members_number(worker, "worker"));
        add_row(&columns, view, worker);
    }
    if (members_sum(json_object_get(retired, "queries")) > 0) {
        columns_add(&columns, "retired");
        add_row(&columns, view, retired);
    }
    columns_add(&columns, "all");
    add_row(&columns, view, total);
    columns_finish(&columns, out);
}

/* --- totals by kind ------------------------------------------------------------------- */

enum { LABEL_WIDTH = 14 };

/* `label  A 12 (60 %), AAAA 8 (40 %)`, in as many lines as it takes. */
static void print_kinds(const char *label, const json_t *counts, const struct view *view, FILE *out)
{
    double sum = members_sum(counts);
    struct kind *kinds;
    size_t count = kinds_sort(counts, &kinds);
    int column = fprintf(out, "%-*s", LABEL_WIDTH, label);

    if (count == 0)
        fputs(" none", out);
    for (size_t i = 0; i < count; i++) {
        char number[WORDS_MAX], share[WORDS_MAX], text[3 * WORDS_MAX];
        int length = snprintf(text, sizeof text, " %s %s (%s)%s", kinds[i].name,
                              words_number(scaled(view, kinds[i].count), number),
                              words_share(kinds[i].count / sum, share), i + 1 < count ? "," : "");
        if (column + length > LINE_MAX_CHARACTERS)
            column = fprintf(out, "\n%*s", LABEL_WIDTH, "") - 1;
        fputs(text, out);
        column += length;
    }
    fputc('\n', out);
    free(kinds);
}

/* Numbers that stand alone in the counters, and any other of another version's. */
static void print_others(const json_t *total, const struct view *view, FILE *out)
{
    static const struct {
        const char *name;
        const char *label;
    } others[] = {{"edns", "with EDNS"},
                  {"dnssec_ok", "with DO"},
                  {"truncated", "truncated"},
                  {"malformed", "malformed"},
                  {"cut_off", "cut off"}};
    json_t *counts = json_object();

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        json_object_set(counts, others[i].label, json_object_get(total, others[i].name));
    double queries = members_sum(json_object_get(total, "queries"));
    int column = fprintf(out, "%-*s", LABEL_WIDTH, "Of these");
    const char *label;
    json_t *value;
    const char *between = "";
    json_object_foreach(counts, label, value)
    {
        char number[WORDS_MAX], share[WORDS_MAX];
        double count = json_number_value(value);
        if (column > LINE_MAX_CHARACTERS - 28)
            column = fprintf(out, ",\n%*s", LABEL_WIDTH, "") - 2, between = "";
        column +=
            fprintf(out, "%s %s %s", between, label, words_number(scaled(view, count), number));
        if (count > 0 && queries > 0)
            column += fprintf(out, " (%s)", words_share(count / queries, share));
        between = ",";
    }
    fputc('\n', out);
    json_decref(counts);
}

/* --- sockets --------------------------------------------------------------------------- */

static void print_sockets(const json_t *stats, const struct view *view, FILE *out)
{
    struct columns columns;
    size_t i, j;
    json_t *group, *socket;
    char text[WORDS_MAX];

    columns_start(&columns, "lrrrrr");
    columns_add(&columns, "UDP socket of");
    columns_add(&columns, "worker");
    columns_add(&columns, "queries");
    columns_add(&columns, "queue");
    columns_add(&columns, "room");
    columns_add(&columns, "dropped");
    json_array_foreach(json_object_get(stats, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "sockets"), j, socket)
        {
            columns_add(&columns, "%s", j == 0 ? members_text(group, "address") : "");
            columns_add(&columns, "%.0f", members_number(socket, "worker"));
            add_number(&columns, view, members_number(socket, "queries"));
            columns_add(&columns, "%s",
                        words_size((long long)members_number(socket, "queue"), text));
            columns_add(&columns, "%s",
                        words_size((long long)members_number(socket, "queue_max"), text));
            add_number(&columns, view, members_number(socket, "drops"));
        }
    }
    columns_finish(&columns, out);
}

/* Messages of dnstap. */
static void print_dnstap(const json_t *dnstap, const struct view *view, FILE *out)
{
    const json_t *dropped = json_object_get(dnstap, "dropped");
    char written[WORDS_MAX], slow[WORDS_MAX], away[WORDS_MAX];

    fprintf(out, "%-*s %s written, dropped: %s slow, %s away%s\n", LABEL_WIDTH, "dnstap",
            words_number(scaled(view, members_number(dnstap, "written")), written),
            words_number(scaled(view, members_number(dropped, "slow")), slow),
            words_number(scaled(view, members_number(dropped, "away")), away),
            json_is_true(json_object_get(dnstap, "writing")) ? "" : "; nothing is written now");
}

/* --- all of it ------------------------------------------------------------------------- */

static void print_title(const json_t *stats, const struct view *view, FILE *out)
{
    char text[WORDS_MAX];
    const json_t *steering = json_object_get(stats, "steering");

    fprintf(out, "sorreld %s, process %.0f, up %s, steering %s\n", members_text(stats, "version"),
            members_number(stats, "pid"),
            words_duration((long long)members_number(stats, "uptime"), text),
            members_text(steering, "policy"));
    if (view->seconds > 0)
        fprintf(out, "Per second, over %.1f s\n", view->seconds);
    fputc('\n', out);
}

static void print_stats(const json_t *stats, const struct view *view, FILE *out)
{
    static const char *const queries[] = {"worker",   "UDP IPv4", "UDP IPv6", "TCP IPv4",
                                          "TCP IPv6", "answered", "dropped",  NULL};
    static const char *const batches[] = {"worker",  "batches",     "width", "wake-ups",
                                          "in vain", "connections", "open",  NULL};
    json_t *total = tally_total(stats);

    print_title(stats, view, out);
    print_rows(stats, total, view, queries, add_queries, out);
    fputc('\n', out);
    print_rows(stats, total, view, batches, add_batches, out);
    fputc('\n', out);
    print_sockets(stats, view, out);
    fputc('\n', out);
    print_kinds("Types", json_object_get(total, "qtypes"), view, out);
    print_kinds("Response codes", json_object_get(total, "rcodes"), view, out);
    print_kinds("Opcodes", json_object_get(total, "opcodes"), view, out);
    print_others(total, view, out);
    print_kinds("Not answered", json_object_get(total, "dropped"), view, out);
    if (members_sum(json_object_get(total, "rrl")) > 0)
        print_kinds("Rate limited", json_object_get(total, "rrl"), view, out);
    if (members_sum(json_object_get(total, "cookies")) > 0)
        print_kinds("Cookies", json_object_get(total, "cookies"), view, out);
    print_kinds("Batch widths", json_object_get(total, "batch_width"), view, out);
    if (json_object_get(stats, "dnstap") != NULL)
        print_dnstap(json_object_get(stats, "dnstap"), view, out);
    json_decref(total);
}

void render_stats(const json_t *reply, FILE *out)
{
    const struct view view = {0};

    print_stats(reply, &view, out);
}

void render_rates(const json_t *change, double seconds, FILE *out)
{
    const struct view view = {.seconds = seconds};

    print_stats(change, &view, out);
}
