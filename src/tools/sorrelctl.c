/* Speaks to a running sorreld. */
#include "config.h"

#include "server/control_socket.h"
#include "tools/control_client.h"
#include "tools/render.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds that the daemon may take over a question it can answer at once. */
enum { PATIENCE_SECONDS = 10 };

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
};

static const struct word words[] = {
    {"status", "", "the daemon, its worker processes and its zones", 0, 0, PROTOCOL_STATUS,
     PATIENCE_SECONDS, false, render_status},
    {"zones", "", "each zone: serial, records, age, and why it failed to load", 0, 0,
     PROTOCOL_ZONES, PATIENCE_SECONDS, false, render_zones},
    {"reload", "[ZONE...]", "load what has changed of all zones, or of these", 0, UINT32_MAX,
     PROTOCOL_RELOAD, 0, false, render_reload},
    {"workers", "[N]", "change to N worker processes, or tell how many there are", 0, 1,
     PROTOCOL_WORKERS, 0, false, render_workers},
    {"takeover", "", "start the installed sorreld in the place of the one that runs", 0, 0,
     PROTOCOL_TAKEOVER, 0, false, render_takeover},
    {"stop", "", "stop the daemon, and wait for its end", 0, 0, PROTOCOL_STOP, PATIENCE_SECONDS,
     true, render_stop},
};

enum { WORDS = sizeof words / sizeof words[0] };

struct options {
    const char *control;
    bool json;
};

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
            puts(PACKAGE_STRING);
            exit(EXIT_SUCCESS);
        case 'h':
            print_usage(stdout);
            exit(EXIT_SUCCESS);
        default: /* getopt has said what is wrong */
            fputs("see sorrelctl --help\n", stderr);
            exit(EXIT_FAILURE);
        }
}

static void print_reply(const struct word *word, const struct control_client_reply *reply,
                        bool json)
{
    const char *error = json_string_value(json_object_get(reply->document, "error"));

    if (json) {
        json_dumpf(reply->document, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
        putchar('\n');
        return;
    }
    /* A refusal is its sentence and nothing else; half a success has more to it. */
    if (json_object_size(reply->document) > (error != NULL))
        word->render(reply->document, stdout);
    if (error != NULL)
        fprintf(stderr, "sorrelctl: %s\n", error);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct control_client_reply reply;
    char path[CONTROL_SOCKET_PATH_MAX];
    char error[CONTROL_CLIENT_ERROR_MAX];

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
    if (!control_client_ask(options.control, word->type, argv + 1, (size_t)argc, word->patience,
                            word->until_gone, &reply, error)) {
        fprintf(stderr, "sorrelctl: %s\n", error);
        return EXIT_FAILURE;
    }
    print_reply(word, &reply, options.json);
    json_decref(reply.document);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("sorrelctl: standard output");
        return EXIT_FAILURE;
    }
    return reply.done ? EXIT_SUCCESS : EXIT_FAILURE;
}
