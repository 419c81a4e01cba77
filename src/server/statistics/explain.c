#include "server/statistics/explain.h"

#include "server/statistics/diagnosis.h"
#include "server/statistics/explain_group.h"
#include "server/statistics/members.h"

static const char *verdict(const struct explain_group *group, const struct explain_worker *worker)
{
    const double rounding = 0.005; /* the band is made of shares of samples */

    if (worker->share > group->band.high + rounding)
        return "above";
    return worker->share < group->band.low - rounding ? "below" : "within";
}

static json_t *worker_json(const struct explain_group *group, const struct explain_worker *worker)
{
    json_t *json =
        json_pack("{s:i, s:s, s:I, s:f, s:I, s:I, s:I}", "worker", (int)worker->worker, "state",
                  worker->state, "queries", (json_int_t)worker->queries, "share", worker->share,
                  "queue", (json_int_t)worker->queue, "queue_max", (json_int_t)worker->queue_max,
                  "drops", (json_int_t)worker->drops);

    if (group->has_band && worker->receives)
        json_object_update_new(json,
                               json_pack("{s:f, s:f, s:s}", "low", group->band.low, "high",
                                         group->band.high, "verdict", verdict(group, worker)));
    return json;
}

static json_t *group_json(const struct explain_group *group)
{
    json_t *workers = json_array();

    for (size_t i = 0; i < group->count; i++)
        json_array_append_new(workers, worker_json(group, &group->workers[i]));
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:o, s:o}", "address", group->address, "queries",
                  (json_int_t)group->queries, "flows", (json_int_t)group->flows, "seconds",
                  group->seconds, "ago", group->ago, "imbalance", group->imbalance, "workers",
                  workers, "findings", diagnosis_of_group(group));
    if (group->has_band) {
        double n = (double)group->receiving;
        json_object_set_new(json, "expected",
                            json_pack("{s:f, s:f, s:f}", "low", group->band.busiest_low * n,
                                      "typical", group->band.busiest_typical * n, "high",
                                      group->band.busiest_high * n));
    }
    return json;
}

json_t *explain(const json_t *stats)
{
    const json_t *steering = json_object_get(stats, "steering");
    const char *policy = members_text(steering, "effective");
    json_t *findings = diagnosis_of_daemon(stats);
    json_t *groups = json_array();
    const char *level = diagnosis_level(findings);
    struct explain_group group;

    for (size_t i = 0; i < json_array_size(json_object_get(stats, "groups")); i++) {
        explain_group_read(&group, stats, i);
        json_t *json = group_json(&group);
        level = diagnosis_worse(level, diagnosis_level(json_object_get(json, "findings")));
        json_array_append_new(groups, json);
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "level", level, "policy",
                     *policy != '\0' ? policy : members_text(steering, "policy"), "findings",
                     findings, "groups", groups);
}
