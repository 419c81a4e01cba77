/* zone/rdata.c, rdata_check.c, svcb.c, loc.c, type.c, bitmap.c: RDATA in text becomes RDATA on the
 * wire. */
#include "zone/rdata.h"

#include "unit.h"
#include "zone/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rdata rdata;

/* Reads "TYPE RDATA" relative to the origin `o.` */
static bool read_text(const char *text, uint16_t *type)
{
    static const struct domain origin = {.length = 3, .octets = "\1o"};
    struct entry entry = {0};
    struct lexer lexer;
    const char *error;
    char copy[1000];

    snprintf(copy, sizeof copy, "%s\n", text);
    lexer_start(&lexer, copy, strlen(text));
    assert_int_equal(lexer_next(&lexer, &entry, &error), LEXER_ENTRY);
    assert_true(type_read(&entry.tokens[0], type));
    bool good = rdata_read(&rdata, *type, entry.tokens + 1, entry.count - 1, &origin);
    lexer_free_entry(&entry);
    return good;
}

static void to_hex(char *hex)
{
    *hex = '\0';
    for (size_t i = 0; i < rdata.length; i++)
        hex += sprintf(hex, "%02x", rdata.octets[i]);
}

#define A100                                                                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaa"                                                                                         \
    "aaaa"

static void each_type_has_its_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hex;
    } cases[] = {
        {"A 192.0.2.1", "c0000201"},
        {"NS Ns", "024e73016f00"},
        {"SOA a b.c. 1 1h 2 1d 3", "0161016f0001620163000000000100000e10000000020001518000000003"},
        {"MX 10 .", "000a00"},
        {"TXT \"a b\" c \"\" \"\\\"\\255\"", "03612062016300"
                                             "0222ff"},
        {"AAAA 2001:db8::192.0.2.1", "20010db80000000000000000c0000201"},
        {"SRV 1 2 65535 x.", "00010002ffff017800"},
        {"NAPTR 100 50 \"s\" \"\" \"!a!b!i\" _x", "00640032017300"
                                                  "06216121622169"
                                                  "025f78016f00"},
        {"HINFO a \"b c\"", "016103622063"},
        {"LOC 42 21 54 N 71 06 18 W -24m 30m", "0033161389172dd070be15f000988d20"},
        {"LOC 60 9 N 24 39 0.5 E 10 2000.00m 20m 1m", "002523128ce82360854a129400989a68"},
        {"APL 1:192.168.32.0/21 !2:FF00::/8", "00011503c0a820"
                                              "00020881ff"},
        {"APL", ""},
        {"DS 60485 RSASHA256 1 2BB183AF5F22588179A53B0A 98631FAD1A292118",
         "ec4508012bb183af5f22588179a53b0a98631fad1a292118"},
        {"SSHFP 2 1 123456789abcdef67890 123456789abcdef67890",
         "0201123456789abcdef67890123456789abcdef67890"},
        {"RRSIG A 8 2 3600 20380119031407 1 7 o. AQ==",
         "0001080200000e107fffffff000000010007016f0001"},
        {"NSEC b A MX TYPE1234", "0162016f00000240"
                                 "01041b00000000000000000000000000"
                                 "0000000000000000000000000020"},
        {"NSEC b", "0162016f00"},
        {"DNSKEY 256 3 8 AQ ID", "01000308010203"},
        {"NSEC3 1 1 12 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG",
         "0101000c02aabb14174eb2409fe28bcb4887a1836f957f0a8425e27b"
         "0006400000000002"},
        {"NSEC3PARAM 1 0 0 -", "0100000000"},
        {"TLSA 3 1 1 d2abde", "030101d2abde"},
        {"TLSA DANE-EE SPKI SHA2-256 d2abde", "030101d2abde"},
        {"CDS 0 0 0 00", "0000000000"},
        {"CSYNC 66 3 A NS AAAA", "000000420003000460000008"},
        {"CSYNC 66 3", "000000420003"},
        {"EUI48 00-00-5e-00-53-2a", "00005e00532a"},
        {"EUI64 00-00-5e-ef-10-00-00-2a", "00005eef1000002a"},
        {"NID 10 0014:4fff:ff20:ee64", "000a00144fffff20ee64"},
        {"URI 10 1 \"ftp://a/b\"", "000a00016674703a2f2f612f62"},
        {"CAA 128 issue \"ca; x\"", "800569737375656361"
                                    "3b2078"},
        {"CAA 0 issue \"\"", "00056973737565"},
        {"IPSECKEY 10 3 2 gw AQ==", "0a0302026777016f0001"},
        {"IPSECKEY 10 0 0 .", "0a0000"},
        {"AMTRELAY 10 1 3 relay", "0a830572656c6179016f00"},
        {"AMTRELAY 0 0 0 .", "0000"},
        {"HIP 2 2001 AQID rvs x.", "020200032001010203"
                                   "03727673016f00"
                                   "017800"},
        {"NSAP 0x47.0005.80", "47000580"},
        {"ATMA +61.200", "013631323030"},
        {"ATMA 39.246f", "0039246f"},
        {"WALLET a b", "01610162"},
        {"TYPE731 \\# 6 abcdef 012345", "abcdef012345"},
        {"TYPE731 \\# 0", ""},
        {"A \\# 4 0A000001", "0a000001"},
        {"TYPE1 10.0.0.1", "0a000001"},
        {"TYPE15 \\# 5 000a 01 6d 00", "000a016d00"},
    };
    char hex[2 * 1000];
    uint16_t type;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!read_text(cases[i].text, &type))
            fail_msg("%s: %s", cases[i].text, rdata.error);
        to_hex(hex);
        if (strcmp(hex, cases[i].hex) != 0)
            fail_msg("%s: %s", cases[i].text, hex);
    }
}

static void what_is_malformed_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *sentence;
    } cases[] = {
        {"A 192.0.2.256", "A: \"192.0.2.256\" is no IPv4 address"},
        {"A", "A: the RDATA ends too early"},
        {"A 192.0.2.1 x", "A: \"x\" is more than this type has"},
        {"A \"192.0.2.1\"", "A: \"192.0.2.1\" is no IPv4 address"},
        {"AAAA 1::2::3", "AAAA: \"1::2::3\" is no IPv6 address"},
        {"MX 70000 x", "MX: \"70000\" is too large a number"},
        {"MX 10", "MX: the RDATA ends too early"},
        {"TXT " A100 A100 A100, "TXT: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is too long"},
        {"CNAME a..b", "CNAME: \"a..b\" has an empty label"},
        {"DNSKEY 256 3 300 AQ==", "DNSKEY: \"300\" is too large a number"},
        {"DNSKEY 256 3 NOSUCH AQ==", "DNSKEY: \"NOSUCH\" is not what this type has here"},
        {"DS 1 8 2 0000", "DS: the digest's length does not fit its type"},
        {"DS 1 8 9 0000 0", "DS: \"0000\" has an odd number of hexadecimal digits"},
        {"ZONEMD 1 1 1 00", "ZONEMD: the digest's length does not fit its algorithm"},
        {"CAA 0 iss-ue x", "CAA: \"iss-ue\" is no tag: letters and digits only"},
        {"LOC 91 N 0 E 0", "LOC: \"91\" is too large a number"},
        {"LOC 90 0 1 N 0 E 0", "LOC: \"N\" follows too large an angle"},
        {"LOC 10 60 N 0 E 0", "LOC: \"60\" is too large a number"},
        {"LOC 10 N 0 E", "LOC: the RDATA ends too early"},
        {"APL 1:10.0.0.0/33", "APL: an address prefix is too long"},
        {"ATMA +6x", "ATMA: \"+6x\" is no ATM address"},
        {"NSAP 47", "NSAP: \"47\" is no NSAP address, which begins with 0x"},
        {"NSEC b NOSUCH", "NSEC: \"NOSUCH\" is no RR type"},
        {"NSEC3PARAM 1 0 0 abc", "NSEC3PARAM: \"abc\" has an odd number of hexadecimal digits"},
        {"IPSECKEY 10 4 2 x AQ==", "IPSECKEY: \"x\" follows an unknown gateway type"},
        {"AMTRELAY 10 2 0 .", "AMTRELAY: \".\" follows a D-bit that is neither 0 nor 1"},
        {"TYPE731 00", "TYPE731: \"00\" cannot be read: give this type's RDATA as \\# LENGTH HEX"},
        {"TYPE731 \\# 2 00", "TYPE731: \"2\" is not the length of the octets behind it"},
        {"TYPE731 \\#", "TYPE731: the RDATA ends too early"},
        {"A \\# 3 0a0000", "A: the RDATA is too short"},
        {"A \\# 5 0a00000000", "A: the RDATA is too long"},
        {"MX \\# 4 000a c00c", "MX: the RDATA has no name where one belongs"},
        {"TXT \\# 2 0241", "TXT: the RDATA is too short"},
        {"NSEC \\# 5 00 0001 00 00", "NSEC: the type bitmap is malformed"},
        {"CAA \\# 4 00 01 2d 00", "CAA: the tag has other octets than letters and digits"},
        {"LOC \\# 16 01000000 80000000 80000000 00000000", "LOC: the version is not 0"},
    };
    uint16_t type;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_text(cases[i].text, &type))
            fail_msg("%s is read", cases[i].text);
        assert_string_equal(rdata.error, cases[i].sentence);
    }
}

/* RFC 9460 Appendix D; errors behind an exclamation mark. */
static void service_parameters_follow_their_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wire;
    } cases[] = {
        {"HTTPS 0 foo.example.com.", "000003666f6f076578616d706c6503636f6d00"},
        {"SVCB 1 .", "000100"},
        {"SVCB 16 x. port=53", "0010017800"
                               "000300020035"},
        {"SVCB 1 x. key667=hello", "0001017800"
                                   "029b000568656c6c6f"},
        {"SVCB 1 x. key667=\"hello\\210qoo\"", "0001017800"
                                               "029b000968656c6c6fd2716f6f"},
        {"SVCB 1 x. ipv6hint=\"2001:db8::1,2001:db8::53:1\"", "0001017800"
                                                              "00060020"
                                                              "20010db8000000000000000000000001"
                                                              "20010db8000000000000000000530001"},
        {"SVCB 16 x. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1", "0010017800"
                                                                                "0000000400010004"
                                                                                "00010009026832"
                                                                                "0568332d3139"
                                                                                "00040004c0000201"},
        {"SVCB 16 x. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", "0010017800"
                                                       "0001000c"
                                                       "08665c6f6f2c626172"
                                                       "026832"},
        {"SVCB 16 x. alpn=f\\\\\\092oo\\092,bar,h2", "0010017800"
                                                     "0001000c"
                                                     "08665c6f6f2c626172"
                                                     "026832"},
        {"SVCB 1 x. no-default-alpn alpn=h2", "0001017800"
                                              "00010003026832"
                                              "00020000"},
        {"SVCB 1 x. ech=\"AQID\" key65000", "0001017800"
                                            "00050003010203"
                                            "fde80000"},
        {"SVCB 1 x. alpn=doq dohpath=/q{?dns}", "0001017800"
                                                "0001000403646f71"
                                                "000700082f717b3f646e737d"},
        {"SVCB 1 x. key1=\\002h2", "0001017800"
                                   "00010003026832"},
        {"SVCB 1 x. key123=abc key123=def", "!\"key123=def\" repeats a key"},
        {"SVCB 1 x. mandatory", "!\"mandatory\" lists an unknown key as mandatory"},
        {"SVCB 1 x. alpn", "!\"alpn\" has an empty protocol"},
        {"SVCB 1 x. port", "!\"port\" is no port"},
        {"SVCB 1 x. port=65536", "!\"port=65536\" is no port"},
        {"SVCB 1 x. ipv4hint", "!\"ipv4hint\" is no list of addresses"},
        {"SVCB 1 x. ipv6hint=1.2.3.4", "!\"ipv6hint=1.2.3.4\" is no list of addresses"},
        {"SVCB 1 x. no-default-alpn=abc", "!\"no-default-alpn=abc\" takes no value"},
        {"SVCB 1 x. no-default-alpn", "!no-default-alpn needs alpn"},
        {"SVCB 1 x. mandatory=key123", "!mandatory lists a key that is missing"},
        {"SVCB 1 x. mandatory=mandatory", "!mandatory lists itself"},
        {"SVCB 1 x. mandatory=key123,key123 key123=abc",
         "!mandatory lists a key twice or out of order"},
        {"SVCB 1 x. mandatory=foo", "!\"mandatory=foo\" lists an unknown key as mandatory"},
        {"SVCB 1 x. dohpath=/q", "!dohpath is not a path with {?dns}"},
        {"SVCB 1 x. foo=bar", "!\"foo=bar\" is no SvcParam of a known key"},
        {"SVCB 1 x. key007=bar", "!\"key007=bar\" is no SvcParam of a known key"},
        {"SVCB 1 x. key65536", "!\"key65536\" is no SvcParam of a known key"},
        {"SVCB 1 x. \"alpn=h2\"", "!\"alpn=h2\" is no SvcParam of a known key"},
        {"SVCB 1 x. alpn=a,,b", "!\"alpn=a,,b\" has an empty protocol"},
        {"SVCB 1 x. key1=\\003h2", "!alpn is malformed"},
        {"SVCB \\# 13 0001 00 0003 0002 0035 0001 0000",
         "!the SvcParams are not in ascending order of keys"},
        {"SVCB \\# 6 0001 00 0003 00", "!the SvcParams are cut short"},
    };
    char found[2 * 1000];
    uint16_t type;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_text(cases[i].text, &type)) {
            to_hex(found);
        } else {
            const char *reason = strstr(rdata.error, ": ");
            assert_non_null(reason);
            sprintf(found, "!%s", reason + 2);
        }
        if (strcmp(found, cases[i].wire) != 0)
            fail_msg("%s: %s", cases[i].text, found);
    }
}

static void types_have_names_and_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int type; /* -1: refused */
        const char *canonical;
    } cases[] = {
        {"a", 1, "A"},
        {"aAaA", 28, "AAAA"},
        {"HTTPS", 65, "HTTPS"},
        {"TYPE1", 1, "A"},
        {"type65535", 65535, "TYPE65535"},
        {"TYPE65536", -1, NULL},
        {"TYPE", -1, NULL},
        {"TYPE1x", -1, NULL},
        {"NOSUCH", -1, NULL},
        {"NSAP-PTR", 23, "NSAP-PTR"},
        {"AMTRELAY", 260, "AMTRELAY"},
        {"TA", 32768, "TA"},
        {"DLV", 32769, "DLV"},
    };
    char text[TYPE_TEXT_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct token token = {.text = cases[i].text,
                                    .length = (unsigned)strlen(cases[i].text)};
        uint16_t type;
        bool good = type_read(&token, &type);
        assert_int_equal(good ? type : -1, cases[i].type);
        if (good)
            assert_string_equal(type_to_text(type, text), cases[i].canonical);
    }
}

static int free_scratch(void **state)
{
    (void)state;
    rdata_free(&rdata);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_form),
        cmocka_unit_test(what_is_malformed_is_refused),
        cmocka_unit_test(service_parameters_follow_their_rfc),
        cmocka_unit_test(types_have_names_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, free_scratch);
}
