/* tools/control_client.c: daemons of all kinds, in a process of their own. */
#include "tools/control_client.h"

#include "server/control/control_socket.h"
#include "server/control/envelope.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a daemon does with the one request it gets. */
struct script {
    uint16_t version;
    uint16_t type;
    const char *reply; /* NULL: the header only, and then the end */
    unsigned seconds;  /* that it lives on */
    bool deaf;         /* it does not even read the request */
};

static char directory[32];
static char path[64];
static pid_t daemon_;

static _Noreturn void be_daemon(int listener, const struct script *script)
{
    struct protocol_header header = {PROTOCOL_MAGIC, script->version, script->type, 100};
    struct envelope_reader reader;
    int connection = accept(listener, NULL, NULL);

    envelope_reader_start(&reader, PROTOCOL_REQUEST_MAX, false);
    if (!script->deaf && envelope_read(&reader, connection) != ENVELOPE_WHOLE)
        _exit(1);
    if (script->reply != NULL)
        header.length = (uint32_t)strlen(script->reply);
    if (!script->deaf) {
        if (write(connection, &header, sizeof header) != sizeof header)
            _exit(1);
        if (script->reply != NULL &&
            write(connection, script->reply, header.length) != (ssize_t)header.length)
            _exit(1);
    }
    sleep(script->seconds); /* what it does is take its time; most are killed before */
    _exit(0);
}

static void start_daemon(const struct script *script)
{
    struct control_socket control;
    char error[CONTROL_SOCKET_ERROR_MAX];

    strcpy(directory, "/tmp/sorrel-unit-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/control", directory);
    assert_int_equal(control_socket_listen(&control, path, geteuid(), error),
                     CONTROL_SOCKET_LISTENING);
    int listener = fcntl(control.fd, F_DUPFD_CLOEXEC, 0);
    assert_int_equal(fcntl(listener, F_SETFL, 0), 0); /* for accept() to wait */
    daemon_ = fork();
    if (daemon_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_daemon(listener, script);
    }
    close(listener);
    control_socket_close(&control, false);
}

static void stop_daemon(void)
{
    kill(daemon_, SIGKILL);
    assert_int_equal(waitpid(daemon_, NULL, 0), daemon_);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
}

static bool ask(unsigned patience, bool until_gone, struct control_client_reply *reply,
                char error[CONTROL_CLIENT_ERROR_MAX])
{
    char a[] = "a", b[] = "b";
    char *const arguments[] = {a, b};

    error[0] = '\0';
    return control_client_ask(path, PROTOCOL_RELOAD, arguments, 2, patience, until_gone, reply,
                              error);
}

static void replies_are_read(void **state)
{
    (void)state;
    static const struct {
        struct script script;
        bool done;
        const char *json;
    } cases[] = {
        {{1, PROTOCOL_DONE, "{\"a\":1}", 9, false}, true, "{\"a\":1}"},
        {{1, PROTOCOL_FAILED, "{\"error\":\"no\"}", 9, false}, false, "{\"error\":\"no\"}"},
        /* Whatever the version, a refusal is a refusal. */
        {{7, PROTOCOL_FAILED, "{\"error\":\"no\"}", 9, false}, false, "{\"error\":\"no\"}"},
    };
    struct control_client_reply reply;
    char error[CONTROL_CLIENT_ERROR_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_daemon(&cases[i].script);
        assert_true(ask(20, false, &reply, error));
        assert_int_equal(reply.done, cases[i].done);
        char *json = json_dumps(reply.document, JSON_COMPACT);
        assert_string_equal(json, cases[i].json);
        free(json);
        json_decref(reply.document);
        stop_daemon();
    }
}

static void what_is_no_reply_has_a_sentence(void **state)
{
    (void)state;
    static const struct {
        struct script script;
        const char *sentence;
    } cases[] = {
        {{7, PROTOCOL_DONE, "{}", 9, false}, "the daemon's is version 7"},
        {{7, PROTOCOL_FAILED, "no JSON", 9, false}, "the daemon's is version 7"},
        {{1, PROTOCOL_DONE, "{", 9, false}, "makes no sense"},
        {{1, PROTOCOL_DONE, "", 9, false}, "makes no sense"},
        {{1, PROTOCOL_STATUS, "{}", 9, false}, "makes no sense"},
        {{1, PROTOCOL_DONE, NULL, 0, false}, "no sorreld"},
        {{1, PROTOCOL_DONE, NULL, 9, false}, "does not answer"},
        {{1, PROTOCOL_DONE, NULL, 9, true}, "does not answer"},
    };
    struct control_client_reply reply;
    char error[CONTROL_CLIENT_ERROR_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_daemon(&cases[i].script);
        assert_false(ask(1, false, &reply, error));
        assert_non_null(strstr(error, cases[i].sentence));
        stop_daemon();
    }
    assert_false(ask(1, false, &reply, error));
    assert_non_null(strstr(error, path)); /* there is none any more */
}

static void the_end_of_the_daemon_is_waited_for(void **state)
{
    (void)state;
    static const struct script script = {1, PROTOCOL_DONE, "{}", 1, false};
    struct control_client_reply reply;
    char error[CONTROL_CLIENT_ERROR_MAX];

    start_daemon(&script);
    assert_true(ask(20, true, &reply, error));
    json_decref(reply.document);
    /* Its end of the connection closes when it exits, just before it can be waited for. */
    siginfo_t info = {0};
    assert_int_equal(waitid(P_PID, (id_t)daemon_, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_code, CLD_EXITED);
    stop_daemon();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(what_is_no_reply_has_a_sentence),
        cmocka_unit_test(the_end_of_the_daemon_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
