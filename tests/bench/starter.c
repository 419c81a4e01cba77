#include "starter.h"

#include "../loss/child.h"
#include "scratch.h"

#include <string.h>
#include <unistd.h>

enum { PATIENCE = 300, KEPT_SECONDS = 60 };

static void show_progress(const struct starter *starter, unsigned start, const char *server)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s: start %u of %u, %s\033[K", starter->set->name, start + 1,
                starter->starts, server);
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

void starter_open(struct starter *starter, const char *scratch, const struct questions *questions,
                  unsigned rcode)
{
    const struct zoneset *set = starter->set;

    snprintf(starter->directory, sizeof starter->directory, "%s/%s", scratch, set->name);
    snprintf(starter->zone_directory, sizeof starter->zone_directory, "%s/zones",
             starter->directory);
    scratch_make(starter->directory);
    scratch_make(starter->zone_directory);
    if (set->write != NULL)
        set->write(starter->zone_directory, set->names);
    starter->probe.query = starter->probe_query;
    starter->probe.length =
        questions_write(questions, questions_count(questions) - 1, starter->probe_query);
    starter->probe.rcode = rcode;
}

static void prepare(const struct starter *starter, struct server *server, bool is_watched)
{
    *server = (struct server){.zones = starter->set,
                              .zone_directory = starter->zone_directory,
                              .workers = starter->workers,
                              .is_watched = is_watched};
}

static bool start(struct starter *starter, struct server *server, const struct server_kind *kind,
                  struct report_start *result)
{
    char reason[512];

    if (!server_start(server, kind, starter->directory, &starter->probe, PATIENCE, reason)) {
        report_note(starter->report, "%s could not be measured with %s: %s", kind->name,
                    starter->set->name, reason);
        return false;
    }
    figures_add(&result->seconds, server->start_seconds);
    if (server->peak_kib > result->peak_kib)
        result->peak_kib = server->peak_kib;
    return true;
}

/* The first start is watched for its memory, which may slow it down a little. */
static void start_all(struct starter *starter, unsigned number)
{
    for (size_t i = 0; i < starter->count; i++) {
        const struct server_kind *kind = starter->kinds[i];
        struct server *server = &starter->servers[i];
        if (number > 0 && server->pid == 0)
            continue; /* it could not */
        show_progress(starter, number, kind->name);
        server_stop(server);
        prepare(starter, server, number == 0);
        if (!kind->no_dnssec || !starter->set->is_signed)
            start(starter, server, kind, &starter->starts_of[i]);
        else if (number == 0)
            report_note(starter->report, "%s was left out with %s: it has no DNSSEC", kind->name,
                        starter->set->name);
    }
}

static void pin(const struct server *server, int cpu)
{
    struct family family;

    if (server->pid == 0)
        return;
    family_find(&family, server->pid);
    family_pin(&family, cpu);
}

/* --- from the compiled table ---------------------------------------------------- */

static bool has_file(void *path)
{
    return access(path, R_OK) == 0;
}

/* Once to have the table written, and then as often as the others. */
static void start_from_table(struct starter *starter, const struct server_kind *kind)
{
    char directory[192], table[224];
    struct report_start first = {.peak_kib = 0};
    struct server server;
    bool good = true;

    snprintf(directory, sizeof directory, "%s/state", starter->directory);
    snprintf(table, sizeof table, "%s/zone-table", directory);
    scratch_make(directory);
    for (unsigned i = 0; good && i <= starter->starts; i++) {
        show_progress(starter, i > 0 ? i - 1 : 0, starter->kept.server);
        prepare(starter, &server, false);
        server.state_directory = directory;
        good = start(starter, &server, kind, i == 0 ? &first : &starter->kept);
        if (good && i == 0 && !child_wait(has_file, table, KEPT_SECONDS)) {
            report_note(starter->report, "sorreld kept no table of %s", starter->set->name);
            good = false;
        }
        server_stop(&server);
    }
    scratch_remove(directory);
}

/* -------------------------------------------------------------------------------- */

void starter_run(struct starter *starter)
{
    for (size_t i = 0; i < starter->count; i++) {
        starter->starts_of[i].server = starter->kinds[i]->name;
        if (starter->with_table && starter->kinds[i]->keeps_table) {
            starter->kept.server = "sorreld --state";
            start_from_table(starter, starter->kinds[i]);
        }
    }
    for (unsigned number = 0; number < starter->starts; number++)
        start_all(starter, number);
    for (size_t i = 0; i < starter->count; i++)
        pin(&starter->servers[i], starter->server_cpu);
    end_progress();
}

void starter_weigh(struct starter *starter)
{
    struct family family;

    for (size_t i = 0; i < starter->count; i++) {
        struct report_start *result = &starter->starts_of[i];
        if (starter->servers[i].pid == 0)
            continue;
        family_find(&family, starter->servers[i].pid);
        result->memory = family_memory(&family);
        if (result->memory.total_kib > result->peak_kib)
            result->peak_kib = result->memory.total_kib;
    }
}

void starter_report(const struct starter *starter)
{
    struct report_start all[STARTER_SERVERS_MAX + 1];

    memcpy(all, starter->starts_of, sizeof starter->starts_of);
    all[starter->count] = starter->kept;
    report_set(starter->report, starter->set, all, starter->count + 1);
}

void starter_close(struct starter *starter)
{
    for (size_t i = 0; i < starter->count; i++)
        server_stop(&starter->servers[i]);
    scratch_remove(starter->directory);
}
