/*
 * query/batch.c: a worker may die at any instruction, and its successor too; every query is then
 * answered once, or still in the socket's queue. A real worker process is stepped through a batch,
 * and at each change of the record a successor is tried on a copy of it.
 */
#include "server/query/batch.h"
#include "server/query/bundle.h"
#include "unit.h"

#include <errno.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    QUERIES = 5,
    QUERY_LENGTH = 17,
    EMPTY_QUERY = 2,  /* an empty datagram: silence, and no trace in msg_len */
    SILENT_QUERY = 3, /* gets no answer */
    STAGES = 4,
};

struct scene {
    struct batch *batch; /* shared with the worker */
    struct batch *copy;
    struct batch *last; /* as it was when the successor was last tried */
    int server;
    int client;
    unsigned delivered[QUERIES]; /* answers that the client has got */
    unsigned tries;
};

static bool is_answerable(unsigned query)
{
    return query != EMPTY_QUERY && query != SILENT_QUERY;
}

/* --- the worker, as udp.c does it ------------------------------------------------------------ */

static void answer_all(struct batch *batch)
{
    bool written[BATCH_WIDTH] = {false};

    for (unsigned i = 0; i < batch->taken; i++) {
        if (!batch_is_pending(batch, i))
            continue;
        batch_look_at(batch, i);
        size_t length = batch_query_length(batch, i);
        if (length > 0 && batch->query[i][0] == SILENT_QUERY)
            length = 0;
        memcpy(batch->reply[i], batch->query[i], length);
        written[i] = length > 0 && i % 2 == 0;
        if (written[i])
            batch_written(batch, i, length);
        else
            batch_answered(batch, i, length);
    }
    for (unsigned i = 0; i < batch->taken; i++)
        if (written[i]) {
            batch_look_at(batch, i);
            batch_answered(batch, i, batch->reply_length[i]);
        }
    batch_look_at(batch, BATCH_NO_QUERY);
}

/* Do answers leave together? They do where the kernel can cut them (Linux 4.18). */
static bool scene_bundles;

static unsigned arrange(struct batch *batch)
{
    struct batch_bundles bundles;

    if (!scene_bundles)
        return batch_send(batch, NULL);
    bundle_answers(batch, &bundles);
    return batch_send(batch, &bundles);
}

static void work(struct batch *batch, int server)
{
    if (batch_take_over(batch, false) == 0) {
        batch_receive(batch);
        int n = recvmmsg(server, batch->receive, BATCH_WIDTH, MSG_DONTWAIT, NULL);
        batch_received(batch, n > 0 ? (unsigned)n : 0);
        if (n <= 0)
            return;
    }
    answer_all(batch);
    unsigned count = arrange(batch);
    for (unsigned sent = 0; sent < count;)
        sent += (unsigned)sendmmsg(server, batch->send + sent, count - sent, 0);
    batch_close(batch);
}

/* --- the scene ---------------------------------------------------------------------------------
 */

static void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

static void open_scene(struct scene *scene)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    *scene = (struct scene){.batch = share(sizeof(struct batch)),
                            .copy = share(sizeof(struct batch)),
                            .last = share(sizeof(struct batch)),
                            .server = socket(AF_INET, SOCK_DGRAM, 0),
                            .client = socket(AF_INET, SOCK_DGRAM, 0)};
    assert_int_equal(bind(scene->server, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(scene->server, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(scene->client, (struct sockaddr *)&address, length), 0);
}

static void close_scene(struct scene *scene)
{
    munmap(scene->batch, sizeof *scene->batch);
    munmap(scene->copy, sizeof *scene->copy);
    munmap(scene->last, sizeof *scene->last);
    close(scene->server);
    close(scene->client);
}

static void ask(struct scene *scene)
{
    uint8_t query[QUERY_LENGTH] = {0};

    for (unsigned i = 0; i < QUERIES; i++) {
        query[0] = (uint8_t)i;
        size_t length = i == EMPTY_QUERY ? 0 : sizeof query;
        assert_int_equal(send(scene->client, query, length, 0), length);
    }
}

static bool is_queued(const struct scene *scene)
{
    uint8_t octet;

    return recv(scene->server, &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static void collect_answers(struct scene *scene)
{
    uint8_t answer[QUERY_LENGTH];

    while (recv(scene->client, answer, sizeof answer, MSG_DONTWAIT) == QUERY_LENGTH)
        scene->delivered[answer[0]]++;
}

static unsigned count_delivered(const struct scene *scene)
{
    unsigned delivered = 0;

    for (unsigned i = 0; i < QUERIES; i++)
        delivered += scene->delivered[i];
    return delivered;
}

/* What a successor would send, having the record in scene->copy. */
static void finish_copy(struct scene *scene, unsigned sent[QUERIES])
{
    struct batch *copy = scene->copy;

    memset(sent, 0, QUERIES * sizeof *sent);
    if (batch_take_over(copy, false) == 0)
        return;
    assert_int_equal(batch_sent(copy), count_delivered(scene));
    answer_all(copy);
    unsigned count = arrange(copy);
    for (unsigned k = 0; k < count; k++)
        for (unsigned j = 0; j < copy->send[k].msg_hdr.msg_iovlen; j++) {
            const struct iovec *reply = &copy->send[k].msg_hdr.msg_iov[j];
            assert_int_equal(reply->iov_len, QUERY_LENGTH);
            sent[*(const uint8_t *)reply->iov_base]++;
        }
    batch_close(copy);
}

/* The worker dies here and now: nothing is lost, nothing answered twice; by a crash, one query at
 * most is lost, and that is the one that is named. */
static void try_successor(struct scene *scene, bool crashed)
{
    unsigned sent[QUERIES], queued = is_queued(scene);
    const uint8_t *suspect = NULL;
    size_t length = 0;

    memcpy(scene->copy, scene->batch, sizeof *scene->copy);
    bool blamed = batch_blame(scene->copy, crashed, &suspect, &length);
    if (blamed && length > 0)
        assert_int_equal(length, QUERY_LENGTH);
    unsigned named = blamed && length > 0 ? suspect[0] : QUERIES;
    finish_copy(scene, sent);
    for (unsigned i = 0; i < QUERIES; i++) {
        unsigned answers = scene->delivered[i] + sent[i] + queued * is_answerable(i);
        if (!is_answerable(i))
            assert_int_equal(answers, 0);
        else if (i == named)
            assert_true(answers == 0);
        else
            assert_int_equal(answers, 1);
    }
    scene->tries++;
}

static bool has_changed(const struct scene *scene)
{
    return memcmp(scene->batch, scene->last, offsetof(struct batch, query)) != 0;
}

/*
 * Steps a worker through its work, and tries successors wherever the record has changed. Saves the
 * record as it first is in each stage to `saved`, unless that is NULL, with what was delivered by
 * then. False if processes may not be traced here.
 */
struct saved {
    bool is_set;
    struct batch batch;
    unsigned delivered[QUERIES];
};

static bool step_through(struct scene *scene, struct saved *saved)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        raise(SIGSTOP);
        work(scene->batch, scene->server);
        _exit(0);
    }
    for (;;) {
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status))
            break;
        if (has_changed(scene)) {
            collect_answers(scene);
            try_successor(scene, false);
            try_successor(scene, true);
            memcpy(scene->last, scene->batch, sizeof *scene->last);
            unsigned stage = scene->batch->stage;
            if (saved != NULL && !saved[stage].is_set) {
                saved[stage].is_set = true;
                memcpy(&saved[stage].batch, scene->batch, sizeof *scene->batch);
                memcpy(saved[stage].delivered, scene->delivered, sizeof scene->delivered);
            }
        }
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
    }
    collect_answers(scene);
    return WEXITSTATUS(status) != 77;
}

static void assert_all_delivered(const struct scene *scene)
{
    for (unsigned i = 0; i < QUERIES; i++)
        assert_int_equal(scene->delivered[i], is_answerable(i));
}

static void try_every_death(bool bundles)
{
    struct scene scene;
    struct saved *saved = calloc(STAGES, sizeof *saved);

    scene_bundles = bundles;
    assert_non_null(saved);
    open_scene(&scene);
    ask(&scene);
    if (!step_through(&scene, saved)) {
        close_scene(&scene);
        free(saved);
        skip();
    }
    assert_all_delivered(&scene);
    assert_true(scene.tries > 50);

    /* A successor dies as well, while it finishes what its predecessor left in any stage. */
    for (unsigned stage = BATCH_ANSWERING; stage < STAGES; stage++) {
        assert_true(saved[stage].is_set);
        memcpy(scene.batch, &saved[stage].batch, sizeof *scene.batch);
        memcpy(scene.delivered, saved[stage].delivered, sizeof scene.delivered);
        assert_true(step_through(&scene, NULL));
        assert_all_delivered(&scene);
    }
    close_scene(&scene);
    free(saved);
}

static void no_death_loses_or_repeats_an_answer(void **state)
{
    (void)state;
    try_every_death(false);
}

static void no_death_loses_or_repeats_answers_that_leave_together(void **state)
{
    int size, any = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t length = sizeof size;
    bool can = getsockopt(any, SOL_UDP, UDP_SEGMENT, &size, &length) == 0;

    (void)state;
    close(any);
    if (!can)
        skip();
    try_every_death(true);
}

/* --- single rules
 * --------------------------------------------------------------------------------- */

static struct batch *answering(unsigned taken)
{
    struct batch *batch = share(sizeof *batch);

    assert_int_equal(batch_take_over(batch, false), 0);
    batch_receive(batch);
    for (unsigned i = 0; i < taken; i++)
        batch->receive[i].msg_len = QUERY_LENGTH;
    batch_received(batch, taken);
    return batch;
}

static void a_query_under_way_is_blamed_for_a_crash_only(void **state)
{
    struct batch *batch = answering(3);
    const uint8_t *query;
    size_t length;

    (void)state;
    batch_look_at(batch, 1);
    assert_false(batch_blame(batch, false, &query, &length));
    assert_int_equal(batch_take_over(batch, false), 3);
    batch_look_at(batch, 1);
    assert_true(batch_blame(batch, true, &query, &length));
    assert_ptr_equal(query, batch->query[1]);
    assert_int_equal(length, QUERY_LENGTH);
    assert_false(batch_blame(batch, true, &query, &length));
    assert_int_equal(batch_take_over(batch, false), 3);
    assert_true(batch_is_pending(batch, 0));
    assert_false(batch_is_pending(batch, 1));
    assert_true(batch_is_pending(batch, 2));
    assert_int_equal(batch->unexplained, 1);
    munmap(batch, sizeof *batch);
}

/* Otherwise nobody would count its queries. */
static void a_batch_with_nothing_left_to_answer_is_handed_over(void **state)
{
    struct batch *batch = answering(2);
    const uint8_t *query;
    size_t length;

    (void)state;
    batch_answered(batch, 0, 20);
    batch_look_at(batch, 1);
    assert_true(batch_blame(batch, true, &query, &length));
    assert_int_equal(batch_send(batch, NULL), 1);
    batch->send[0].msg_len = 20;
    /* and again if that successor dies too */
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(batch_take_over(batch, false), 2);
        assert_int_equal(batch_sent(batch), 1);
        assert_int_equal(batch_send(batch, NULL), 0);
        assert_int_equal(batch_answers(batch), 0);
    }
    batch_close(batch);
    assert_int_equal(batch_take_over(batch, false), 0);
    munmap(batch, sizeof *batch);
}

/* Whether it may leave was for the worker that is dead to settle. */
static void an_answer_that_was_only_written_is_made_anew(void **state)
{
    struct batch *batch = answering(3);

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        batch_written(batch, i, 20);
    batch_answered(batch, 1, 20);
    batch_answered(batch, 2, 0);
    assert_int_equal(batch_take_over(batch, false), 3);
    assert_true(batch_is_pending(batch, 0));
    assert_true(batch_is_ready(batch, 1));
    assert_false(batch_is_pending(batch, 2) || batch_is_ready(batch, 2));
    munmap(batch, sizeof *batch);
}

static void wild_numbers_are_not_believed(void **state)
{
    struct batch *batch = answering(2);
    const uint8_t *query;
    size_t length;

    (void)state;
    batch->current = 40000;
    batch->taken = 50000;
    assert_false(batch_blame(batch, true, &query, &length));
    batch->current = 1;
    batch->receive[1].msg_len = 1u << 30;
    assert_true(batch_blame(batch, true, &query, &length));
    assert_int_equal(length, BATCH_QUERY_MAX);
    batch->stage = BATCH_SENDING;
    batch->ready = UINT32_MAX;
    batch->order[0] = 255;
    batch->send[0].msg_len = 1;
    assert_true(batch_take_over(batch, false) <= BATCH_WIDTH);
    munmap(batch, sizeof *batch);
}

static void a_dropped_batch_leaves_nothing(void **state)
{
    struct batch *batch = answering(4);

    (void)state;
    batch_answered(batch, 0, 0);
    batch_answered(batch, 1, 20);
    batch_written(batch, 2, 20);
    struct batch_remains remains = batch_drop(batch);
    assert_int_equal(remains.taken, 4);
    assert_int_equal(remains.sent, 0);
    assert_int_equal(remains.given_up, 3);
    assert_int_equal(batch_take_over(batch, false), 0);
    assert_int_equal(batch_drop(batch).taken, 0);
    munmap(batch, sizeof *batch);

    batch = answering(4);
    batch_answered(batch, 0, 20);
    batch_answered(batch, 1, 20);
    assert_int_equal(batch_send(batch, NULL), 2);
    batch->send[0].msg_len = 20;
    remains = batch_drop(batch);
    assert_int_equal(remains.taken, 4);
    assert_int_equal(remains.sent, 1);
    assert_int_equal(remains.given_up, 3);
    munmap(batch, sizeof *batch);
}

static void a_cut_off_query_is_a_header(void **state)
{
    struct batch *batch = answering(1);

    (void)state;
    assert_int_equal(batch_query_length(batch, 0), QUERY_LENGTH);
    batch->receive[0].msg_len = BATCH_QUERY_MAX;
    batch->receive[0].msg_hdr.msg_flags = MSG_TRUNC;
    assert_int_equal(batch_query_length(batch, 0), 12);
    munmap(batch, sizeof *batch);
}

static void put_destination(struct batch *batch, int level, int type, const void *info, size_t size)
{
    struct msghdr *header = &batch->receive[0].msg_hdr;
    struct cmsghdr *cmsg = header->msg_control;

    assert_non_null(cmsg);
    cmsg->cmsg_level = level;
    cmsg->cmsg_type = type;
    cmsg->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(cmsg), info, size);
    header->msg_controllen = CMSG_SPACE(size);
}

static const void *answer_source(struct batch *batch)
{
    batch_answered(batch, 0, 20);
    assert_int_equal(batch_send(batch, NULL), 1);
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&batch->send[0].msg_hdr);
    assert_non_null(cmsg);
    return CMSG_DATA(cmsg);
}

static void answers_leave_from_the_address_asked(void **state)
{
    static const struct {
        const char *address;
        unsigned interface;
    } cases[] = {
        /* the interface matters to a link-local address only; else routing decides */
        {"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 0},
        {"\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct batch *batch = share(sizeof *batch);
        struct in6_pktinfo asked = {.ipi6_ifindex = 7}, source;
        batch_take_over(batch, true);
        batch_receive(batch);
        memcpy(&asked.ipi6_addr, cases[i].address, 16);
        put_destination(batch, IPPROTO_IPV6, IPV6_PKTINFO, &asked, sizeof asked);
        batch_received(batch, 1);
        memcpy(&source, answer_source(batch), sizeof source);
        assert_memory_equal(&source.ipi6_addr, &asked.ipi6_addr, 16);
        assert_int_equal(source.ipi6_ifindex, cases[i].interface);
        munmap(batch, sizeof *batch);
    }

    struct batch *batch = share(sizeof *batch);
    struct in_pktinfo asked = {.ipi_ifindex = 7, .ipi_spec_dst.s_addr = 0x01020304}, source;
    batch_take_over(batch, true);
    batch_receive(batch);
    put_destination(batch, IPPROTO_IP, IP_PKTINFO, &asked, sizeof asked);
    batch_received(batch, 1);
    memcpy(&source, answer_source(batch), sizeof source);
    assert_int_equal(source.ipi_spec_dst.s_addr, 0x01020304);
    assert_int_equal(source.ipi_ifindex, 0);
    munmap(batch, sizeof *batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_death_loses_or_repeats_an_answer),
        cmocka_unit_test(no_death_loses_or_repeats_answers_that_leave_together),
        cmocka_unit_test(a_query_under_way_is_blamed_for_a_crash_only),
        cmocka_unit_test(a_batch_with_nothing_left_to_answer_is_handed_over),
        cmocka_unit_test(an_answer_that_was_only_written_is_made_anew),
        cmocka_unit_test(wild_numbers_are_not_believed),
        cmocka_unit_test(a_dropped_batch_leaves_nothing),
        cmocka_unit_test(a_cut_off_query_is_a_header),
        cmocka_unit_test(answers_leave_from_the_address_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
