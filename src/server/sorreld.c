/* The daemon's beginning: options, user, supervisor. */
#include "config.h"

#include "server/configuration/command_line.h"
#include "server/configuration/configuration.h"
#include "server/configuration/options.h"
#include "server/control/control_socket.h"
#include "server/host/account.h"
#include "server/host/log.h"
#include "server/host/privilege.h"
#include "server/host/sandbox.h"
#include "server/loading/builder.h"
#include "server/loading/keeper.h"
#include "server/loading/ledger.h"
#include "server/loading/loader.h"
#include "server/loading/strays.h"
#include "server/steering/steering.h"
#include "server/supervisor/dnstap.h"
#include "server/supervisor/fdstore.h"
#include "server/supervisor/metrics.h"
#include "server/supervisor/supervisor.h"
#include "server/supervisor/takeover.h"
#include "table/seal.h"
#include "zone/input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void __attribute__((format(printf, 1, 2))) refuse(const char *format, ...)
{
    char sentence[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    log_error("%s", sentence);
    exit(EXIT_FAILURE);
}

/* --- configuration ------------------------------------------------------------------ */

static void log_fault(void *closure, const char *sentence)
{
    (void)closure;
    log_plain(LOG_LEVEL_ERROR, "%s", sentence);
}

/* The file of -c; or the one in the usual place, unless the command line says where to listen or
 * what to serve. NULL: none. */
static const char *find_file(const struct options *options)
{
    if (options->config != NULL)
        return options->config;
    if (options->settings.listener_count > 0 || options->settings.zone_count > 0 ||
        access(options_default_file, F_OK) != 0)
        return NULL;
    return options_default_file;
}

static void read_file(struct options *options)
{
    const char *path = find_file(options);

    if (path != NULL && !configuration_read(options, path, log_fault, NULL))
        exit(EXIT_FAILURE);
}

/* Reloads read the files again, as the user that the daemon runs as by then. */
static void check_readable(const struct options *options)
{
    for (size_t i = 0; i < options->file_count; i++)
        if (access(options->files[i], R_OK) != 0)
            log_warning("%s: user %s cannot read it (%s), so reloads will fail: give that user the "
                        "right to",
                        options->files[i], options->user, strerror(errno));
}

static void add_listener(struct options *options, const char *text, bool optional)
{
    char error[OPTION_ERROR_MAX];

    if (!options_add_listener(options, text, optional, error))
        refuse("%s", error);
}

static void add_all_addresses(struct options *options)
{
    add_listener(options, "0.0.0.0", true);
    add_listener(options, "::", true);
}

/* What the service manager passes: what an earlier start has left there, and sockets of its own. */
static void receive_descriptors(struct options *options)
{
    struct settings *settings = &options->settings;
    char fault[LISTENER_ERROR_MAX];
    struct listener *activated;
    char text[ADDRESS_TEXT_MAX];
    size_t count;

    if (!fdstore_receive(&settings->inherited, &activated, &count, fault))
        refuse("%s", fault);
    for (size_t i = 0; i < count; i++)
        if (!options_have_listener(options, &activated[i].address))
            add_listener(options, address_to_text(&activated[i].address, text), false);
    free(activated);
}

/* Where DNS is served over TCP nothing else can be. */
static void check_http(const struct settings *settings)
{
    char text[ADDRESS_TEXT_MAX];

    if (settings->http.any.sa_family == AF_UNSPEC)
        return;
    for (size_t i = 0; i < settings->listener_count; i++)
        if (address_overlaps(&settings->listeners[i].address, &settings->http))
            refuse("DNS is served over TCP on %s: choose another port with --http",
                   address_to_text(&settings->http, text));
}

static void complete_settings(struct options *options)
{
    struct settings *settings = &options->settings;
    char error[PROTECTION_ERROR_MAX];

    if (settings->zone_count == 0 && options->file_count > 0)
        refuse("%s names no zones: write zones = DIRECTORY, or zone ORIGIN { file = FILE }",
               options->files[0]);
    if (settings->zone_count == 0)
        refuse("no zones to serve: name a directory of zone files, FILE.zone or ORIGIN=FILE, or a "
               "configuration by -c%s%s%s",
               settings->listener_count == 0 ? " (there is no " : "",
               settings->listener_count == 0 ? options_default_file : "",
               settings->listener_count == 0 ? ")" : "");
    if (options->takeover && settings->join)
        refuse("--takeover and --join exclude each other: one takes the addresses, the other "
               "shares them");
    if (settings->join && settings->steering != STEERING_HASH)
        refuse("--join works with -s hash only: -s %s would steer the other daemon's queries too",
               steering_name(settings->steering));
    if (!options->takeover && !options->test)
        receive_descriptors(options);
    if (settings->listener_count == 0 && !options->takeover)
        add_all_addresses(options);
    check_http(settings);
    if (!protection_complete(&settings->protection, error))
        refuse("%s", error);
    if (settings->workers == 0)
        settings->workers = options_usable_cpus();
}

struct test_tally {
    size_t errors;
    struct ledger ledger;
};

static void report(void *closure, const struct diagnostic *diagnostic)
{
    struct test_tally *tally = closure;

    tally->errors += diagnostic->severity == SEVERITY_ERROR;
    loader_log_diagnostic(diagnostic->severity, diagnostic->file, diagnostic->line,
                          diagnostic->text);
}

static void note_zone(void *closure, const struct name *origin, enum build_outcome outcome)
{
    struct test_tally *tally = closure;

    ledger_add_zone(&tally->ledger, origin, outcome);
}

/* `sound`: nothing else is wrong. */
static int test_zones(const struct settings *settings, bool sound)
{
    const struct builder_order order = {.zones = settings->zones,
                                        .zone_count = settings->zone_count};
    struct test_tally tally = {0};
    const struct builder_sinks sinks = {
        .listed = builder_confine, .diagnostic = report, .zone = note_zone, .closure = &tally};
    struct build_result result;
    struct sealed_table sealed;
    unsigned long zones;
    unsigned long long records;

    /* As a builder would, so that what it could not read is found out. */
    sandbox_prepare(settings->sandbox);
    privilege_confine_reader();
    if (!builder_build(&order, &sinks, &result))
        return EXIT_FAILURE;
    const char *fault = seal_map(&sealed, result.fd);
    close(result.fd);
    if (fault != NULL)
        refuse("the zones compile to a table that cannot be used: %s", fault);
    loader_count(&sealed.table, &zones, &records);
    ledger_commit(&tally.ledger, &sealed.table, false, time(NULL));
    size_t strays = strays_tell(&settings->protection, &tally.ledger, log_fault, NULL);
    ledger_free(&tally.ledger);
    seal_unmap(&sealed);
    if (result.failed > 0 || tally.errors > 0) {
        log_error("%lu zone%s good, %zu %s not: see the errors above", zones,
                  zones == 1 ? " is" : "s are", result.failed, result.failed == 1 ? "is" : "are");
        return EXIT_FAILURE;
    }
    if (strays > 0 || !sound)
        return EXIT_FAILURE;
    log_notice("%lu zone%s (%llu records): no errors", zones, zones == 1 ? "" : "s", records);
    return EXIT_SUCCESS;
}

/* Descriptors 0 to 2 must not become sockets because whoever started us had closed them. */
static void open_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Every slot needs two descriptors an address, every worker one for each TCP connection. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Before rights are dropped: only root can make a place in /run. */
static void open_control(struct options *options, uid_t owner)
{
    static char fault[CONTROL_SOCKET_ERROR_MAX];
    struct control_socket *control = &options->settings.control;
    char path[CONTROL_SOCKET_PATH_MAX];

    options->settings.control_fault = fault;
    if (options->control != NULL) {
        if (control_socket_listen(control, options->control, owner, fault) !=
            CONTROL_SOCKET_LISTENING)
            refuse("%s", fault);
        return;
    }
    control_socket_default_path(geteuid(), true, path);
    if (control_socket_make_directory(path, fault))
        control_socket_listen(control, path, owner, fault);
}

/* Whoever is not told where to serve stays where the other did: that may be where a service manager
 * wanted him, which is in no option. */
static void adopt_addresses(struct options *options)
{
    const struct handover *inherited = &options->settings.inherited;
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < inherited->count; i++) {
        const union address *address = &inherited->records[i].address;
        if (handover_is_socket(&inherited->records[i]) && !options_have_listener(options, address))
            add_listener(options, address_to_text(address, text), false);
    }
    if (options->settings.listener_count == 0)
        add_all_addresses(options);
}

/* Gets the control socket from the running daemon, and all other sockets as well. */
static void take_over(struct options *options, uid_t owner)
{
    struct settings *settings = &options->settings;
    char path[CONTROL_SOCKET_PATH_MAX];
    char fault[TAKEOVER_ERROR_MAX];

    if (options->control == NULL) {
        control_socket_default_path(geteuid(), true, path);
        options->control = path;
    }
    settings->takeover =
        takeover_request(options->control, owner, &settings->inherited, &settings->control, fault);
    if (settings->takeover < 0)
        refuse("cannot take over: %s", fault);
    if (settings->listener_count == 0)
        adopt_addresses(options);
}

/* Of the sockets that there are, whoever they come from. */
static void match_inherited(struct settings *settings)
{
    const struct handover *inherited = &settings->inherited;

    for (size_t i = 0; i < inherited->count; i++) {
        const struct handover_record *record = &inherited->records[i];
        for (size_t k = 0; handover_is_socket(record) && k < settings->listener_count; k++) {
            struct listener *listener = &settings->listeners[k];
            if (address_is_equal(&listener->address, &record->address) &&
                listener_is_dual(inherited->descriptors[i], &record->address))
                listener->dual = true;
        }
    }
}

static void become_user(struct options *options)
{
    char error[PRIVILEGE_ERROR_MAX];

    if (options->user == NULL || privilege_become(options->user, error))
        return;
    log_error("%s", error);
    if (options->takeover)
        takeover_abandon_request(options->settings.takeover);
    else
        control_socket_close(&options->settings.control, true);
    exit(EXIT_FAILURE);
}

/* Root may read everything; of others it is told who cannot. */
static void name_reader(void)
{
    static char name[ACCOUNT_NAME_MAX];

    if (geteuid() != 0)
        input_name_reader(account_name(geteuid(), name));
}

static int serve(struct options *options)
{
    uid_t owner = geteuid();
    char error[PRIVILEGE_ERROR_MAX];

    if (options->user != NULL && !privilege_find(options->user, &owner, error))
        refuse("%s", error);
    if (options->takeover)
        take_over(options, owner);
    else
        open_control(options, owner);
    match_inherited(&options->settings);
    become_user(options);
    name_reader();
    if (options->user != NULL)
        check_readable(options);
    return supervisor_run(options);
}

/* What a start would fail at, though another daemon may serve there now. */
static bool test_addresses(const struct settings *settings)
{
    char error[LISTENER_ERROR_MAX];
    bool sound = metrics_check(&settings->http);

    for (size_t i = 0; i < settings->listener_count; i++)
        if (!listener_check(&settings->listeners[i], error)) {
            log_error("%s", error);
            sound = false;
        }
    return sound;
}

static bool test_control(const struct options *options)
{
    char error[CONTROL_SOCKET_ERROR_MAX];

    if (options->control == NULL || control_socket_check(options->control, error))
        return true;
    log_error("%s", error);
    return false;
}

/* Whoever checks may not be able to become the user, and can see what is wrong all the same; but
 * not what that user may do. */
static int test(const struct options *options)
{
    const struct settings *settings = &options->settings;
    char error[PRIVILEGE_ERROR_MAX];
    uid_t uid = geteuid();

    if (options->user != NULL && !privilege_find(options->user, &uid, error))
        refuse("%s", error);
    bool is_user = geteuid() == 0 || geteuid() == uid;
    bool sound = test_addresses(settings);
    if (is_user && !test_control(options))
        sound = false;
    if (options->user != NULL && geteuid() == 0 && !privilege_become(options->user, error))
        refuse("%s", error);
    name_reader();
    if (is_user && !dnstap_check(&settings->tap))
        sound = false;
    if (is_user && !keeper_check(settings->state))
        sound = false;
    return test_zones(settings, sound);
}

static _Noreturn void print_and_exit(const struct options *options)
{
    if (options->help)
        command_line_print_help(stdout);
    else
        puts("sorreld " PACKAGE_VERSION);
    exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    struct options options;
    char error[OPTION_ERROR_MAX];

    open_standard_descriptors();
    options_init(&options);
    if (!command_line_read(&options, argc, argv, error))
        refuse("%s", error);
    if (options.help || options.version)
        print_and_exit(&options);
    read_file(&options);
    complete_settings(&options);
    if (!program_note(&options.settings.program, argc, argv, options.takeover))
        refuse("%s", strerror(errno));
    /* A log that nobody reads any more is no reason to stop serving. */
    signal(SIGPIPE, SIG_IGN);
    /* What is too large a file, or memory file, is told. */
    signal(SIGXFSZ, SIG_IGN);
    raise_descriptor_limit();
    if (!options.test)
        log_configure(&options.log);
    int status = options.test ? test(&options) : serve(&options);
    program_free(&options.settings.program);
    options_free(&options);
    return status;
}
