#include "server/supervisor/takeover.h"

#include "server/host/log.h"
#include "server/supervisor/supervision.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* Seconds for the running daemon to send what it has: it does so at once, unless it hangs. */
enum { PATIENCE_SECONDS = 10, MESSAGE_MAX = 4096 };

/* --- asking --------------------------------------------------------------------- */

/* The sockets are the running daemon's user's, whom the kernel lets add more to them. */
static bool is_of_user(const char *path, uid_t owner, char error[TAKEOVER_ERROR_MAX])
{
    struct stat status;

    if (stat(path, &status) != 0 || status.st_uid == owner)
        return true;
    snprintf(error, TAKEOVER_ERROR_MAX,
             "the running daemon is user %lu, and this one is to be %lu: only a restart changes "
             "that",
             (unsigned long)status.st_uid, (unsigned long)owner);
    return false;
}

static bool ask(int connection, struct handover *handover, char error[TAKEOVER_ERROR_MAX])
{
    const struct timeval limit = {.tv_sec = PATIENCE_SECONDS};
    char reason[HANDOVER_ERROR_MAX];
    struct envelope_writer writer;

    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    envelope_writer_start(&writer, PROTOCOL_HANDOVER, NULL, 0);
    /* One that turns us away may have closed already: it has said why. */
    if (envelope_write(&writer, connection) != ENVELOPE_WHOLE && errno != EPIPE) {
        snprintf(error, TAKEOVER_ERROR_MAX, "the running daemon takes no request: %s",
                 strerror(errno));
        return false;
    }
    if (handover_receive(handover, connection, reason))
        return true;
    snprintf(error, TAKEOVER_ERROR_MAX, "%s", reason);
    return false;
}

static bool take_control(struct handover *handover, struct control_socket *control,
                         char error[TAKEOVER_ERROR_MAX])
{
    int fd = handover_take(handover, HANDOVER_CONTROL, 0, NULL);

    if (fd >= 0 && control_socket_adopt(control, fd))
        return true;
    if (fd >= 0)
        close(fd);
    snprintf(error, TAKEOVER_ERROR_MAX, "the running daemon hands over no control socket");
    return false;
}

int takeover_request(const char *path, uid_t owner, struct handover *handover,
                     struct control_socket *control, char error[TAKEOVER_ERROR_MAX])
{
    if (!is_of_user(path, owner, error))
        return -1;
    int connection = control_socket_connect(path, error);
    if (connection < 0)
        return -1;
    if (ask(connection, handover, error)) {
        if (take_control(handover, control, error) && fcntl(connection, F_SETFL, O_NONBLOCK) == 0)
            return connection;
        handover_discard(handover);
    }
    close(connection);
    return -1;
}

/* --- going on ---------------------------------------------------------------------- */

static void disconnect(struct supervisor *supervisor)
{
    struct takeover *takeover = &supervisor->takeover;

    ev_io_stop(supervisor->loop, &takeover->readable);
    envelope_reader_clear(&takeover->reader);
    close(takeover->connection);
    takeover->state = TAKEOVER_NONE;
}

static void take_charge(struct supervisor *supervisor)
{
    supervisor->takeover.state = TAKEOVER_IN_CHARGE;
    supervisor_take_charge(supervisor);
}

static void predecessor_gone(struct supervisor *supervisor)
{
    bool was_pending = takeover_is_pending(&supervisor->takeover);

    disconnect(supervisor);
    if (was_pending) {
        log_warning("the daemon that was to be replaced has died: this one goes on in its place");
        supervisor_take_charge(supervisor);
    }
    supervisor_settle(supervisor);
}

static void abandoned(struct supervisor *supervisor, const char *reason)
{
    log_error("the running daemon ends the takeover: %s", reason);
    supervisor_stop(supervisor, EXIT_FAILURE);
}

static void take_message(struct supervisor *supervisor)
{
    struct takeover *takeover = &supervisor->takeover;
    const struct protocol_header *header = &takeover->reader.header;

    if (header->type == PROTOCOL_DONE && takeover->state == TAKEOVER_READY) {
        envelope_reader_clear(&takeover->reader);
        take_charge(supervisor);
        return;
    }
    json_t *document =
        json_loadb((const char *)takeover->reader.payload, header->length, JSON_DECODE_ANY, NULL);
    const char *reason = json_string_value(json_object_get(document, "error"));
    if (takeover_is_pending(takeover))
        abandoned(supervisor, reason != NULL ? reason : "it does not say why");
    else
        envelope_reader_clear(&takeover->reader);
    json_decref(document);
}

static void readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;

    (void)loop;
    (void)events;
    switch (envelope_read(&supervisor->takeover.reader, watcher->fd)) {
    case ENVELOPE_PARTIAL:
        return;
    case ENVELOPE_WHOLE:
        take_message(supervisor);
        return;
    default:
        predecessor_gone(supervisor);
        return;
    }
}

void takeover_begin(struct supervisor *supervisor)
{
    struct takeover *takeover = &supervisor->takeover;

    if (supervisor->settings->takeover < 0)
        return;
    takeover->state = TAKEOVER_PREPARING;
    takeover->connection = supervisor->settings->takeover;
    envelope_reader_start(&takeover->reader, MESSAGE_MAX, false);
    ev_io_init(&takeover->readable, readable, takeover->connection, EV_READ);
    takeover->readable.data = supervisor;
    ev_io_start(supervisor->loop, &takeover->readable);
}

void takeover_ready(struct supervisor *supervisor)
{
    struct takeover *takeover = &supervisor->takeover;
    struct envelope_writer writer;

    if (takeover->state != TAKEOVER_PREPARING)
        return;
    takeover->state = TAKEOVER_READY;
    envelope_writer_start(&writer, PROTOCOL_READY, NULL, 0);
    /* If nobody is there to read it, `readable` comes to know. */
    envelope_write(&writer, takeover->connection);
}

void takeover_abandon_request(int connection)
{
    struct envelope_writer writer;
    json_t *document = json_pack("{s:s}", "error", log_last_error());
    char *text = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;

    envelope_writer_start(&writer, PROTOCOL_FAILED, text, text != NULL ? strlen(text) : 0);
    envelope_write(&writer, connection);
    free(text);
    json_decref(document);
}

void takeover_abandon(struct supervisor *supervisor)
{
    struct takeover *takeover = &supervisor->takeover;

    if (!takeover_is_pending(takeover))
        return;
    takeover_abandon_request(takeover->connection);
    disconnect(supervisor);
    control_socket_close(&supervisor->settings->control, false);
}

bool takeover_has_predecessor(const struct supervisor *supervisor)
{
    return supervisor->takeover.state != TAKEOVER_NONE;
}
