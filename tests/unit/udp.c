/* query/udp.c: batches through a real socket, with a kernel that sends when and what the test lets
 * it. */
#include "server/query/udp.h"
#include "tables.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUERIES = 8, HEADER = 12, STEPS_MAX = 12 };

/* What sendmmsg does, call by call: sends so many at most, or fails. Past the steps it does as it
 * is told. */
struct step {
    unsigned most;
    int error;
};

static struct {
    struct step steps[STEPS_MAX];
    unsigned count, done;
    int forever; /* the error of every call past the steps; 0: none */
    unsigned polls;
    unsigned messages; /* that went out */
} kernel;

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    struct step step = {.most = UINT32_MAX, .error = kernel.forever};

    if (kernel.done < kernel.count)
        step = kernel.steps[kernel.done++];
    if (step.error != 0) {
        errno = step.error;
        return -1;
    }
    int sent = __real_sendmmsg(fd, messages, count < step.most ? count : step.most, flags);
    kernel.messages += sent > 0 ? (unsigned)sent : 0;
    return sent;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    assert_int_equal(count, 1);
    assert_int_equal(fds->events, POLLOUT);
    assert_in_range(timeout, 1, 100);
    kernel.polls++;
    return 0;
}

struct scene {
    struct sealed_table table;
    struct answer_settings settings;
    struct protection protection; /* none */
    struct slot_memory *memory;
    struct udp udp;
    struct ev_loop *loop;
    int server, client;
};

static int open_scene(void **state)
{
    static struct scene scene;
    static const struct zone_text zone = {
        "unit.test.", "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    memset(&kernel, 0, sizeof kernel);
    scene = (struct scene){.server = socket(AF_INET, SOCK_DGRAM, 0),
                           .client = socket(AF_INET, SOCK_DGRAM, 0),
                           .loop = ev_loop_new(EVFLAG_AUTO)};
    tables_build(&scene.table, &zone, 1);
    scene.settings = (struct answer_settings){.table = &scene.table.table,
                                              .udp_payload_max = ANSWER_UDP_PAYLOAD_DEFAULT};
    scene.memory =
        mmap(NULL, slot_memory_size(1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *state = &scene;
    if (scene.memory == MAP_FAILED ||
        bind(scene.server, (struct sockaddr *)&address, length) != 0 ||
        getsockname(scene.server, (struct sockaddr *)&address, &length) != 0 ||
        connect(scene.client, (struct sockaddr *)&address, length) != 0)
        return -1;
    udp_start(&scene.udp, scene.loop, scene.server, false, &scene.memory->addresses[0],
              &scene.memory->counters, &scene.settings, &scene.protection, NULL);
    return 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;

    ev_io_stop(scene->loop, &scene->udp.readable);
    ev_loop_destroy(scene->loop);
    seal_unmap(&scene->table);
    munmap(scene->memory, slot_memory_size(1));
    close(scene->server);
    close(scene->client);
    return 0;
}

static void send_query(const struct scene *scene, uint8_t id)
{
    uint8_t query[64] = {0, id, 0, 0, 0, 1};
    static const uint8_t question[] = "\2ns\4unit\4test\0\0\1\0\1";

    memcpy(query + HEADER, question, sizeof question);
    assert_int_equal(send(scene->client, query, HEADER + sizeof question - 1, 0),
                     HEADER + sizeof question - 1);
}

/* Asks nothing: the answer is a header with FORMERR. */
static void send_header(const struct scene *scene, uint8_t id)
{
    const uint8_t query[HEADER] = {0, id, 0, 0, 0, 1};

    assert_int_equal(send(scene->client, query, sizeof query, 0), sizeof query);
}

static void send_queries(const struct scene *scene, unsigned count)
{
    for (unsigned id = 0; id < count; id++)
        send_query(scene, (uint8_t)id);
}

/* Takes the answers that have come; bit n is set if one to query n was among them. Each comes once.
 */
static uint64_t take_answers(const struct scene *scene)
{
    uint8_t answer[512];
    uint64_t ids = 0;

    while (recv(scene->client, answer, sizeof answer, MSG_DONTWAIT) >= HEADER) {
        assert_int_equal(ids >> answer[1] & 1, 0);
        ids |= UINT64_C(1) << answer[1];
    }
    return ids;
}

/* --- tests ----------------------------------------------------------------------------------- */

static void an_answer_that_cannot_be_sent_costs_no_other(void **state)
{
    static const struct {
        const char *what;
        struct step steps[STEPS_MAX];
        unsigned count;
        int forever;
        uint64_t answered;
        unsigned polls;
    } cases[] = {
        {"all at once", {{0, 0}}, 0, 0, 0xff, 0},
        {"in three calls", {{3, 0}, {1, 0}}, 2, 0, 0xff, 0},
        {"interrupted", {{0, EINTR}, {2, 0}, {0, EINTR}}, 3, 0, 0xff, 0},
        {"an old error of the socket's", {{0, ECONNREFUSED}}, 1, 0, 0xff, 0},
        {"an old error in between", {{5, 0}, {0, EHOSTUNREACH}}, 2, 0, 0xff, 0},
        {"the first for good", {{0, EINVAL}, {0, EINVAL}}, 2, 0, 0xfe, 0},
        {"the third for good", {{2, 0}, {0, EPERM}, {0, EPERM}}, 3, 0, 0xfb, 0},
        {"the last for good", {{7, 0}, {0, EPERM}, {0, EPERM}}, 3, 0, 0x7f, 0},
        {"no room, then room", {{4, 0}, {0, EAGAIN}, {0, EAGAIN}}, 3, 0, 0xff, 2},
        {"no room any more", {{4, 0}}, 1, EAGAIN, 0x0f, 8},
        {"none can be sent", {{0, 0}}, 0, EPERM, 0, 0},
    };
    struct scene *scene = *state;
    struct counters *counters = &scene->memory->counters;
    struct counters_traffic *traffic = &scene->memory->addresses[0].traffic;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t unsendable = counters->dropped[COUNTERS_DROP_UNSENDABLE];
        uint64_t responses = traffic->udp_responses;
        print_message("%s\n", cases[i].what);
        memset(&kernel, 0, sizeof kernel);
        if (cases[i].count > 0)
            memcpy(kernel.steps, cases[i].steps, sizeof kernel.steps);
        kernel.count = cases[i].count;
        kernel.forever = cases[i].forever;
        scene->udp.bundles = false;
        send_queries(scene, QUERIES);
        assert_int_equal(udp_serve(&scene->udp), QUERIES);
        assert_int_equal(take_answers(scene), cases[i].answered);
        assert_int_equal(kernel.polls, cases[i].polls);
        unsigned sent = (unsigned)__builtin_popcountll(cases[i].answered);
        assert_int_equal(traffic->udp_responses - responses, sent);
        assert_int_equal(counters->dropped[COUNTERS_DROP_UNSENDABLE] - unsendable, QUERIES - sent);
        assert_int_equal(scene->memory->addresses[0].batch.stage, BATCH_EMPTY);
    }
}

/* Larger than the next network takes, and not to be fragmented: over TCP it gets through. */
static void an_answer_that_is_too_large_is_cut_short(void **state)
{
    static const struct step steps[] = {{0, EMSGSIZE}, {0, EMSGSIZE}};
    struct scene *scene = *state;
    const struct counters *counters = &scene->memory->counters;
    uint8_t answer[512];

    memcpy(kernel.steps, steps, sizeof steps);
    kernel.count = 2;
    send_query(scene, 5);
    assert_int_equal(udp_serve(&scene->udp), 1);
    assert_int_equal(recv(scene->client, answer, sizeof answer, MSG_DONTWAIT), HEADER + 18);
    assert_int_equal(answer[1], 5);
    assert_int_equal(answer[2], 0x86); /* QR, AA, TC */
    assert_memory_equal(answer + 4, "\0\1\0\0\0\0\0\0\2ns\4unit\4test\0\0\1\0\1", 26);
    assert_int_equal(counters->dropped[COUNTERS_DROP_UNSENDABLE], 0);

    kernel.forever = EMSGSIZE;
    send_query(scene, 6);
    assert_int_equal(udp_serve(&scene->udp), 1);
    assert_int_equal(take_answers(scene), 0);
    assert_int_equal(counters->dropped[COUNTERS_DROP_UNSENDABLE], 1);
}

static void a_full_batch_tells_that_there_may_be_more(void **state)
{
    struct scene *scene = *state;
    struct counters *counters = &scene->memory->counters;
    struct counters_traffic *traffic = &scene->memory->addresses[0].traffic;

    assert_int_equal(udp_serve(&scene->udp), 0);
    assert_int_equal(counters->heartbeat, 0);
    for (unsigned i = 0; i < BATCH_WIDTH + 3; i++)
        send_query(scene, (uint8_t)(i % 64));
    assert_int_equal(udp_serve(&scene->udp), BATCH_WIDTH);
    assert_int_equal(traffic->udp_queries, BATCH_WIDTH);
    assert_int_equal(udp_serve(&scene->udp), 3);
    assert_int_equal(traffic->udp_queries, BATCH_WIDTH + 3);
    assert_int_equal(traffic->udp_responses, BATCH_WIDTH + 3);
    assert_int_equal(counters->batch_width[COUNTERS_WIDTHS - 1], 1);
    assert_int_equal(counters->batch_width[1], 1);
    assert_int_equal(counters->heartbeat, 2);
}

static void a_query_that_is_cut_off_gets_a_header(void **state)
{
    static uint8_t query[BATCH_QUERY_MAX + 1] = {0, 7, 0, 0, 0, 1};
    struct scene *scene = *state;
    uint8_t answer[512];

    assert_int_equal(send(scene->client, query, sizeof query, 0), sizeof query);
    udp_serve(&scene->udp);
    assert_int_equal(recv(scene->client, answer, sizeof answer, MSG_DONTWAIT), HEADER);
    assert_int_equal(answer[1], 7);
    assert_int_equal(answer[3] & 15, 1);
    assert_int_equal(scene->memory->counters.cut_off, 1);
    /* and the next to have its place in the batch is as long as it is */
    send_query(scene, 1);
    udp_serve(&scene->udp);
    assert_int_equal(take_answers(scene), 2);
    assert_int_equal(scene->memory->counters.cut_off, 1);
}

/* The worker died in the middle: whoever starts next answers before it reads on. */
static void a_successor_finishes_first(void **state)
{
    struct scene *scene = *state;
    struct slot_address *address = &scene->memory->addresses[0];
    struct batch *batch = &address->batch;

    send_queries(scene, QUERIES);
    batch_receive(batch);
    int n = recvmmsg(scene->server, batch->receive, BATCH_WIDTH, MSG_DONTWAIT, NULL);
    assert_int_equal(n, QUERIES);
    ev_io_stop(scene->loop, &scene->udp.readable);
    udp_start(&scene->udp, scene->loop, scene->server, false, address, &scene->memory->counters,
              &scene->settings, &scene->protection, NULL);
    assert_int_equal(take_answers(scene), 0xff);
    assert_int_equal(batch->stage, BATCH_EMPTY);
    assert_int_equal(address->traffic.udp_queries, QUERIES);
    assert_int_equal(address->traffic.udp_responses, QUERIES);
}

/* --- answers that leave together ---------------------------------------------------------------
 */

static void skip_without_bundles(const struct scene *scene)
{
    if (!scene->udp.bundles)
        skip();
}

static void answers_to_one_client_leave_together(void **state)
{
    struct scene *scene = *state;

    skip_without_bundles(scene);
    send_queries(scene, QUERIES);
    assert_int_equal(udp_serve(&scene->udp), QUERIES);
    assert_int_equal(take_answers(scene), 0xff);
    assert_int_equal(kernel.messages, 1);
    assert_int_equal(scene->memory->addresses[0].traffic.udp_responses, QUERIES);
}

static void answers_of_another_length_leave_apart(void **state)
{
    static const uint8_t longer[] = {0,   3,   0,   0, 0,   1,   0,   0,   0, 0, 0, 0, 4, 'u',
                                     'n', 'i', 't', 4, 't', 'e', 's', 't', 0, 0, 2, 0, 1};
    struct scene *scene = *state;

    skip_without_bundles(scene);
    send_queries(scene, 3);
    assert_int_equal(send(scene->client, longer, sizeof longer, 0), sizeof longer);
    send_query(scene, 4);
    assert_int_equal(udp_serve(&scene->udp), 5);
    assert_int_equal(take_answers(scene), 0x1f);
    assert_int_equal(kernel.messages, 2);
}

static void clients_get_what_is_theirs(void **state)
{
    struct scene *scene = *state, other = *scene;
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    skip_without_bundles(scene);
    other.client = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(getpeername(scene->client, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(other.client, (struct sockaddr *)&address, length), 0);
    for (unsigned i = 0; i < QUERIES; i++)
        send_query(i % 2 == 0 ? scene : &other, (uint8_t)i);
    assert_int_equal(udp_serve(&scene->udp), QUERIES);
    assert_int_equal(take_answers(scene), 0x55);
    assert_int_equal(take_answers(&other), 0xaa);
    assert_int_equal(kernel.messages, 2);
    close(other.client);
}

/* Whatever the reason, no answer may be lost to that, nor come twice. Only if the way out of the
 * machine cannot cut messages are there none any more. */
static void a_bundle_that_cannot_be_sent_is_taken_apart(void **state)
{
    static const struct {
        const char *what;
        struct step steps[STEPS_MAX];
        unsigned count;
        bool header_first; /* an answer that is in no bundle */
        bool bundles;      /* afterwards */
        uint64_t answered;
    } cases[] = {
        {"the way cannot cut", {{0, EIO}, {0, EIO}}, 2, false, false, 0xff},
        {"the way of the second", {{1, 0}, {0, EIO}, {0, EIO}}, 3, true, false, 0xff},
        {"no way", {{0, EIO}, {0, EIO}, {0, EIO}, {0, EIO}}, 4, false, true, 0xfe},
        {"an address without a port", {{0, EINVAL}, {0, EINVAL}}, 2, false, true, 0xff},
        {"too large to be cut", {{0, EINVAL}, {0, EMSGSIZE}}, 2, false, true, 0xff},
        {"a firewall's limit", {{0, EPERM}, {0, EPERM}}, 2, false, true, 0xff},
        {"a firewall", {{0, EPERM}, {0, EPERM}, {0, EPERM}, {0, EPERM}}, 4, false, true, 0xfe},
        {"no route", {{0, ENETUNREACH}, {0, ENETUNREACH}}, 2, false, true, 0xff},
        {"no room",
         {{0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN},
          {0, EAGAIN}},
         10,
         false,
         true,
         0xff},
    };
    struct scene *scene = *state;
    unsigned lost = 0;

    skip_without_bundles(scene);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].what);
        scene->udp.bundles = true;
        memset(&kernel, 0, sizeof kernel);
        memcpy(kernel.steps, cases[i].steps, sizeof kernel.steps);
        kernel.count = cases[i].count;
        if (cases[i].header_first)
            send_header(scene, 7);
        send_queries(scene, 7);
        if (!cases[i].header_first)
            send_header(scene, 7);
        assert_int_equal(udp_serve(&scene->udp), QUERIES);
        assert_int_equal(take_answers(scene), cases[i].answered);
        assert_int_equal(kernel.messages, __builtin_popcountll(cases[i].answered));
        assert_int_equal(scene->udp.bundles, cases[i].bundles);
        lost += cases[i].answered != 0xff;
    }
    assert_int_equal(scene->memory->counters.dropped[COUNTERS_DROP_UNSENDABLE], lost);
    assert_int_equal(scene->memory->addresses[0].traffic.udp_responses,
                     QUERIES * sizeof cases / sizeof cases[0] - lost);
}

/* The batch after one that had to be taken apart is none the worse for it. */
static void bundles_come_back(void **state)
{
    static const struct step steps[] = {{0, EPERM}, {0, EPERM}};
    struct scene *scene = *state;

    skip_without_bundles(scene);
    memcpy(kernel.steps, steps, sizeof steps);
    kernel.count = 2;
    send_queries(scene, QUERIES);
    assert_int_equal(udp_serve(&scene->udp), QUERIES);
    assert_int_equal(take_answers(scene), 0xff);
    assert_int_equal(kernel.messages, QUERIES);
    send_queries(scene, QUERIES);
    assert_int_equal(udp_serve(&scene->udp), QUERIES);
    assert_int_equal(take_answers(scene), 0xff);
    assert_int_equal(kernel.messages, QUERIES + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_that_cannot_be_sent_costs_no_other, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(an_answer_that_is_too_large_is_cut_short, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_full_batch_tells_that_there_may_be_more, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_query_that_is_cut_off_gets_a_header, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_successor_finishes_first, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(answers_to_one_client_leave_together, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(answers_of_another_length_leave_apart, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(clients_get_what_is_theirs, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_bundle_that_cannot_be_sent_is_taken_apart, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(bundles_come_back, open_scene, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
