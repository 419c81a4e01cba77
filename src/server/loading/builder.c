#include "server/loading/builder.h"

#include "server/host/channel.h"
#include "server/host/mappings.h"
#include "server/host/privilege.h"
#include "server/host/process.h"
#include "server/host/sandbox.h"
#include "zone/pace.h"
#include "zone/source.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BUILDER_NICENESS = 10 };

static const double progress_interval = 0.1; /* seconds */

static bool add_source(struct source_list *list, const struct source_argument *argument,
                       char error[SOURCE_ERROR_MAX])
{
    return argument->origin != NULL
               ? source_list_add_zone(list, argument->origin, argument->text, error)
               : source_list_add(list, argument->text, error);
}

static bool list_sources(const struct source_argument *zones, size_t zone_count,
                         struct source_list *list, const struct builder_sinks *sinks)
{
    bool sound = true;
    char error[SOURCE_ERROR_MAX];

    for (size_t i = 0; i < zone_count; i++) {
        const struct source_argument *argument = &zones[i];
        if (add_source(list, argument, error))
            continue;
        struct diagnostic diagnostic = {.severity = SEVERITY_ERROR,
                                        .file = argument->file != NULL ? argument->file : "",
                                        .line = argument->line,
                                        .text = error};
        sinks->diagnostic(sinks->closure, &diagnostic);
        sound = false;
    }
    return sound;
}

bool builder_build(const struct builder_order *order, const struct builder_sinks *sinks,
                   struct build_result *result)
{
    struct source_list list = {0};

    *result = (struct build_result){.fd = -1};
    bool built = list_sources(order->zones, order->zone_count, &list, sinks);
    if (built) {
        if (sinks->listed != NULL)
            sinks->listed(sinks->closure, &list);
        struct build_request request = {.sources = &list,
                                        .previous = order->previous,
                                        .only = order->only,
                                        .sparing = order->sparing,
                                        .seed = order->seed,
                                        .generation = order->generation,
                                        .sink = sinks->diagnostic,
                                        .zone_sink = sinks->zone,
                                        .progress = sinks->progress,
                                        .closure = sinks->closure};
        built = build_table(&request, result);
    }
    source_list_free(&list);
    return built;
}

static void ignore_diagnostic(void *closure, const struct diagnostic *diagnostic)
{
    (void)closure;
    (void)diagnostic;
}

char **builder_folders(const struct source_argument *zones, size_t zone_count, size_t *count)
{
    const struct builder_sinks sinks = {.diagnostic = ignore_diagnostic};
    struct source_list list = {0};

    list_sources(zones, zone_count, &list, &sinks);
    char **folders = source_list_folders(&list, count);
    source_list_free(&list);
    return folders;
}

/* The child's end of its channel, and when it last told how far it is. */
struct teller {
    int channel;
    double told;
    struct channel_message zones; /* that are not told yet */
};

static void send_zones(struct teller *teller)
{
    if (teller->zones.zones.length > 0)
        channel_send(teller->channel, &teller->zones, -1);
    teller->zones.zones.length = 0;
}

static void send_diagnostic(void *closure, const struct diagnostic *diagnostic)
{
    struct teller *teller = closure;
    struct channel_message message;

    /* It is the next zone's. */
    send_zones(teller);
    channel_set_diagnostic(&message, diagnostic->severity, diagnostic->line, diagnostic->file,
                           diagnostic->text);
    channel_send(teller->channel, &message, -1);
}

static void send_zone(void *closure, const struct name *origin, enum build_outcome outcome)
{
    struct teller *teller = closure;

    if (channel_add_zone(&teller->zones, origin, outcome))
        return;
    send_zones(teller);
    channel_add_zone(&teller->zones, origin, outcome);
}

static void send_progress(void *closure, const struct tally_count *count)
{
    struct teller *teller = closure;
    const struct channel_message message = {
        .type = CHANNEL_PROGRESS,
        .progress = {.expected = count->expected, .done = count->done, .records = count->records}};
    double now = pace_clock();

    if (now - teller->told < progress_interval)
        return;
    teller->told = now;
    channel_send(teller->channel, &message, -1);
}

void builder_confine(void *closure, const struct source_list *list)
{
    size_t count;
    char **folders = source_list_folders(list, &count);

    (void)closure;
    sandbox_enter_builder((const char *const *)folders, count);
    source_free_folders(folders, count);
}

static _Noreturn void run_child(const struct builder_order *order, int channel)
{
    int kept[] = {channel};
    struct teller teller = {.channel = channel, .zones.type = CHANNEL_ZONES};
    const struct builder_sinks sinks = {.listed = builder_confine,
                                        .diagnostic = send_diagnostic,
                                        .zone = send_zone,
                                        .progress = send_progress,
                                        .closure = &teller};
    struct build_result result;

    prctl(PR_SET_NAME, "sorreld:builder");
    process_keep_only(kept, 1);
    mappings_keep_only(NULL, 0);
    /* On a busy machine loading waits for the workers, not they for it. */
    if (!order->urgent)
        setpriority(PRIO_PROCESS, 0, BUILDER_NICENESS);
    privilege_confine_reader();
    bool made = builder_build(order, &sinks, &result);
    send_zones(&teller);
    struct channel_message message = {.type = CHANNEL_BUILT,
                                      .built = {.made = made && !result.unchanged,
                                                .unchanged = made && result.unchanged,
                                                .renewed = result.renewed,
                                                .compiled = result.compiled,
                                                .copied = result.copied,
                                                .kept = result.kept,
                                                .failed = result.failed}};
    channel_send(channel, &message, made ? result.fd : -1);
    _exit(made ? EXIT_SUCCESS : EXIT_FAILURE);
}

pid_t builder_start(const struct builder_order *order, int *channel)
{
    pid_t pid = process_fork(channel, PROCESS_KILLED);

    if (pid == 0)
        run_child(order, *channel);
    return pid;
}
