/*
 * What answers sorrelctl: whatever it says becomes a document or a sentence, the document is shown
 * whatever is in it, and nothing that controls a terminal is.
 *
 * Input: an octet that chooses (enum choice, and what the document is shown as), then what is said.
 */
#include "tools/control_client.h"

#include "descriptors.h"
#include "fuzz.h"
#include "pieces.h"
#include "server/statistics/explain.h"
#include "tools/render.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum choice {
    CHOOSES_GONE = 16,      /* the daemon's end is waited for */
    CHOOSES_HUNG_UP = 32,   /* it has hung up before it was asked */
    CHOOSES_NO_HEADER = 64, /* the header is not in the input, but fits it */
};

/* A reply so long is read as any other, but it takes a while to get the memory. */
enum { LENGTH_TRIED_MAX = 1 << 20 };

const unsigned fuzz_rounds = 4000;

static const uint8_t *said;
static size_t said_length;
static int daemon_end = -1;
static bool hung_up;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* --- inputs that get far --------------------------------------------------------------------- */

static json_t *make_value(struct fuzz_random *random, unsigned depth);

/* Members that replies have. */
static json_t *make_object(struct fuzz_random *random, unsigned depth)
{
    static const char *const members[] = {
        "error",       "workers", "zones",   "zone",    "errors",   "file",     "line",
        "reason",      "state",   "pid",     "table",   "listen",   "serial",   "addresses",
        "totals",      "outcome", "address", "policy",  "findings", "sentence", "advice",
        "level",       "udp",     "tcp",     "queries", "answers",  "counters", "interval",
        "groups",      "slots",   "uptime",  "records", "age",      "band",     "effective",
        "explanation", "seconds", "version", "sandbox", "steering",
    };
    json_t *object = json_object();

    for (uint32_t left = fuzz_below(random, 8); left > 0; left--)
        json_object_set_new(object, members[fuzz_below(random, sizeof members / sizeof members[0])],
                            make_value(random, depth));
    return object;
}

static json_t *make_array(struct fuzz_random *random, unsigned depth)
{
    json_t *array = json_array();

    for (uint32_t left = fuzz_below(random, 4); left > 0; left--)
        json_array_append_new(array, make_value(random, depth));
    return array;
}

static json_t *make_value(struct fuzz_random *random, unsigned depth)
{
    static const char *const texts[] = {"", "ok", "hash", "\x1b[31m", "a\nb", "\xc2\x9b", "%s%n"};
    static const double numbers[] = {0, 1, -1, 0.5, 1e300, 4294967296.0, -9.3e18, 53};

    switch (fuzz_below(random, depth > 4 ? 5 : 9)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(fuzz_below(random, 2));
    case 2:
        return json_integer((json_int_t)fuzz_below(random, 100));
    case 3:
        return json_real(numbers[fuzz_below(random, 8)]);
    case 4:
        return json_string(texts[fuzz_below(random, 7)]);
    case 5:
    case 6:
        return make_array(random, depth + 1);
    default:
        return make_object(random, depth + 1);
    }
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    json_t *document = make_object(random, 0);
    char *text = json_dumps(document, JSON_COMPACT);
    size_t length = strlen(text);

    if (length > FUZZ_INPUT_MAX - 1)
        length = FUZZ_INPUT_MAX - 1;
    input[0] = (uint8_t)(fuzz_below(random, 64) | CHOOSES_NO_HEADER);
    memcpy(input + 1, text, length);
    free(text);
    json_decref(document);
    return 1 + length;
}

/* --- the daemon ------------------------------------------------------------------------------ */

int __wrap_control_socket_connect(const char *path, char *error);

/* It has answered before it was asked. */
int __wrap_control_socket_connect(const char *path, char *error)
{
    struct pieces pieces;
    int ends[2];

    (void)path;
    (void)error;
    FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    pieces_start(&pieces, 0, said, said_length);
    FUZZ_ASSERT(pieces_send(&pieces, ends[0]) == said_length);
    shutdown(ends[0], SHUT_WR);
    daemon_end = ends[0];
    if (hung_up)
        close(daemon_end);
    return ends[1];
}

/* --- promises -------------------------------------------------------------------------------- */

static void show_explanation(const json_t *reply, FILE *out)
{
    json_t *explanation = explain(reply);

    render_explanation(explanation, out);
    json_decref(explanation);
}

static void show_rates(const json_t *reply, FILE *out)
{
    render_rates(reply, 0.5, out);
}

/* Text as any terminal may have it: UTF-8, and of what controls nothing but the end of a line. */
static void check_text(const char *text, size_t length)
{
    json_t *json = json_stringn(text, length);

    FUZZ_ASSERT(json != NULL);
    json_decref(json);
    for (size_t i = 0; i < length; i++) {
        const unsigned char octet = (unsigned char)text[i];
        FUZZ_ASSERT((octet >= 0x20 && octet != 0x7f) || octet == '\n');
        FUZZ_ASSERT(octet != 0xc2 || (unsigned char)text[i + 1] >= 0xa0);
    }
}

static void show(uint8_t choice, const json_t *document)
{
    static render_function *const ways[] = {
        render_status, render_zones,   render_stats,       show_explanation,
        render_reload, render_workers, render_steering,    render_takeover,
        render_stop,   show_rates,     render_explanation,
    };
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    FUZZ_ASSERT(out != NULL);
    ways[choice % 16 % (sizeof ways / sizeof ways[0])](document, out);
    FUZZ_ASSERT(fclose(out) == 0);
    check_text(text, length);
    free(text);
}

static void ask(uint8_t choice)
{
    static char argument[] = "example.org";
    static char *const arguments[] = {argument};
    struct control_client_reply reply;
    char error[CONTROL_CLIENT_ERROR_MAX] = "";

    if (control_client_ask("", PROTOCOL_STATUS, arguments, 1, 5, (choice & CHOOSES_GONE) != 0,
                           &reply, error)) {
        FUZZ_ASSERT(reply.document != NULL && error[0] == '\0');
        show(choice, reply.document);
        json_decref(reply.document);
    } else {
        FUZZ_ASSERT(error[0] != '\0');
        check_text(error, strlen(error));
    }
    if (!hung_up)
        close(daemon_end);
}

static bool is_tried(void)
{
    struct protocol_header header = {0};

    if (said_length >= sizeof header)
        memcpy(&header, said, sizeof header);
    return header.length <= LENGTH_TRIED_MAX || header.length > PROTOCOL_REPLY_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    static uint8_t whole[sizeof(struct protocol_header) + FUZZ_INPUT_MAX];
    size_t descriptors = descriptors_count();

    if (length == 0 || length > FUZZ_INPUT_MAX)
        return 0;
    struct protocol_header header = {.magic = PROTOCOL_MAGIC,
                                     .version = PROTOCOL_VERSION,
                                     .type = PROTOCOL_DONE,
                                     .length = (uint32_t)length - 1};
    size_t skipped = (input[0] & CHOOSES_NO_HEADER) != 0 ? 0 : sizeof header;
    memcpy(whole, &header, sizeof header);
    memcpy(whole + sizeof header, input + 1, length - 1);
    said = whole + skipped;
    said_length = sizeof header + length - 1 - skipped;
    hung_up = (input[0] & CHOOSES_HUNG_UP) != 0;
    if (is_tried())
        ask(input[0]);
    FUZZ_ASSERT(descriptors_count() == descriptors);
    return 0;
}
