#include "server/metrics/http.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef HAVE_LIBMICROHTTPD

#include "server/host/sandbox.h"
#include "server/metrics/exposition.h"
#include "server/metrics/microhttpd.h"
#include "server/metrics/page.h"
#include "server/metrics/snapshot.h"
#include "server/statistics/explain.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    CONNECTIONS_MAX = 64,
    CONNECTIONS_EACH = 24, /* from one address: it leaves room for others */
    /* A request and what its header says; browsers send some 1 KiB. */
    CONNECTION_MEMORY = 16 << 10,
    /* For a request to arrive, and for the answer to be taken. */
    REQUEST_SECONDS = 10,
    IDLE_SECONDS = 10,
    TICK_MILLISECONDS = 1000,
};

/* One that has begun a request, or may: MHD's own limit is of silence, and whoever sends an octet
 * now and then is never silent. */
struct visitor {
    int socket;
    time_t since;
    struct visitor *next;
};

struct http {
    struct MHD_Daemon *daemon;
    struct snapshot snapshot;
    struct visitor *visitors;
    bool lost; /* the supervisor */
};

/* --- visitors ----------------------------------------------------------------------- */

static time_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void remove_visitor(struct http *http, struct visitor *visitor)
{
    struct visitor **link = &http->visitors;

    while (*link != NULL && *link != visitor)
        link = &(*link)->next;
    if (*link != NULL)
        *link = visitor->next;
    free(visitor);
}

static void visitor_changed(void *closure, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct http *http = closure;
    const union MHD_ConnectionInfo *info =
        microhttpd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct visitor *visitor = *context;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (visitor != NULL)
            remove_visitor(http, visitor);
        *context = NULL;
        return;
    }
    visitor = info != NULL ? malloc(sizeof *visitor) : NULL;
    *context = visitor;
    if (visitor == NULL)
        return;
    *visitor = (struct visitor){info->connect_fd, seconds(), http->visitors};
    http->visitors = visitor;
}

static void request_done(void *closure, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    const union MHD_ConnectionInfo *info =
        microhttpd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    (void)closure;
    (void)request;
    (void)code;
    if (info != NULL && info->socket_context != NULL)
        ((struct visitor *)info->socket_context)->since = seconds();
}

/* MHD closes what has ended. */
static void end_slow_visitors(struct http *http)
{
    time_t now = seconds();

    for (struct visitor *visitor = http->visitors; visitor != NULL; visitor = visitor->next)
        if (now - visitor->since > REQUEST_SECONDS)
            shutdown(visitor->socket, SHUT_RDWR);
}

/* --- replies -------------------------------------------------------------------------- */

struct reply {
    unsigned status;
    const char *type;
    char *text; /* heap */
    size_t length;
};

static const char plain[] = "text/plain; charset=utf-8";

static void add_headers(struct MHD_Response *response, const struct reply *reply)
{
    static const char *const headers[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
    };

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        microhttpd.add_response_header(response, headers[i][0], headers[i][1]);
    microhttpd.add_response_header(response, "Content-Security-Policy", page_policy());
    microhttpd.add_response_header(response, "Content-Type", reply->type);
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        microhttpd.add_response_header(response, "Allow", "GET, HEAD");
}

/* Takes over the reply's text. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, struct reply *reply)
{
    struct MHD_Response *response =
        microhttpd.create_response_from_buffer(reply->length, reply->text, MHD_RESPMEM_MUST_FREE);

    if (response == NULL) {
        free(reply->text);
        return MHD_NO;
    }
    add_headers(response, reply);
    enum MHD_Result result = microhttpd.queue_response(connection, reply->status, response);
    microhttpd.destroy_response(response);
    return result;
}

static struct reply say(unsigned status, const char *sentence)
{
    struct reply reply = {.status = status, .type = plain, .text = strdup(sentence)};

    reply.length = reply.text != NULL ? strlen(reply.text) : 0;
    return reply;
}

/* --- what there is ---------------------------------------------------------------------- */

static void write_page(const struct snapshot *snapshot, FILE *out)
{
    page_write(snapshot, out);
}

static void write_metrics(const struct snapshot *snapshot, FILE *out)
{
    exposition_write(snapshot->stats, snapshot->status, out);
}

static void write_json(const struct snapshot *snapshot, FILE *out)
{
    json_t *json = json_pack("{s:O, s:O, s:o}", "status", snapshot->status, "stats",
                             snapshot->stats, "explanation", explain(snapshot->stats));

    json_dumpf(json, out, JSON_COMPACT);
    json_decref(json);
}

static const struct resource {
    const char *path;
    const char *type;
    void (*write)(const struct snapshot *snapshot, FILE *out);
} resources[] = {
    {"/", "text/html; charset=utf-8", write_page},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
    {"/status.json", "application/json", write_json},
};

static struct reply make_reply(struct http *http, const struct resource *resource)
{
    struct reply reply = {.status = MHD_HTTP_OK, .type = resource->type};
    enum snapshot_outcome outcome = snapshot_refresh(&http->snapshot);

    if (outcome != SNAPSHOT_FRESH) {
        http->lost = outcome == SNAPSHOT_LOST;
        return say(MHD_HTTP_SERVICE_UNAVAILABLE, "sorreld does not tell: try again\n");
    }
    FILE *out = open_memstream(&reply.text, &reply.length);
    if (out == NULL)
        return say(MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
    resource->write(&http->snapshot, out);
    fclose(out);
    return reply;
}

static struct reply find_reply(struct http *http, const char *path)
{
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++)
        if (strcmp(path, resources[i].path) == 0)
            return make_reply(http, &resources[i]);
    return say(MHD_HTTP_NOT_FOUND, "there are /, /metrics and /status.json\n");
}

/* Called once the header is there, and then, unless that was refused, with what is behind it, which
 * nobody wants, and at the end. */
static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *length, void **request)
{
    static char begun;
    bool is_served =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;

    (void)version;
    (void)data;
    if (is_served && (*request == NULL || *length > 0)) {
        *request = &begun;
        *length = 0;
        return MHD_YES;
    }
    struct reply reply =
        is_served ? find_reply(closure, path)
                  : say(MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served here\n");
    return reply.text != NULL ? send_reply(connection, &reply) : MHD_NO;
}

/* --- the process ------------------------------------------------------------------------ */

static struct MHD_Daemon *start(struct http *http, int listener)
{
    return microhttpd.start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, http, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_EACH, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, visitor_changed, http, MHD_OPTION_NOTIFY_COMPLETED,
        request_done, NULL, MHD_OPTION_END);
}

bool http_prepare(char error[HTTP_ERROR_MAX])
{
    return microhttpd_load(error);
}

_Noreturn void http_run(int listener, int connection)
{
    struct http http = {0};

    snapshot_init(&http.snapshot, connection);
    /* These open files, once: time zones, libcrypto's settings, and randomness for hashes. */
    tzset();
    page_policy();
    json_object_seed(0);
    http.daemon = start(&http, listener);
    sandbox_enter_metrics();
    while (http.daemon != NULL && !http.lost) {
        if (microhttpd.run_wait(http.daemon, TICK_MILLISECONDS) != MHD_YES)
            break;
        end_slow_visitors(&http);
    }
    _exit(EXIT_FAILURE);
}

#else

bool http_prepare(char error[HTTP_ERROR_MAX])
{
    snprintf(error, HTTP_ERROR_MAX, "this sorreld was built without libmicrohttpd");
    return false;
}

_Noreturn void http_run(int listener, int connection)
{
    (void)listener;
    (void)connection;
    _exit(EXIT_FAILURE);
}

#endif
