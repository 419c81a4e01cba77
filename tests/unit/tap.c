/* query/tap.c: what a worker tells of a batch. */
#include "server/query/tap.h"

#include "message/wire.h"
#include "server/dnstap/rings.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES = 4, QUERY_LENGTH = 20, REPLY_LENGTH = 30 };

struct scene {
    struct batch *batch;
    struct tap_settings settings;
    struct tap tap;
    union address server;
    struct ring_reader reader;
};

/* Four queries with responses, from ports 1000 to 1003. */
static struct batch *make_batch(void)
{
    struct batch *batch = aligned_alloc(_Alignof(struct batch), sizeof *batch);

    assert_non_null(batch);
    memset(batch, 0, sizeof *batch);
    batch->taken = QUERIES;
    for (unsigned i = 0; i < QUERIES; i++) {
        memset(batch->query[i] + WIRE_HEADER_SIZE, (int)i + 1, QUERY_LENGTH - WIRE_HEADER_SIZE);
        memset(batch->reply[i], 0x80 + (int)i, REPLY_LENGTH);
        batch->receive[i].msg_len = QUERY_LENGTH;
        batch->reply_length[i] = REPLY_LENGTH;
        batch->fate[i] = BATCH_READY;
        batch->peer[i].v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                                 .sin_port = htons((uint16_t)(1000 + i)),
                                                 .sin_addr.s_addr = htonl(0xc0000201 + i)};
    }
    return batch;
}

static int open_scene(void **state)
{
    static struct scene scene;

    scene = (struct scene){.batch = make_batch(),
                           .settings = {.messages = TAP_BOTH, .sample = 1, .rings = rings_open()}};
    assert_non_null(scene.settings.rings);
    rings_use(scene.settings.rings, 0);
    scene.server.v4 = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0xc6336401)};
    tap_init(&scene.tap, &scene.settings, &scene.settings.rings->ring[0], &scene.server);
    ring_start(&scene.reader, scene.tap.ring);
    *state = &scene;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;

    rings_close(scene->settings.rings);
    free(scene->batch);
    return 0;
}

static void tell(struct scene *scene)
{
    tap_received(&scene->tap);
    tap_batch(&scene->tap, scene->batch);
}

/* The next record is of query `i`, with so many octets of it and of its response. */
static struct ring_record expect_record(struct scene *scene, unsigned i, size_t query_length,
                                        size_t response_length)
{
    const uint32_t client = htonl(0xc0000201 + i);
    struct ring_record record;
    const uint8_t *octets;

    assert_int_equal(ring_read(&scene->reader, &record, &octets), RING_RECORD);
    assert_int_equal(record.client_port, 1000 + i);
    assert_int_equal(record.address_length, 4);
    assert_memory_equal(record.client, &client, 4);
    assert_int_equal(record.query_length, query_length);
    assert_int_equal(record.response_length, response_length);
    assert_memory_equal(octets, scene->batch->query[i], query_length);
    assert_memory_equal(octets + query_length, scene->batch->reply[i], response_length);
    assert_true(record.query_time > 0 && record.response_time >= record.query_time);
    return record;
}

static void expect_end(struct scene *scene)
{
    struct ring_record record;
    const uint8_t *octets;

    assert_int_equal(ring_read(&scene->reader, &record, &octets), RING_NOTHING);
}

/* What a socket for both families calls ::ffff:192.0.2.1 is 192.0.2.1. */
static void mapped_addresses_are_ipv4(void **state)
{
    struct scene *scene = *state;

    for (unsigned i = 0; i < QUERIES; i++)
        scene->batch->peer[i].v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6,
            .sin6_port = htons((uint16_t)(1000 + i)),
            .sin6_addr.s6_addr = {[10] = 255, 255, 192, 0, 2, (uint8_t)(1 + i)}};
    tell(scene);
    for (unsigned i = 0; i < QUERIES; i++)
        expect_record(scene, i, QUERY_LENGTH, REPLY_LENGTH);
    expect_end(scene);
}

static void what_was_wanted_is_told(void **state)
{
    static const struct {
        enum tap_messages messages;
        size_t query_length, response_length;
    } cases[] = {{TAP_BOTH, QUERY_LENGTH, REPLY_LENGTH},
                 {TAP_QUERIES, QUERY_LENGTH, 0},
                 {TAP_RESPONSES, 0, REPLY_LENGTH}};
    struct scene *scene = *state;
    const uint32_t server = htonl(0xc6336401);

    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        scene->settings.messages = cases[c].messages;
        tell(scene);
        for (unsigned i = 0; i < QUERIES; i++) {
            struct ring_record record =
                expect_record(scene, i, cases[c].query_length, cases[c].response_length);
            assert_int_equal(record.transport, TRANSPORT_UDP);
            assert_int_equal(record.server_port, 53);
            assert_true(record.server_known);
            assert_memory_equal(record.server, &server, 4);
        }
        expect_end(scene);
    }
}

static void queries_without_a_response_are_told_and_what_is_no_query_is_not(void **state)
{
    struct scene *scene = *state;

    scene->batch->reply_length[0] = 0;      /* held back */
    scene->batch->fate[1] = BATCH_GIVEN_UP; /* with a length left from another batch */
    scene->batch->query[2][2] = 0x80;       /* a response */
    scene->batch->receive[3].msg_len = 11;  /* shorter than a header */
    tell(scene);
    expect_record(scene, 0, QUERY_LENGTH, 0);
    expect_record(scene, 1, QUERY_LENGTH, 0);
    expect_end(scene);
}

static void of_n_queries_one_is_told(void **state)
{
    struct scene *scene = *state;

    scene->settings.sample = 3;
    tap_init(&scene->tap, &scene->settings, scene->tap.ring, &scene->server);
    for (unsigned round = 0; round < 3; round++)
        tell(scene);
    /* Numbers 2, 5, 8 and 11 of 0 to 11. */
    for (unsigned i = 2; i < 3 * QUERIES; i += 3)
        expect_record(scene, i % QUERIES, QUERY_LENGTH, REPLY_LENGTH);
    expect_end(scene);
}

static void the_address_that_was_asked_is_told(void **state)
{
    struct scene *scene = *state;
    const struct in_pktinfo info = {.ipi_addr.s_addr = htonl(0xcb007107)};
    struct msghdr *header = &scene->batch->receive[0].msg_hdr;

    scene->batch->reply_from_asked = true;
    scene->server.v4.sin_addr.s_addr = INADDR_ANY;
    header->msg_control = scene->batch->receive_control[0];
    header->msg_controllen = CMSG_SPACE(sizeof info);
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    *control = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    memcpy(CMSG_DATA(control), &info, sizeof info);
    tell(scene);
    struct ring_record record = expect_record(scene, 0, QUERY_LENGTH, REPLY_LENGTH);
    assert_true(record.server_known);
    assert_memory_equal(record.server, &info.ipi_addr, 4);
    assert_false(expect_record(scene, 1, QUERY_LENGTH, REPLY_LENGTH).server_known);
}

/* Two messages each. */
static void what_finds_no_room_is_counted(void **state)
{
    struct scene *scene = *state;
    const struct rings *rings = scene->settings.rings;
    struct ring_record record;
    const uint8_t *octets;
    uint64_t told = 0, taken = 0;

    for (; rings_sum(rings).dropped_away == 0; told += QUERIES)
        tell(scene);
    scene->settings.rings->state = RINGS_WRITING;
    for (; rings_sum(rings).dropped_slow == 0; told += QUERIES)
        tell(scene);
    while (ring_read(&scene->reader, &record, &octets) == RING_RECORD)
        taken++;
    struct rings_sums sums = rings_sum(rings);
    assert_int_equal(sums.dropped_slow, 2 * QUERIES);
    assert_int_equal(2 * taken + sums.dropped_slow + sums.dropped_away, 2 * told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_wanted_is_told, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(mapped_addresses_are_ipv4, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(
            queries_without_a_response_are_told_and_what_is_no_query_is_not, open_scene,
            close_scene),
        cmocka_unit_test_setup_teardown(of_n_queries_one_is_told, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_address_that_was_asked_is_told, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(what_finds_no_room_is_counted, open_scene, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
