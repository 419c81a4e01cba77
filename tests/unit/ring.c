/* dnstap/ring.c: what is put is read, in order and whole, or was refused; whoever dies meanwhile.
 */
#include "server/dnstap/ring.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ring *share(void)
{
    struct ring *ring =
        mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(ring != MAP_FAILED);
    return ring;
}

static void unshare_ring(struct ring *ring)
{
    assert_int_equal(munmap(ring, sizeof *ring), 0);
}

enum { LONGEST = UINT16_MAX };

/* The octets of record `number` depend on it, and so do their lengths. */
static struct ring_record record_of(unsigned number, uint8_t *query, uint8_t *response)
{
    struct ring_record record = {.query_length = (uint16_t)(1 + number * 7 % 300),
                                 .response_length = (uint16_t)(number % 5 * 331),
                                 .query_time = number,
                                 .address_length = number % 2 == 0 ? 4 : 16};

    if (number % 1000 == 999)
        record.response_length = LONGEST;
    memset(query, (int)(number % 251), record.query_length);
    memset(response, (int)(number % 241), record.response_length);
    return record;
}

static bool put(struct ring *ring, unsigned number)
{
    static uint8_t query[LONGEST], response[LONGEST];
    const struct ring_record record = record_of(number, query, response);

    return ring_put(ring, &record, query, response);
}

static void check_record(unsigned number, const struct ring_record *record, const uint8_t *octets)
{
    static uint8_t query[LONGEST], response[LONGEST];
    const struct ring_record wanted = record_of(number, query, response);

    assert_int_equal(record->query_time, number);
    assert_int_equal(record->query_length, wanted.query_length);
    assert_int_equal(record->response_length, wanted.response_length);
    assert_memory_equal(octets, query, wanted.query_length);
    assert_memory_equal(octets + wanted.query_length, response, wanted.response_length);
}

/* Reads what there is, which is to begin with record `first`. Returns how many there were. */
static unsigned read_all(struct ring *ring, unsigned first)
{
    struct ring_reader reader;
    struct ring_record record;
    const uint8_t *octets;
    unsigned count = 0;

    ring_start(&reader, ring);
    while (ring_read(&reader, &record, &octets) == RING_RECORD)
        check_record(first + count++, &record, octets);
    assert_int_equal(reader.at, ring->head);
    ring_commit(&reader);
    return count;
}

/* Many times round, the ring now nearly empty and now full. */
static void records_come_in_order(void **state)
{
    struct ring *ring = share();
    unsigned written = 0, read = 0;

    (void)state;
    for (unsigned round = 1; ring->head < UINT64_C(12) * RING_OCTETS; round++) {
        for (unsigned i = 0; i < round % 97 * 100 && put(ring, written); i++)
            written++;
        read += read_all(ring, read);
        assert_int_equal(read, written);
    }
    unshare_ring(ring);
}

static void a_full_ring_refuses_and_goes_on(void **state)
{
    struct ring *ring = share();
    unsigned written = 0;

    (void)state;
    while (put(ring, written))
        written++;
    uint64_t head = ring->head;
    assert_true(RING_OCTETS - head < 2 * LONGEST);
    assert_false(put(ring, written));
    assert_int_equal(ring->head, head);
    assert_int_equal(read_all(ring, 0), written);
    for (unsigned i = 0; i < 100; i++)
        assert_true(put(ring, written + i));
    assert_int_equal(read_all(ring, written), 100);
    unshare_ring(ring);
}

static void what_is_not_committed_comes_again(void **state)
{
    struct ring *ring = share();
    struct ring_reader reader;
    struct ring_record record;
    const uint8_t *octets;

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        assert_true(put(ring, i));
    ring_start(&reader, ring);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(ring_read(&reader, &record, &octets), RING_RECORD);
    ring_commit(&reader);
    for (unsigned i = 4; i < 7; i++)
        assert_int_equal(ring_read(&reader, &record, &octets), RING_RECORD);
    assert_int_equal(read_all(ring, 4), 6);
    unshare_ring(ring);
}

/* --- a writer that dies at any instruction ---------------------------------------------------- */

static void step(pid_t worker, int *status)
{
    assert_int_equal(ptrace(PTRACE_SINGLESTEP, worker, NULL, NULL), 0);
    assert_int_equal(waitpid(worker, status, 0), worker);
}

/* Puts record 1 and ends, once it is traced. */
static pid_t start_worker(struct ring *ring)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        static uint8_t query[LONGEST], response[LONGEST];
        const struct ring_record record = record_of(1, query, response);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        ring_put(ring, &record, query, response);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    return pid;
}

/* Whatever the first worker has got done, its successor's records are whole and behind. */
static void check_successor(const struct ring *at_death)
{
    static struct ring *ring;
    struct ring_reader reader;
    struct ring_record record;
    const uint8_t *octets;
    unsigned first = at_death->head > 0 ? 1 : 2;

    if (ring == NULL)
        ring = share();
    /* No more than the record and its successor are looked at. */
    memcpy(ring, at_death, offsetof(struct ring, octets) + 4096);
    assert_true(put(ring, 2));
    ring_start(&reader, ring);
    for (unsigned number = first; number <= 2; number++) {
        assert_int_equal(ring_read(&reader, &record, &octets), RING_RECORD);
        check_record(number, &record, octets);
    }
    assert_int_equal(ring_read(&reader, &record, &octets), RING_NOTHING);
}

static void a_killed_writer_leaves_no_half_record(void **state)
{
    struct ring *ring = share();
    pid_t worker = start_worker(ring);
    unsigned steps = 0, seen = 0;
    int status = 0;

    (void)state;
    for (step(worker, &status); WIFSTOPPED(status); step(worker, &status), steps++)
        if (steps % 3 == 0 || ring->head != 0) {
            check_successor(ring);
            seen |= ring->head == 0 ? 1 : 2;
            if (seen == 3)
                break;
        }
    assert_int_equal(seen, 3);
    kill(worker, SIGKILL);
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
        ;
    unshare_ring(ring);
}

/* --- an end that the other cannot trust --------------------------------------------------------
 */

static void damage_is_passed_over(void **state)
{
    static const struct {
        size_t offset; /* of 4 octets in the second record */
        uint32_t value;
    } cases[] = {
        {offsetof(struct ring_record, size), 0},
        {offsetof(struct ring_record, size), 8},
        {offsetof(struct ring_record, size), 12},
        {offsetof(struct ring_record, size), RING_OCTETS},
        {offsetof(struct ring_record, size), UINT32_MAX},
        {offsetof(struct ring_record, query_length), 0},
        {offsetof(struct ring_record, query_length), UINT32_MAX},
        {offsetof(struct ring_record, transport), 0x0500},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ring *ring = share();
        struct ring_reader reader;
        struct ring_record record;
        const uint8_t *octets;
        put(ring, 0);
        uint64_t second = ring->head;
        put(ring, 1);
        put(ring, 2);
        memcpy(ring->octets + second + cases[i].offset, &cases[i].value, 4);
        ring_start(&reader, ring);
        assert_int_equal(ring_read(&reader, &record, &octets), RING_RECORD);
        assert_int_equal(ring_read(&reader, &record, &octets), RING_DAMAGED);
        ring_commit(&reader);
        put(ring, 3);
        assert_int_equal(read_all(ring, 3), 1);
        unshare_ring(ring);
    }
}

static void impossible_ends_do_no_harm(void **state)
{
    static const struct {
        uint64_t head, tail;
    } cases[] = {{0, 1},
                 {0, UINT64_MAX},
                 {UINT64_C(3) * RING_OCTETS, 0},
                 {RING_OCTETS - 8, RING_OCTETS - 8},
                 {RING_OCTETS - 3, RING_OCTETS - 11},
                 {UINT64_MAX - 7, UINT64_MAX - 7},
                 {12345, 54321}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ring *ring = share();
        struct ring_reader reader;
        struct ring_record record;
        const uint8_t *octets;
        ring->head = cases[i].head;
        ring->tail = cases[i].tail;
        put(ring, 999);
        ring_start(&reader, ring);
        for (unsigned reads = 0; ring_read(&reader, &record, &octets) != RING_NOTHING; reads++)
            assert_true(reads < 10);
        ring_commit(&reader);
        assert_true(put(ring, 5));
        assert_int_equal(read_all(ring, 5), 1);
        unshare_ring(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_order),
        cmocka_unit_test(a_full_ring_refuses_and_goes_on),
        cmocka_unit_test(what_is_not_committed_comes_again),
        cmocka_unit_test(a_killed_writer_leaves_no_half_record),
        cmocka_unit_test(damage_is_passed_over),
        cmocka_unit_test(impossible_ends_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
