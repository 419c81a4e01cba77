/* query/udp.c: batches through a real socket, with a kernel that sends when and what the test lets
 * it, and workers that die where it wants them to. */
#include "server/query/udp.h"
#include "tables.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
    bool hides_port;   /* the first datagram of each batch comes from port 0 */
} kernel;

/* Where this process, a worker, is to end. */
enum stage_of_work { NOWHERE, FINISHING, CHARGING, SENDING };

static struct {
    enum stage_of_work place;
    unsigned left; /* times that it comes by there alive */
} death;

static void come_by(enum stage_of_work place)
{
    if (death.place == place && death.left-- == 0)
        _exit(0);
}

static unsigned charges; /* made to the limiter's accounts */

enum rrl_verdict __real_rrl_settle(struct rrl *rrl, const struct client *client,
                                   const struct rrl_claim *claim, uint64_t now);
enum rrl_verdict __wrap_rrl_settle(struct rrl *rrl, const struct client *client,
                                   const struct rrl_claim *claim, uint64_t now);

enum rrl_verdict __wrap_rrl_settle(struct rrl *rrl, const struct client *client,
                                   const struct rrl_claim *claim, uint64_t now)
{
    come_by(CHARGING);
    charges++;
    return __real_rrl_settle(rrl, client, claim, now);
}

size_t __real_answer_finish(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *reply, size_t reply_max,
                            struct answer_report *report);
size_t __wrap_answer_finish(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *reply, size_t reply_max,
                            struct answer_report *report);

size_t __wrap_answer_finish(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *reply, size_t reply_max,
                            struct answer_report *report)
{
    come_by(FINISHING);
    return __real_answer_finish(task, settings, client, reply, reply_max, report);
}

int __real_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout);

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout)
{
    int taken = __real_recvmmsg(fd, messages, count, flags, timeout);

    if (kernel.hides_port && taken > 0)
        ((struct sockaddr_in *)messages[0].msg_hdr.msg_name)->sin_port = 0;
    return taken;
}

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
    come_by(SENDING); /* what SIGKILL does in the middle of the call */
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
    memset(&death, 0, sizeof death);
    charges = 0;
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

static void skip_without_bundles(const struct scene *scene)
{
    if (!scene->udp.bundles)
        skip();
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

/* --- what a death leaves to be counted -------------------------------------------------------- */

/* A worker of its own process, which dies there in its first batch. */
static void serve_and_die(struct scene *scene, enum stage_of_work place, unsigned left)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        death.place = place;
        death.left = left;
        udp_serve(&scene->udp);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void succeed(struct scene *scene)
{
    ev_io_stop(scene->loop, &scene->udp.readable);
    udp_start(&scene->udp, scene->loop, scene->server, false, &scene->memory->addresses[0],
              &scene->memory->counters, &scene->settings, &scene->protection, NULL);
}

/* Each of the queries and answers was counted once, in all places. */
static void assert_counted(const struct scene *scene)
{
    const struct counters_traffic *traffic = &scene->memory->addresses[0].traffic;
    struct counters_sums sums = {0};

    counters_sum(&sums, &scene->memory->counters);
    assert_int_equal(traffic->udp_queries, QUERIES);
    assert_int_equal(traffic->udp_responses, QUERIES);
    assert_int_equal(sums.batches, 1);
    assert_int_equal(sums.batch_width[3], 1);
    assert_int_equal(sums.qtypes[COUNTERS_TYPE_A], QUERIES);
    assert_int_equal(sums.rcodes[RCODE_NOERROR], QUERIES);
}

/* Flows seen since it was last asked. */
static uint64_t count_flows(struct scene *scene)
{
    uint64_t seen[FLOWS_WORDS] = {0};

    flows_take_seen(&scene->memory->addresses[0].flows, seen);
    return flows_estimate(seen);
}

static void a_batch_is_counted_whenever_its_worker_dies(void **state)
{
    static const struct {
        const char *what;
        enum stage_of_work place;
        unsigned left;
        struct step step;
        uint64_t sent; /* before it dies */
    } cases[] = {
        {"before any is finished", FINISHING, 0, {0}, 0},
        {"half of them are finished", FINISHING, 4, {0}, 0},
        {"some are sent", SENDING, 0, {.most = 3}, 0x07},
        {"all are sent", SENDING, 0, {.most = QUERIES}, 0xff},
    };
    struct scene *scene = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].what);
        memset(scene->memory, 0, slot_memory_size(1));
        succeed(scene);
        scene->udp.bundles = false;
        kernel.steps[0] = cases[i].step;
        kernel.count = cases[i].place == SENDING;
        kernel.done = 0;
        send_queries(scene, QUERIES);
        serve_and_die(scene, cases[i].place, cases[i].left);
        kernel.count = 0;
        assert_int_equal(take_answers(scene), cases[i].sent);
        succeed(scene);
        assert_int_equal(take_answers(scene), 0xff & ~cases[i].sent);
        assert_counted(scene);
        assert_int_equal(count_flows(scene), 1);
        succeed(scene);
        assert_int_equal(take_answers(scene), 0);
        assert_counted(scene);
    }
}

static void a_bundle_that_was_sent_is_counted(void **state)
{
    struct scene *scene = *state;

    skip_without_bundles(scene);
    send_queries(scene, QUERIES);
    serve_and_die(scene, SENDING, 0);
    assert_int_equal(take_answers(scene), 0xff);
    succeed(scene);
    assert_int_equal(take_answers(scene), 0);
    assert_counted(scene);
}

/* Taken apart, sent in part, and then the worker dies. */
static void a_bundle_in_pieces_is_counted(void **state)
{
    static const struct step steps[] = {{0, EPERM}, {0, EPERM}, {0, EPERM}, {0, EPERM}, {4, 0}};
    struct scene *scene = *state;

    skip_without_bundles(scene);
    memcpy(kernel.steps, steps, sizeof steps);
    kernel.count = 5;
    send_queries(scene, QUERIES);
    serve_and_die(scene, SENDING, 0);
    kernel.count = 0;
    assert_int_equal(take_answers(scene), 0x1e);
    succeed(scene);
    assert_int_equal(take_answers(scene), 0xe0);
    assert_int_equal(scene->memory->addresses[0].traffic.udp_responses, QUERIES - 1);
    assert_int_equal(scene->memory->counters.dropped[COUNTERS_DROP_UNSENDABLE], 1);
}

static void a_query_that_was_given_up_is_counted(void **state)
{
    struct scene *scene = *state;
    const struct counters_traffic *traffic = &scene->memory->addresses[0].traffic;
    const uint8_t *query;
    size_t length;

    send_query(scene, 1);
    serve_and_die(scene, FINISHING, 0);
    assert_true(batch_blame(&scene->memory->addresses[0].batch, true, &query, &length));
    succeed(scene);
    assert_int_equal(take_answers(scene), 0);
    assert_int_equal(traffic->udp_queries, 1);
    assert_int_equal(traffic->udp_responses, 0);
}

static void a_query_that_is_cut_off_is_counted_once(void **state)
{
    static uint8_t query[BATCH_QUERY_MAX + 1] = {0, 7, 0, 0, 0, 1};
    struct scene *scene = *state;

    for (unsigned left = 0; left < 2; left++) {
        scene->memory->counters.cut_off = 0;
        assert_int_equal(send(scene->client, query, sizeof query, 0), sizeof query);
        send_query(scene, 1);
        serve_and_die(scene, FINISHING, left);
        succeed(scene);
        assert_int_equal(take_answers(scene), 0x82);
        assert_int_equal(scene->memory->counters.cut_off, 1);
    }
}

static void limit(struct scene *scene)
{
    static const struct rrl_settings settings = {.per_second = {[RRL_RESPONSES] = 1000},
                                                 .window = 15,
                                                 .ipv4_prefix = 24,
                                                 .ipv6_prefix = 56,
                                                 .table_size = RRL_TABLE_MIN};

    scene->protection.limiter = rrl_create(&settings);
    assert_non_null(scene->protection.limiter);
}

/* What its worker had written and not charged anyone for, its successor charges and counts. */
static void answers_of_a_dead_worker_are_charged(void **state)
{
    struct scene *scene = *state;

    limit(scene);
    send_queries(scene, QUERIES);
    serve_and_die(scene, CHARGING, 3);
    assert_int_equal(take_answers(scene), 0);
    succeed(scene);
    assert_int_equal(take_answers(scene), 0xff);
    assert_int_equal(charges, QUERIES - 3);
    assert_counted(scene);
    rrl_destroy(scene->protection.limiter);
}

/* A crash of the limiter costs the query that it was about. */
static void a_charge_under_way_is_blamed(void **state)
{
    struct scene *scene = *state;
    struct batch *batch = &scene->memory->addresses[0].batch;
    const uint8_t *query;
    size_t length;

    limit(scene);
    send_queries(scene, QUERIES);
    serve_and_die(scene, CHARGING, 3);
    assert_true(batch_blame(batch, true, &query, &length));
    assert_ptr_equal(query, batch->query[3]);
    succeed(scene);
    assert_int_equal(take_answers(scene), 0xf7);
    rrl_destroy(scene->protection.limiter);
}

/* --- a client without a port ------------------------------------------------------------------ */

static void a_query_from_port_0_gets_no_answer(void **state)
{
    struct scene *scene = *state;
    const struct counters *counters = &scene->memory->counters;

    for (unsigned limited = 0; limited < 2; limited++) {
        if (limited == 1)
            limit(scene);
        memset(&kernel, 0, sizeof kernel);
        kernel.hides_port = true;
        uint64_t queries = scene->memory->addresses[0].traffic.udp_queries;
        uint64_t responses = scene->memory->addresses[0].traffic.udp_responses;
        uint64_t unsendable = counters->dropped[COUNTERS_DROP_UNSENDABLE];
        uint64_t answered = counters->answers[COUNTERS_TYPE_A][RCODE_NOERROR];
        send_queries(scene, QUERIES);
        assert_int_equal(udp_serve(&scene->udp), QUERIES);
        assert_int_equal(take_answers(scene), 0xfe);
        assert_int_equal(scene->memory->addresses[0].traffic.udp_queries - queries, QUERIES);
        assert_int_equal(scene->memory->addresses[0].traffic.udp_responses - responses,
                         QUERIES - 1);
        assert_int_equal(counters->dropped[COUNTERS_DROP_UNSENDABLE] - unsendable, 1);
        assert_int_equal(counters->answers[COUNTERS_TYPE_A][RCODE_NOERROR] - answered, QUERIES - 1);
    }
    rrl_destroy(scene->protection.limiter);
}

/* --- answers that leave together ---------------------------------------------------------------
 */

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

/* A client with one of the next ports: such are told apart by the bundler (bundle.c). */
static int open_neighbour(const struct scene *scene)
{
    struct sockaddr_in server, own;
    socklen_t length = sizeof server;
    int client = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(getpeername(scene->client, (struct sockaddr *)&server, &length), 0);
    assert_int_equal(getsockname(scene->client, (struct sockaddr *)&own, &length), 0);
    unsigned port = ntohs(own.sin_port), tried = 0;
    do {
        assert_in_range(++tried, 1, 200);
        own.sin_port = htons((uint16_t)(port > 40000 ? port - tried : port + tried));
    } while (bind(client, (struct sockaddr *)&own, length) != 0);
    assert_int_equal(connect(client, (struct sockaddr *)&server, length), 0);
    return client;
}

static void clients_get_what_is_theirs(void **state)
{
    struct scene *scene = *state, other = *scene;

    skip_without_bundles(scene);
    other.client = open_neighbour(scene);
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
        cmocka_unit_test_setup_teardown(a_batch_is_counted_whenever_its_worker_dies, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_bundle_that_was_sent_is_counted, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_bundle_in_pieces_is_counted, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_query_that_was_given_up_is_counted, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_query_that_is_cut_off_is_counted_once, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(answers_of_a_dead_worker_are_charged, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_charge_under_way_is_blamed, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_query_from_port_0_gets_no_answer, open_scene,
                                        close_scene),
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
