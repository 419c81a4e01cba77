#include "tools/spread/arguments.h"

#include "config.h"
#include "tools/spread/plot.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES_DEFAULT = 100000, WORKERS_DEFAULT = 4 };

static const uint64_t queries_max = 1000000000;
static const unsigned flows_default[] = {1, 16, 1000};

static const char usage[] =
    "usage: sorrel-spread [-w N] [-s POLICY,...] [-f N,...] [-q N] [--tcp] [--server ADDR[@PORT]]\n"
    "\n"
    "Sends queries from known flows and shows which worker got them, policy by policy.\n"
    "\n"
    "  -w, --workers=N            worker processes of the daemon that it starts (4)\n"
    "  -s, --steering=POLICY,...  the policies to try: hash, query, cpu, random, shared (all; "
    "with\n"
    "                             --tcp hash, cpu, shared: the others are as hash)\n"
    "  -f, --flows=N,...          how many source ports to send from (1,16,1000)\n"
    "  -q, --queries=N            queries for each policy and number of flows (100000, or as many\n"
    "                             as there is time for within a minute)\n"
    "      --tcp                  TCP connections instead of UDP flows\n"
    "      --events               show what moves when a worker is killed, added or retired, and\n"
    "                             who can join the port\n"
    "      --server=ADDR[@PORT]   ask a server that runs, and tells by NSID which worker answers\n"
    "      --name=NAME            the name to ask for (www.spread.test)\n"
    "      --sorreld=PATH         the daemon to start\n"
    "      --json                 print JSON\n"
    "      --csv                  print comma-separated values\n"
    "      --plot=FILE            draw the shares into FILE.svg or FILE.png, too\n"
    "  -V, --version              print the version, then exit\n"
    "  -h, --help                 print this, then exit\n";

static _Noreturn void __attribute__((format(printf, 1, 2))) refuse(const char *format, ...)
{
    va_list arguments;

    fputs("sorrel-spread: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n", stderr);
    exit(EXIT_FAILURE);
}

/* A number from 1 to `most` that ends at one of `ends` or with the text; `text` moves there. */
static uint64_t parse_number(const char *option, const char **text, const char *ends, uint64_t most)
{
    const char *begin = *text;
    char *end;
    unsigned long long number = strtoull(begin, &end, 10);

    if (*begin < '0' || *begin > '9' || (*end != '\0' && strchr(ends, *end) == NULL) ||
        number < 1 || number > most)
        refuse("%s %s: give numbers from 1 to %llu", option, begin, (unsigned long long)most);
    *text = end;
    return number;
}

static void parse_flows(struct arguments *arguments, const char *text)
{
    arguments->flow_count = 0;
    do {
        if (arguments->flow_count == ARGUMENTS_FLOWS_MAX)
            refuse("--flows: no more than %d numbers", ARGUMENTS_FLOWS_MAX);
        arguments->flows[arguments->flow_count++] =
            (unsigned)parse_number("--flows", &text, ",", TRAFFIC_FLOWS_MAX);
    } while (*text++ == ',');
}

static bool has_policy(const struct arguments *arguments, const struct policy *policy)
{
    for (size_t i = 0; i < arguments->policy_count; i++)
        if (arguments->policies[i] == policy)
            return true;
    return false;
}

static void parse_policies(struct arguments *arguments, const char *list)
{
    char name[16];

    arguments->policy_count = 0;
    arguments->policies_named = true;
    for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(list, ","), list);
        const struct policy *policy = policy_find(name);
        if (policy == NULL)
            refuse("--steering %s: there are the policies hash, query, cpu, random and shared",
                   name);
        if (!has_policy(arguments, policy))
            arguments->policies[arguments->policy_count++] = policy;
    }
    if (arguments->policy_count == 0)
        refuse("--steering: name a policy");
}

static void parse_server(struct arguments *arguments, const char *text)
{
    char error[ADDRESS_ERROR_MAX];

    if (!address_parse(&arguments->server, text, error))
        refuse("--server: %s", error);
    arguments->server_text = text;
    arguments->has_server = true;
}

static void parse_plot(struct arguments *arguments, const char *path)
{
    char error[PLOT_ERROR_MAX];

    if (!plot_can_draw(path, error))
        refuse("--plot %s: %s", path, error);
    arguments->plot = path;
}

static _Noreturn void print_and_exit(const char *text)
{
    exit(fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void set_defaults(struct arguments *arguments)
{
    *arguments = (struct arguments){.workers = WORKERS_DEFAULT, .queries = QUERIES_DEFAULT};
    arguments->flow_count = sizeof flows_default / sizeof flows_default[0];
    memcpy(arguments->flows, flows_default, sizeof flows_default);
    packet_ask(&arguments->question, DAEMON_NAME);
}

/* Which policies let a flow that asks the same again keep its worker. */
static void choose_for_events(struct arguments *arguments)
{
    const struct policy *hash = policy_find("hash"), *query = policy_find("query");

    if (!arguments->policies_named) {
        arguments->policies[0] = hash;
        arguments->policies[1] = query;
        arguments->policy_count = 2;
    }
    for (size_t i = 0; i < arguments->policy_count; i++)
        if (arguments->policies[i] != hash && arguments->policies[i] != query)
            refuse("--events: only under hash and query does the same question always lead to the "
                   "same worker, not under %s",
                   arguments->policies[i]->name);
    if (arguments->workers == ROSTER_MAX)
        refuse("--events adds a worker: start with %d at most", ROSTER_MAX - 1);
}

/* All; for TCP, all that place connections in another way than those before them. */
static void choose_all(struct arguments *arguments)
{
    for (const struct policy *policy = policy_list; policy->name != NULL; policy++)
        if (!arguments->tcp || policy->datagrams == policy->connections)
            arguments->policies[arguments->policy_count++] = policy;
}

static void check(struct arguments *arguments)
{
    if (arguments->has_server && arguments->events)
        refuse("--events kills and adds workers: it does so with a daemon of its own only, not "
               "with --server");
    if (arguments->has_server && arguments->policies_named)
        refuse("--steering is for the daemon that this program starts: what --server leads to has "
               "its own");
    if (!arguments->policies_named && !arguments->events)
        choose_all(arguments);
    if (!arguments->events)
        return;
    if (arguments->tcp || arguments->plot != NULL || arguments->format == ARGUMENTS_CSV)
        refuse("--events goes with --steering, --workers, --sorreld and --json only");
    choose_for_events(arguments);
}

enum { EVENTS = 256, TCP, SERVER, NAME, SORRELD, JSON, CSV, PLOT };

static const struct option longs[] = {{"workers", required_argument, NULL, 'w'},
                                      {"steering", required_argument, NULL, 's'},
                                      {"flows", required_argument, NULL, 'f'},
                                      {"queries", required_argument, NULL, 'q'},
                                      {"tcp", no_argument, NULL, TCP},
                                      {"events", no_argument, NULL, EVENTS},
                                      {"server", required_argument, NULL, SERVER},
                                      {"name", required_argument, NULL, NAME},
                                      {"sorreld", required_argument, NULL, SORRELD},
                                      {"json", no_argument, NULL, JSON},
                                      {"csv", no_argument, NULL, CSV},
                                      {"plot", required_argument, NULL, PLOT},
                                      {"version", no_argument, NULL, 'V'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

static void read_option(struct arguments *arguments, int option, const char *value)
{
    switch (option) {
    case 'w':
        arguments->workers = (unsigned)parse_number("--workers", &value, "", ROSTER_MAX);
        break;
    case 's':
        parse_policies(arguments, value);
        break;
    case 'f':
        parse_flows(arguments, value);
        break;
    case 'q':
        arguments->queries = parse_number("--queries", &value, "", queries_max);
        arguments->queries_named = true;
        break;
    case TCP:
        arguments->tcp = true;
        break;
    case EVENTS:
        arguments->events = true;
        break;
    case SERVER:
        parse_server(arguments, value);
        break;
    case NAME:
        if (!packet_ask(&arguments->question, value))
            refuse("--name %s: that is no domain name", value);
        break;
    case SORRELD:
        arguments->sorreld = value;
        break;
    case JSON:
        arguments->format = ARGUMENTS_JSON;
        break;
    case CSV:
        arguments->format = ARGUMENTS_CSV;
        break;
    case PLOT:
        parse_plot(arguments, value);
        break;
    case 'V':
        print_and_exit("sorrel-spread " PACKAGE_VERSION "\n");
    case 'h':
        print_and_exit(usage);
    default:
        refuse("sorrel-spread --help lists the options");
    }
}

void arguments_read(struct arguments *arguments, int argc, char **argv)
{
    int option;

    set_defaults(arguments);
    while ((option = getopt_long(argc, argv, "w:s:f:q:Vh", longs, NULL)) != -1)
        read_option(arguments, option, optarg);
    if (optind < argc)
        refuse("%s: there are no arguments, only options; see sorrel-spread --help", argv[optind]);
    check(arguments);
}
