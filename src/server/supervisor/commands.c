#include "server/supervisor/commands.h"

#include "config.h"
#include "server/host/log.h"
#include "server/host/sandbox.h"
#include "server/loading/ledger_json.h"
#include "server/supervisor/apart.h"
#include "server/supervisor/reconfigure.h"
#include "server/supervisor/stats.h"
#include "table/large_pages.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- status ------------------------------------------------------------------------ */

static json_t *worker_json(const struct slot *slot)
{
    struct counters_traffic traffic = stats_slot_traffic(slot);
    json_t *json =
        json_pack("{s:i, s:s, s:I, s:I, s:I}", "worker", (int)slot->number, "state",
                  stats_slot_state(slot), "deaths", (json_int_t)slot->deaths, "udp_queries",
                  (json_int_t)traffic.udp_queries, "tcp_queries", (json_int_t)traffic.tcp_queries);

    if (slot->pid != 0) {
        json_object_set_new(json, "pid", json_integer(slot->pid));
        json_object_set_new(json, "uptime", json_integer(slot_clock() - slot->started));
    }
    return json;
}

static json_t *workers_json(const struct supervisor *supervisor)
{
    json_t *list = json_array();

    for (size_t i = 0; i < supervisor->slot_count; i++)
        json_array_append_new(list, worker_json(&supervisor->slots[i]));
    return list;
}

static json_t *addresses_json(const struct settings *settings)
{
    json_t *list = json_array();
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < settings->listener_count; i++)
        json_array_append_new(list,
                              json_string(address_to_text(&settings->listeners[i].address, text)));
    return list;
}

/* What pages the table is in: the last piece of it never fills a large one. */
static json_t *pages_json(const struct sealed_table *sealed)
{
    size_t large = large_pages_used(sealed->base) / LARGE_PAGE;
    size_t most = sealed->length / LARGE_PAGE;

    if (large == 0)
        return json_string("4 kB");
    if (large >= most)
        return json_string("2 MB");
    return json_sprintf("2 MB for %d%%, 4 kB for the rest", (int)(100 * large / most));
}

static json_t *table_json(const struct supervisor *supervisor)
{
    const struct sealed_table *sealed = &supervisor->table.sealed;
    const struct table_header *header = sealed->table.header;

    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "generation", (json_int_t)header->generation,
                     "octets", (json_int_t)header->length, "zones", (json_int_t)header->zone_count,
                     "records", (json_int_t)supervisor->ledger.records, "pages",
                     pages_json(sealed));
}

static json_t *sandbox_json(void)
{
    const struct sandbox *sandbox = sandbox_in_force();

    return json_pack("{s:b, s:i}", "filter", sandbox->filter, "landlock", sandbox->landlock);
}

/* Adds all zones, or as many as the argument says. False: it says nothing that makes sense, and the
 * request is refused. */
static bool add_zones(json_t *json, const struct supervisor *supervisor,
                      struct control_request *request)
{
    const char *limit = control_arguments(request)[0];
    char *end;

    if (limit == NULL) {
        json_object_update_new(json, ledger_json_zones(&supervisor->ledger, time(NULL)));
        return true;
    }
    unsigned long most = strtoul(limit, &end, 10);
    if (*limit < '0' || *limit > '9' || *end != '\0') {
        control_refuse(request, "%s: give the number of zones that are wanted", limit);
        return false;
    }
    json_object_update_new(json, ledger_json_some_zones(&supervisor->ledger, time(NULL), most));
    return true;
}

/* An answer that all zones, or some, are still to be added to. */
struct draft {
    const struct supervisor *supervisor;
    json_t *json;
};

static void finish_draft(void *closure, struct control_request *request)
{
    const struct draft *draft = closure;

    if (add_zones(draft->json, draft->supervisor, request))
        control_reply(request, true, json_incref(draft->json));
}

/* Answers with `json`, whose reference is taken over, and the zones; or has it done apart where
 * they are many. What else there is to be asked of the kernel has been, for the child may not. */
static void answer_with_zones(const struct supervisor *supervisor, json_t *json,
                              struct control_request *request)
{
    struct draft draft = {supervisor, json};

    if (control_arguments(request)[0] == NULL && supervisor->ledger.zones.count > APART_ZONES_MIN)
        apart_answer(request, finish_draft, &draft);
    else
        finish_draft(&draft, request);
    json_decref(json);
}

static void status(void *closure, struct control_request *request)
{
    const struct supervisor *supervisor = closure;
    json_t *json =
        json_pack("{s:s, s:i, s:I, s:s, s:o, s:o}", "version", PACKAGE_VERSION, "pid",
                  (int)getpid(), "uptime", (json_int_t)(slot_clock() - supervisor->started),
                  "steering", steering_name(supervisor->settings->steering), "listen",
                  addresses_json(supervisor->settings), "workers", workers_json(supervisor));

    json_t *policy = policy_json(supervisor);
    json_object_set(json, "steering_effective", json_object_get(policy, "effective"));
    json_object_set(json, "steering_proof", json_object_get(policy, "proof"));
    json_decref(policy);
    json_object_set_new(json, "sandbox", sandbox_json());
    if (supervisor->table.fd >= 0)
        json_object_set_new(json, "table", table_json(supervisor));
    answer_with_zones(supervisor, json, request);
}

static void stats(void *closure, struct control_request *request)
{
    control_reply(request, true, stats_document(closure));
}

static void zones(void *closure, struct control_request *request)
{
    answer_with_zones(closure, json_object(), request);
}

/* --- orders ------------------------------------------------------------------------ */

static void reload(void *closure, struct control_request *request)
{
    struct supervisor *supervisor = closure;

    if (supervisor->stopping) {
        control_refuse(request, "the daemon is stopping");
        return;
    }
    reloads_want(&supervisor->reloads, request);
    supervisor_reload(supervisor);
}

/* A number of workers in decimal; 0: it is none that there can be. */
static unsigned parse_workers(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number > STEERING_SLOTS_MAX)
        return 0;
    return (unsigned)number;
}

static void workers(void *closure, struct control_request *request)
{
    struct supervisor *supervisor = closure;
    const char *number = control_arguments(request)[0];

    if (number == NULL) {
        control_reply(request, true,
                      json_pack("{s:i}", "workers", (int)supervisor->settings->workers));
        return;
    }
    unsigned wanted = parse_workers(number);
    if (wanted == 0)
        control_refuse(request, "%s: give a number of workers from 1 to %d", number,
                       STEERING_SLOTS_MAX);
    else if (supervisor->settings->join)
        control_refuse(request, "a daemon that shares its addresses (--join) cannot change its "
                                "workers: it has no say in where queries go");
    else
        resize_want(supervisor, request, wanted);
}

static void steering(void *closure, struct control_request *request)
{
    const char *name = control_arguments(request)[0];
    enum steering_policy policy;

    if (name == NULL)
        control_reply(request, true, policy_json(closure));
    else if (steering_parse(name, &policy))
        policy_want(closure, request, policy);
    else
        control_refuse(request, "%s: there are the policies hash, query, cpu, random and shared",
                       name);
}

static void stop(void *closure, struct control_request *request)
{
    control_reply(request, true, json_pack("{s:i}", "pid", (int)getpid()));
    supervisor_stop(closure, EXIT_SUCCESS);
}

static void takeover(void *closure, struct control_request *request)
{
    char error[RECONFIGURE_ERROR_MAX];

    if (reconfigure_check(closure, error))
        succession_start(closure, request);
    else
        control_refuse(request, "not replaced: %s", error);
}

static void hand_over(void *closure, struct control_request *request)
{
    succession_hand_over(closure, request);
}

bool commands_open(struct supervisor *supervisor)
{
    static const struct control_word words[] = {
        {PROTOCOL_STATUS, 1, status},
        {PROTOCOL_ZONES, 1, zones},
        {PROTOCOL_RELOAD, UINT32_MAX, reload},
        {PROTOCOL_WORKERS, 1, workers},
        {PROTOCOL_TAKEOVER, 0, takeover},
        {PROTOCOL_STOP, 0, stop},
        {PROTOCOL_STATS, 0, stats},
        {PROTOCOL_STEERING, 1, steering},
        {PROTOCOL_HANDOVER, 0, hand_over},
        {0, 0, NULL},
    };

    if (supervisor->settings->control.fd < 0 && supervisor->metrics.listener < 0)
        return true;
    supervisor->control =
        control_open(supervisor->loop, &supervisor->settings->control, words, supervisor);
    if (supervisor->control == NULL)
        log_error("cannot serve the control socket: %s", strerror(errno));
    return supervisor->control != NULL;
}

bool commands_adopt(struct supervisor *supervisor, int connection)
{
    static const struct control_word words[] = {
        {PROTOCOL_STATUS, 1, status},
        {PROTOCOL_ZONES, 1, zones},
        {PROTOCOL_STATS, 0, stats},
        {0, 0, NULL},
    };

    return supervisor->control != NULL && control_adopt(supervisor->control, connection, words);
}

static void close_control(struct supervisor *supervisor, bool remove)
{
    if (supervisor->control != NULL)
        control_close(supervisor->control);
    supervisor->control = NULL;
    control_socket_close(&supervisor->settings->control, remove);
}

void commands_leave(struct supervisor *supervisor)
{
    close_control(supervisor, false);
}

void commands_close(struct supervisor *supervisor)
{
    reloads_refuse(&supervisor->reloads, "the daemon has stopped");
    close_control(supervisor, true);
}
