#include "server/configuration/options.h"

#include "config.h"
#include "message/wire.h"
#include "server/configuration/option_types.h"
#include "server/host/nearest.h"
#include "server/host/prefix_text.h"
#include "server/query/batch.h"
#include "table/crew.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static option_take take_listen, take_http;
#define DEFAULT_FILE SYSCONFDIR "/sorrel/sorrel.conf"

const char options_default_file[] = DEFAULT_FILE;

static option_take take_rate_limit;
static option_take take_exempt;
static option_take take_cookies;
static option_take take_access;
static option_take take_transfer;
static option_take take_addresses;

/* 0 stands for that of --rate-limit. */
#define RATE_OF_CLASS(class)                                                                       \
    .place = OPTION_FILE, .argument = "N|same", .take = option_take_number,                        \
    .field = OPTION_FIELD(settings.protection.rrl.per_second[class]), .least = 1,                  \
    .most = RRL_RATE_MAX, .unit = "responses a second", .zero = "same", .fallback = "same"
static option_take take_told;
static option_take take_zones;
static option_take take_dnstap;

/* In the order of enum sandbox_wish. */
static const char *const sandbox_wishes[] = {"off", "on", NULL};
/* Of enum log_target, and of enum log_level. */
static const char *const targets[] = {"stderr", "syslog", NULL};
static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
/* Of enum tap_messages. */
static const char *const tap_words[] = {"queries", "responses", "both", NULL};
static const char *const algorithms[] = {"hmac-sha256", "hmac-sha384", "hmac-sha512", NULL};

/* --- the table ------------------------------------------------------------------- */

const struct option_row options_table[] = {
    {.name = "config",
     .letter = 'c',
     .place = OPTION_COMMAND,
     .argument = "FILE",
     .take = option_take_text,
     .field = OPTION_FIELD(config),
     .shown = DEFAULT_FILE ", if there are no -l and no ZONE",
     .help = "read options and zones from FILE, see sorrel.conf(5)"},
    {.name = "listen",
     .letter = 'l',
     .repeats = true,
     .place = OPTION_BOTH,
     .argument = "ADDR[@PORT]",
     .take = take_listen,
     .shown = "0.0.0.0 and ::, port 53",
     .help = "listen there; may be repeated"},
    {.name = "workers",
     .letter = 'w',
     .place = OPTION_BOTH,
     .argument = "N|auto",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.workers),
     .least = 1,
     .most = STEERING_SLOTS_MAX,
     .unit = "workers",
     .zero = "auto",
     .fallback = "auto",
     .help = "run N worker processes; auto: as many as CPUs it may use"},
    {.name = "steering",
     .letter = 's',
     .place = OPTION_BOTH,
     .argument = "POLICY",
     .take = option_take_word,
     .field = OPTION_FIELD(settings.steering),
     .words = steering_names,
     .fallback = "hash",
     .help = "how queries are spread over workers: hash, query, cpu, random or shared"},
    {.name = "identity",
     .letter = 'i',
     .place = OPTION_BOTH,
     .take = option_take_flag,
     .field = OPTION_FIELD(settings.identity.told),
     .fallback = "no",
     .help = "tell clients that ask for it which server and worker answers"},
    {.name = "server-id",
     .place = OPTION_BOTH,
     .argument = "TEXT",
     .take = take_told,
     .field = OPTION_FIELD(settings.identity.id),
     .shown = "the host's name",
     .help = "with --identity: the server's id; none: it is not told"},
    {.name = "server-version",
     .place = OPTION_BOTH,
     .argument = "TEXT",
     .take = take_told,
     .field = OPTION_FIELD(settings.identity.version),
     .shown = "sorrel and its version",
     .help = "with --identity: the version; none: it is not told"},
    {.name = "user",
     .letter = 'u',
     .place = OPTION_BOTH,
     .argument = "USER",
     .take = option_take_text,
     .field = OPTION_FIELD(user),
     .help = "run as USER once started as root"},
    /* Less than the least would take a worker for stalled that waits for a network card. */
    {.name = "stall",
     .place = OPTION_BOTH,
     .argument = "SECONDS",
     .take = option_take_real,
     .field = OPTION_FIELD(settings.stall),
     .least = 0.5,
     .most = 3600,
     .unit = "seconds",
     .zero = "0",
     .fallback = "2",
     .help = "replace workers that make no progress for so long; 0: never"},
    {.name = "edns-size",
     .place = OPTION_BOTH,
     .argument = "OCTETS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.edns_size),
     .least = WIRE_UDP_PLAIN_MAX,
     .most = BATCH_REPLY_MAX,
     .unit = "octets",
     .fallback = "1232",
     .help = "send no larger responses than that over UDP"},
    {.section = "rate-limit",
     .name = "responses",
     .command = "rate-limit",
     .place = OPTION_BOTH,
     .argument = "N|auto|off",
     .take = take_rate_limit,
     .field = OPTION_FIELD(settings.protection.rrl.per_second[RRL_RESPONSES]),
     .least = 1,
     .most = RRL_RATE_MAX,
     .unit = "responses a second",
     .zero = "off",
     .fallback = "auto",
     .help = "send a client network at most N responses of a kind a second over UDP; auto: 500, "
             "but as many as it likes to a network that is not on the internet"},
    {.section = "rate-limit",
     .name = "nodata",
     RATE_OF_CLASS(RRL_NODATA),
     .help = "the same for responses that there is no such record"},
    {.section = "rate-limit",
     .name = "nxdomain",
     RATE_OF_CLASS(RRL_NXDOMAINS),
     .help = "the same for responses that there is no such name"},
    {.section = "rate-limit",
     .name = "referral",
     RATE_OF_CLASS(RRL_REFERRALS),
     .help = "the same for referrals"},
    {.section = "rate-limit",
     .name = "error",
     RATE_OF_CLASS(RRL_ERRORS),
     .help = "the same for errors"},
    {.section = "rate-limit",
     .name = "all",
     .place = OPTION_FILE,
     .argument = "N|off",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.per_second[RRL_ALL]),
     .least = 1,
     .most = RRL_RATE_MAX,
     .unit = "responses a second",
     .zero = "off",
     .fallback = "off",
     .help = "the same for responses of all kinds together"},
    {.section = "rate-limit",
     .name = "slip",
     .command = "rate-limit-slip",
     .place = OPTION_BOTH,
     .argument = "N",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.slip),
     .least = 0,
     .most = RRL_SLIP_MAX,
     .unit = "responses",
     .fallback = "2",
     .help = "of those over the limit send every Nth truncated, so that clients come again over "
             "TCP; 0: none"},
    {.section = "rate-limit",
     .name = "exempt",
     .command = "rate-limit-exempt",
     .repeats = true,
     .place = OPTION_BOTH,
     .argument = "ADDR[/BITS]",
     .take = take_exempt,
     .help = "send that network as many as it likes; may be repeated"},
    {.section = "rate-limit",
     .name = "window",
     .place = OPTION_FILE,
     .argument = "SECONDS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.window),
     .least = 1,
     .most = RRL_WINDOW_MAX,
     .unit = "seconds",
     .fallback = "15",
     .help = "for how long whoever was over the limit is held to it exactly"},
    {.section = "rate-limit",
     .name = "per-name",
     .place = OPTION_FILE,
     .argument = "yes|no",
     .take = option_take_flag,
     .field = OPTION_FIELD(settings.protection.rrl.per_name),
     .fallback = "no",
     .help = "limit the responses from each name by themselves"},
    {.section = "rate-limit",
     .name = "ipv4-prefix",
     .place = OPTION_FILE,
     .argument = "BITS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.ipv4_prefix),
     .least = 1,
     .most = 32,
     .unit = "bits",
     .fallback = "24",
     .help = "IPv4 addresses that share so many bits are one client network"},
    {.section = "rate-limit",
     .name = "ipv6-prefix",
     .place = OPTION_FILE,
     .argument = "BITS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.ipv6_prefix),
     .least = 1,
     .most = RRL_IPV6_PREFIX_MAX,
     .unit = "bits",
     .fallback = "56",
     .help = "IPv6 addresses that share so many bits are one client network"},
    {.section = "rate-limit",
     .name = "table-size",
     .place = OPTION_FILE,
     .argument = "N",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.table_size),
     .least = RRL_TABLE_MIN,
     .most = RRL_TABLE_MAX,
     .unit = "networks",
     .fallback = "200000",
     .help = "how many networks, or names in them, are remembered"},
    {.name = "tcp-connections",
     .place = OPTION_BOTH,
     .argument = "N",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.tcp_connections),
     .least = 1,
     .most = PROTECTION_CONNECTIONS_MAX,
     .unit = "connections",
     .fallback = "256",
     .help = "have each worker serve at most N TCP connections at a time"},
    {.name = "tcp-per-network",
     .place = OPTION_BOTH,
     .argument = "N|all",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.tcp_per_network),
     .least = 1,
     .most = PROTECTION_CONNECTIONS_MAX,
     .unit = "connections",
     .zero = "all",
     .fallback = "all",
     .help = "of these at most N for a client network; all: as many as no other network wants"},
    {.name = "tcp-idle",
     .place = OPTION_BOTH,
     .argument = "SECONDS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.tcp_idle),
     .least = 1,
     .most = PROTECTION_IDLE_MAX,
     .unit = "seconds",
     .fallback = "10",
     .help = "close a TCP connection that has had no answer for so long"},
    {.name = "allow-query",
     .repeats = true,
     .place = OPTION_BOTH,
     .argument = "[ZONE=]WHO",
     .take = take_access,
     .help = "answer questions about ZONE, or zones not named so, for WHO only: ADDR, ADDR/BITS, "
             "any or none; may be repeated"},
    {.name = "allow-transfer",
     .repeats = true,
     .place = OPTION_BOTH,
     .argument = "[ZONE=]WHO",
     .take = take_transfer,
     .help = "let WHO transfer ZONE, or zones not named so: ADDR, ADDR/BITS, any, none, "
             "key:NAME or, for both at once, ADDR/BITS+key:NAME; may be repeated"},
    {.name = "cookies",
     .place = OPTION_BOTH,
     .argument = "yes|no|required",
     .take = take_cookies,
     .fallback = "yes",
     .help = "know clients by DNS cookies; required: those that know cookies have to send one"},
    {.name = "cookie-secret-file",
     .place = OPTION_BOTH,
     .argument = "FILE",
     .take = option_take_path,
     .field = OPTION_FIELD(settings.protection.secret_file),
     .help = "the secrets of cookies, which several servers may share"},
    {.name = "sandbox",
     .place = OPTION_BOTH,
     .argument = "on|off",
     .take = option_take_word,
     .field = OPTION_FIELD(settings.sandbox),
     .words = sandbox_wishes,
     .fallback = SANDBOX_DEFAULT,
     .help = "confine all child processes by system-call filters and Landlock"},
    {.name = "join",
     .place = OPTION_COMMAND,
     .take = option_take_flag,
     .field = OPTION_FIELD(settings.join),
     .help = "share addresses with a daemon that has them already"},
    {.name = "takeover",
     .place = OPTION_COMMAND,
     .take = option_take_flag,
     .field = OPTION_FIELD(takeover),
     .help = "take the place of the daemon that runs"},
    {.name = "control",
     .place = OPTION_BOTH,
     .argument = "PATH",
     .take = option_take_path,
     .field = OPTION_FIELD(control),
     .shown = "see sorreld(8)",
     .help = "where sorrelctl reaches it"},
    {.name = "state",
     .place = OPTION_BOTH,
     .argument = "DIR",
     .take = option_take_path,
     .field = OPTION_FIELD(settings.state),
     .help = "keep the compiled zones there for the next start"},
    {.name = "http",
     .place = OPTION_BOTH,
     .argument = "ADDR[@PORT]",
     .take = take_http,
     .shown = "none",
     .help = "serve a status page and metrics there, port 9153 unless given"},
    {.section = "dnstap",
     .name = "target",
     .command = "dnstap",
     .place = OPTION_BOTH,
     .argument = "FILE|unix:PATH",
     .take = take_dnstap,
     .shown = "none",
     .help = "write queries and responses there, as dnstap has them: to a file, or to a "
             "socket where a reader listens"},
    {.section = "dnstap",
     .name = "messages",
     .command = "dnstap-messages",
     .place = OPTION_BOTH,
     .argument = "WHICH",
     .take = option_take_word,
     .field = OPTION_FIELD(settings.tap.messages),
     .words = tap_words,
     .fallback = "both",
     .help = "which of them: queries, responses or both"},
    {.section = "dnstap",
     .name = "sample",
     .command = "dnstap-sample",
     .place = OPTION_BOTH,
     .argument = "N",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.tap.sample),
     .least = 1,
     .most = 1000000,
     .unit = "queries",
     .fallback = "1",
     .help = "only one of every N queries, with its response"},
    {.name = "test",
     .letter = 't',
     .place = OPTION_COMMAND,
     .take = option_take_flag,
     .field = OPTION_FIELD(test),
     .help = "check configuration and zones, then exit"},
    {.name = "version",
     .letter = 'V',
     .place = OPTION_COMMAND,
     .take = option_take_flag,
     .field = OPTION_FIELD(version),
     .help = "print the version, then exit"},
    {.name = "help",
     .letter = 'h',
     .place = OPTION_COMMAND,
     .take = option_take_flag,
     .field = OPTION_FIELD(help),
     .help = "print this, then exit"},
    {.name = "zones",
     .repeats = true,
     .place = OPTION_FILE,
     .argument = "DIRECTORY",
     .take = take_zones,
     .help = "serve every *.zone file in the directory; its name less .zone is the origin"},
    {.section = "zone",
     .name = "file",
     .place = OPTION_FILE,
     .argument = "FILE",
     .take = option_take_path,
     .field = OPTION_FIELD(zone.text),
     .help = "the zone file"},
    {.section = "zone",
     .name = "allow-query",
     .repeats = true,
     .place = OPTION_FILE,
     .argument = "WHO",
     .take = take_access,
     .help = "answer questions about the zone for WHO only: ADDR, ADDR/BITS, any, none or the name "
             "of an acl"},
    {.section = "zone",
     .name = "allow-transfer",
     .repeats = true,
     .place = OPTION_FILE,
     .argument = "WHO",
     .take = take_transfer,
     .help = "let WHO transfer the zone: ADDR, ADDR/BITS, any, none, key:NAME, "
             "ADDR/BITS+key:NAME for both at once, or the name of an acl"},
    {.section = "acl",
     .name = "addresses",
     .repeats = true,
     .place = OPTION_FILE,
     .argument = "ADDR[/BITS]",
     .take = take_addresses,
     .help = "the addresses and networks that the name stands for"},
    {.section = "key",
     .name = "algorithm",
     .place = OPTION_FILE,
     .argument = "ALGORITHM",
     .take = option_take_word,
     .field = OPTION_FIELD(key.algorithm),
     .words = algorithms,
     .help = "what messages are signed with: hmac-sha256, unless it is hmac-sha384 or hmac-sha512"},
    {.section = "key",
     .name = "secret",
     .secret = true,
     .place = OPTION_FILE,
     .argument = "BASE64",
     .take = option_take_text,
     .field = OPTION_FIELD(key.secret),
     .help = "the secret that is shared with whoever has the key"},
    {.section = "key",
     .name = "secret-file",
     .place = OPTION_FILE,
     .argument = "FILE",
     .take = option_take_path,
     .field = OPTION_FIELD(key.file),
     .help = "a file that has the secret, and nothing else"},
    {.section = "log",
     .name = "target",
     .place = OPTION_FILE,
     .argument = "TARGET",
     .take = option_take_word,
     .field = OPTION_FIELD(log.target),
     .words = targets,
     .fallback = "stderr",
     .help = "where events go: stderr (the journal, for a service of systemd) or syslog"},
    {.section = "log",
     .name = "level",
     .place = OPTION_FILE,
     .argument = "LEVEL",
     .take = option_take_word,
     .field = OPTION_FIELD(log.level),
     .words = levels,
     .fallback = "info",
     .help = "the least urgent events to log: error, warning, notice, info or debug"},
    {.section = "log",
     .name = "timestamps",
     .place = OPTION_FILE,
     .argument = "yes|no",
     .take = option_take_flag,
     .field = OPTION_FIELD(log.timestamps),
     .fallback = "no",
     .help = "begin lines on standard error with the time, in UTC"},
    {.name = NULL},
};

static bool end_zone(struct options *options, const char *title, char error[OPTION_ERROR_MAX]);
static bool end_acl(struct options *options, const char *title, char error[OPTION_ERROR_MAX]);
static bool end_key(struct options *options, const char *title, char error[OPTION_ERROR_MAX]);

const struct option_section options_sections[] = {
    {.name = "zone", .title = "ORIGIN", .end = end_zone},
    {.name = "acl", .title = "NAME", .end = end_acl},
    {.name = "key", .title = "NAME", .end = end_key},
    {.name = "rate-limit"},
    {.name = "log"},
    {.name = "dnstap"},
    {.name = NULL},
};

static_assert(sizeof options_table / sizeof options_table[0] <= OPTIONS_MAX, "OPTIONS_MAX");

/* --- finding ------------------------------------------------------------------------- */

/* What the row's option is called in `place` and `section`; NULL: it is not there. */
static const char *name_in(const struct option_row *row, const char *section,
                           enum option_place place)
{
    if ((row->place & place) == 0)
        return NULL;
    if ((place & OPTION_FILE) == 0)
        return options_command_name(row);
    if (section == NULL || row->section == NULL)
        return section == row->section ? row->name : NULL;
    return strcmp(row->section, section) == 0 ? row->name : NULL;
}

const struct option_row *options_find(const char *section, const char *name,
                                      enum option_place place)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        const char *there = name_in(row, section, place);
        if (there != NULL && strcmp(there, name) == 0)
            return row;
    }
    return NULL;
}

const struct option_section *options_find_section(const char *name)
{
    for (const struct option_section *section = options_sections; section->name != NULL; section++)
        if (strcmp(section->name, name) == 0)
            return section;
    return NULL;
}

const char *options_nearest(const char *section, const char *name, enum option_place place)
{
    struct nearest nearest;

    nearest_begin(&nearest, name);
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        const char *there = name_in(row, section, place);
        if (there != NULL)
            nearest_consider(&nearest, there);
    }
    return nearest.best;
}

const char *options_nearest_section(const char *name)
{
    struct nearest nearest;

    nearest_begin(&nearest, name);
    for (const struct option_section *i = options_sections; i->name != NULL; i++)
        nearest_consider(&nearest, i->name);
    return nearest.best;
}

/* --- texts that outlive what they were read from ------------------------------------- */

struct option_text {
    struct option_text *next;
    char text[];
};

/* `first` and `second`, one behind the other. */
static const char *keep_both(struct options *options, const char *first, size_t length,
                             const char *second)
{
    struct option_text *kept = malloc(sizeof *kept + length + strlen(second) + 1);

    if (kept == NULL)
        return NULL;
    memcpy(kept->text, first, length);
    strcpy(kept->text + length, second);
    kept->next = options->kept;
    options->kept = kept;
    return kept->text;
}

const char *options_keep(struct options *options, const char *text)
{
    return keep_both(options, "", 0, text);
}

const char *options_resolve(struct options *options, const char *path)
{
    const char *slash = options->origin.file != NULL ? strrchr(options->origin.file, '/') : NULL;

    if (path[0] == '/' || slash == NULL)
        return options_keep(options, path);
    return keep_both(options, options->origin.file, (size_t)(slash + 1 - options->origin.file),
                     path);
}

/* --- taking -------------------------------------------------------------------------- */

void options_init(struct options *options)
{
    char error[OPTION_ERROR_MAX];

    *options = (struct options){.settings = {.control.fd = -1, .takeover = -1}};
    options->settings.protection.transfers.with_keys = true;
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        bool taken = row->fallback == NULL || row->take(options, row, row->fallback, error);
        assert(taken);
        (void)taken;
    }
}

void options_free(struct options *options)
{
    struct option_text *next;

    for (struct option_text *i = options->kept; i != NULL; i = next) {
        next = i->next;
        free(i);
    }
    source_list_free(&options->origins);
    acl_free(&options->acl);
    free(options->files);
    free(options->zones);
    free(options->settings.listeners);
    access_rules_free(&options->settings.protection.access);
    access_rules_free(&options->settings.protection.transfers);
    keys_free(&options->settings.protection.keys);
    free(options->settings.protection.rrl.exempt.prefixes);
    *options = (struct options){0};
}

static bool refuse_memory(char error[OPTION_ERROR_MAX])
{
    snprintf(error, OPTION_ERROR_MAX, "out of memory");
    return false;
}

/* What is not to be used is to be right all the same. */
static bool check_only(const struct options *options, const struct option_row *row,
                       const char *text, char error[OPTION_ERROR_MAX])
{
    struct options scratch;

    options_init(&scratch);
    scratch.origin = options->origin;
    bool taken = row->take(&scratch, row, text, error);
    options_free(&scratch);
    return taken;
}

bool options_note(struct options *options, const struct option_row *row, const char *text)
{
    struct option_state *state = options_state(options, row);
    const char *before = state->value != NULL ? state->value : "";
    const char *separated = keep_both(options, before, strlen(before), *before != '\0' ? ", " : "");

    if (separated != NULL)
        state->value = keep_both(options, separated, strlen(separated), text);
    return separated != NULL && state->value != NULL;
}

bool options_take(struct options *options, const struct option_row *row, const char *text,
                  char error[OPTION_ERROR_MAX])
{
    struct option_state *state = options_state(options, row);

    if (state->origin.line != 0 && !row->repeats) {
        snprintf(error, OPTION_ERROR_MAX, "line %u of %.400s has it already", state->origin.line,
                 state->origin.file);
        return false;
    }
    state->origin = options->origin;
    if (state->is_commanded)
        return check_only(options, row, text, error);
    const char *kept = options_keep(options, text);
    if (kept == NULL)
        return refuse_memory(error);
    if (!row->take(options, row, kept, error))
        return false;
    return options_note(options, row, kept) || refuse_memory(error);
}

bool options_end_section(struct options *options, const struct option_section *section,
                         const char *title, char error[OPTION_ERROR_MAX])
{
    if (section->title == NULL)
        return true;
    bool ended = section->end(options, title, error);
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if (row->section != NULL && strcmp(row->section, section->name) == 0)
            *options_state(options, row) = (struct option_state){0};
    return ended;
}

/* --- what several rows share, or main() wants as well ---------------------------- */

unsigned options_usable_cpus(void)
{
    unsigned count = crew_cpus();

    if (count == 0)
        return 1;
    return count < STEERING_SLOTS_MAX ? count : STEERING_SLOTS_MAX;
}

bool options_have_listener(const struct options *options, const union address *address)
{
    for (size_t i = 0; i < options->settings.listener_count; i++)
        if (address_is_equal(&options->settings.listeners[i].address, address))
            return true;
    return false;
}

bool options_add_listener(struct options *options, const char *text, bool optional,
                          char error[OPTION_ERROR_MAX])
{
    struct settings *settings = &options->settings;
    struct listener listener = {.optional = optional};
    char reason[ADDRESS_ERROR_MAX];

    if (!address_parse(&listener.address, text, reason)) {
        snprintf(error, OPTION_ERROR_MAX, "%s", reason);
        return false;
    }
    if (options_have_listener(options, &listener.address)) {
        snprintf(error, OPTION_ERROR_MAX, "the address is given twice: once is enough");
        return false;
    }
    struct listener *grown = reallocarray(settings->listeners, settings->listener_count + 1,
                                          sizeof *settings->listeners);
    if (grown == NULL)
        return refuse_memory(error);
    settings->listeners = grown;
    settings->listeners[settings->listener_count++] = listener;
    return true;
}

static bool take_listen(struct options *options, const struct option_row *row, const char *text,
                        char error[OPTION_ERROR_MAX])
{
    (void)row;
    return options_add_listener(options, text, false, error);
}

/* Without the library there is nobody to serve it. */
#ifdef HAVE_LIBMICROHTTPD
static const bool has_http = true;
#else
static const bool has_http = false;
#endif

static bool take_http(struct options *options, const struct option_row *row, const char *text,
                      char error[OPTION_ERROR_MAX])
{
    char reason[ADDRESS_ERROR_MAX], full[ADDRESS_TEXT_MAX];
    bool has_port = strchr(text, '@') != NULL;

    (void)row;
    if (!has_http) {
        snprintf(error, OPTION_ERROR_MAX,
                 "this sorreld was built without libmicrohttpd, which serves HTTP");
        return false;
    }
    snprintf(full, sizeof full, "%s%s", text, has_port ? "" : "@9153");
    if (address_parse(&options->settings.http, full, reason))
        return true;
    snprintf(error, OPTION_ERROR_MAX, "%s", reason);
    return false;
}

/* Without the libraries there is nobody to write it. */
#ifdef HAVE_DNSTAP
static const bool has_dnstap = true;
#else
static const bool has_dnstap = false;
#endif

static bool take_dnstap(struct options *options, const struct option_row *row, const char *text,
                        char error[OPTION_ERROR_MAX])
{
    static const char scheme[] = "unix:";
    struct tap_settings *tap = &options->settings.tap;

    (void)row;
    if (!has_dnstap) {
        snprintf(error, OPTION_ERROR_MAX,
                 "this sorreld was built without libfstrm and libprotobuf-c, which dnstap needs");
        return false;
    }
    tap->is_socket = strncmp(text, scheme, sizeof scheme - 1) == 0;
    const char *path = tap->is_socket ? text + sizeof scheme - 1 : text;
    if (*path == '\0') {
        snprintf(error, OPTION_ERROR_MAX, "give the path of a file, or unix: and that of a socket");
        return false;
    }
    tap->target = text;
    tap->path = options_resolve(options, path);
    if (tap->path == NULL)
        return refuse_memory(error);
    if (!tap->is_socket || strlen(tap->path) < TAP_SOCKET_PATH_MAX)
        return true;
    snprintf(error, OPTION_ERROR_MAX, "the path of a socket has at most %d characters",
             TAP_SOCKET_PATH_MAX - 1);
    return false;
}

static bool take_rate_limit(struct options *options, const struct option_row *row, const char *text,
                            char error[OPTION_ERROR_MAX])
{
    unsigned *rate = &options->settings.protection.rrl.per_second[RRL_RESPONSES];

    if (strcmp(text, "auto") == 0) {
        *rate = PROTECTION_RATE_AUTO;
        return true;
    }
    if (option_take_number(options, row, text, error))
        return true;
    strncat(error, ", or auto", OPTION_ERROR_MAX - strlen(error) - 1);
    return false;
}

static bool take_exempt(struct options *options, const struct option_row *row, const char *text,
                        char error[OPTION_ERROR_MAX])
{
    char reason[PREFIX_TEXT_ERROR_MAX];

    (void)row;
    if (prefix_text_add(&options->settings.protection.rrl.exempt, text, reason))
        return true;
    snprintf(error, OPTION_ERROR_MAX, "%s", reason);
    return false;
}

/* One more in the file's `entries`, or in `rules`: on the command line there are no lists. */
static bool take_who(struct options *options, const struct option_row *row, const char *text,
                     struct acl_entries *entries, struct access_rules *rules,
                     char error[OPTION_ERROR_MAX])
{
    const struct acl_entry entry = {.who = text,
                                    .file = options->origin.file,
                                    .line = options->origin.line,
                                    .open = row->section != NULL};

    if (options->origin.file == NULL) {
        rules->origin = (struct access_origin){.text = text};
        return access_rules_read(rules, text, error);
    }
    return acl_add(entries, &entry) || refuse_memory(error);
}

static bool take_access(struct options *options, const struct option_row *row, const char *text,
                        char error[OPTION_ERROR_MAX])
{
    return take_who(options, row, text, &options->acl.queries, &options->settings.protection.access,
                    error);
}

static bool take_transfer(struct options *options, const struct option_row *row, const char *text,
                          char error[OPTION_ERROR_MAX])
{
    return take_who(options, row, text, &options->acl.transfers,
                    &options->settings.protection.transfers, error);
}

static bool take_addresses(struct options *options, const struct option_row *row, const char *text,
                           char error[OPTION_ERROR_MAX])
{
    const struct acl_entry entry = {.who = text, .open = true};
    struct access_rules scratch = {0};

    (void)row;
    bool is_right = access_rules_allow(&scratch, NULL, text, error);
    access_rules_free(&scratch);
    return is_right && (acl_add(&options->acl.lists, &entry) || refuse_memory(error));
}

static bool end_acl(struct options *options, const char *title, char error[OPTION_ERROR_MAX])
{
    const char *name = options_keep(options, title);
    bool is_second = acl_has(&options->acl.lists, title);

    if (name == NULL)
        return refuse_memory(error);
    if (!acl_close(&options->acl.lists, name)) {
        snprintf(error, OPTION_ERROR_MAX,
                 "has no addresses: write acl \"%.200s\" { addresses = { "
                 "ADDR, ADDR/BITS } }",
                 title);
        return false;
    }
    if (is_second)
        snprintf(error, OPTION_ERROR_MAX, "there is another of that name: put all in one");
    return !is_second;
}

/* `text` is one that is kept. */
static void wipe(const char *text)
{
    if (text != NULL)
        sodium_memzero((char *)(uintptr_t)text, strlen(text));
}

/* The secret is with the keys now; what is kept of its text would be in all children. */
static bool end_key(struct options *options, const char *title, char error[OPTION_ERROR_MAX])
{
    const struct option_row *row = options_find("key", "secret", OPTION_FILE);
    struct key_setting key = options->key;

    key.source = options->origin.file;
    options->key = (struct key_setting){0};
    bool added = keys_add(&options->settings.protection.keys, title, &key, error);
    wipe(key.secret);
    wipe(options_state(options, row)->value);
    return added;
}

static bool take_cookies(struct options *options, const struct option_row *row, const char *text,
                         char error[OPTION_ERROR_MAX])
{
    struct protection *protection = &options->settings.protection;
    static const char *const words[] = {"no", "yes", "required"};

    (void)row;
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0) {
            protection->cookies = i > 0;
            protection->cookies_required = i == 2;
            return true;
        }
    snprintf(error, OPTION_ERROR_MAX, "give yes, no or required");
    return false;
}

static bool take_told(struct options *options, const struct option_row *row, const char *text,
                      char error[OPTION_ERROR_MAX])
{
    const char **field = (const char **)(void *)((char *)options + row->field);
    size_t length = strlen(text);

    if (length == 0 || length > IDENTITY_TEXT_MAX) {
        snprintf(error, OPTION_ERROR_MAX, "give a text of 1 to %d octets, or none",
                 IDENTITY_TEXT_MAX);
        return false;
    }
    *field = strcmp(text, "none") == 0 ? "" : text;
    return true;
}

/* --- the command line -------------------------------------------------------------- */
/* --- zones --------------------------------------------------------------------------- */

bool options_add_zone(struct options *options, const struct source_argument *zone)
{
    struct settings *settings = &options->settings;

    /* Doubles whenever the number is a power of 2. */
    if ((settings->zone_count & (settings->zone_count - 1)) == 0) {
        size_t room = settings->zone_count == 0 ? 1 : 2 * settings->zone_count;
        struct source_argument *grown = reallocarray(options->zones, room, sizeof *grown);
        if (grown == NULL)
            return false;
        options->zones = grown;
        settings->zones = grown;
    }
    options->zones[settings->zone_count++] = *zone;
    return true;
}

static bool take_zones(struct options *options, const struct option_row *row, const char *text,
                       char error[OPTION_ERROR_MAX])
{
    struct source_argument zone = {.file = options->origin.file, .line = options->origin.line};

    if (*text == '\0') {
        snprintf(error, OPTION_ERROR_MAX, "give a %s", row->argument);
        return false;
    }
    zone.text = options_resolve(options, text);
    return (zone.text != NULL && options_add_zone(options, &zone)) || refuse_memory(error);
}

static bool end_zone(struct options *options, const char *title, char error[OPTION_ERROR_MAX])
{
    struct source_argument zone = options->zone;
    char reason[SOURCE_ERROR_MAX];

    options->zone = (struct source_argument){0};
    zone.origin = options_keep(options, title);
    if (zone.origin == NULL)
        return refuse_memory(error);
    acl_close(&options->acl.queries, zone.origin);
    acl_close(&options->acl.transfers, zone.origin);
    if (zone.text == NULL) {
        snprintf(error, OPTION_ERROR_MAX, "names no file: write zone \"%.200s\" { file = FILE }",
                 title);
        return false;
    }
    if (!source_list_add_zone(&options->origins, title, zone.text, reason)) {
        snprintf(error, OPTION_ERROR_MAX, "%.*s", OPTION_ERROR_MAX - 1, reason);
        return false;
    }
    zone.file = options->origin.file;
    zone.line = options->origin.line;
    return options_add_zone(options, &zone) || refuse_memory(error);
}
