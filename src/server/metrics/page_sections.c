#include "server/metrics/page_sections.h"

#include "server/metrics/html.h"
#include "server/statistics/kinds.h"
#include "server/statistics/members.h"
#include "server/statistics/tally.h"
#include "server/statistics/words.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Rates over longer are not what is going on now. */
static const double rate_seconds_max = 20;

/* What is shown, and what it is made of. */
struct view {
    const json_t *stats, *status, *explanation;
    json_t *change; /* of the counters, over `seconds`; or all of them, over the daemon's life */
    double seconds;
    FILE *out;
};

/* --- rates ------------------------------------------------------------------------------ */

static double count_seconds(const struct snapshot *snapshot)
{
    double seconds = tally_seconds(snapshot->stats, snapshot->earlier);

    return seconds <= rate_seconds_max ? seconds : 0;
}

static double sum_queries(const json_t *stats)
{
    double sum = members_sum(json_object_get(json_object_get(stats, "retired"), "queries"));
    size_t i;
    json_t *worker;

    json_array_foreach(json_object_get(stats, "workers"), i, worker) sum +=
        members_sum(json_object_get(worker, "queries"));
    return sum;
}

/* Of the last interval that had queries, if that is now. */
static double interval_rate(const json_t *stats)
{
    const json_t *interval = json_object_get(stats, "interval");
    double seconds = members_number(interval, "seconds"), sum = 0;
    size_t i, j;
    json_t *group, *queries;

    if (seconds <= 0 || members_number(interval, "ago") > 2)
        return 0;
    json_array_foreach(json_object_get(interval, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "queries"), j, queries) sum +=
            json_number_value(queries);
    }
    return sum / seconds;
}

double page_sections_rate(const struct snapshot *snapshot)
{
    double seconds = count_seconds(snapshot);

    if (seconds <= 0)
        return interval_rate(snapshot->stats);
    return (sum_queries(snapshot->stats) - sum_queries(snapshot->earlier)) / seconds;
}

/* --- markup ----------------------------------------------------------------------------- */

static void put_text(const struct view *view, const char *class, const char *text)
{
    fprintf(view->out, "<td%s%s%s>", class != NULL ? " class=\"" : "", class != NULL ? class : "",
            class != NULL ? "\"" : "");
    html_text(text, view->out);
    fputs("</td>", view->out);
}

static void put_number(const struct view *view, const char *class, double number)
{
    char text[WORDS_MAX];

    put_text(view, class, words_number(number, text));
}

/* Heads of columns: a class, if any, and a text each; ended by a text of NULL. */
static void put_heads(const struct view *view, const char *const (*heads)[2])
{
    fputs("<thead><tr>", view->out);
    for (; (*heads)[1] != NULL; heads++)
        fprintf(view->out, "<th scope=\"col\" class=\"%s\">%s</th>", (*heads)[0], (*heads)[1]);
    fputs("</tr></thead>\n<tbody>\n", view->out);
}

/* --- the head of the page -------------------------------------------------------------- */

static const char *level_text(const char *level)
{
    if (strcmp(level, "problem") == 0)
        return "needs a look";
    return strcmp(level, "note") == 0 ? "good to know" : "all is well";
}

static void put_header(const struct view *view)
{
    const char *level = members_text(view->explanation, "level");
    char up[WORDS_MAX];

    fprintf(view->out, "<header><h1>sorrel <small>");
    html_text(members_text(view->stats, "version"), view->out);
    fprintf(view->out, "</small></h1> <span class=\"badge %s\">%s</span> <p>process %.0f, up %s",
            level, level_text(level), members_number(view->stats, "pid"),
            words_duration((long long)members_number(view->stats, "uptime"), up));
    size_t i;
    json_t *address;
    json_array_foreach(json_object_get(view->status, "listen"), i, address)
    {
        fputs(i == 0 ? ", serving " : ", ", view->out);
        html_text(json_string_value(address), view->out);
    }
    fputs("</p></header>\n", view->out);
}

static double interval_drops(const struct view *view)
{
    double sum = 0;
    size_t i, j;
    json_t *group, *worker;

    json_array_foreach(json_object_get(view->explanation, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "workers"), j, worker) sum +=
            members_number(worker, "drops");
    }
    return sum;
}

static double fullest_queue(const struct view *view)
{
    double fullest = 0;
    size_t i, j;
    json_t *group, *socket;

    json_array_foreach(json_object_get(view->stats, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "sockets"), j, socket)
        {
            double room = members_number(socket, "queue_max");
            if (room > 0)
                fullest = fmax(fullest, members_number(socket, "queue") / room);
        }
    }
    return fullest;
}

static void put_tile(const struct view *view, const char *figure, bool is_hot, const char *label)
{
    fprintf(view->out, "<div class=\"tile\"><b%s>", is_hot ? " class=\"hot\"" : "");
    html_text(figure, view->out);
    fprintf(view->out, "</b><span>%s</span></div>\n", label);
}

static void put_tiles(const struct view *view, double rate)
{
    char text[WORDS_MAX], label[96];
    double failures = members_number(view->status, "zone_failures");
    double drops = interval_drops(view), queue = fullest_queue(view);

    fprintf(view->out,
            "<div class=\"tiles\">\n<div class=\"tile first\"><b data-rate=\"%.1f\">%s</b>"
            "<span>queries/s</span>"
            "<svg id=\"history\" viewBox=\"0 0 90 40\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\"><polyline points=\"\"/></svg></div>\n",
            rate, words_number(rate, text));
    put_tile(view, members_text(view->explanation, "policy"), false, "steering");
    snprintf(text, sizeof text, "%.0f %%", queue * 100);
    put_tile(view, text, queue > 0.5, "fullest queue");
    put_tile(view, words_number(drops, text), drops > 0, "dropped of late");
    snprintf(label, sizeof label, "zone%s%s",
             members_number(view->status, "zone_count") == 1 ? "" : "s",
             failures > 0 ? ", some failed to load" : "");
    put_tile(view, words_number(members_number(view->status, "zone_count"), text), failures > 0,
             label);
    put_tile(view,
             words_number(members_number(json_object_get(view->status, "table"), "records"), text),
             false, "records");
    fputs("</div>\n", view->out);
}

/* --- findings ---------------------------------------------------------------------------- */

static void put_findings(const struct view *view, const json_t *findings)
{
    size_t i;
    json_t *finding;

    fputs("<ul class=\"findings\">\n", view->out);
    json_array_foreach(findings, i, finding)
    {
        const char *level = members_text(finding, "level");
        const char *advice = members_text(finding, "advice");
        fprintf(view->out, "<li><span class=\"badge %s\">%s</span><span>", level, level);
        html_text(members_text(finding, "sentence"), view->out);
        if (*advice != '\0') {
            fputs(" Try: <code>", view->out);
            html_text(advice, view->out);
            fputs("</code>", view->out);
        }
        fputs("</span></li>\n", view->out);
    }
    fputs("</ul>\n", view->out);
}

/* --- groups ------------------------------------------------------------------------------ */

/* The share at the right end of the bars: they fill their width, whatever the number of workers. */
static double bar_scale(const json_t *group)
{
    const json_t *workers = json_object_get(group, "workers");
    double most = 1.5 / (double)(json_array_size(workers) > 0 ? json_array_size(workers) : 1);
    size_t i;
    json_t *worker;

    json_array_foreach(workers, i, worker) most =
        fmax(most, fmax(members_number(worker, "share"), members_number(worker, "high")));
    return fmin(1, most * 1.02);
}

static void put_rect(const struct view *view, const char *class, double from, double to,
                     const char *rest)
{
    fprintf(view->out, "<rect class=\"%s\" x=\"%.2f%%\" width=\"%.2f%%\" %s/>", class, from * 100,
            fmax(0, to - from) * 100, rest);
}

static void put_bar(const struct view *view, const json_t *worker, double scale, double mean)
{
    const char *verdict = members_text(worker, "verdict");
    bool is_odd = strcmp(verdict, "above") == 0 || strcmp(verdict, "below") == 0;
    double share = members_number(worker, "share") / scale;

    fprintf(view->out,
            "<td class=\"wide\"><svg class=\"bar%s\" role=\"img\" aria-label=\"%.1f %%\">",
            is_odd ? " odd" : "", members_number(worker, "share") * 100);
    put_rect(view, "track", 0, 1, "height=\"100%\" rx=\"3\"");
    if (json_object_get(worker, "low") != NULL)
        put_rect(view, "expected", members_number(worker, "low") / scale,
                 members_number(worker, "high") / scale, "height=\"100%\" rx=\"3\"");
    put_rect(view, "share", 0, share, "y=\"25%\" height=\"50%\" rx=\"2\"");
    fprintf(view->out,
            "<rect class=\"mean\" x=\"%.2f%%\" width=\"1.5\" height=\"100%%\"/></svg></td>",
            mean / scale * 100);
}

static void put_group_row(const struct view *view, const json_t *worker, double scale, double mean,
                          double seconds)
{
    char text[WORDS_MAX], expected[WORDS_MAX] = "";
    const char *state = members_text(worker, "state");
    double room = members_number(worker, "queue_max"), drops = members_number(worker, "drops");
    double queue = room > 0 ? members_number(worker, "queue") / room : 0;
    bool serves = strcmp(state, "serving") == 0 || *state == '\0';

    if (json_object_get(worker, "low") != NULL)
        snprintf(expected, sizeof expected, "%.1f\u2013%.1f %%",
                 members_number(worker, "low") * 100, members_number(worker, "high") * 100);
    fputs("<tr>", view->out);
    put_number(view, "name", members_number(worker, "worker"));
    put_bar(view, worker, scale, mean);
    snprintf(text, sizeof text, "%.1f %%", members_number(worker, "share") * 100);
    put_text(view, NULL, text);
    put_text(view, "extra", expected);
    put_number(view, "extra", seconds > 0 ? members_number(worker, "queries") / seconds : 0);
    snprintf(text, sizeof text, "%.0f %%", queue * 100);
    put_text(view, queue > 0.5 ? "hot" : NULL, text);
    put_number(view, drops > 0 ? "hot" : NULL, drops);
    put_text(view, serves ? "extra" : "extra hot", state);
    fputs("</tr>\n", view->out);
}

static void put_group_meta(const struct view *view, const json_t *group)
{
    const json_t *expected = json_object_get(group, "expected");
    char queries[WORDS_MAX], flows[WORDS_MAX], ago[WORDS_MAX];

    fprintf(view->out, "<p class=\"meta\">%s queries in %.0f s",
            words_number(members_number(group, "queries"), queries),
            members_number(group, "seconds"));
    if (members_number(group, "ago") >= 3)
        fprintf(view->out, ", %s ago",
                words_duration((long long)members_number(group, "ago"), ago));
    if (members_number(group, "flows") > 0)
        fprintf(view->out, ", from about %s client port%s",
                words_number(members_number(group, "flows"), flows),
                members_number(group, "flows") == 1 ? "" : "s");
    fprintf(view->out, ". The busiest worker gets %.2f\u00a0\u00d7\u00a0the mean",
            members_number(group, "imbalance"));
    if (expected != NULL)
        fprintf(view->out, "; expected: about %.2f, and up to %.2f",
                members_number(expected, "typical"), members_number(expected, "high"));
    fputs(".</p>\n", view->out);
}

static void put_group_table(const struct view *view, const json_t *group)
{
    static const char *const heads[][2] = {
        {"name", "worker"}, {"wide name", "share of the queries"},
        {"", ""},           {"extra", "expected"},
        {"extra", "per s"}, {"", "queue"},
        {"", "dropped"},    {"extra", "state"},
        {NULL, NULL}};
    const json_t *workers = json_object_get(group, "workers");
    double scale = bar_scale(group);
    size_t i, receiving = 0;
    json_t *worker;

    json_array_foreach(workers, i, worker) receiving +=
        strcmp(members_text(worker, "state"), "serving") == 0;
    fputs("<div class=\"scroll\"><table>", view->out);
    put_heads(view, heads);
    json_array_foreach(workers, i, worker)
    {
        put_group_row(view, worker, scale, 1.0 / (double)(receiving > 0 ? receiving : 1),
                      members_number(group, "seconds"));
    }
    fputs("</tbody></table></div>\n", view->out);
}

static void put_group(const struct view *view, const json_t *group)
{
    fputs("<section><h2>", view->out);
    html_text(members_text(group, "address"), view->out);
    fputs(" <small>UDP, workers in bind order</small></h2>\n", view->out);
    if (members_number(group, "queries") > 0) {
        put_group_meta(view, group);
        put_group_table(view, group);
    }
    put_findings(view, json_object_get(group, "findings"));
    fputs("</section>\n", view->out);
}

/* --- workers ----------------------------------------------------------------------------- */

static void put_worker(const struct view *view, const json_t *worker)
{
    const json_t *queries = json_object_get(worker, "queries");
    double udp = members_number(queries, "udp4") + members_number(queries, "udp6");
    double tcp = members_number(queries, "tcp4") + members_number(queries, "tcp6");
    double batches = members_number(worker, "batches"), wakeups = members_number(worker, "wakeups");
    char text[WORDS_MAX];

    fputs("<tr>", view->out);
    put_number(view, "name", members_number(worker, "worker"));
    snprintf(text, sizeof text, "%.0f", members_number(worker, "pid"));
    put_text(view, "extra", json_object_get(worker, "pid") != NULL ? text : "\u2013");
    put_text(view, "extra", words_duration((long long)members_number(worker, "uptime"), text));
    put_number(view, members_number(worker, "deaths") > 0 ? "hot" : NULL,
               members_number(worker, "deaths"));
    put_number(view, NULL, udp / view->seconds);
    put_number(view, NULL, tcp / view->seconds);
    put_number(view, "extra", members_number(json_object_get(worker, "tcp"), "open"));
    snprintf(text, sizeof text, batches > 0 ? "%.1f" : "\u2013", batches > 0 ? udp / batches : 0);
    put_text(view, NULL, text);
    put_text(view, "extra",
             wakeups > 0 ? words_share(members_number(worker, "wakeups_empty") / wakeups, text)
                         : "\u2013");
    fputs("</tr>\n", view->out);
}

static void put_workers(const struct view *view)
{
    static const char *const heads[][2] = {
        {"name", "worker"},    {"extra", "process"}, {"extra", "up"},
        {"", "deaths"},        {"", "UDP/s"},        {"", "TCP/s"},
        {"extra", "TCP open"}, {"", "batch"},        {"extra", "woken in vain"},
        {NULL, NULL}};
    size_t i;
    json_t *worker;

    fputs("<section><h2>Workers</h2>\n<div class=\"scroll\"><table>", view->out);
    put_heads(view, heads);
    json_array_foreach(json_object_get(view->change, "workers"), i, worker)
        put_worker(view, worker);
    fputs("</tbody></table></div></section>\n", view->out);
}

/* --- kinds of queries and answers --------------------------------------------------------- */

static void put_kind(const struct view *view, const struct kind *kind, double sum)
{
    char text[WORDS_MAX];

    fputs("<tr>", view->out);
    put_text(view, "name", kind->name);
    fputs("<td class=\"wide\"><svg class=\"bar\" aria-hidden=\"true\">", view->out);
    put_rect(view, "track", 0, 1, "height=\"100%\" rx=\"3\"");
    put_rect(view, "share", 0, kind->count / sum, "y=\"25%\" height=\"50%\" rx=\"2\"");
    fputs("</svg></td>", view->out);
    put_text(view, NULL, words_share(kind->count / sum, text));
    put_number(view, NULL, kind->count);
    fputs("</tr>\n", view->out);
}

/* All since the start: kinds are of interest over longer than a second. */
static void put_kinds(const struct view *view, const char *title, const json_t *counts)
{
    enum { SHOWN_MAX = 8 };
    struct kind *kinds;
    size_t count = kinds_sort(counts, &kinds);
    double sum = members_sum(counts);

    fprintf(view->out, "<section><h2>%s <small>since the start</small></h2>\n", title);
    fputs(count > 0 ? "<table><tbody>\n" : "<p class=\"meta\">none yet</p>", view->out);
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++)
        put_kind(view, &kinds[i], sum);
    fputs(count > 0 ? "</tbody></table>" : "", view->out);
    fputs("</section>\n", view->out);
    free(kinds);
}

/* Messages, by what became of them. */
static void put_dnstap(const struct view *view, const json_t *dnstap)
{
    const json_t *dropped = json_object_get(dnstap, "dropped");
    json_t *counts = json_pack("{s:I, s:I, s:I}", "written",
                               (json_int_t)members_number(dnstap, "written"), "dropped: too slow",
                               (json_int_t)members_number(dropped, "slow"), "dropped: nobody there",
                               (json_int_t)members_number(dropped, "away"));

    put_kinds(view, "dnstap", counts);
    json_decref(counts);
}

static void put_all_kinds(const struct view *view)
{
    json_t *total = tally_total(view->stats);

    fputs("<div class=\"pair\">\n", view->out);
    put_kinds(view, "Questions", json_object_get(total, "qtypes"));
    put_kinds(view, "Answers", json_object_get(total, "rcodes"));
    if (json_object_get(view->stats, "dnstap") != NULL)
        put_dnstap(view, json_object_get(view->stats, "dnstap"));
    fputs("</div>\n", view->out);
    json_decref(total);
}

/* --- zones -------------------------------------------------------------------------------- */

static void put_fault(const struct view *view, const json_t *zone)
{
    const json_t *fault = members_item(zone, "errors", 0);

    if (fault == NULL)
        return;
    fputs("<br><small class=\"hot\">", view->out);
    html_text(members_text(fault, "file"), view->out);
    if (members_number(fault, "line") > 0)
        fprintf(view->out, ":%.0f", members_number(fault, "line"));
    fputs(": ", view->out);
    html_text(members_text(fault, "reason"), view->out);
    fputs("</small>", view->out);
}

static void put_zone(const struct view *view, const json_t *zone)
{
    bool is_served = json_object_get(zone, "serial") != NULL;
    bool has_failed = strcmp(members_text(zone, "state"), "failed") == 0;
    char text[WORDS_MAX];

    fputs("<tr><td class=\"name\">", view->out);
    html_text(members_text(zone, "zone"), view->out);
    put_fault(view, zone);
    fputs("</td>", view->out);
    snprintf(text, sizeof text, "%.0f", members_number(zone, "serial"));
    put_text(view, NULL, is_served ? text : "\u2013");
    put_text(view, "extra",
             is_served ? words_number(members_number(zone, "records"), text) : "\u2013");
    put_text(view, NULL,
             is_served ? words_duration((long long)members_number(zone, "age"), text) : "\u2013");
    put_text(view, has_failed ? "hot" : NULL, has_failed ? "failed" : "ok");
    fputs("</tr>\n", view->out);
}

static void put_zones(const struct view *view)
{
    static const char *const heads[][2] = {{"name", "zone"},  {"", "serial"}, {"extra", "records"},
                                           {"", "read, ago"}, {"", "state"},  {NULL, NULL}};
    double count = members_number(view->status, "zone_count");
    char text[WORDS_MAX];
    size_t i;
    json_t *zone;

    fputs("<section><h2>Zones</h2>\n<div class=\"scroll\"><table>", view->out);
    put_heads(view, heads);
    json_array_foreach(json_object_get(view->status, "zones"), i, zone)
    {
        if (i == PAGE_SECTIONS_ZONES_MAX)
            break;
        put_zone(view, zone);
    }
    fputs("</tbody></table></div>\n", view->out);
    if (count > PAGE_SECTIONS_ZONES_MAX)
        fprintf(view->out,
                "<p class=\"meta\">and %s more: <code>sorrelctl zones</code> lists all</p>\n",
                words_number(count - PAGE_SECTIONS_ZONES_MAX, text));
    fputs("</section>\n", view->out);
}

/* --- the whole ----------------------------------------------------------------------------- */

static void put_footer(const struct view *view)
{
    time_t when = (time_t)members_number(view->stats, "time");
    struct tm parts;
    char text[32] = "";

    if (gmtime_r(&when, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    fprintf(view->out,
            "<footer>As of %s UTC. In the bars, the pale band is what should be expected and the "
            "line is the mean. The same for programs: <a href=\"/metrics\">/metrics</a>, "
            "<a href=\"/status.json\">/status.json</a>.</footer>\n",
            text);
}

void page_sections_write(const struct snapshot *snapshot, const json_t *explanation, FILE *out)
{
    struct view view = {.stats = snapshot->stats,
                        .status = snapshot->status,
                        .explanation = explanation,
                        .seconds = count_seconds(snapshot),
                        .out = out};
    const json_t *findings = json_object_get(explanation, "findings");
    size_t i;
    json_t *group;

    if (view.seconds > 0) {
        view.change = tally_change(snapshot->stats, snapshot->earlier);
    } else {
        view.change = json_incref(snapshot->stats);
        view.seconds = fmax(1, members_number(snapshot->stats, "uptime"));
    }
    fputs("<main>\n", out);
    put_header(&view);
    put_tiles(&view, page_sections_rate(snapshot));
    if (json_array_size(findings) > 0) {
        fputs("<section><h2>The daemon</h2>\n", out);
        put_findings(&view, findings);
        fputs("</section>\n", out);
    }
    json_array_foreach(json_object_get(explanation, "groups"), i, group) put_group(&view, group);
    put_workers(&view);
    put_all_kinds(&view);
    put_zones(&view);
    put_footer(&view);
    fputs("</main>", out);
    json_decref(view.change);
}
