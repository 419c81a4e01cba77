#include "tools/spread/events.h"

#include "config.h"
#include "tools/spread/screen.h"

#include <jansson.h>
#include <stdlib.h>

enum { LABEL = 18, TEXT_MAX = 512 };

/* --- text -------------------------------------------------------------------------------- */

static char digit_of(unsigned worker)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    return worker < sizeof digits - 1 ? digits[worker] : '+';
}

static void print_map(const char *label, const unsigned map[FLOWMAP_FLOWS], FILE *out)
{
    fprintf(out, "%-*s", LABEL, label);
    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
        fputc(digit_of(map[i]), out);
    fputc('\n', out);
}

/* A mark below each flow that has moved. */
static void print_moves(const unsigned before[FLOWMAP_FLOWS], const unsigned now[FLOWMAP_FLOWS],
                        FILE *out)
{
    unsigned moved = flowmap_moved(before, now), marked = 0;

    if (moved == 0) {
        fprintf(out, "%*snone of %d flows has moved\n", LABEL, "", FLOWMAP_FLOWS);
        return;
    }
    fprintf(out, "%*s", LABEL, "");
    for (unsigned i = 0; marked < moved; i++) {
        marked += before[i] != now[i];
        fputc(before[i] != now[i] ? '^' : ' ', out);
    }
    fprintf(out, "\n%*s%u of %d flows have moved\n", LABEL, "", moved, FLOWMAP_FLOWS);
}

/* What the steps have shown. */
static void print_reading(const struct events_policy *policy, FILE *out)
{
    const struct events_step *steps = policy->steps;
    unsigned workers = steps[0].workers;
    char text[TEXT_MAX], expected[32] = "half";

    if (policy->policy->datagrams == POLICY_QUERIES)
        snprintf(expected, sizeof expected, "%u in %u", workers, workers + 1);
    snprintf(text, sizeof text,
             "%s The worker that was added moved %.0f %% of the flows; %s is what to expect. Once "
             "it is retired, %s.",
             steps[1].moved == 0
                 ? "The worker that was killed moved none: sorreld keeps its socket open, and its "
                   "successor reads on."
                 : "The worker that was killed moved flows, which should not be.",
             100.0 * steps[2].moved / FLOWMAP_FLOWS, expected,
             flowmap_moved(steps[0].map, steps[EVENTS_STEPS - 1].map) == 0
                 ? "all are where they were at first"
                 : "not all are where they were at first, which should not be");
    screen_paragraph(text, out);
}

static void print_policy(const struct events_policy *policy, FILE *out)
{
    const struct events_step *steps = policy->steps;
    bool by_flow = policy->policy->datagrams == POLICY_FLOWS;

    fprintf(out, "%s: a column is %s, its digit the worker that answers\n\n", policy->policy->name,
            by_flow ? "a flow" : "a flow with its message ID");
    for (unsigned i = 0; i < EVENTS_STEPS; i++) {
        print_map(steps[i].what, steps[i].map, out);
        if (i > 0)
            print_moves(steps[i - 1].map, steps[i].map, out);
    }
    fputc('\n', out);
    print_reading(policy, out);
}

static void print_closing(const struct reuseport_closing *closing, FILE *out)
{
    char text[TEXT_MAX];
    unsigned moved = flowmap_moved(closing->before, closing->after);
    unsigned stayed_open = moved - closing->waiting;

    fprintf(out, "\nWithout a daemon that keeps sockets: four plain sockets, of which one is "
                 "closed\n\n");
    print_map("4 sockets", closing->before, out);
    print_map("socket 1 closed", closing->after, out);
    print_moves(closing->before, closing->after, out);
    snprintf(text, sizeof text,
             "The closed socket had %u datagrams in its queue; the others got %u of them. %u flows "
             "of sockets that are still open have moved as well: the kernel puts the last socket "
             "into the place of the closed one, and scales its hash to three.",
             closing->waiting, closing->found, stayed_open);
    fputc('\n', out);
    screen_paragraph(text, out);
}

static const char *outcome_text(enum reuseport_outcome outcome)
{
    switch (outcome) {
    case REUSEPORT_JOINED:
        return "joins, and would get a part of the queries";
    case REUSEPORT_REFUSED:
        return "is refused: address already in use";
    case REUSEPORT_UNTRIED:
        break;
    }
    return "not tried: that needs root";
}

void events_print(const struct events *events, FILE *out)
{
    fprintf(out, "%s\n\n", events->server);
    for (size_t i = 0; i < events->policy_count; i++) {
        fputs(i > 0 ? "\n" : "", out);
        print_policy(&events->policies[i], out);
    }
    print_closing(&events->closing, out);
    fputs("\nWho can bind the port that the daemon has\n\n", out);
    for (unsigned i = 0; reuseport_joins[i].who != NULL; i++)
        fprintf(out, "%-35s %s\n", reuseport_joins[i].who, outcome_text(events->joins[i]));
}

/* --- JSON -------------------------------------------------------------------------------- */

static json_t *map_json(const unsigned map[FLOWMAP_FLOWS])
{
    json_t *list = json_array();

    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
        json_array_append_new(list, json_integer(map[i]));
    return list;
}

static json_t *policy_json(const struct events_policy *policy)
{
    json_t *steps = json_array();

    for (unsigned i = 0; i < EVENTS_STEPS; i++) {
        const struct events_step *step = &policy->steps[i];
        json_array_append_new(steps, json_pack("{s:s, s:i, s:o, s:i}", "event", step->what,
                                               "workers", (int)step->workers, "map",
                                               map_json(step->map), "moved", (int)step->moved));
    }
    return json_pack("{s:s, s:o}", "policy", policy->policy->name, "steps", steps);
}

static json_t *closing_json(const struct reuseport_closing *closing)
{
    return json_pack("{s:i, s:i, s:o, s:o, s:i, s:i, s:i}", "sockets", REUSEPORT_SOCKETS, "closed",
                     REUSEPORT_CLOSED, "before", map_json(closing->before), "after",
                     map_json(closing->after), "moved",
                     (int)flowmap_moved(closing->before, closing->after), "waiting",
                     (int)closing->waiting, "found", (int)closing->found);
}

static json_t *joins_json(const struct events *events)
{
    static const char *const outcomes[] = {
        [REUSEPORT_JOINED] = "joined",
        [REUSEPORT_REFUSED] = "refused",
        [REUSEPORT_UNTRIED] = "untried",
    };
    json_t *list = json_array();

    for (unsigned i = 0; reuseport_joins[i].who != NULL; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "who", reuseport_joins[i].who,
                                              "outcome", outcomes[events->joins[i]]));
    return list;
}

void events_json(const struct events *events, FILE *out)
{
    json_t *policies = json_array();

    for (size_t i = 0; i < events->policy_count; i++)
        json_array_append_new(policies, policy_json(&events->policies[i]));
    json_t *document =
        json_pack("{s:s, s:s, s:i, s:o, s:o, s:o}", "version", PACKAGE_VERSION, "server",
                  events->server, "flows", FLOWMAP_FLOWS, "policies", policies, "plain_sockets",
                  closing_json(&events->closing), "joins", joins_json(events));
    json_dumpf(document, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(document);
}
