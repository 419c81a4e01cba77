/* server/host/address.c: what -l may be given. */
#include "server/host/address.h"
#include "unit.h"

static void addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *text, *written;
        bool wildcard;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1@53", false},
        {"127.0.0.1@5300", "127.0.0.1@5300", false},
        {"0.0.0.0", "0.0.0.0@53", true},
        {"::", "::@53", true},
        {"::1@65535", "::1@65535", false},
        {"2001:DB8:0::1@1", "2001:db8::1@1", false},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1@53", false},
        {"fe80::1%lo@53", "fe80::1%lo@53", false},
    };
    char error[ADDRESS_ERROR_MAX], text[ADDRESS_TEXT_MAX];
    union address address;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(address_parse(&address, cases[i].text, error));
        assert_string_equal(address_to_text(&address, text), cases[i].written);
        assert_int_equal(address_is_wildcard(&address), cases[i].wildcard);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "@53",
        "localhost",
        "127.0.0.1@",
        "127.0.0.1@0",
        "127.0.0.1@65536",
        "127.0.0.1@-1",
        "127.0.0.1@ 53",
        "127.0.0.1@53x",
        "127.0.0.1@53@54",
        "127.0.0",
        "1.2.3.4.5",
        "[::1]",
        ":::",
        "fe80::1%no-such-interface",
        "127.0.0.1 ",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444:5555:6666",
    };
    char error[ADDRESS_ERROR_MAX];
    union address address;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        error[0] = '\0';
        assert_false(address_parse(&address, cases[i], error));
        assert_true(error[0] != '\0');
    }
}

static void equal_means_the_same_socket(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1@53", true},
        {"::1", "0:0::1@53", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"::1@53", "::1@54", false},
        {"0.0.0.0", "::", false},
        {"fe80::1", "fe80::1%lo", false},
    };
    char error[ADDRESS_ERROR_MAX];
    union address a, b;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(address_parse(&a, cases[i].a, error));
        assert_true(address_parse(&b, cases[i].b, error));
        assert_int_equal(address_is_equal(&a, &b), cases[i].equal);
    }
}

static void clients_of_a_socket_for_both_families_keep_theirs(void **state)
{
    static const struct {
        const char *text;
        struct client client;
    } cases[] = {
        {"192.0.2.1", {TRANSPORT_TCP, 4, {192, 0, 2, 1}}},
        {"::ffff:192.0.2.1", {TRANSPORT_TCP, 4, {192, 0, 2, 1}}},
        {"2001:db8::1", {TRANSPORT_TCP, 16, {0x20, 1, 0xd, 0xb8, [15] = 1}}},
        {"::192.0.2.1", {TRANSPORT_TCP, 16, {[12] = 192, 0, 2, 1}}},
    };
    char error[ADDRESS_ERROR_MAX];
    union address address;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client client = {0};
        assert_true(address_parse(&address, cases[i].text, error));
        address_to_client(&address, TRANSPORT_TCP, &client);
        assert_memory_equal(&client, &cases[i].client, sizeof client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(equal_means_the_same_socket),
        cmocka_unit_test(clients_of_a_socket_for_both_families_keep_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
