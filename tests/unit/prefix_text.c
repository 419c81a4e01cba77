/* host/prefix_text.c and answer/prefix.h: prefixes as they are written, and who is in them. */
#include "server/host/prefix_text.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static struct client client_of(const char *address)
{
    struct client client = {.length = 4};

    if (inet_pton(AF_INET, address, client.address) != 1) {
        client.length = 16;
        assert_int_equal(inet_pton(AF_INET6, address, client.address), 1);
    }
    return client;
}

static const struct {
    const char *prefix, *in, *out;
} good[] = {
    {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
    {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
    {"192.0.2.6/31", "192.0.2.7", "192.0.2.5"},
    {"0.0.0.0/0", "255.255.255.255", "::"},
    {"128.0.0.0/1", "255.0.0.0", "127.255.255.255"},
    {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
    {"2001:db8::1", "2001:db8::1", "2001:db8::2"},
    {"2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::1", "2001:db8::1"},
    {"::/0", "::1", "0.0.0.0"},
    {"::/128", "::", "0.0.0.0"},
};

static void clients_are_in_or_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct prefix_list list = {0};
        char error[PREFIX_TEXT_ERROR_MAX];
        struct client in = client_of(good[i].in), out = client_of(good[i].out);
        print_message("%s\n", good[i].prefix);
        assert_false(prefix_list_covers(&list, &in));
        assert_true(prefix_text_add(&list, "203.0.113.0/24", error));
        assert_false(prefix_list_covers(&list, &in));
        assert_true(prefix_text_add(&list, good[i].prefix, error));
        assert_true(prefix_list_covers(&list, &in));
        assert_false(prefix_list_covers(&list, &out));
        free(list.prefixes);
    }
}

static const struct {
    const char *text, *part;
} bad[] = {
    {"", "give an IPv4 or IPv6 address"},
    {"/24", "give an IPv4 or IPv6 address"},
    {"192.0.2", "give an IPv4 or IPv6 address"},
    {"ns.example", "give an IPv4 or IPv6 address"},
    {"2001:db8::1::2/64", "give an IPv4 or IPv6 address"},
    {"0000000000000000000000000000000000000000000000000000/1", "give an IPv4 or IPv6 address"},
    {"192.0.2.0/", "from 0 to 32"},
    {"192.0.2.0/33", "from 0 to 32"},
    {"192.0.2.0/-1", "from 0 to 32"},
    {"192.0.2.0/24x", "from 0 to 32"},
    {"2001:db8::/129", "from 0 to 128"},
    {"192.0.2.1/24", "bits set behind the first 24"},
    {"2001:db8::1/127", "bits set behind the first 127"},
};

static void what_is_no_prefix_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char error[PREFIX_TEXT_ERROR_MAX];
        struct prefix prefix;
        assert_false(prefix_text_parse(&prefix, bad[i].text, error));
        if (strstr(error, bad[i].part) == NULL)
            fail_msg("%s: %s", bad[i].text, error);
    }
}

static void prefixes_are_written(void **state)
{
    char text[PREFIX_TEXT_MAX];
    struct client client = client_of("192.0.2.0");

    (void)state;
    assert_string_equal(prefix_text_write(&client, 24, text), "192.0.2.0/24");
    client = client_of("2001:db8:1200::");
    assert_string_equal(prefix_text_write(&client, 56, text), "2001:db8:1200::/56");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_in_or_out),
        cmocka_unit_test(what_is_no_prefix_is_refused),
        cmocka_unit_test(prefixes_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
