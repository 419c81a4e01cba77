/* Speaks to a running sorreld. */
#include "config.h"

#include "server/control/control_socket.h"
#include "server/statistics/explain.h"
#include "server/statistics/tally.h"
#include "tools/control_client.h"
#include "tools/render.h"
#include "tools/top.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds that the daemon may take over a question it can answer at once. */
enum { PATIENCE_SECONDS = 10 };

struct options {
    const char *control;
    bool json;
};

/* Returns the program's exit status. */
typedef int run_function(const struct options *options, char *const *arguments);

static run_function show_stats, show_top;

struct word {
    const char *name;
    const char *arguments;
    const char *sentence;
    unsigned arguments_min;
    unsigned arguments_max;
    enum protocol_type type;
    unsigned patience; /* seconds; 0: what it asks for takes its time */
    bool until_gone;   /* the daemon ends, and that is waited for */
    render_function *render;
    json_t *(*interpret)(const json_t *reply); /* makes what is shown of the reply; NULL: is it */
    run_function *run;                         /* does it all; the arguments are not the daemon's */
};

static const struct word words[] = {
    {"status", "", "the daemon, its worker processes and its zones", 0, 0, PROTOCOL_STATUS,
     PATIENCE_SECONDS, false, render_status, NULL, NULL},
    {"zones", "", "each zone: serial, records, age, and why it failed to load", 0, 0,
     PROTOCOL_ZONES, PATIENCE_SECONDS, false, render_zones, NULL, NULL},
    {"stats", "[SECONDS]", "what has been counted, or rates over so many seconds", 0, 1,
     PROTOCOL_STATS, PATIENCE_SECONDS, false, render_stats, NULL, show_stats},
    {"explain", "", "where the queries go, whether that is as it should be, and what to do", 0, 0,
     PROTOCOL_STATS, PATIENCE_SECONDS, false, render_explanation, explain, NULL},
    {"top", "[SECONDS]", "the workers at work, anew every second or so many seconds", 0, 1,
     PROTOCOL_STATS, PATIENCE_SECONDS, false, NULL, NULL, show_top},
    {"reload", "[ZONE...]", "load what has changed of all zones, or of these", 0, UINT32_MAX,
     PROTOCOL_RELOAD, 0, false, render_reload, NULL, NULL},
    {"workers", "[N]", "change to N worker processes, or tell how many there are", 0, 1,
     PROTOCOL_WORKERS, 0, false, render_workers, NULL, NULL},
    {"steering", "[POLICY]", "change to another steering policy, or tell which is in force", 0, 1,
     PROTOCOL_STEERING, 0, false, render_steering, NULL, NULL},
    {"takeover", "", "start the installed sorreld in the place of the one that runs", 0, 0,
     PROTOCOL_TAKEOVER, 0, false, render_takeover, NULL, NULL},
    {"stop", "", "stop the daemon, and wait for its end", 0, 0, PROTOCOL_STOP, PATIENCE_SECONDS,
     true, render_stop, NULL, NULL},
};

enum { WORDS = sizeof words / sizeof words[0] };

static void print_usage(FILE *out)
{
    fputs("usage: sorrelctl [--control PATH] [--json] WORD [ARGUMENT...]\n"
          "\n"
          "Speaks to a running sorreld.\n"
          "\n",
          out);
    for (size_t i = 0; i < WORDS; i++) {
        int room = 17 - (int)strlen(words[i].name);
        fprintf(out, "  %s %-*s %s\n", words[i].name, room, words[i].arguments, words[i].sentence);
    }
    fputs("\n"
          "      --control=PATH  the daemon's control socket (/run/sorrel/control for root,\n"
          "                      $XDG_RUNTIME_DIR/sorrel/control for others)\n"
          "      --json          print the daemon's reply as JSON\n"
          "  -V, --version       print the version, then exit\n"
          "  -h, --help          print this, then exit\n",
          out);
}

static _Noreturn void refuse(const char *sentence, const char *what)
{
    fprintf(stderr, "sorrelctl: %s%s; see sorrelctl --help\n", sentence, what);
    exit(EXIT_FAILURE);
}

/* From 0.1 to a day. */
static bool read_seconds(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    return *text >= '0' && *text <= '9' && *end == '\0' && *seconds >= 0.1 && *seconds <= 86400;
}

static void wait_for(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};

    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0)
        ;
}

static const struct word *find_word(const char *name, unsigned arguments)
{
    const struct word *word = words;

    while (word < words + WORDS && strcmp(word->name, name) != 0)
        word++;
    if (word == words + WORDS)
        refuse("no such word: ", name);
    if (arguments < word->arguments_min)
        refuse("too few arguments for ", name);
    if (arguments > word->arguments_max)
        refuse("too many arguments for ", name);
    return word;
}

static void read_options(struct options *options, int argc, char **argv)
{
    enum { OPTION_CONTROL = 256, OPTION_JSON };
    static const struct option names[] = {
        {"control", required_argument, NULL, OPTION_CONTROL},
        {"json", no_argument, NULL, OPTION_JSON},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "Vh", names, NULL)) != -1)
        switch (option) {
        case OPTION_CONTROL:
            options->control = optarg;
            break;
        case OPTION_JSON:
            options->json = true;
            break;
        case 'V':
            puts("sorrelctl " PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        case 'h':
            print_usage(stdout);
            exit(EXIT_SUCCESS);
        default: /* getopt has said what is wrong */
            fputs("see sorrelctl --help\n", stderr);
            exit(EXIT_FAILURE);
        }
}

static void print_json(const json_t *document)
{
    json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
}

/* Replaces a reply by what is to be shown. */
static void interpret(const struct word *word, struct control_client_reply *reply)
{
    if (word->interpret == NULL || !reply->done)
        return;
    json_t *shown = word->interpret(reply->document);
    json_decref(reply->document);
    reply->document = shown;
}

static void print_reply(const struct word *word, const struct control_client_reply *reply,
                        bool json)
{
    const char *error = json_string_value(json_object_get(reply->document, "error"));

    if (json) {
        print_json(reply->document);
        return;
    }
    /* A refusal is its sentence and nothing else; half a success has more to it. */
    if (json_object_size(reply->document) > (error != NULL))
        word->render(reply->document, stdout);
    if (error != NULL)
        fprintf(stderr, "sorrelctl: %s\n", error);
}

static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    perror("sorrelctl: standard output");
    return EXIT_FAILURE;
}

/* Whoever looks at the status is not shown all zones, and need not wait for them. */
static char *const *brief(const struct options *options, const struct word *word,
                          char *const *arguments, size_t *count)
{
    static char zones[] = RENDER_STATUS_ZONES;
    static char *const some[] = {zones, NULL};

    if (word->type != PROTOCOL_STATUS || options->json)
        return arguments;
    *count = 1;
    return some;
}

static int ask(const struct options *options, const struct word *word, char *const *arguments,
               size_t count)
{
    struct control_client_reply reply;
    char error[CONTROL_CLIENT_ERROR_MAX];

    arguments = brief(options, word, arguments, &count);
    if (!control_client_ask(options->control, word->type, arguments, count, word->patience,
                            word->until_gone, &reply, error)) {
        fprintf(stderr, "sorrelctl: %s\n", error);
        return EXIT_FAILURE;
    }
    interpret(word, &reply);
    print_reply(word, &reply, options->json);
    json_decref(reply.document);
    return finish(reply.done ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- stats SECONDS ------------------------------------------------------------------ */

/* NULL, and said why, if there is none. */
static json_t *ask_for_stats(const struct options *options)
{
    struct control_client_reply reply;
    char error[CONTROL_CLIENT_ERROR_MAX];

    if (!control_client_ask(options->control, PROTOCOL_STATS, NULL, 0, PATIENCE_SECONDS, false,
                            &reply, error)) {
        fprintf(stderr, "sorrelctl: %s\n", error);
        return NULL;
    }
    if (reply.done)
        return reply.document;
    fprintf(stderr, "sorrelctl: %s\n", json_string_value(json_object_get(reply.document, "error")));
    json_decref(reply.document);
    return NULL;
}

static int print_rates(const struct options *options, const json_t *later, const json_t *earlier)
{
    double seconds = tally_seconds(later, earlier);

    if (seconds <= 0) {
        fputs("sorrelctl: the daemon has been replaced meanwhile: try again\n", stderr);
        return EXIT_FAILURE;
    }
    json_t *change = tally_change(later, earlier);
    json_object_set_new(change, "seconds", json_real(seconds));
    if (options->json)
        print_json(change);
    else
        render_rates(change, seconds, stdout);
    json_decref(change);
    return finish(EXIT_SUCCESS);
}

static int show_rates(const struct options *options, double seconds)
{
    json_t *earlier = ask_for_stats(options);
    if (earlier == NULL)
        return EXIT_FAILURE;
    wait_for(seconds);
    json_t *later = ask_for_stats(options);
    int status = later != NULL ? print_rates(options, later, earlier) : EXIT_FAILURE;
    json_decref(earlier);
    json_decref(later);
    return status;
}

static double read_interval(const char *text)
{
    double seconds;

    if (!read_seconds(text, &seconds))
        refuse("give a number of seconds from 0.1 to 86400, not ", text);
    return seconds;
}

static int show_stats(const struct options *options, char *const *arguments)
{
    if (arguments[0] == NULL)
        return ask(options, find_word("stats", 0), NULL, 0);
    return show_rates(options, read_interval(arguments[0]));
}

static int show_top(const struct options *options, char *const *arguments)
{
    if (options->json)
        refuse("top has no JSON; stats SECONDS has", "");
    return top_run(options->control, arguments[0] != NULL ? read_interval(arguments[0]) : 1);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    char path[CONTROL_SOCKET_PATH_MAX];

    read_options(&options, argc, argv);
    if (optind == argc) {
        print_usage(stderr);
        return EXIT_FAILURE;
    }
    argc -= optind + 1;
    argv += optind;
    const struct word *word = find_word(argv[0], (unsigned)argc);
    if (options.control == NULL) {
        control_socket_default_path(geteuid(), false, path);
        options.control = path;
    }
    if (word->run != NULL)
        return word->run(&options, argv + 1);
    return ask(&options, word, argv + 1, (size_t)argc);
}
