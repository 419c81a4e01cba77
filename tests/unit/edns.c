/* message/edns.c: the OPT record of a response, octet by octet. */
#include "message/codes.h"
#include "message/edns.h"
#include "unit.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    struct edns edns;
    const char *opt;
    size_t length;
} cases[] = {
    {{.present = false, .payload = 1232, .dnssec_ok = true, .ede = EDE_OTHER}, "", 0},
    {{.present = true, .payload = 1232, .ede = EDE_NONE}, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11},
    /* DO, and no other flag */
    {{.present = true, .payload = 512, .dnssec_ok = true, .ede = EDE_NONE},
     "\0\0\x29\2\0\0\0\x80\0\0\0", 11},
    /* of the RCODE the upper eight bits; the version stays 0 */
    {{.present = true, .payload = 1232, .rcode = RCODE_BADVERS, .ede = EDE_NONE},
     "\0\0\x29\4\xd0\1\0\0\0\0\0", 11},
    {{.present = true, .payload = 1232, .rcode = RCODE_NXDOMAIN, .ede = EDE_NONE},
     "\0\0\x29\4\xd0\0\0\0\0\0\0", 11},
    {{.present = true, .payload = 1232, .rcode = 0xfff, .ede = EDE_NONE},
     "\0\0\x29\4\xd0\xff\0\0\0\0\0", 11},
    /* options */
    {{.present = true, .payload = 1232, .ede = EDE_NOT_AUTHORITATIVE},
     "\0\0\x29\4\xd0\0\0\0\0\0\6\0\xf\0\2\0\x14", 17},
    {{.present = true, .payload = 1232, .ede = EDE_NONE, .nsid = (const uint8_t *)"w1",
      .nsid_length = 2},
     "\0\0\x29\4\xd0\0\0\0\0\0\6\0\3\0\2w1", 17},
    {{.present = true, .payload = 1232, .ede = EDE_NONE, .nsid = (const uint8_t *)"",
      .nsid_length = 0},
     "\0\0\x29\4\xd0\0\0\0\0\0\4\0\3\0\0", 15},
    {{.present = true, .payload = 1232, .ede = EDE_NONE, .keepalive = true, .timeout = 300},
     "\0\0\x29\4\xd0\0\0\0\0\0\6\0\xb\0\2\1\x2c", 17},
    {{.present = true, .payload = 1232, .ede = EDE_NONE,
      .cookie = (const uint8_t *)"client..server cookie...."},
     "\0\0\x29\4\xd0\0\0\0\0\0\x1c\0\xa\0\x18" "client..server cookie....", 39},
    {{.present = true, .payload = 65535, .ede = EDE_OTHER, .nsid = (const uint8_t *)"w1",
      .nsid_length = 2, .keepalive = true, .timeout = 0},
     "\0\0\x29\xff\xff\0\0\0\0\0\x12\0\3\0\2w1\0\xf\0\2\0\0\0\xb\0\2\0\0", 29},
};

static void opt_says_what_it_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t wire[64];
        memset(wire, 0xaa, sizeof wire);
        assert_int_equal(edns_length(&cases[i].edns), cases[i].length);
        edns_write(&cases[i].edns, wire);
        assert_memory_equal(wire, cases[i].opt, cases[i].length);
        for (size_t behind = cases[i].length; behind < sizeof wire; behind++)
            assert_int_equal(wire[behind], 0xaa);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opt_says_what_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
