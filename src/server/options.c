#include "server/options.h"

#include "config.h"
#include "message/wire.h"
#include "server/batch.h"
#include "server/nearest.h"
#include "server/option_types.h"
#include "server/prefix_text.h"

#include <assert.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static option_take take_listen, take_http;
static option_take take_rate_limit;
static option_take take_exempt;
static option_take take_cookies;
static option_take take_access;

/* 0 stands for that of --rate-limit. */
#define RATE_OF_CLASS(class)                                                                       \
    .place = OPTION_FILE, .argument = "N|same", .take = option_take_number,                        \
    .field = OPTION_FIELD(settings.protection.rrl.per_second[class]), .least = 1,                  \
    .most = RRL_RATE_MAX, .unit = "responses a second", .zero = "same", .fallback = "same"
static option_take take_told;

/* In the order of enum steering_policy. */
static const char *const policies[] = {"hash", "query", "random", NULL};

/* In the order of enum sandbox_wish. */
static const char *const sandbox_wishes[] = {"off", "on", NULL};

/* --- the table ------------------------------------------------------------------- */

const struct option_row options_table[] = {
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
     .words = policies,
     .fallback = "hash",
     .help = "how queries are spread over workers: hash, query or random"},
    {.name = "identity",
     .letter = 'i',
     .place = OPTION_BOTH,
     .take = option_take_flag,
     .field = OPTION_FIELD(settings.identity.told),
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
    {.name = "rate-limit",
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
    {.name = "rate-limit-nodata",
     RATE_OF_CLASS(RRL_NODATA),
     .help = "the same for responses that there is no such record"},
    {.name = "rate-limit-nxdomain",
     RATE_OF_CLASS(RRL_NXDOMAINS),
     .help = "the same for responses that there is no such name"},
    {.name = "rate-limit-referral",
     RATE_OF_CLASS(RRL_REFERRALS),
     .help = "the same for referrals"},
    {.name = "rate-limit-error",
     RATE_OF_CLASS(RRL_ERRORS),
     .help = "the same for errors"},
    {.name = "rate-limit-all",
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
    {.name = "rate-limit-slip",
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
    {.name = "rate-limit-exempt",
     .repeats = true,
     .place = OPTION_BOTH,
     .argument = "ADDR[/BITS]",
     .take = take_exempt,
     .help = "send that network as many as it likes; may be repeated"},
    {.name = "rate-limit-window",
     .place = OPTION_FILE,
     .argument = "SECONDS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.window),
     .least = 1,
     .most = RRL_WINDOW_MAX,
     .unit = "seconds",
     .fallback = "15",
     .help = "for how long whoever was over the limit is held to it exactly"},
    {.name = "rate-limit-per-name",
     .place = OPTION_FILE,
     .argument = "yes|no",
     .take = option_take_flag,
     .field = OPTION_FIELD(settings.protection.rrl.per_name),
     .fallback = "no",
     .help = "limit the responses from each name by themselves"},
    {.name = "rate-limit-ipv4-prefix",
     .place = OPTION_FILE,
     .argument = "BITS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.ipv4_prefix),
     .least = 1,
     .most = 32,
     .unit = "bits",
     .fallback = "24",
     .help = "IPv4 addresses that share so many bits are one client network"},
    {.name = "rate-limit-ipv6-prefix",
     .place = OPTION_FILE,
     .argument = "BITS",
     .take = option_take_number,
     .field = OPTION_FIELD(settings.protection.rrl.ipv6_prefix),
     .least = 1,
     .most = RRL_IPV6_PREFIX_MAX,
     .unit = "bits",
     .fallback = "56",
     .help = "IPv6 addresses that share so many bits are one client network"},
    {.name = "rate-limit-table-size",
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
    {.name = "cookies",
     .place = OPTION_BOTH,
     .argument = "yes|no|required",
     .take = take_cookies,
     .fallback = "yes",
     .help = "know clients by DNS cookies; required: those that know cookies have to send one"},
    {.name = "cookie-secret-file",
     .place = OPTION_BOTH,
     .argument = "FILE",
     .take = option_take_text,
     .field = OPTION_FIELD(settings.protection.secret_file),
     .help = "the secrets of cookies, which several servers may share"},
    {.name = "sandbox",
     .place = OPTION_BOTH,
     .argument = "on|off",
     .take = option_take_word,
     .field = OPTION_FIELD(settings.sandbox),
     .words = sandbox_wishes,
     .fallback = SANDBOX_DEFAULT,
     .help = "confine workers and builder by system-call filters and Landlock"},
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
     .take = option_take_text,
     .field = OPTION_FIELD(control),
     .shown = "see sorreld(8)",
     .help = "where sorrelctl reaches it"},
    {.name = "state",
     .place = OPTION_BOTH,
     .argument = "DIR",
     .take = option_take_text,
     .field = OPTION_FIELD(settings.state),
     .help = "keep the compiled zones there for the next start"},
    {.name = "http",
     .place = OPTION_BOTH,
     .argument = "ADDR[@PORT]",
     .take = take_http,
     .shown = "none",
     .help = "serve a status page and metrics there, port 9153 unless given"},
    {.name = "test",
     .letter = 't',
     .place = OPTION_COMMAND,
     .take = option_take_flag,
     .field = OPTION_FIELD(test),
     .help = "check the zones, then exit"},
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
    {.name = NULL},
};

static_assert(sizeof options_table / sizeof options_table[0] <= OPTIONS_MAX, "OPTIONS_MAX");

const struct option_row *options_find(const char *name, enum option_place place)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & place) != 0 && strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

const char *options_nearest(const char *name, enum option_place place)
{
    struct nearest nearest;

    nearest_begin(&nearest, name);
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & place) != 0)
            nearest_consider(&nearest, row->name);
    return nearest.best;
}

void options_init(struct options *options)
{
    char error[OPTION_ERROR_MAX];

    *options = (struct options){.settings = {.control.fd = -1, .takeover = -1}};
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        bool taken = row->fallback == NULL || row->take(options, row, row->fallback, error);
        assert(taken);
        (void)taken;
    }
}

void options_free(struct options *options)
{
    struct prefix_list *exempt = &options->settings.protection.rrl.exempt;

    free(options->settings.listeners);
    options->settings.listeners = NULL;
    access_rules_free(&options->settings.protection.access);
    free(exempt->prefixes);
    *exempt = (struct prefix_list){0};
}

/* --- what several rows share, or main() wants as well ---------------------------- */

unsigned options_usable_cpus(void)
{
    cpu_set_t cpus;

    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
        return 1;
    unsigned count = (unsigned)CPU_COUNT(&cpus);
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
    if (grown == NULL) {
        snprintf(error, OPTION_ERROR_MAX, "out of memory");
        return false;
    }
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

static bool take_rate_limit(struct options *options, const struct option_row *row,
                            const char *text, char error[OPTION_ERROR_MAX])
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

static bool take_access(struct options *options, const struct option_row *row, const char *text,
                        char error[OPTION_ERROR_MAX])
{
    (void)row;
    return access_rules_read(&options->settings.protection.access, text, error);
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

enum { LONG_ONLY = 256 }; /* a row's number behind it is what getopt_long() returns */

/* What getopt_long() returns for a row. */
static int value_of(const struct option_row *row)
{
    return row->letter != 0 ? row->letter : LONG_ONLY + (int)(row - options_table);
}

/* The table's last, without a name, if there is none. */
static const struct option_row *row_of(int value)
{
    const struct option_row *row = options_table;

    while (row->name != NULL && value != value_of(row))
        row++;
    return row;
}

struct getopt_tables {
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 2];
};

static void make_getopt_tables(struct getopt_tables *tables)
{
    size_t longs = 0, letters = 0;

    *tables = (struct getopt_tables){0};
    tables->letters[letters++] = ':'; /* an argument that is missing is told from no option */
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        if ((row->place & OPTION_COMMAND) == 0)
            continue;
        tables->longs[longs++] =
            (struct option){.name = row->name,
                            .has_arg = row->argument != NULL ? required_argument : no_argument,
                            .val = value_of(row)};
        if (row->letter != 0)
            tables->letters[letters++] = row->letter;
        if (row->letter != 0 && row->argument != NULL)
            tables->letters[letters++] = ':';
    }
}

static void describe_unknown(const char *argument, char error[OPTION_ERROR_MAX])
{
    const struct option_row *row = row_of(optopt);
    char name[64];

    if (optopt != 0 && row->name != NULL) {
        snprintf(error, OPTION_ERROR_MAX, "--%s is a switch: leave out what is behind it",
                 row->name);
        return;
    }
    if (optopt != 0) {
        snprintf(error, OPTION_ERROR_MAX, "there is no option -%c: sorreld --help lists them",
                 optopt);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    const char *nearest = options_nearest(name, OPTION_COMMAND);
    snprintf(error, OPTION_ERROR_MAX, "there is no option --%s%s%s%s: sorreld --help lists them",
             name, nearest != NULL ? " (is --" : "", nearest != NULL ? nearest : "",
             nearest != NULL ? " meant?)" : "");
}

static bool take_argument(struct options *options, const struct option_row *row,
                          char error[OPTION_ERROR_MAX])
{
    char reason[OPTION_ERROR_MAX];
    size_t number = (size_t)(row - options_table);

    options->given[number] = true;
    if (row->take(options, row, row->argument != NULL ? optarg : "yes", reason))
        return true;
    if (row->letter != 0)
        snprintf(error, OPTION_ERROR_MAX, "-%c %s: %.400s", row->letter, optarg, reason);
    else
        snprintf(error, OPTION_ERROR_MAX, "--%s %s: %.400s", row->name, optarg, reason);
    return false;
}

bool options_read_command(struct options *options, int argc, char **argv,
                          char error[OPTION_ERROR_MAX])
{
    struct getopt_tables tables;
    int value;

    make_getopt_tables(&tables);
    optind = 0; /* from the beginning, whoever else has read it */
    opterr = 0;
    while ((value = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
        if (value == ':') {
            const struct option_row *row = row_of(optopt);
            snprintf(error, OPTION_ERROR_MAX, "--%s wants %s behind it", row->name, row->argument);
            return false;
        }
        if (value == '?') {
            describe_unknown(argv[optind - 1], error);
            return false;
        }
        if (!take_argument(options, row_of(value), error))
            return false;
    }
    options->settings.zones = argv + optind;
    options->settings.zone_count = (size_t)(argc - optind);
    return true;
}

/* --- help ------------------------------------------------------------------------------ */

enum { HELP_COLUMN = 28, HELP_WIDTH = 80 };

/* Prints the words of `text` in lines that begin at HELP_COLUMN, from `column` on. */
static void print_wrapped(FILE *stream, const char *text, int column)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
            fprintf(stream, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        column += fprintf(stream, "%s%.*s", column > HELP_COLUMN ? " " : "", length, text);
        text += length + (text[length] == ' ');
    }
    putc('\n', stream);
}

static void print_row(FILE *stream, const struct option_row *row)
{
    const char *fallback = row->shown != NULL ? row->shown : row->fallback;
    char text[512];

    int column =
        row->letter != 0 ? fprintf(stream, "  -%c, ", row->letter) : fprintf(stream, "      ");
    column += fprintf(stream, "--%s%s%s", row->name, row->argument != NULL ? "=" : "",
                      row->argument != NULL ? row->argument : "");
    if (column + 2 > HELP_COLUMN) {
        putc('\n', stream);
        column = 0;
    }
    fprintf(stream, "%*s", HELP_COLUMN - column, "");
    snprintf(text, sizeof text, "%s%s%s%s", row->help, fallback != NULL ? " (" : "",
             fallback != NULL ? fallback : "", fallback != NULL ? ")" : "");
    print_wrapped(stream, text, HELP_COLUMN);
}

void options_print_help(FILE *stream)
{
    fputs("usage: sorreld [-l ADDR[@PORT]]... [-w N|auto] [-s POLICY] [-u USER] [-t] ZONE...\n"
          "\n"
          "Answers DNS queries about the zones it is given, in the foreground.\n"
          "\n",
          stream);
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & OPTION_COMMAND) != 0)
            print_row(stream, row);
    fputs("\n"
          "  ZONE: a directory (every *.zone in it), FILE.zone (the origin is the file's name\n"
          "  without .zone), or ORIGIN=FILE\n",
          stream);
}
