/* What `sorrelctl explain` prints. */
#include "server/statistics/members.h"
#include "server/statistics/words.h"
#include "tools/columns.h"
#include "tools/render.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WIDTH = 79, BAR_WIDTH = 20 };

/* --- text ------------------------------------------------------------------------------ */

/* Prints `text` behind `lead`, in lines that begin below its first word. */
static void print_wrapped(const char *lead, const char *text, FILE *out)
{
    size_t indent = strlen(lead), column = indent;

    fputs(lead, out);
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column > indent && column + 1 + length > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        bool first = column == indent;
        fprintf(out, "%s%.*s", first ? "" : " ", (int)length, text);
        column += length + !first;
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}

static void print_findings(const json_t *findings, FILE *out)
{
    size_t i;
    json_t *finding;

    json_array_foreach(findings, i, finding)
    {
        bool fine = strcmp(members_text(finding, "level"), "problem") != 0;
        print_wrapped(fine ? "  - " : "  ! ", members_text(finding, "sentence"), out);
        if (json_object_get(finding, "advice") != NULL)
            print_wrapped("    Try: ", members_text(finding, "advice"), out);
    }
}

/* --- a group ---------------------------------------------------------------------------- */

/* A bar of the share; `|` marks an end of what is expected. */
static void draw_bar(const json_t *worker, char bar[BAR_WIDTH + 1])
{
    double share = members_number(worker, "share");
    int length = (int)(fmin(fmax(share, 0), 1) * BAR_WIDTH + 0.5);

    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < length ? '#' : '.';
    if (share > 0 && length == 0)
        bar[0] = ':';
    bar[BAR_WIDTH] = '\0';
}

/* "24 to 26 %", with as many digits as tell the ends apart. */
static void add_expected(struct columns *columns, const json_t *worker)
{
    double low = members_number(worker, "low") * 100, high = members_number(worker, "high") * 100;

    if (json_object_get(worker, "low") == NULL)
        columns_add(columns, "-");
    else
        columns_add(columns, high - low < 10 ? "%.1f to %.1f %%" : "%.0f to %.0f %%", low, high);
}

static const char *remark(const json_t *worker)
{
    const char *state = members_text(worker, "state");
    const char *verdict = members_text(worker, "verdict");

    if (*state != '\0' && strcmp(state, "serving") != 0)
        return state;
    return strcmp(verdict, "within") == 0 ? "" : verdict;
}

static void print_workers(const json_t *group, FILE *out)
{
    struct columns columns;
    size_t i;
    json_t *worker;
    char bar[BAR_WIDTH + 1], text[WORDS_MAX];

    columns_start(&columns, "rrrlrrrl");
    columns_add(&columns, "worker");
    columns_add(&columns, "queries");
    columns_add(&columns, "share");
    columns_add(&columns, "%s", "");
    columns_add(&columns, "expected");
    columns_add(&columns, "queue");
    columns_add(&columns, "drops");
    columns_add(&columns, "%s", "");
    json_array_foreach(json_object_get(group, "workers"), i, worker)
    {
        draw_bar(worker, bar);
        columns_add(&columns, "%.0f", members_number(worker, "worker"));
        columns_add(&columns, "%s", words_number(members_number(worker, "queries"), text));
        columns_add(&columns, "%.1f %%", members_number(worker, "share") * 100);
        columns_add(&columns, "%s", bar);
        add_expected(&columns, worker);
        double room = members_number(worker, "queue_max");
        columns_add(&columns, "%.0f %%",
                    room > 0 ? members_number(worker, "queue") / room * 100 : 0);
        columns_add(&columns, "%s", words_number(members_number(worker, "drops"), text));
        columns_add(&columns, "%s", remark(worker));
    }
    columns_finish(&columns, out);
}

static void print_figures(const json_t *group, FILE *out)
{
    const json_t *expected = json_object_get(group, "expected");
    double queries = members_number(group, "queries"), ago = members_number(group, "ago");
    double flows = members_number(group, "flows");
    char number[WORDS_MAX], clients[WORDS_MAX], time[WORDS_MAX];

    fprintf(out, "%s %s in %.0f s", words_number(queries, number),
            queries == 1 ? "query" : "queries", members_number(group, "seconds"));
    if (ago >= 2)
        fprintf(out, ", %s ago", words_duration((long long)ago, time));
    if (flows > 0)
        fprintf(out, ", from about %s client port%s", words_number(flows, clients),
                flows == 1 ? "" : "s");
    fputc('\n', out);
    fprintf(out, "busiest by mean %.2f", members_number(group, "imbalance"));
    if (expected != NULL)
        fprintf(out, "; expected about %.2f, and up to %.2f", members_number(expected, "typical"),
                members_number(expected, "high"));
    fputc('\n', out);
}

static void print_group(const json_t *group, const char *policy, FILE *out)
{
    size_t sockets = json_array_size(json_object_get(group, "workers"));
    bool has_queries = members_number(group, "queries") > 0;

    fprintf(out, "%s, policy %s, %zu worker%s in bind order\n\n", members_text(group, "address"),
            policy, sockets, sockets == 1 ? "" : "s");
    if (has_queries) {
        print_workers(group, out);
        fputc('\n', out);
        print_figures(group, out);
    }
    print_findings(json_object_get(group, "findings"), out);
}

void render_explanation(const json_t *explanation, FILE *out)
{
    size_t i;
    json_t *group;

    json_array_foreach(json_object_get(explanation, "groups"), i, group)
    {
        if (i > 0)
            fputc('\n', out);
        print_group(group, members_text(explanation, "policy"), out);
    }
    if (json_array_size(json_object_get(explanation, "findings")) > 0) {
        fputs("\nThe daemon as a whole\n", out);
        print_findings(json_object_get(explanation, "findings"), out);
    }
}
