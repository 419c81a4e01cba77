#include "server/supervisor/reconfigure.h"

#include "server/configuration/command_line.h"
#include "server/host/log.h"
#include "server/loading/strays.h"
#include "server/supervisor/supervision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading -------------------------------------------------------------------------- */

struct complaints {
    char *first;
};

static void complain(void *closure, const char *sentence)
{
    struct complaints *complaints = closure;

    log_plain(LOG_LEVEL_ERROR, "%s", sentence);
    if (*complaints->first == '\0')
        snprintf(complaints->first, RECONFIGURE_ERROR_MAX, "%s", sentence);
}

/* Reads what the daemon was started with once more. NULL if there are faults. */
static struct options *reread(const struct options *from, char error[RECONFIGURE_ERROR_MAX])
{
    struct complaints complaints = {.first = error};
    struct options *options = calloc(1, sizeof *options);
    char reason[OPTION_ERROR_MAX];

    *error = '\0';
    if (options == NULL) {
        complain(&complaints, "out of memory");
        return NULL;
    }
    options_init(options);
    bool sound = command_line_read(options, from->argc, from->argv, reason);
    if (!sound)
        complain(&complaints, reason);
    sound = sound && configuration_read(options, from->files[0], complain, &complaints);
    if (sound && options->settings.zone_count == 0) {
        char sentence[CONFIGURATION_SENTENCE_MAX];
        snprintf(sentence, sizeof sentence, "%s: names no zones any more", from->files[0]);
        complain(&complaints, sentence);
        sound = false;
    }
    if (sound)
        return options;
    options_free(options);
    free(options);
    return NULL;
}

/* --- what changes at once ---------------------------------------------------------------- */

static void change_workers(struct supervisor *supervisor, const struct options *options)
{
    unsigned wanted = options->settings.workers;

    if (wanted == 0)
        wanted = options_usable_cpus();
    /* What is under way, or waits, may end with another number. */
    bool is_settled = supervisor->resize.first == NULL;
    if (!supervisor->settings->join && !(is_settled && wanted == supervisor->settings->workers))
        resize_want(supervisor, NULL, wanted);
}

static void change_steering(struct supervisor *supervisor, const struct options *options)
{
    policy_want(supervisor, NULL, options->settings.steering);
}

static void change_stall(struct supervisor *supervisor, const struct options *options)
{
    stall_stop(supervisor);
    supervisor->settings->stall = options->settings.stall;
    stall_start(supervisor);
}

static void change_log(struct supervisor *supervisor, const struct options *options)
{
    (void)supervisor;
    log_configure(&options->log);
}

enum due {
    DUE_NOW,
    DUE_TAKEOVER, /* by another process, which is given the sockets */
    DUE_RESTART,  /* it is what a takeover depends on */
};

static const struct {
    const char *section;
    const char *name;
    enum due due;
    void (*change)(struct supervisor *supervisor, const struct options *options);
} changes[] = {
    /* The policy first: it cannot change while the number of workers does. */
    {NULL, "steering", DUE_NOW, change_steering},
    {NULL, "workers", DUE_NOW, change_workers},
    {NULL, "stall", DUE_NOW, change_stall},
    {NULL, "zones", DUE_NOW, NULL},
    /* These are looked at as a whole. */
    {NULL, "allow-query", DUE_NOW, NULL},
    {NULL, "allow-transfer", DUE_NOW, NULL},
    {"log", "target", DUE_NOW, change_log},
    {"log", "level", DUE_NOW, change_log},
    {"log", "timestamps", DUE_NOW, change_log},
    {NULL, "user", DUE_RESTART, NULL},
    {NULL, "control", DUE_RESTART, NULL},
};

enum { CHANGES = sizeof changes / sizeof changes[0] };

/* The row's place among the changes; CHANGES: a takeover applies it. */
static size_t find_change(const struct option_row *row)
{
    for (size_t i = 0; i < CHANGES; i++)
        if (options_find(changes[i].section, changes[i].name, OPTION_FILE) == row)
            return i;
    return CHANGES;
}

static bool is_same(const struct option_row *row, struct options *a, struct options *b)
{
    const char *left = options_state(a, row)->value, *right = options_state(b, row)->value;
    const char *otherwise = row->fallback != NULL ? row->fallback : "";

    return strcmp(left != NULL ? left : otherwise, right != NULL ? right : otherwise) == 0;
}

/* --- what does not ------------------------------------------------------------------------- */

enum { NAMES_MAX = 512 };

static void add_name(char names[NAMES_MAX], const char *section, const char *name)
{
    size_t length = strlen(names);

    snprintf(names + length, NAMES_MAX - length, "%s%s%s%s", length > 0 ? ", " : "",
             section != NULL ? section : "", section != NULL ? "." : "", name);
}

/* As compared with what the daemon was started with: the log says so until it is applied. */
static void name_the_rest(struct supervisor *supervisor, struct options *next)
{
    char by_takeover[NAMES_MAX] = "", by_restart[NAMES_MAX] = "";

    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        size_t change = find_change(row);
        enum due due = change < CHANGES ? changes[change].due : DUE_TAKEOVER;
        if ((row->place & OPTION_FILE) == 0 || due == DUE_NOW ||
            is_same(row, supervisor->options, next))
            continue;
        add_name(due == DUE_TAKEOVER ? by_takeover : by_restart, row->section, row->name);
    }
    const struct acl *now = &supervisor->options->acl, *then = &next->acl;
    if (acl_digest(&now->queries, &now->lists) != acl_digest(&then->queries, &then->lists))
        add_name(by_takeover, NULL, "allow-query");
    if (acl_digest(&now->transfers, &now->lists) != acl_digest(&then->transfers, &then->lists))
        add_name(by_takeover, NULL, "allow-transfer");
    if (!keys_are_same(&supervisor->options->settings.protection.keys,
                       &next->settings.protection.keys))
        add_name(by_takeover, NULL, "key");
    if (*by_takeover != '\0')
        log_warning(
            "changed in the configuration, and not in use before a takeover, which loses no "
            "query (sorrelctl takeover): %s",
            by_takeover);
    if (*by_restart != '\0')
        log_warning("changed in the configuration, and not in use before a restart: %s",
                    by_restart);
}

/* --- reconfiguring --------------------------------------------------------------------------- */

static void apply(struct supervisor *supervisor, struct options *next)
{
    struct options *last = supervisor->reread != NULL ? supervisor->reread : supervisor->options;

    for (size_t i = 0; i < CHANGES; i++) {
        const struct option_row *row =
            options_find(changes[i].section, changes[i].name, OPTION_FILE);
        if (row != NULL && changes[i].change != NULL && !is_same(row, last, next))
            changes[i].change(supervisor, next);
    }
}

bool reconfigure(struct supervisor *supervisor, char error[RECONFIGURE_ERROR_MAX])
{
    if (supervisor->options->file_count == 0)
        return true;
    struct options *next = reread(supervisor->options, error);
    if (next == NULL)
        return false;
    for (size_t i = 0; i < next->file_count; i++)
        log_debug("read %s", next->files[i]);
    apply(supervisor, next);
    name_the_rest(supervisor, next);
    supervisor->settings->zones = next->settings.zones;
    supervisor->settings->zone_count = next->settings.zone_count;
    reconfigure_close(supervisor);
    supervisor->reread = next;
    return true;
}

bool reconfigure_check(const struct supervisor *supervisor, char error[RECONFIGURE_ERROR_MAX])
{
    if (supervisor->options->file_count == 0)
        return true;
    struct options *next = reread(supervisor->options, error);
    if (next == NULL)
        return false;
    options_free(next);
    free(next);
    return true;
}

static void warn(void *closure, const char *sentence)
{
    (void)closure;
    log_plain(LOG_LEVEL_WARNING, "%s", sentence);
}

void reconfigure_tell_strays(const struct supervisor *supervisor)
{
    const struct options *last =
        supervisor->reread != NULL ? supervisor->reread : supervisor->options;

    strays_tell(&last->settings.protection, &supervisor->ledger, warn, NULL);
}

void reconfigure_close(struct supervisor *supervisor)
{
    if (supervisor->reread == NULL)
        return;
    options_free(supervisor->reread);
    free(supervisor->reread);
    supervisor->reread = NULL;
}
