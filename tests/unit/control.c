/* server/control/control.c: requests of good, slow, silent and leaving clients. */
#include "config.h"
#include "server/control/control.h"

#include "server/control/envelope.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 8 << 20 };

/* A daemon that never did anything else. */
static struct {
    char directory[32];
    struct ev_loop *loop;
    ev_timer tick; /* lets ev_run(EVRUN_ONCE) return, so that a test can look around */
    struct control_socket socket;
    struct control *control;
    struct control_request *kept[CONTROL_CONNECTIONS_MAX];
    size_t kept_count;
} daemon_;

static void echo(void *closure, struct control_request *request)
{
    json_t *list = json_array();

    assert_ptr_equal(closure, &daemon_);
    for (char *const *argument = control_arguments(request); *argument != NULL; argument++)
        json_array_append_new(list, json_string(*argument));
    control_reply(request, true, list);
}

static void keep(void *closure, struct control_request *request)
{
    (void)closure;
    assert_true(daemon_.kept_count < CONTROL_CONNECTIONS_MAX);
    daemon_.kept[daemon_.kept_count++] = request;
}

static void refuse(void *closure, struct control_request *request)
{
    (void)closure;
    control_refuse(request, "no %s today", "stop");
}

static void reply_at_length(void *closure, struct control_request *request)
{
    char *text = malloc(BIG);

    (void)closure;
    memset(text, 'x', BIG);
    control_reply(request, true, json_stringn(text, BIG));
    free(text);
}

static void greet(void *closure, struct control_request *request)
{
    int socket = control_detach(request);

    (void)closure;
    assert_int_equal(write(socket, "hello", 5), 5);
    close(socket);
}

static const struct control_word words[] = {
    {PROTOCOL_STATUS, 3, echo},           {PROTOCOL_RELOAD, 0, keep},    {PROTOCOL_STOP, 0, refuse},
    {PROTOCOL_ZONES, 0, reply_at_length}, {PROTOCOL_HANDOVER, 0, greet}, {0, 0, NULL},
};

static void ticked(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

static int start_daemon(void **state)
{
    char path[64], error[CONTROL_SOCKET_ERROR_MAX];

    (void)state;
    strcpy(daemon_.directory, "/tmp/sorrel-unit-XXXXXX");
    assert_non_null(mkdtemp(daemon_.directory));
    snprintf(path, sizeof path, "%s/control", daemon_.directory);
    assert_int_equal(control_socket_listen(&daemon_.socket, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    daemon_.loop = ev_loop_new(0);
    daemon_.control = control_open(daemon_.loop, &daemon_.socket, words, &daemon_);
    daemon_.kept_count = 0;
    ev_timer_init(&daemon_.tick, ticked, 0.01, 0.01);
    ev_timer_start(daemon_.loop, &daemon_.tick);
    return 0;
}

static int stop_daemon(void **state)
{
    (void)state;
    if (daemon_.control != NULL)
        control_close(daemon_.control);
    control_socket_close(&daemon_.socket, true);
    ev_loop_destroy(daemon_.loop);
    return rmdir(daemon_.directory);
}

/* --- clients ------------------------------------------------------------------------ */

static int connect_client(void)
{
    char error[CONTROL_SOCKET_ERROR_MAX];
    int client = control_socket_connect(daemon_.socket.path, error);

    assert_true(client >= 0);
    assert_int_equal(fcntl(client, F_SETFL, O_NONBLOCK), 0);
    return client;
}

static void ask(int client, enum protocol_type type, const void *payload, size_t length)
{
    struct envelope_writer writer;

    envelope_writer_start(&writer, type, payload, length);
    assert_int_equal(envelope_write(&writer, client), ENVELOPE_WHOLE);
}

static void assert_reply(int client, enum protocol_type type, const char *json)
{
    struct envelope_reader reader;
    enum envelope_outcome outcome;

    envelope_reader_start(&reader, PROTOCOL_REPLY_MAX, false);
    while ((outcome = envelope_read(&reader, client)) == ENVELOPE_PARTIAL)
        ev_run(daemon_.loop, EVRUN_ONCE);
    assert_int_equal(outcome, ENVELOPE_WHOLE);
    assert_int_equal(reader.header.type, type);
    assert_string_equal((char *)reader.payload, json);
    envelope_reader_clear(&reader);
}

/* Runs until the daemon ends the connection; nothing more has come. */
static void assert_dropped(int client)
{
    struct envelope_reader reader;
    enum envelope_outcome outcome;

    envelope_reader_start(&reader, PROTOCOL_REPLY_MAX, false);
    while ((outcome = envelope_read(&reader, client)) == ENVELOPE_PARTIAL)
        ev_run(daemon_.loop, EVRUN_ONCE);
    assert_true(outcome == ENVELOPE_END || outcome == ENVELOPE_BROKEN);
    envelope_reader_clear(&reader);
    close(client);
}

static void assert_serves(void)
{
    int client = connect_client();

    ask(client, PROTOCOL_STATUS, "well?", 6);
    assert_reply(client, PROTOCOL_DONE, "[\"well?\"]");
    close(client);
}

static void run_until_kept(size_t count)
{
    while (daemon_.kept_count < count)
        ev_run(daemon_.loop, EVRUN_ONCE);
}

/* --- tests ----------------------------------------------------------------------------- */

static void requests_are_answered_one_after_the_other(void **state)
{
    (void)state;
    int client = connect_client();

    ask(client, PROTOCOL_STATUS, "", 0);
    ask(client, PROTOCOL_STATUS, "a\0b", 4);
    ask(client, PROTOCOL_STOP, "", 0);
    assert_reply(client, PROTOCOL_DONE, "[]");
    assert_reply(client, PROTOCOL_DONE, "[\"a\",\"b\"]");
    assert_reply(client, PROTOCOL_FAILED, "{\"error\":\"no stop today\"}");
    ask(client, PROTOCOL_STATUS, "c", 2);
    assert_reply(client, PROTOCOL_DONE, "[\"c\"]");
    close(client);
}

static void a_long_request_keeps_nobody_else_waiting(void **state)
{
    (void)state;
    int slow = connect_client();

    ask(slow, PROTOCOL_RELOAD, "", 0);
    ask(slow, PROTOCOL_STATUS, "behind", 7);
    run_until_kept(1);
    assert_serves();
    control_reply(daemon_.kept[0], true, json_object());
    assert_reply(slow, PROTOCOL_DONE, "{}");
    assert_reply(slow, PROTOCOL_DONE, "[\"behind\"]");
    close(slow);
}

static void a_client_may_leave_before_its_answer(void **state)
{
    (void)state;
    int client = connect_client();

    ask(client, PROTOCOL_RELOAD, "", 0);
    run_until_kept(1);
    close(client);
    assert_serves();
    control_reply(daemon_.kept[0], true, json_object());

    client = connect_client();
    ask(client, PROTOCOL_RELOAD, "", 0);
    run_until_kept(2);
    close(client);
    assert_serves();
    assert_int_equal(control_detach(daemon_.kept[1]), -1);
}

static void a_long_reply_arrives(void **state)
{
    (void)state;
    char *json = malloc(BIG + 3);
    int client = connect_client();

    memset(json, 'x', BIG + 2);
    json[0] = json[BIG + 1] = '"';
    json[BIG + 2] = '\0';
    ask(client, PROTOCOL_ZONES, "", 0);
    assert_reply(client, PROTOCOL_DONE, json);
    close(client);
    free(json);
}

static void garbage_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t length;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", 18},
        {"sorC\1\0\20\0\1\0\20\0", 12},    /* a payload over the limit */
        {"sorC\1\0\20\0\3\0\0\0\0aa", 15}, /* arguments without an end */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int client = connect_client();
        assert_int_equal(write(client, cases[i].octets, cases[i].length), cases[i].length);
        assert_dropped(client);
    }
    int client = connect_client();
    assert_int_equal(write(client, "sorC\1\0", 6), 6);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    assert_dropped(client);
    assert_serves();
}

static void what_is_refused_is_told_why(void **state)
{
    (void)state;
    static const struct {
        uint16_t version;
        uint16_t type;
        const char *payload;
        size_t length;
        const char *words[2];
    } cases[] = {
        {77, PROTOCOL_STATUS, "", 0, {"version 77", "version 1,"}},
        {PROTOCOL_VERSION, 999, "", 0, {"type 999", "sorreld"}},
        {PROTOCOL_VERSION, PROTOCOL_STATUS, "\0\0\0", 4, {"too many", "3"}},
        {PROTOCOL_VERSION, PROTOCOL_STATUS, "\xff", 2, {"an argument", "UTF-8"}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int client = connect_client();
        struct protocol_header header = {PROTOCOL_MAGIC, cases[i].version, cases[i].type,
                                         (uint32_t)cases[i].length};
        assert_int_equal(write(client, &header, sizeof header), sizeof header);
        assert_int_equal(write(client, cases[i].payload, cases[i].length), cases[i].length);
        struct envelope_reader reader;
        envelope_reader_start(&reader, PROTOCOL_REPLY_MAX, false);
        while (envelope_read(&reader, client) != ENVELOPE_WHOLE)
            ev_run(daemon_.loop, EVRUN_ONCE);
        assert_int_equal(reader.header.type, PROTOCOL_FAILED);
        assert_int_equal(reader.header.version, PROTOCOL_VERSION);
        for (size_t j = 0; j < 2; j++)
            assert_non_null(strstr((char *)reader.payload, cases[i].words[j]));
        envelope_reader_clear(&reader);
        assert_dropped(client);
    }
}

static void a_detached_connection_is_the_callers(void **state)
{
    (void)state;
    char octets[8];
    int client = connect_client();

    ask(client, PROTOCOL_HANDOVER, "", 0);
    while (recv(client, octets, 5, MSG_PEEK) < 5)
        ev_run(daemon_.loop, EVRUN_ONCE);
    assert_int_equal(read(client, octets, sizeof octets), 5);
    assert_memory_equal(octets, "hello", 5);
    assert_dropped(client);
    assert_serves();
}

static const struct control_word few_words[] = {{PROTOCOL_STATUS, 3, echo}, {0, 0, NULL}};

static int adopt_client(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_true(control_adopt(daemon_.control, ends[0], few_words));
    return ends[1];
}

static void too_many_connections_wait(void **state)
{
    (void)state;
    int idle[CONTROL_CONNECTIONS_MAX];

    int adopted = adopt_client();
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        idle[i] = connect_client();
        ask(idle[i], PROTOCOL_RELOAD, "", 0);
    }
    run_until_kept(CONTROL_CONNECTIONS_MAX);
    int client = connect_client();
    ask(client, PROTOCOL_STATUS, "", 0);
    for (unsigned turns = 0; turns < 10; turns++)
        ev_run(daemon_.loop, EVRUN_ONCE);
    char octet;
    assert_int_equal(recv(client, &octet, 1, MSG_PEEK), -1);
    ask(adopted, PROTOCOL_STATUS, "", 0);
    assert_reply(adopted, PROTOCOL_DONE, "[]");
    close(adopted);
    close(idle[7]);
    assert_reply(client, PROTOCOL_DONE, "[]");
    close(client);
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        control_reply(daemon_.kept[i], true, json_object());
        if (i != 7) {
            assert_reply(idle[i], PROTOCOL_DONE, "{}");
            close(idle[i]);
        }
    }
}

static void patience_with_clients_ends(void **state)
{
    (void)state;
    int silent = connect_client();
    int halting = connect_client();
    int deaf = connect_client();
    int adopted = adopt_client();
    char octets[4096];

    assert_int_equal(write(halting, "sorC\1\0", 6), 6);
    ask(deaf, PROTOCOL_ZONES, "", 0);
    ev_tstamp start = ev_now(daemon_.loop);
    while (recv(deaf, octets, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
        ev_run(daemon_.loop, EVRUN_ONCE);
    ev_now_update(daemon_.loop);
    ev_tstamp replied = ev_now(daemon_.loop);
    assert_dropped(silent);
    assert_dropped(halting);
    assert_serves();
    assert_true(ev_now(daemon_.loop) - start > CONTROL_PATIENCE_SECONDS - 1);
    /* What has been written to the deaf one can be read, and then it is over. */
    size_t taken = 0;
    ssize_t length;
    while (ev_now(daemon_.loop) - replied < CONTROL_PATIENCE_SECONDS + 0.5)
        ev_run(daemon_.loop, EVRUN_ONCE);
    while ((length = read(deaf, octets, sizeof octets)) > 0)
        taken += (size_t)length;
    assert_int_equal(length, 0);
    assert_true(taken < BIG);
    close(deaf);
    ask(adopted, PROTOCOL_STATUS, "", 0);
    assert_reply(adopted, PROTOCOL_DONE, "[]");
    close(adopted);
}

static void the_adopted_may_ask_for_little(void **state)
{
    (void)state;
    int child = adopt_client();

    ask(child, PROTOCOL_STATUS, "a\0b", 4);
    assert_reply(child, PROTOCOL_DONE, "[\"a\",\"b\"]");
    ask(child, PROTOCOL_STATUS, "", 0);
    assert_reply(child, PROTOCOL_DONE, "[]");
    ask(child, PROTOCOL_RELOAD, "", 0);
    assert_reply(child, PROTOCOL_FAILED,
                 "{\"error\":\"sorreld " PACKAGE_VERSION " knows no request of type 18\"}");
    assert_dropped(child);
    assert_int_equal(daemon_.kept_count, 0);
    assert_serves();
}

/* Where nobody can connect, the adopted are served as well. */
static void adoption_needs_no_socket(void **state)
{
    (void)state;
    const struct control_socket none = {.fd = -1};

    control_close(daemon_.control);
    daemon_.control = control_open(daemon_.loop, &none, words, &daemon_);
    int child = adopt_client();
    ask(child, PROTOCOL_STATUS, "", 0);
    assert_reply(child, PROTOCOL_DONE, "[]");
    close(child);
}

static void requests_outlive_the_control(void **state)
{
    (void)state;
    int client = connect_client();

    ask(client, PROTOCOL_RELOAD, "", 0);
    run_until_kept(1);
    control_close(daemon_.control);
    daemon_.control = NULL;
    assert_dropped(client);
    control_reply(daemon_.kept[0], true, json_object());
}

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, start_daemon, stop_daemon)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(requests_are_answered_one_after_the_other),
        WITH_DAEMON(a_long_request_keeps_nobody_else_waiting),
        WITH_DAEMON(a_client_may_leave_before_its_answer),
        WITH_DAEMON(a_long_reply_arrives),
        WITH_DAEMON(garbage_ends_the_connection),
        WITH_DAEMON(what_is_refused_is_told_why),
        WITH_DAEMON(a_detached_connection_is_the_callers),
        WITH_DAEMON(too_many_connections_wait),
        WITH_DAEMON(patience_with_clients_ends),
        WITH_DAEMON(the_adopted_may_ask_for_little),
        WITH_DAEMON(adoption_needs_no_socket),
        WITH_DAEMON(requests_outlive_the_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
