/*
 * The daemon's end of the control protocol (control/control.c): each request is replied to as
 * protocol.h says, in order; what is no request ends the connection, and so does a request with
 * descriptors, which are not taken; nothing else is sent; and nothing is left behind.
 *
 * Input: three octets that choose (enum choice; where the stream is cut; where
 * descriptors come with it), then what is sent.
 */
#include "server/control/control.h"

#include "descriptors.h"
#include "fuzz.h"
#include "pieces.h"
#include "server/control/envelope.h"
#include "server/host/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD = 3 };

enum choice {
    CHOOSES_ADOPTED = 1, /* as a child of the daemon, not by the control socket */
    CHOOSES_NARROW = 2,  /* the kernel takes few octets of a reply at a time */
    CHOOSES_LEAVING = 4, /* the client leaves amid it all */
    CHOOSES_LONG = 8,    /* replies may be long */
};

enum {
    ARGUMENTS_MAX = 3,
    LONG_REPLY = 60000,
    IDLE_TURNS_MAX = 64, /* of the event loop, in which nothing is seen to happen */
    NARROW = 1,          /* what the kernel makes the least it can of */
    ATTACHED_MAX = 20,
};

const unsigned fuzz_rounds = 2500;

static struct {
    struct ev_loop *loop;
    struct control_socket socket;
    struct sockaddr_un address;
    socklen_t address_length;
    struct control *control;
    struct control_request *kept;
    uint8_t choice; /* of the input being tried */
} daemon_;

/* --- the daemon ------------------------------------------------------------------------------ */

static void echo(void *closure, struct control_request *request)
{
    json_t *list = json_array();

    (void)closure;
    for (char *const *argument = control_arguments(request); *argument != NULL; argument++)
        FUZZ_ASSERT(json_array_append_new(list, json_string(*argument)) == 0);
    control_reply(request, true, list);
}

static void keep(void *closure, struct control_request *request)
{
    (void)closure;
    FUZZ_ASSERT(daemon_.kept == NULL);
    daemon_.kept = request;
}

static void refuse(void *closure, struct control_request *request)
{
    char *const *arguments = control_arguments(request);

    (void)closure;
    control_refuse(request, "no %s today", arguments[0] != NULL ? arguments[0] : "more");
}

static void reply_at_length(void *closure, struct control_request *request)
{
    static char text[LONG_REPLY];

    (void)closure;
    memset(text, 'x', sizeof text);
    control_reply(request, true,
                  json_stringn(text, (daemon_.choice & CHOOSES_LONG) != 0 ? LONG_REPLY : 1));
}

static void greet(void *closure, struct control_request *request)
{
    int socket = control_detach(request);

    (void)closure;
    FUZZ_ASSERT(socket >= 0);
    FUZZ_ASSERT(send(socket, "hello", 5, MSG_NOSIGNAL) == 5 ||
                (errno == EPIPE && (daemon_.choice & CHOOSES_LEAVING) != 0));
    close(socket);
}

static const struct control_word words[] = {
    {PROTOCOL_STATUS, ARGUMENTS_MAX, echo},    {PROTOCOL_RELOAD, ARGUMENTS_MAX, keep},
    {PROTOCOL_STOP, ARGUMENTS_MAX, refuse},    {PROTOCOL_ZONES, 0, reply_at_length},
    {PROTOCOL_HANDOVER, ARGUMENTS_MAX, greet}, {0, 0, NULL},
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct log_settings quiet = {.level = LOG_LEVEL_ERROR};

    (void)argc;
    (void)argv;
    daemon_.socket.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    daemon_.address.sun_family = AF_UNIX;
    daemon_.address_length = sizeof daemon_.address;
    FUZZ_ASSERT(bind(daemon_.socket.fd, (struct sockaddr *)&daemon_.address, sizeof(sa_family_t)) ==
                0);
    FUZZ_ASSERT(listen(daemon_.socket.fd, 1) == 0);
    FUZZ_ASSERT(getsockname(daemon_.socket.fd, (struct sockaddr *)&daemon_.address,
                            &daemon_.address_length) == 0);
    daemon_.loop = ev_loop_new(EVFLAG_AUTO);
    daemon_.control = control_open(daemon_.loop, &daemon_.socket, words, NULL);
    FUZZ_ASSERT(daemon_.control != NULL);
    descriptors_get(1);
    log_configure(&quiet); /* it tells of requests of other versions */
    return 0;
}

/* --- inputs that get far --------------------------------------------------------------------- */

static size_t make_request(struct fuzz_random *random, uint8_t *at)
{
    static const uint16_t types[] = {PROTOCOL_STATUS, PROTOCOL_STATUS, PROTOCOL_RELOAD,
                                     PROTOCOL_STOP,   PROTOCOL_ZONES,  PROTOCOL_HANDOVER};
    static const char *const texts[] = {"",     "a",  "example.org", "\xc3\xa4",
                                        "\xff", "%s", "\x1b[1m"};
    struct protocol_header header = {.magic = PROTOCOL_MAGIC, .version = PROTOCOL_VERSION};
    char *text = (char *)at + sizeof header;

    header.type = fuzz_below(random, 20) == 0 ? (uint16_t)fuzz_below(random, 80)
                                              : types[fuzz_below(random, 6)];
    if (header.type != PROTOCOL_ZONES)
        for (uint32_t left = fuzz_below(random, ARGUMENTS_MAX + 1); left > 0; left--)
            text = stpcpy(text, texts[fuzz_below(random, 7)]) + 1;
    header.length = (uint32_t)(text - (char *)at - (ptrdiff_t)sizeof header);
    if (fuzz_below(random, 40) == 0)
        header.length = fuzz_below(random, 2 * PROTOCOL_REQUEST_MAX);
    if (fuzz_below(random, 40) == 0)
        header.version++;
    memcpy(at, &header, sizeof header);
    return (size_t)(text - (char *)at);
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    size_t length = HEAD;

    input[0] = (uint8_t)fuzz_below(random, 16);
    input[1] = (uint8_t)fuzz_below(random, 256);
    input[2] = fuzz_below(random, 5) == 0 ? (uint8_t)fuzz_below(random, 256) : 0;
    for (uint32_t left = 1 + fuzz_below(random, 8); left > 0; left--)
        length += make_request(random, input + length);
    if (fuzz_below(random, 8) == 0)
        input[fuzz_below(random, (uint32_t)length)] = (uint8_t)fuzz_below(random, 256);
    return length;
}

/* --- what is to come ------------------------------------------------------------------------- */

enum due_kind {
    DUE_NOTHING, /* the stream has no whole message any more */
    DUE_END,     /* the daemon hangs up without a word */
    DUE_LAST,    /* it refuses, and hangs up */
    DUE_REFUSAL,
    DUE_REPLY,
    DUE_HELLO, /* the connection goes to another, who says so and hangs up */
};

/* What the messages lead to, one after the other. */
struct due {
    const uint8_t *next;
    size_t left;
    size_t marked; /* octets from the end, where descriptors came; SIZE_MAX: none did */
    struct protocol_header header;
    const char *arguments; /* of the last message */
};

static size_t count_strings(const char *strings, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += strings[i] == '\0';
    return count;
}

static bool are_utf8(const char *strings, size_t length)
{
    for (const char *at = strings; at < strings + length; at += strlen(at) + 1) {
        json_t *string = json_string(at);
        if (string == NULL)
            return false;
        json_decref(string);
    }
    return true;
}

static enum due_kind judge_request(const struct due *due)
{
    const struct control_word *word = words;

    while (word->function != NULL && word->type != due->header.type)
        word++;
    if (due->header.version != PROTOCOL_VERSION || word->function == NULL)
        return DUE_LAST;
    if (due->header.length > 0 && due->arguments[due->header.length - 1] != '\0')
        return DUE_END;
    if (count_strings(due->arguments, due->header.length) > word->arguments_max ||
        !are_utf8(due->arguments, due->header.length))
        return DUE_LAST;
    if (word->type == PROTOCOL_HANDOVER)
        return DUE_HELLO;
    return word->type == PROTOCOL_STOP ? DUE_REFUSAL : DUE_REPLY;
}

static enum due_kind next_due(struct due *due)
{
    size_t size = sizeof due->header;

    if (due->left < size)
        return DUE_NOTHING;
    memcpy(&due->header, due->next, sizeof due->header);
    if (memcmp(due->header.magic, PROTOCOL_MAGIC, sizeof due->header.magic) != 0 ||
        due->header.length > PROTOCOL_REQUEST_MAX)
        return DUE_END;
    size += due->header.length;
    if (due->left < size)
        return DUE_NOTHING;
    /* Descriptors in the middle of a message make it none. */
    if (due->marked <= due->left && due->marked > due->left - size)
        return DUE_END;
    due->arguments = (const char *)due->next + sizeof due->header;
    due->next += size;
    due->left -= size;
    return judge_request(due);
}

/* --- the client ------------------------------------------------------------------------------ */

struct visit {
    int socket;
    struct pieces pieces;
    struct due due;
    struct envelope_reader reader;
    unsigned idle_turns;
};

static void check_echo(const struct due *due, const json_t *document)
{
    const char *argument = due->arguments;
    size_t count = json_array_size(document);

    FUZZ_ASSERT(count == count_strings(due->arguments, due->header.length));
    for (size_t i = 0; i < count; i++, argument += strlen(argument) + 1)
        FUZZ_ASSERT(strcmp(json_string_value(json_array_get(document, i)), argument) == 0);
}

static void check_reply(const struct due *due, enum due_kind kind,
                        const struct envelope_reader *reply)
{
    json_t *document =
        json_loadb((const char *)reply->payload, reply->header.length, JSON_DECODE_ANY, NULL);

    FUZZ_ASSERT(document != NULL && reply->header.version == PROTOCOL_VERSION);
    FUZZ_ASSERT(reply->header.type == (kind == DUE_REPLY ? PROTOCOL_DONE : PROTOCOL_FAILED));
    if (kind != DUE_REPLY)
        FUZZ_ASSERT(json_string_length(json_object_get(document, "error")) > 0);
    else if (due->header.type == PROTOCOL_STATUS)
        check_echo(due, document);
    json_decref(document);
}

/* Answers what was kept; false if there is nothing. */
static bool answer_kept(void)
{
    struct control_request *request = daemon_.kept;

    daemon_.kept = NULL;
    if (request != NULL)
        control_reply(request, true, json_object());
    return request != NULL;
}

/* Sends a piece, and has the daemon do its turn. */
static void take_turn(struct visit *visit)
{
    bool seen = pieces_send(&visit->pieces, visit->socket) > 0;

    ev_run(daemon_.loop, EVRUN_NOWAIT);
    if (!seen)
        seen = answer_kept();
    visit->idle_turns = seen ? 0 : visit->idle_turns + 1;
    FUZZ_ASSERT(visit->idle_turns <= IDLE_TURNS_MAX);
}

static void await_reply(struct visit *visit, enum due_kind kind)
{
    enum envelope_outcome outcome;

    while ((outcome = envelope_read(&visit->reader, visit->socket)) == ENVELOPE_PARTIAL)
        take_turn(visit);
    FUZZ_ASSERT(outcome == ENVELOPE_WHOLE);
    check_reply(&visit->due, kind, &visit->reader);
    envelope_reader_clear(&visit->reader);
    visit->idle_turns = 0;
}

/* The daemon hangs up; before that come just `wanted`. */
static void await_end(struct visit *visit, const char *wanted)
{
    char octets[16];
    size_t received = 0;
    ssize_t length;

    while ((length = recv(visit->socket, octets + received, sizeof octets - received,
                          MSG_DONTWAIT)) != 0) {
        if (length < 0 && errno == ECONNRESET)
            break;
        FUZZ_ASSERT(length > 0 || errno == EAGAIN);
        if (length > 0)
            received += (size_t)length;
        FUZZ_ASSERT(received <= strlen(wanted) && memcmp(octets, wanted, received) == 0);
        take_turn(visit);
    }
    FUZZ_ASSERT(received == strlen(wanted));
}

static void send_rest(struct visit *visit)
{
    while (visit->pieces.left > 0)
        take_turn(visit);
    FUZZ_ASSERT(shutdown(visit->socket, SHUT_WR) == 0);
    await_end(visit, "");
}

static void converse(struct visit *visit)
{
    for (;;) {
        enum due_kind kind = next_due(&visit->due);
        switch (kind) {
        case DUE_REPLY:
        case DUE_REFUSAL:
            await_reply(visit, kind);
            break;
        case DUE_LAST:
            await_reply(visit, kind);
            await_end(visit, "");
            return;
        case DUE_HELLO:
            await_end(visit, "hello");
            return;
        case DUE_END:
            await_end(visit, "");
            return;
        case DUE_NOTHING:
            send_rest(visit);
            return;
        }
    }
}

/* As much of it as a daemon takes whose replies are not read. */
static void send_half(struct visit *visit)
{
    size_t half = visit->pieces.left / 2;

    while (visit->pieces.left > half && visit->idle_turns < IDLE_TURNS_MAX)
        take_turn(visit);
}

/* --- one with the other ---------------------------------------------------------------------- */

static int connect_client(void)
{
    const int narrow = NARROW;
    int ends[2];

    if ((daemon_.choice & CHOOSES_ADOPTED) == 0) {
        ends[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        FUZZ_ASSERT(connect(ends[1], (struct sockaddr *)&daemon_.address, daemon_.address_length) ==
                    0);
        return ends[1];
    }
    FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    if ((daemon_.choice & CHOOSES_NARROW) != 0)
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &narrow, sizeof narrow);
    FUZZ_ASSERT(control_adopt(daemon_.control, ends[0], words));
    return ends[1];
}

static void await_peace(size_t descriptors)
{
    unsigned turns = 0;

    /* A client that left at once is yet to be accepted. */
    do {
        ev_run(daemon_.loop, EVRUN_NOWAIT);
        answer_kept();
        FUZZ_ASSERT(++turns <= IDLE_TURNS_MAX);
    } while (descriptors_count() != descriptors);
    FUZZ_ASSERT(daemon_.kept == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    size_t descriptors = descriptors_count();
    struct visit visit = {0};

    if (length < HEAD)
        return 0;
    daemon_.choice = input[0];
    visit.socket = connect_client();
    visit.due = (struct due){.next = input + HEAD, .left = length - HEAD, .marked = SIZE_MAX};
    envelope_reader_start(&visit.reader, PROTOCOL_REPLY_MAX, false);
    pieces_start(&visit.pieces, input[1], input + HEAD, length - HEAD);
    if (input[2] > 0 && length > HEAD) {
        pieces_mark(&visit.pieces, (input[2] - 1u) * (length - HEAD) / UINT8_MAX,
                    1 + input[2] % ATTACHED_MAX);
        visit.due.marked = visit.pieces.marked;
    }
    if ((daemon_.choice & CHOOSES_LEAVING) != 0)
        send_half(&visit);
    else
        converse(&visit);
    envelope_reader_clear(&visit.reader);
    close(visit.socket);
    await_peace(descriptors);
    return 0;
}
