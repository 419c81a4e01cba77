/* The daemon's beginning: options, user, supervisor. */
#include "config.h"

#include "server/address.h"
#include "server/builder.h"
#include "server/control_socket.h"
#include "server/fdstore.h"
#include "server/loader.h"
#include "server/log.h"
#include "server/privilege.h"
#include "server/steering.h"
#include "server/supervisor.h"
#include "server/takeover.h"
#include "table/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char usage[] =
    "usage: sorreld [-l ADDR[@PORT]]... [-w N|auto] [-s POLICY] [-u USER] [-t] ZONE...\n"
    "\n"
    "Answers DNS queries about the zones it is given, in the foreground.\n"
    "\n"
    "  -l, --listen=ADDR[@PORT]  listen there; may be repeated (0.0.0.0 and ::, port 53)\n"
    "  -w, --workers=N|auto      run N worker processes (auto: as many as CPUs it may use)\n"
    "  -s, --steering=POLICY     how queries are spread over workers: hash, query or random "
    "(hash)\n"
    "  -u, --user=USER           run as USER once started as root\n"
    "      --stall=SECONDS       replace workers that make no progress for so long (2; 0: never)\n"
    "      --join                share addresses with a daemon that has them already\n"
    "      --takeover            take the place of the daemon that runs\n"
    "      --control=PATH        where sorrelctl reaches it (see sorreld(8) for the default)\n"
    "  -t, --test                check the zones, then exit\n"
    "  -V, --version             print the version, then exit\n"
    "  -h, --help                print this, then exit\n"
    "\n"
    "  ZONE: a directory (every *.zone in it), FILE.zone (the origin is the file's name without\n"
    "  .zone), or ORIGIN=FILE\n";

struct options {
    struct settings settings;
    const char *user;
    const char *control; /* NULL: at the default path, if that is free */
    bool takeover;
    bool test;
};

static _Noreturn void __attribute__((format(printf, 1, 2))) refuse(const char *format, ...)
{
    char sentence[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    log_event("%s", sentence);
    exit(EXIT_FAILURE);
}

static bool has_listener(const struct settings *settings, const union address *address)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (address_is_equal(&settings->listeners[i].address, address))
            return true;
    return false;
}

static void add_listener(struct settings *settings, const char *text, bool optional)
{
    struct listener listener = {.optional = optional};
    char error[ADDRESS_ERROR_MAX];

    if (!address_parse(&listener.address, text, error))
        refuse("%s", error);
    if (has_listener(settings, &listener.address))
        refuse("%s is given twice with -l: once is enough", text);
    struct listener *grown = reallocarray(settings->listeners, settings->listener_count + 1,
                                          sizeof *settings->listeners);
    if (grown == NULL)
        refuse("%s", strerror(errno));
    settings->listeners = grown;
    settings->listeners[settings->listener_count++] = listener;
}

static unsigned usable_cpus(void)
{
    cpu_set_t cpus;

    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&cpus);
}

static unsigned parse_workers(const char *text)
{
    char *end;

    if (strcmp(text, "auto") == 0)
        return usable_cpus();
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || number < 1 || number > STEERING_SLOTS_MAX)
        refuse("-w %s: give a number of workers from 1 to %d, or auto", text, STEERING_SLOTS_MAX);
    return (unsigned)number;
}

/* Less than the least would take a worker for stalled that waits for a network card. */
static double parse_stall(const char *text)
{
    static const double least = 0.5, most = 3600;
    char *end;
    double seconds = strtod(text, &end);

    if (*text < '0' || *text > '9' || *end != '\0' ||
        (seconds != 0 && !(seconds >= least && seconds <= most)))
        refuse("--stall %s: give seconds from 0.5 to 3600, or 0 for never", text);
    return seconds;
}

static _Noreturn void print_and_exit(const char *text)
{
    exit(fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void parse_options(struct options *options, int argc, char **argv)
{
    enum { OPTION_JOIN = 256, OPTION_STALL, OPTION_CONTROL, OPTION_TAKEOVER };
    static const struct option longs[] = {{"listen", required_argument, NULL, 'l'},
                                          {"workers", required_argument, NULL, 'w'},
                                          {"steering", required_argument, NULL, 's'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"stall", required_argument, NULL, OPTION_STALL},
                                          {"join", no_argument, NULL, OPTION_JOIN},
                                          {"control", required_argument, NULL, OPTION_CONTROL},
                                          {"takeover", no_argument, NULL, OPTION_TAKEOVER},
                                          {"test", no_argument, NULL, 't'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct settings *settings = &options->settings;
    int option;

    while ((option = getopt_long(argc, argv, "l:w:s:u:tVh", longs, NULL)) != -1)
        switch (option) {
        case 'l':
            add_listener(settings, optarg, false);
            break;
        case 'w':
            settings->workers = parse_workers(optarg);
            break;
        case 's':
            if (!steering_parse(optarg, &settings->steering))
                refuse("-s %s: there are the policies hash, query and random", optarg);
            break;
        case 'u':
            options->user = optarg;
            break;
        case OPTION_STALL:
            settings->stall = parse_stall(optarg);
            break;
        case OPTION_JOIN:
            settings->join = true;
            break;
        case OPTION_CONTROL:
            options->control = optarg;
            break;
        case OPTION_TAKEOVER:
            options->takeover = true;
            break;
        case 't':
            options->test = true;
            break;
        case 'V':
            print_and_exit("sorreld " PACKAGE_VERSION "\n");
        case 'h':
            print_and_exit(usage);
        default:
            refuse("sorreld --help lists the options");
        }
    settings->zones = argv + optind;
    settings->zone_count = (size_t)(argc - optind);
}

/* What the service manager passes: what an earlier start has left there, and sockets of its own. */
static void receive_descriptors(struct settings *settings)
{
    char fault[LISTENER_ERROR_MAX];
    struct listener *activated;
    char text[ADDRESS_TEXT_MAX];
    size_t count;

    if (!fdstore_receive(&settings->inherited, &activated, &count, fault))
        refuse("%s", fault);
    for (size_t i = 0; i < count; i++)
        if (!has_listener(settings, &activated[i].address))
            add_listener(settings, address_to_text(&activated[i].address, text), false);
    free(activated);
}

static void complete_settings(struct options *options)
{
    struct settings *settings = &options->settings;

    if (settings->zone_count == 0)
        refuse("no zones to serve: name a directory of zone files, FILE.zone or ORIGIN=FILE");
    if (options->takeover && settings->join)
        refuse("--takeover and --join exclude each other: one takes the addresses, the other "
               "shares them");
    if (settings->join && settings->steering != STEERING_HASH)
        refuse("--join works with -s hash only: -s %s would steer the other daemon's queries too",
               steering_name(settings->steering));
    if (!options->takeover && !options->test)
        receive_descriptors(settings);
    if (settings->listener_count == 0) {
        add_listener(settings, "0.0.0.0", true);
        add_listener(settings, "::", true);
    }
    if (settings->workers == 0)
        settings->workers = usable_cpus();
    if (settings->workers > STEERING_SLOTS_MAX)
        settings->workers = STEERING_SLOTS_MAX;
}

struct test_tally {
    size_t errors;
};

static void report(void *closure, const struct diagnostic *diagnostic)
{
    struct test_tally *tally = closure;

    tally->errors += diagnostic->severity == SEVERITY_ERROR;
    loader_log_diagnostic(diagnostic->severity, diagnostic->file, diagnostic->line,
                          diagnostic->text);
}

static int test_zones(const struct settings *settings)
{
    const struct builder_order order = {.zones = settings->zones,
                                        .zone_count = settings->zone_count};
    struct test_tally tally = {0};
    struct build_result result;
    struct sealed_table sealed;
    unsigned long zones;
    unsigned long long records;

    if (!builder_build(&order, report, NULL, &tally, &result))
        return EXIT_FAILURE;
    const char *fault = seal_map(&sealed, result.fd);
    close(result.fd);
    if (fault != NULL)
        refuse("the zones compile to a table that cannot be used: %s", fault);
    loader_count(&sealed.table, &zones, &records);
    seal_unmap(&sealed);
    if (result.failed > 0 || tally.errors > 0) {
        log_event("%lu zones are good, %zu are not: see the errors above", zones, result.failed);
        return EXIT_FAILURE;
    }
    log_event("%lu zone%s (%llu records): no errors", zones, zones == 1 ? "" : "s", records);
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
}

static void become_user(struct options *options)
{
    char error[PRIVILEGE_ERROR_MAX];

    if (options->user == NULL || privilege_become(options->user, error))
        return;
    log_event("%s", error);
    if (options->takeover)
        takeover_abandon_request(options->settings.takeover);
    else
        control_socket_close(&options->settings.control, true);
    exit(EXIT_FAILURE);
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
    become_user(options);
    return supervisor_run(&options->settings);
}

static int test(const struct options *options)
{
    char error[PRIVILEGE_ERROR_MAX];

    if (options->user != NULL && !privilege_become(options->user, error))
        refuse("%s", error);
    return test_zones(&options->settings);
}

int main(int argc, char **argv)
{
    struct options options = {.settings = {.control.fd = -1, .stall = 2, .takeover = -1}};

    open_standard_descriptors();
    parse_options(&options, argc, argv);
    complete_settings(&options);
    if (!program_note(&options.settings.program, argc, argv, options.takeover))
        refuse("%s", strerror(errno));
    /* A log that nobody reads any more is no reason to stop serving. */
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    int status = options.test ? test(&options) : serve(&options);
    program_free(&options.settings.program);
    free(options.settings.listeners);
    return status;
}
