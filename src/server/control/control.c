#include "config.h"

#include "server/control/control.h"

#include "server/control/envelope.h"
#include "server/host/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Seconds until accept(2) is tried again after it failed for want of descriptors or memory. */
static const ev_tstamp accept_pause = 1;

struct connection {
    struct control *control;
    struct connection *next;
    const struct control_word *words; /* that it may ask for */
    bool adopted;                     /* and neither counted nor hurried between requests */
    int socket;
    ev_io readable;
    ev_io writable;
    ev_timer patience;
    struct envelope_reader reader;
    struct envelope_writer writer;
    char *reply;                     /* what the writer writes */
    struct control_request *request; /* under way; the next is not read before */
    bool last;                       /* ends when the reply is written */
};

struct control {
    struct ev_loop *loop;
    const struct control_word *words;
    void *closure;
    ev_io acceptable;
    ev_timer pause;
    struct connection *connections;
    unsigned connection_count;
};

struct control_request {
    struct connection *connection; /* NULL: the client has left */
    char *payload;
    char **arguments; /* point into payload */
};

/* --- connections ------------------------------------------------------------- */

static void unlink_connection(struct connection *connection)
{
    struct connection **link = &connection->control->connections;

    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
    connection->control->connection_count -= !connection->adopted;
}

static void accept_more(struct control *control)
{
    if (control->acceptable.fd >= 0 && control->connection_count < CONTROL_CONNECTIONS_MAX)
        ev_io_start(control->loop, &control->acceptable);
}

/* Ends a connection but leaves its socket open. */
static void forget(struct connection *connection)
{
    struct control *control = connection->control;

    ev_io_stop(control->loop, &connection->readable);
    ev_io_stop(control->loop, &connection->writable);
    ev_timer_stop(control->loop, &connection->patience);
    if (connection->request != NULL)
        connection->request->connection = NULL;
    unlink_connection(connection);
    envelope_reader_clear(&connection->reader);
    free(connection->reply);
    free(connection);
    if (!ev_is_active(&control->pause))
        accept_more(control);
}

static void drop(struct connection *connection)
{
    int socket = connection->socket;

    forget(connection);
    close(socket);
}

static void patience_ended(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    drop(watcher->data);
}

static void await_request(struct connection *connection)
{
    ev_io_start(connection->control->loop, &connection->readable);
    if (connection->adopted)
        ev_timer_stop(connection->control->loop, &connection->patience);
    else
        ev_timer_again(connection->control->loop, &connection->patience);
}

/* --- replies ------------------------------------------------------------------- */

static void write_on(struct connection *connection)
{
    struct ev_loop *loop = connection->control->loop;
    size_t sent = connection->writer.sent;

    switch (envelope_write(&connection->writer, connection->socket)) {
    case ENVELOPE_WHOLE:
        break;
    case ENVELOPE_PARTIAL:
        ev_io_start(loop, &connection->writable);
        if (connection->writer.sent > sent)
            ev_timer_again(loop, &connection->patience);
        return;
    default:
        drop(connection);
        return;
    }
    if (connection->last) {
        drop(connection);
        return;
    }
    ev_io_stop(loop, &connection->writable);
    free(connection->reply);
    connection->reply = NULL;
    await_request(connection);
}

static void connection_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    write_on(watcher->data);
}

static void answer(struct connection *connection, enum protocol_type type, const json_t *document)
{
    connection->reply =
        document != NULL ? json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (connection->reply == NULL) {
        drop(connection);
        return;
    }
    envelope_writer_start(&connection->writer, type, connection->reply, strlen(connection->reply));
    ev_io_stop(connection->control->loop, &connection->readable);
    ev_now_update(connection->control->loop); /* the peer is not to blame for how long that took */
    ev_timer_again(connection->control->loop, &connection->patience);
    write_on(connection);
}

static json_t *error_document(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

static json_t *error_document(const char *format, va_list arguments)
{
    json_t *sentence = json_vsprintf(format, arguments);

    return sentence != NULL ? json_pack("{s:o}", "error", sentence) : NULL;
}

/* Refuses what never became a request; the connection ends then. */
static void turn_away(struct connection *connection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void turn_away(struct connection *connection, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    json_t *document = error_document(format, arguments);
    va_end(arguments);
    connection->last = true;
    answer(connection, PROTOCOL_FAILED, document);
    json_decref(document);
}

/* --- requests ------------------------------------------------------------------ */

char *const *control_arguments(const struct control_request *request)
{
    return request->arguments;
}

/* Frees the request; returns its connection, or NULL. */
static struct connection *finish(struct control_request *request)
{
    struct connection *connection = request->connection;

    if (connection != NULL)
        connection->request = NULL;
    free(request->arguments);
    free(request->payload);
    free(request);
    return connection;
}

void control_reply(struct control_request *request, bool done, json_t *document)
{
    struct connection *connection = request != NULL ? finish(request) : NULL;

    if (connection != NULL)
        answer(connection, done ? PROTOCOL_DONE : PROTOCOL_FAILED, document);
    json_decref(document);
}

void control_refuse(struct control_request *request, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    json_t *document = error_document(format, arguments);
    va_end(arguments);
    if (request == NULL)
        log_warning("%s", json_string_value(json_object_get(document, "error")));
    control_reply(request, false, document);
}

int control_descriptor(const struct control_request *request)
{
    return request->connection != NULL ? request->connection->socket : -1;
}

int control_detach(struct control_request *request)
{
    struct connection *connection = finish(request);

    if (connection == NULL)
        return -1;
    int socket = connection->socket;
    forget(connection);
    return socket;
}

static const struct control_word *find_word(const struct control_word *words, unsigned type)
{
    for (const struct control_word *word = words; word->function != NULL; word++)
        if (word->type == type)
            return word;
    return NULL;
}

/* Are they UTF-8, as they have to be for a reply to quote them? */
static bool are_texts(char *const *arguments)
{
    for (; *arguments != NULL; arguments++) {
        json_t *text = json_string(*arguments);
        if (text == NULL)
            return false;
        json_decref(text);
    }
    return true;
}

/* Turns a request away whose arguments are none for that word; false if they may be some. */
static bool turn_away_arguments(struct connection *connection, const struct control_word *word,
                                char *const *arguments, size_t count)
{
    if (count > word->arguments_max)
        turn_away(connection, "too many arguments: %zu where there may be %u", count,
                  word->arguments_max);
    else if (!are_texts(arguments))
        turn_away(connection, "an argument is no UTF-8 text");
    else
        return false;
    return true;
}

/* Makes a request of the message that was read, and has it worked off. */
static void take_request(struct connection *connection)
{
    struct envelope_reader *reader = &connection->reader;
    size_t count;

    if (reader->header.version != PROTOCOL_VERSION) {
        log_warning("a request of control protocol version %u was refused: this daemon's is %d",
                    reader->header.version, PROTOCOL_VERSION);
        turn_away(connection,
                  "this is sorreld %s, whose control protocol is version %d, and the "
                  "request's is version %u: use the sorrelctl that was installed with it",
                  PACKAGE_VERSION, PROTOCOL_VERSION, reader->header.version);
        return;
    }
    const struct control_word *word = find_word(connection->words, reader->header.type);
    if (word == NULL) {
        turn_away(connection, "sorreld " PACKAGE_VERSION " knows no request of type %u",
                  reader->header.type);
        return;
    }
    char **arguments = envelope_strings(reader, &count);
    if (arguments == NULL) {
        drop(connection);
        return;
    }
    if (turn_away_arguments(connection, word, arguments, count)) {
        free(arguments);
        return;
    }
    struct control_request *request = malloc(sizeof *request);
    if (request == NULL) {
        free(arguments);
        drop(connection);
        return;
    }
    *request = (struct control_request){connection, (char *)reader->payload, arguments};
    reader->payload = NULL;
    envelope_reader_clear(reader);
    connection->request = request;
    word->function(connection->control->closure, request);
}

static bool has_left(const struct connection *connection)
{
    char octet;

    return recv(connection->socket, &octet, sizeof octet, MSG_PEEK) == 0;
}

static void connection_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct connection *connection = watcher->data;

    (void)events;
    if (connection->request != NULL) {
        if (has_left(connection))
            drop(connection);
        else
            ev_io_stop(loop, watcher); /* its next request waits */
        return;
    }
    switch (envelope_read(&connection->reader, connection->socket)) {
    case ENVELOPE_PARTIAL:
        return;
    case ENVELOPE_WHOLE:
        ev_timer_stop(loop, &connection->patience);
        take_request(connection);
        return;
    default:
        drop(connection);
        return;
    }
}

/* --- accepting ------------------------------------------------------------------ */

/* NULL: no memory. */
static struct connection *add_connection(struct control *control, int socket,
                                         const struct control_word *words, bool adopted)
{
    struct connection *connection = malloc(sizeof *connection);

    if (connection == NULL)
        return NULL;
    *connection = (struct connection){.control = control,
                                      .next = control->connections,
                                      .words = words,
                                      .adopted = adopted,
                                      .socket = socket};
    control->connections = connection;
    control->connection_count += !adopted;
    envelope_reader_start(&connection->reader, PROTOCOL_REQUEST_MAX, false);
    ev_io_init(&connection->readable, connection_readable, socket, EV_READ);
    ev_io_init(&connection->writable, connection_writable, socket, EV_WRITE);
    ev_init(&connection->patience, patience_ended);
    connection->readable.data = connection->writable.data = connection->patience.data = connection;
    connection->patience.repeat = CONTROL_PATIENCE_SECONDS;
    return connection;
}

bool control_adopt(struct control *control, int socket, const struct control_word *words)
{
    struct connection *connection = add_connection(control, socket, words, true);

    if (connection != NULL)
        await_request(connection);
    return connection != NULL;
}

static void greet(struct control *control, int socket)
{
    struct connection *connection = add_connection(control, socket, control->words, false);

    if (connection == NULL)
        close(socket);
    else if (control_socket_obeys(socket))
        await_request(connection);
    else
        turn_away(connection, "sorreld obeys root and the user it runs as only");
}

static void connection_waits(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct control *control = watcher->data;

    (void)events;
    int socket = accept4(watcher->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) {
        greet(control, socket);
        if (control->connection_count == CONTROL_CONNECTIONS_MAX)
            ev_io_stop(loop, watcher);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ev_io_stop(loop, watcher);
        ev_timer_again(loop, &control->pause);
    }
}

static void pause_ended(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct control *control = watcher->data;

    (void)events;
    ev_timer_stop(loop, watcher);
    accept_more(control);
}

struct control *control_open(struct ev_loop *loop, const struct control_socket *socket,
                             const struct control_word *words, void *closure)
{
    struct control *control = malloc(sizeof *control);

    if (control == NULL)
        return NULL;
    *control = (struct control){.loop = loop, .words = words, .closure = closure};
    ev_io_init(&control->acceptable, connection_waits, socket->fd, EV_READ);
    ev_init(&control->pause, pause_ended);
    control->acceptable.data = control->pause.data = control;
    control->pause.repeat = accept_pause;
    accept_more(control);
    return control;
}

void control_close(struct control *control)
{
    while (control->connections != NULL)
        drop(control->connections);
    ev_io_stop(control->loop, &control->acceptable);
    ev_timer_stop(control->loop, &control->pause);
    free(control);
}
