#include "tools/control_client.h"

#include "config.h"
#include "server/control/control_socket.h"
#include "server/control/envelope.h"
#include "tools/legible.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool fail(char error[CONTROL_CLIENT_ERROR_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(char error[CONTROL_CLIENT_ERROR_MAX], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, CONTROL_CLIENT_ERROR_MAX, format, arguments);
    va_end(arguments);
    return false;
}

static void set_patience(int connection, unsigned seconds)
{
    const struct timeval limit = {.tv_sec = seconds};

    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* The arguments, each with its NUL, one behind the other; NULL: no memory. */
static char *join(char *const *arguments, size_t count, size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < count; i++)
        *length += strlen(arguments[i]) + 1;
    char *payload = malloc(*length + 1);
    char *end = payload;
    for (size_t i = 0; payload != NULL && i < count; i++)
        end = stpcpy(end, arguments[i]) + 1;
    return payload;
}

static bool send_request(int connection, enum protocol_type type, char *const *arguments,
                         size_t count, char error[CONTROL_CLIENT_ERROR_MAX])
{
    struct envelope_writer writer;
    size_t length;
    char *payload = join(arguments, count, &length);

    if (payload == NULL)
        return fail(error, "out of memory");
    if (length > PROTOCOL_REQUEST_MAX) {
        free(payload);
        return fail(error, "these arguments are too long for one request");
    }
    envelope_writer_start(&writer, type, payload, length);
    enum envelope_outcome outcome = envelope_write(&writer, connection);
    free(payload);
    /* A daemon that turns us away may have closed already: its reply tells why. */
    return outcome == ENVELOPE_WHOLE || (outcome == ENVELOPE_BROKEN && errno == EPIPE) ||
           fail(error, "the daemon does not take the request: %s", strerror(errno));
}

static bool receive_reply(int connection, struct envelope_reader *reader,
                          char error[CONTROL_CLIENT_ERROR_MAX])
{
    switch (envelope_read(reader, connection)) {
    case ENVELOPE_WHOLE:
        return true;
    case ENVELOPE_PARTIAL:
        return fail(error, "the daemon does not answer; it hangs, or is stopped");
    case ENVELOPE_END:
        return fail(error, "the daemon has closed the connection without an answer");
    case ENVELOPE_MALFORMED:
        return fail(error, "what answers is no sorreld");
    case ENVELOPE_BROKEN:
        break;
    }
    return fail(error, "the daemon's reply cannot be read: %s", strerror(errno));
}

static bool read_reply(const struct envelope_reader *reader, struct control_client_reply *reply,
                       char error[CONTROL_CLIENT_ERROR_MAX])
{
    const struct protocol_header *header = &reader->header;

    /* A refusal can be read whatever the version, and says more than we could. */
    reply->done = header->type == PROTOCOL_DONE;
    reply->document =
        json_loadb((const char *)reader->payload, header->length, JSON_DECODE_ANY, NULL);
    if (header->version != PROTOCOL_VERSION && (reply->done || reply->document == NULL)) {
        json_decref(reply->document);
        return fail(error,
                    "this is sorrelctl " PACKAGE_VERSION
                    ", whose control protocol is version %d, and "
                    "the daemon's is version %u: use the sorrelctl that was installed with it",
                    PROTOCOL_VERSION, header->version);
    }
    if (reply->document == NULL || (!reply->done && header->type != PROTOCOL_FAILED)) {
        json_decref(reply->document);
        return fail(error, "the daemon's reply makes no sense");
    }
    if (!legible_make(reply->document)) {
        json_decref(reply->document);
        return fail(error, "out of memory");
    }
    return true;
}

/* The daemon keeps the connection until its end. */
static void await_end(int connection)
{
    char octet;
    ssize_t length;

    set_patience(connection, 0);
    do
        length = recv(connection, &octet, sizeof octet, 0);
    while (length > 0 || (length < 0 && errno == EINTR));
}

bool control_client_ask(const char *path, enum protocol_type type, char *const *arguments,
                        size_t count, unsigned patience, bool until_gone,
                        struct control_client_reply *reply, char error[CONTROL_CLIENT_ERROR_MAX])
{
    struct envelope_reader reader;
    char reason[CONTROL_SOCKET_ERROR_MAX];
    int connection = control_socket_connect(path, reason);

    if (connection < 0)
        return fail(error, "%s", reason);
    set_patience(connection, patience);
    envelope_reader_start(&reader, PROTOCOL_REPLY_MAX, false);
    bool answered = send_request(connection, type, arguments, count, error) &&
                    receive_reply(connection, &reader, error) && read_reply(&reader, reply, error);
    envelope_reader_clear(&reader);
    if (answered && reply->done && until_gone)
        await_end(connection);
    close(connection);
    return answered;
}
