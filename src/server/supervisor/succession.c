#include "server/supervisor/succession.h"

#include "server/host/log.h"
#include "server/host/notify.h"
#include "server/host/program.h"
#include "server/supervisor/leave.h"
#include "server/supervisor/supervision.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SENTENCE_MAX = 1024, FAILURE_MAX = 4096 };

static struct supervisor *supervisor_of(const ev_io *watcher)
{
    return watcher->data;
}

void succession_init(struct supervisor *supervisor)
{
    supervisor->succession = (struct succession){.connection = -1, .client = -1};
}

bool succession_is_under_way(const struct supervisor *supervisor)
{
    return supervisor->succession.connection >= 0 || supervisor->succession.request != NULL;
}

static void stop_watching(struct supervisor *supervisor)
{
    struct succession *succession = &supervisor->succession;

    ev_io_stop(supervisor->loop, &succession->readable);
    ev_io_stop(supervisor->loop, &succession->writable);
    envelope_reader_clear(&succession->reader);
    handover_free(&succession->handover);
}

static void disconnect(struct supervisor *supervisor)
{
    struct succession *succession = &supervisor->succession;

    if (succession->connection < 0)
        return;
    stop_watching(supervisor);
    close(succession->connection);
    succession->connection = -1;
}

/* Whoever is there reads a sentence in time, or does without. */
static void tell(int connection, enum protocol_type type, json_t *document)
{
    struct envelope_writer writer;
    char *text = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;

    envelope_writer_start(&writer, type, text, text != NULL ? strlen(text) : 0);
    envelope_write(&writer, connection);
    free(text);
    json_decref(document);
}

/* It comes to nothing: this daemon goes on. */
static void give_up(struct supervisor *supervisor, const char *sentence)
{
    struct succession *succession = &supervisor->succession;

    disconnect(supervisor);
    if (succession->request != NULL)
        control_refuse(succession->request, "not replaced: %s", sentence);
    succession->request = NULL;
    log_error("not replaced: %s", sentence);
    if (supervisor->stopping)
        return;
    supervisor_reload(supervisor);
    resize_advance(supervisor);
}

void succession_refuse(struct supervisor *supervisor, const char *sentence)
{
    if (!succession_is_under_way(supervisor))
        return;
    if (supervisor->succession.connection >= 0)
        tell(supervisor->succession.connection, PROTOCOL_FAILED,
             json_pack("{s:s}", "error", sentence));
    give_up(supervisor, sentence);
}

void succession_complete(struct supervisor *supervisor)
{
    struct succession *succession = &supervisor->succession;

    disconnect(supervisor);
    if (succession->client < 0)
        return;
    tell(succession->client, PROTOCOL_DONE,
         json_pack("{s:i, s:i}", "pid", (int)succession->successor, "previous", (int)getpid()));
    close(succession->client);
    succession->client = -1;
}

/* --- the new daemon's messages -------------------------------------------------- */

static void pass_on(struct supervisor *supervisor)
{
    struct succession *succession = &supervisor->succession;

    log_notice("process %d has taken over", (int)succession->successor);
    if (succession->request != NULL)
        succession->client = control_detach(succession->request);
    succession->request = NULL;
    notify_main(succession->successor);
    /* It has read the zones before this was asked for, perhaps. */
    if (supervisor->reloads.all_wanted)
        kill(succession->successor, SIGHUP);
    ev_io_stop(supervisor->loop, &succession->readable);
    tell(succession->connection, PROTOCOL_DONE, json_object());
    leave_begin(supervisor, EXIT_SUCCESS);
}

static void take_reason(const struct envelope_reader *reader, pid_t successor,
                        char sentence[SENTENCE_MAX])
{
    json_t *document =
        json_loadb((const char *)reader->payload, reader->header.length, JSON_DECODE_ANY, NULL);
    const char *reason = json_string_value(json_object_get(document, "error"));

    snprintf(sentence, SENTENCE_MAX, "process %d has given up: %s", (int)successor,
             reason != NULL ? reason : "it does not say why");
    json_decref(document);
}

static void take_message(struct supervisor *supervisor)
{
    struct succession *succession = &supervisor->succession;
    char sentence[SENTENCE_MAX];

    switch (succession->reader.header.type) {
    case PROTOCOL_READY:
        if (succession->sender.carried == 0) {
            pass_on(supervisor);
            return;
        }
        break;
    case PROTOCOL_FAILED:
        take_reason(&succession->reader, succession->successor, sentence);
        give_up(supervisor, sentence);
        return;
    default:
        break;
    }
    succession_refuse(supervisor, "the new daemon sent what no new daemon sends");
}

static void readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct supervisor *supervisor = supervisor_of(watcher);
    struct succession *succession = &supervisor->succession;
    char sentence[SENTENCE_MAX];

    (void)loop;
    (void)events;
    switch (envelope_read(&succession->reader, succession->connection)) {
    case ENVELOPE_PARTIAL:
        return;
    case ENVELOPE_WHOLE:
        take_message(supervisor);
        return;
    case ENVELOPE_END:
    case ENVELOPE_BROKEN:
        snprintf(sentence, sizeof sentence, "process %d has died before it was ready",
                 (int)succession->successor);
        give_up(supervisor, sentence);
        return;
    case ENVELOPE_MALFORMED:
        succession_refuse(supervisor, "the new daemon sent what is no message");
        return;
    }
}

/* --- handing over ------------------------------------------------------------------ */

static void send_on(struct supervisor *supervisor)
{
    struct succession *succession = &supervisor->succession;

    switch (handover_send(&succession->sender, succession->connection)) {
    case ENVELOPE_WHOLE:
        ev_io_stop(supervisor->loop, &succession->writable);
        break;
    case ENVELOPE_PARTIAL:
        ev_io_start(supervisor->loop, &succession->writable);
        break;
    default: /* `readable` will tell what it is about the connection */
        ev_io_stop(supervisor->loop, &succession->writable);
        break;
    }
}

static void writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    send_on(supervisor_of(watcher));
}

static bool add_slot(struct handover *handover, const struct supervisor *supervisor,
                     const struct slot *slot)
{
    bool added = true;

    for (size_t i = 0; i < slot->listener_count; i++) {
        const union address *address = &supervisor->settings->listeners[i].address;
        const struct listener_sockets *sockets = &slot->sockets[i];
        added &= handover_add(handover, HANDOVER_UDP, slot->number, address, sockets->udp) &&
                 handover_add(handover, HANDOVER_TCP, slot->number, address, sockets->tcp);
    }
    return added;
}

static bool collect(struct handover *handover, const struct supervisor *supervisor)
{
    bool added =
        handover_add(handover, HANDOVER_CONTROL, 0, NULL, supervisor->settings->control.fd) &&
        handover_add(handover, HANDOVER_TABLE, 0, NULL, supervisor->table.fd) &&
        metrics_hand_over(supervisor, handover);

    if (supervisor->settings->protection.secrets.fd >= 0)
        added = added && handover_add(handover, HANDOVER_SECRETS, 0, NULL,
                                      supervisor->settings->protection.secrets.fd);
    for (size_t i = 0; i < supervisor->slot_count; i++)
        if (!supervisor->slots[i].shares)
            added = added && add_slot(handover, supervisor, &supervisor->slots[i]);
    return added;
}

static pid_t peer_of(int connection)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;

    getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return peer.pid;
}

/* Why there can be none now; NULL: there can. */
static const char *obstacle(const struct supervisor *supervisor)
{
    if (supervisor->stopping)
        return "the daemon is stopping";
    if (!supervisor->announced)
        return "the daemon is starting: try again";
    if (takeover_has_predecessor(supervisor))
        return "the daemon has just taken over, and its predecessor is not gone: try again";
    if (supervisor->resize.first != NULL)
        return "the number of workers is being changed: try again";
    if (supervisor->succession.connection >= 0)
        return "another takeover is under way";
    return NULL;
}

void succession_hand_over(struct supervisor *supervisor, struct control_request *request)
{
    struct succession *succession = &supervisor->succession;
    const char *reason = obstacle(supervisor);

    if (reason == NULL && !collect(&succession->handover, supervisor)) {
        handover_free(&succession->handover);
        reason = "out of memory";
    }
    if (reason != NULL) {
        control_refuse(request, "%s", reason);
        return;
    }
    succession->connection = control_detach(request);
    if (succession->connection < 0) {
        handover_free(&succession->handover);
        return;
    }
    succession->successor = peer_of(succession->connection);
    log_notice("process %d is about to take over", (int)succession->successor);
    envelope_reader_start(&succession->reader, FAILURE_MAX, false);
    ev_io_init(&succession->readable, readable, succession->connection, EV_READ);
    ev_io_init(&succession->writable, writable, succession->connection, EV_WRITE);
    succession->readable.data = succession->writable.data = supervisor;
    ev_io_start(supervisor->loop, &succession->readable);
    handover_send_start(&succession->sender, &succession->handover);
    send_on(supervisor);
}

/* --- the installed program ----------------------------------------------------------- */

void succession_start(struct supervisor *supervisor, struct control_request *request)
{
    struct succession *succession = &supervisor->succession;
    const char *reason = obstacle(supervisor);
    char error[PROGRAM_ERROR_MAX];

    if (reason == NULL && (succession->request != NULL || succession->child != 0))
        reason = "another takeover is under way";
    if (reason != NULL) {
        control_refuse(request, "%s", reason);
        return;
    }
    succession->child = program_start(&supervisor->settings->program, error);
    if (succession->child < 0) {
        succession->child = 0;
        control_refuse(request, "%s", error);
        return;
    }
    succession->request = request;
}

bool succession_child_died(struct supervisor *supervisor, pid_t pid, int status)
{
    struct succession *succession = &supervisor->succession;
    char sentence[SENTENCE_MAX];

    if (pid != succession->child)
        return false;
    succession->child = 0;
    /* With a connection, that is where the reason comes from. */
    if (succession->request == NULL || succession->connection >= 0)
        return true;
    if (WIFSIGNALED(status))
        snprintf(sentence, sizeof sentence, "process %d died of signal %d (%s)", (int)pid,
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(sentence, sizeof sentence,
                 "process %d exited with status %d; the log has its reason", (int)pid,
                 WEXITSTATUS(status));
    give_up(supervisor, sentence);
    return true;
}
