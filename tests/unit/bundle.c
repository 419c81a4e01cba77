/* query/bundle.c: which answers of a batch leave together. */
#include "server/query/bundle.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { ANSWER = 60, FIRST_PORT = 33000 };

static struct batch *open_batch(void)
{
    struct batch *batch = calloc(1, sizeof *batch);

    assert_non_null(batch);
    return batch;
}

/* An answer of that length to that port of 192.0.2.CLIENT. */
static void add_answer(struct batch *batch, unsigned client, unsigned port, size_t length)
{
    unsigned i = batch->taken++;

    assert_in_range(i, 0, BATCH_WIDTH - 1);
    batch->peer[i].v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                             .sin_port = htons((uint16_t)port),
                                             .sin_addr.s_addr = htonl(0xc0000200 + client)};
    batch_answered(batch, i, length);
}

/* How many messages the answers leave as; each follows one that goes to the same port. */
static unsigned count_messages(const struct batch *batch)
{
    struct batch_bundles bundles;
    unsigned count = 0;

    bundle_answers(batch, &bundles);
    for (unsigned i = 0; i < batch->taken; i++) {
        if (!batch_is_ready(batch, i))
            continue;
        count += !bundles.follows[i];
        unsigned next = bundles.next[i];
        if (next == BATCH_BUNDLE_END)
            continue;
        assert_true(next > i && next < batch->taken && bundles.follows[next]);
        assert_true(address_is_equal(&batch->peer[i], &batch->peer[next]));
        assert_int_equal(batch->reply_length[i], batch->reply_length[next]);
    }
    return count;
}

/* A client's ports are often neighbours, or every other one. */
static void neighbouring_ports_are_told_apart(void **state)
{
    (void)state;
    for (unsigned step = 1; step <= 7; step++)
        for (unsigned ports = 1; ports <= BATCH_WIDTH / 2; ports *= 2) {
            struct batch *batch = open_batch();
            for (unsigned i = 0; i < BATCH_WIDTH; i++)
                add_answer(batch, 1, FIRST_PORT + step * (i % ports), ANSWER);
            assert_int_equal(count_messages(batch), ports);
            free(batch);
        }
}

static void what_differs_leaves_apart(void **state)
{
    struct batch *batch = open_batch();

    (void)state;
    add_answer(batch, 1, FIRST_PORT, ANSWER);
    add_answer(batch, 2, FIRST_PORT, ANSWER);
    add_answer(batch, 2, FIRST_PORT, ANSWER + 1);
    add_answer(batch, 2, FIRST_PORT, 0); /* no answer */
    add_answer(batch, 2, FIRST_PORT, ANSWER + 1);
    assert_int_equal(count_messages(batch), 3);
    free(batch);
}

static void a_message_has_room_for_so_much(void **state)
{
    enum { LARGE = 4000, FIT = BUNDLE_MAX / LARGE };
    struct batch *batch = open_batch();

    (void)state;
    for (unsigned i = 0; i < FIT; i++)
        add_answer(batch, 1, FIRST_PORT, LARGE);
    assert_int_equal(count_messages(batch), 1);
    add_answer(batch, 1, FIRST_PORT, LARGE);
    assert_int_equal(count_messages(batch), 2);
    free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbouring_ports_are_told_apart),
        cmocka_unit_test(what_differs_leaves_apart),
        cmocka_unit_test(a_message_has_room_for_so_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
