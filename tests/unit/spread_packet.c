/* tools/spread/packet.c and roster.c: what is asked, and who has answered. */
#include "tools/spread/packet.h"
#include "tools/spread/roster.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static void questions_are_in_wire_form(void **state)
{
    (void)state;
    static const char root[] =
        "\0\0\0\0\0\1\0\0\0\0\0\1\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\4\0\3\0\0";
    static const char name[] = "\0\0\0\0\0\1\0\0\0\0\0\1\1a\2bc\0\0\1\0\1"
                               "\0\0\51\4\320\0\0\0\0\0\4\0\3\0\0";
    struct packet packet;

    assert_true(packet_ask(&packet, "."));
    assert_int_equal(packet.length, sizeof root - 1);
    assert_memory_equal(packet.octets, root, packet.length);
    static const char *const same[] = {"a.bc", "a.bc."};
    for (size_t i = 0; i < 2; i++) {
        assert_true(packet_ask(&packet, same[i]));
        assert_int_equal(packet.length, sizeof name - 1);
        assert_memory_equal(packet.octets, name, packet.length);
    }
}

static void what_is_no_name_is_not_asked_for(void **state)
{
    (void)state;
    char label[80], longest[512] = "";
    struct packet packet;

    static const char *const bad[] = {"..", ".a", "a..b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(packet_ask(&packet, bad[i]));
    memset(label, 'x', sizeof label);
    label[63] = '\0';
    assert_true(packet_ask(&packet, label));
    label[63] = 'x';
    label[64] = '\0';
    assert_false(packet_ask(&packet, label));
    for (unsigned i = 0; i < 127; i++)
        strcat(longest, "x.");
    assert_true(packet_ask(&packet, longest));
    strcat(longest, "x.");
    assert_false(packet_ask(&packet, longest));
}

#define HEADER(flags, rcode, counts) "\x12\x34" flags rcode counts
#define QUESTION                     "\1a\0\0\1\0\1"
#define ANSWER                       "\300\14\0\1\0\1\0\0\0\1\0\4\300\0\2\1"
#define OPT(length)                  "\0\0\51\4\320\0\0\0\0\0" length
#define COUNTS                       "\0\1\0\1\0\0\0\1"

static void replies_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t length;
        bool readable;
        const char *nsid;
    } cases[] = {
#define CASE(octets, ...) {octets, sizeof(octets) - 1, __VA_ARGS__}
        CASE(HEADER("\204", "\0", COUNTS) QUESTION ANSWER OPT("\6") "\0\3\0\2w1", true, "w1"),
        CASE(HEADER("\204", "\3", COUNTS) QUESTION ANSWER OPT("\0"), true, NULL),
        /* another option first */
        CASE(HEADER("\204", "\0", COUNTS) QUESTION ANSWER OPT("\13") "\0\12\0\1z\0\3\0\2w2", true,
             "w2"),
        /* an empty NSID says nothing */
        CASE(HEADER("\204", "\0", COUNTS) QUESTION ANSWER OPT("\4") "\0\3\0\0", true, NULL),
        /* the option is longer than its record, the record longer than the message */
        CASE(HEADER("\204", "\0", COUNTS) QUESTION ANSWER OPT("\6") "\0\3\0\3w1", true, NULL),
        CASE(HEADER("\204", "\0", COUNTS) QUESTION ANSWER OPT("\7") "\0\3\0\2w1", true, NULL),
        /* more records are announced than there are */
        CASE(HEADER("\204", "\0", "\0\1\0\11\0\0\0\1") QUESTION ANSWER, true, NULL),
        CASE(HEADER("\204", "\5", "\377\377\377\377\377\377\377\377") QUESTION, true, NULL),
        /* a label that leads out of the message, a pointer cut in half */
        CASE(HEADER("\204", "\0", COUNTS) "\77a", true, NULL),
        CASE(HEADER("\204", "\0", COUNTS) QUESTION "\300", true, NULL),
        CASE(HEADER("\204", "\0", "\0\0\0\0\0\0\0\0"), true, NULL),
        /* a query, half a header, nothing */
        CASE(HEADER("\4", "\0", COUNTS) QUESTION ANSWER OPT("\6") "\0\3\0\2w1", false, NULL),
        CASE("\x12\x34\204\0\0\1", false, NULL),
        CASE("", false, NULL),
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct packet_reply reply;
        uint8_t *octets = test_malloc(cases[i].length + 1); /* so that reading on is noticed */
        memcpy(octets, cases[i].octets, cases[i].length);
        assert_int_equal(packet_read(&reply, octets, cases[i].length), cases[i].readable);
        if (cases[i].readable)
            assert_int_equal(reply.id, 0x1234);
        assert_int_equal(reply.nsid != NULL, cases[i].nsid != NULL);
        if (cases[i].nsid != NULL) {
            assert_int_equal(reply.nsid_length, strlen(cases[i].nsid));
            assert_memory_equal(reply.nsid, cases[i].nsid, reply.nsid_length);
        }
        test_free(octets);
    }
}

static unsigned find(struct roster *roster, const char *nsid)
{
    return roster_find(roster, (const uint8_t *)nsid, strlen(nsid));
}

static void workers_are_numbered(void **state)
{
    (void)state;
    static struct roster roster;

    roster_start(&roster, 0);
    assert_int_equal(find(&roster, "ns1.example worker 2 of 4"), 2);
    assert_int_equal(roster.count, 4); /* the others have just not answered yet */
    assert_int_equal(find(&roster, "ns1.example worker 0 of 4"), 0);
    assert_int_equal(roster.count, 4);
    assert_int_equal(find(&roster, "worker 9 of 10 worker 1 of 4"), 1); /* an odd server's id */
    assert_int_equal(roster.count, 4);
    assert_int_equal(find(&roster, "worker 11"), 11);
    assert_int_equal(roster.count, 12);
    assert_int_equal(find(&roster, "worker 511 of 512"), 511);
    assert_int_equal(find(&roster, "worker 512 of 513"), ROSTER_NONE);
    assert_int_equal(find(&roster, "worker 99999999999999999999"), ROSTER_NONE);
    assert_int_equal(roster.count, ROSTER_MAX);
}

static void other_servers_are_told_apart(void **state)
{
    (void)state;
    static struct roster roster;
    char name[2 * ROSTER_NAME_MAX];

    roster_start(&roster, 0);
    assert_int_equal(find(&roster, "fra1"), 0);
    assert_int_equal(find(&roster, "fra2"), 1);
    assert_int_equal(find(&roster, "fra"), 2);
    assert_int_equal(find(&roster, "worker none"), 3);
    assert_int_equal(find(&roster, "fra1"), 0);
    memset(name, 'n', sizeof name);
    assert_int_equal(roster_find(&roster, (const uint8_t *)name, sizeof name), 4);
    assert_int_equal(roster_find(&roster, (const uint8_t *)name, sizeof name), 4);
    for (unsigned i = 5; i < ROSTER_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(find(&roster, name), i);
    }
    assert_int_equal(find(&roster, "one too many"), ROSTER_NONE);
    assert_int_equal(find(&roster, "fra2"), 1);
    assert_string_equal(roster_name(&roster, 1, name), "fra2");
}

static void only_names_are_shown(void **state)
{
    (void)state;
    static struct roster roster;
    char name[ROSTER_NAME_MAX + 1];

    roster_start(&roster, 0);
    assert_int_equal(find(&roster, "a\x1b[31m\xff z"), 0);
    assert_string_equal(roster_name(&roster, 0, name), "a?[31m? z");
    roster_start(&roster, 0);
    assert_int_equal(find(&roster, "ns1 worker 0 of 2"), 0);
    assert_string_equal(roster_name(&roster, 0, name), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_in_wire_form),
        cmocka_unit_test(what_is_no_name_is_not_asked_for),
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(workers_are_numbered),
        cmocka_unit_test(other_servers_are_told_apart),
        cmocka_unit_test(only_names_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
