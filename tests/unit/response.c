/*
 * message/response.c: what is written decodes to what was meant, wherever in a message it is put.
 *
 * Each response is decoded by ldns and compared as text. Responses lie in memory of just the size
 * they may have.
 */
#include "message/response.h"
#include "message/codes.h"
#include "message/wire.h"
#include "unit.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { TEXT_MAX = 4096, ROOM = 65535 };

/* --- fragments ------------------------------------------------------------------------------- */

/* TYPE, class IN, TTL 60, RDLENGTH */
#define FIXED(type, rdlength) "\0" type "\0\1\0\0\0\x3c\0" rdlength
#define OWNER                 "\xc0\x0c"

/*
 * RRsets of a.example or *.example, 11 octets either: 0xC00E stands for the suffix "example.",
 * 0xC01B for octet 0 of the fragment. In `text`, @ is the owner and ^ that suffix.
 */
struct sample {
    const char *what;
    struct fragment rrs;
    struct fragment signatures;
    const char *text;
    const char *signature_text;
    bool names_owner; /* in RDATA, which a wildcard's RRset may not (fragment.h) */
};

#define RRSIG_RUN(type)                                                                            \
    {                                                                                              \
        .octets = (const uint8_t *)OWNER FIXED(                                                    \
            "\x2e", "\x1f") "\0" type                                                              \
                            "\x0f\2\0\0\0\x3c\x77\x35\x94\0\x59\x68\x2f\0\x12\x34\7example\0sig!", \
        .length = 43, .count = 1, .owner_length = 11                                               \
    }
#define RRSIG_TEXT(type)                                                                           \
    "@ 60 IN RRSIG " type " 15 2 60 20330518033320 20170714024000 4660 example. c2lnIQ==\n"

static const struct sample samples[] = {
    {.what = "addresses",
     .rrs = {.octets = (const uint8_t *)OWNER FIXED("\1", "\4") "\xc0\0\2\1" OWNER FIXED(
                 "\1", "\4") "\xc0\0\2\2",
             .pointers = (const uint16_t[]){0, 16},
             .length = 32,
             .count = 2,
             .pointer_count = 2,
             .owner_length = 11},
     .signatures = RRSIG_RUN("\1"),
     .text = "@ 60 IN A 192.0.2.1\n@ 60 IN A 192.0.2.2\n",
     .signature_text = RRSIG_TEXT("A")},
    {.what = "names that lean on the owner's suffix and on one another",
     .rrs = {.octets = (const uint8_t *)
             /*  0 */ OWNER FIXED("\xf", "\x9") "\0\x0a\4mail\xc0\x0e"
             /* 21 */ OWNER FIXED("\xf", "\4") "\0\x14\xc0\x29"
             /* 37 */ OWNER FIXED("\xf", "\6") "\0\x1e\1x\xc0\x29"
             /* 55 */ OWNER FIXED("\xf", "\6") "\0\x28\1y\xc0\x4e"
             /* 73 */ OWNER FIXED("\xf", "\7") "\0\x32\3net\0",
             .pointers = (const uint16_t[]){0, 19, 21, 35, 37, 53, 55, 71, 73},
             .length = 92,
             .count = 5,
             .pointer_count = 9,
             .owner_length = 11},
     .signatures = RRSIG_RUN("\xf"),
     .text = "@ 60 IN MX 10 mail.^\n@ 60 IN MX 20 mail.^\n@ 60 IN MX 30 x.mail.^\n"
             "@ 60 IN MX 40 y.x.mail.^\n@ 60 IN MX 50 net.\n",
     .signature_text = RRSIG_TEXT("MX")},
    {.what = "names that lean on the owner",
     .names_owner = true,
     .rrs = {.octets = (const uint8_t *)OWNER FIXED("\2", "\2")
                 OWNER OWNER FIXED("\2", "\5") "\2ns\xc0\x0c" OWNER FIXED("\2", "\4") "\1t\xc0\x35",
             .pointers = (const uint16_t[]){0, 12, 14, 29, 31, 45},
             .length = 47,
             .count = 3,
             .pointer_count = 6,
             .owner_length = 11},
     .signatures = RRSIG_RUN("\2"),
     .text = "@ 60 IN NS @\n@ 60 IN NS ns.@\n@ 60 IN NS t.ns.@\n",
     .signature_text = RRSIG_TEXT("NS")},
    {.what = "two names in one RR",
     .rrs = {.octets = (const uint8_t *)OWNER FIXED(
                 "\6", "\x21") "\3loc\xc0\x0e\4post\xc0\x27"
                               "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5",
             .pointers = (const uint16_t[]){0, 16, 23},
             .length = 45,
             .count = 1,
             .pointer_count = 3,
             .owner_length = 11},
     .signatures = RRSIG_RUN("\6"),
     .text = "@ 60 IN SOA loc.^ post.loc.^ 1 2 3 4 5\n",
     .signature_text = RRSIG_TEXT("SOA")},
};

/* --- messages -------------------------------------------------------------------------------- */

/* Puts `owner` for @, `suffix` for ^ in a sample's text. Appends to `text`. */
static void expand(char text[TEXT_MAX], const char *pattern, const char *owner, const char *suffix)
{
    size_t length = strlen(text);

    for (; *pattern != '\0'; pattern++) {
        const char letter[2] = {*pattern, '\0'};
        const char *piece = *pattern == '@' ? owner : *pattern == '^' ? suffix : letter;
        assert_true(length + strlen(piece) < TEXT_MAX);
        strcpy(text + length, piece);
        length += strlen(piece);
    }
}

static void list_to_text(const ldns_rr_list *list, size_t first, char text[TEXT_MAX])
{
    text[0] = '\0';
    for (size_t i = first; i < ldns_rr_list_rr_count(list); i++) {
        char *line = ldns_rr2str(ldns_rr_list_rr(list, i));
        for (char *at = line; *at != '\0'; at++)
            if (*at == '\t')
                *at = ' ';
        assert_true(strlen(text) + strlen(line) < TEXT_MAX);
        strcat(text, line);
        free(line);
    }
}

static ldns_pkt *decode(const uint8_t *wire, size_t length)
{
    ldns_pkt *packet = NULL;

    assert_int_equal(ldns_wire2pkt(&packet, wire, length), LDNS_STATUS_OK);
    return packet;
}

static const struct edns no_edns = {.present = false, .ede = EDE_NONE};

/* Completes the response; the text of its answer section from record `first` on. */
static void finish_to_text(struct response *response, size_t first, char text[TEXT_MAX])
{
    size_t length = response_finish(response, 0, &no_edns, RCODE_NOERROR);
    ldns_pkt *packet = decode(response->wire, length);

    list_to_text(ldns_pkt_answer(packet), first, text);
    ldns_pkt_free(packet);
}

/* Begins a response to the question for A of a name. */
static void begin(struct response *response, uint8_t *wire, size_t limit, const char *qname,
                  size_t qname_length)
{
    uint8_t query[WIRE_HEADER_SIZE + NAME_OCTETS_MAX + 4] = {0x12, 0x34, 0, 0, 0, 1};

    memcpy(query + WIRE_HEADER_SIZE, qname, qname_length);
    memcpy(query + WIRE_HEADER_SIZE + qname_length, "\0\1\0\1", 4);
    response_begin(response, wire, limit, query, qname_length + 4);
}

/* --- places ---------------------------------------------------------------------------------- */

/* Where a sample is put. `prepare` may write records first; it returns the place. */
struct setting {
    const char *what;
    const char *qname;
    size_t qname_length;
    struct place (*prepare)(struct response *response);
    const char *owner;
    const char *suffix;
    size_t records; /* that prepare() wrote */
    bool wildcard;
};

static struct place at_qname(struct response *response)
{
    (void)response;
    return (struct place){.owner = WIRE_HEADER_SIZE};
}

static struct place at_wildcard(struct response *response)
{
    (void)response;
    return (struct place){.owner = WIRE_HEADER_SIZE, .skip = 5}; /* \4b..b\1c for \1* less 2 */
}

static struct place above_qname(struct response *response)
{
    (void)response;
    return (struct place){.owner = WIRE_HEADER_SIZE + 4};
}

static uint32_t put_target(struct response *response, const char *octets, size_t length,
                           const uint16_t *pointers, uint16_t pointer_count)
{
    struct fragment cname = {.octets = (const uint8_t *)octets,
                             .length = (uint16_t)length,
                             .count = 1,
                             .pointers = pointers,
                             .pointer_count = pointer_count,
                             .owner_length = 11};
    struct place place = {.owner = WIRE_HEADER_SIZE};

    assert_true(response_put(response, SECTION_ANSWER, &cname, NULL, &place));
    return place.rdata;
}

static struct place at_whole_target(struct response *response)
{
    static const char cname[] = OWNER FIXED("\5", "\x0b") "\1d\7another\0";
    return (struct place){
        .owner = put_target(response, cname, sizeof cname - 1, (const uint16_t[]){0}, 1)};
}

static struct place at_compressed_target(struct response *response)
{
    static const char cname[] = OWNER FIXED("\5", "\4") "\1d\xc0\x0e";
    return (struct place){
        .owner = put_target(response, cname, sizeof cname - 1, (const uint16_t[]){0, 14}, 2)};
}

static struct place at_expanded_target(struct response *response)
{
    static const char cname[] = OWNER FIXED("\5", "\6") "\1d\1e\xc0\x0e";
    return (struct place){
        .owner = put_target(response, cname, sizeof cname - 1, (const uint16_t[]){0, 16}, 2),
        .skip = 2};
}

static struct place nowhere_with_apex(struct response *response)
{
    (void)response;
    return (struct place){.labels = (const uint8_t *)"\1z",
                          .labels_length = 2,
                          .apex_name = (const uint8_t *)"\7example",
                          .apex_length = 9,
                          .apex = WIRE_HEADER_SIZE + 2};
}

static struct place nowhere(struct response *response)
{
    struct place place = nowhere_with_apex(response);

    place.apex = 0;
    return place;
}

#define NAME(octets) (octets), sizeof(octets)

static const struct setting settings[] = {
    {"QNAME itself", NAME("\1A\7eXample"), at_qname, "A.eXample.", "eXample.", 0, false},
    {"expanded wildcard", NAME("\4bbbb\1C\7eXample"), at_wildcard, "bbbb.C.eXample.", "eXample.", 0,
     true},
    {"ancestor of QNAME", NAME("\3www\1A\7eXample"), above_qname, "A.eXample.", "eXample.", 0,
     false},
    {"target of an alias", NAME("\1a\7example"), at_whole_target, "d.another.", "another.", 1,
     false},
    {"compressed target", NAME("\1a\7eXample"), at_compressed_target, "d.eXample.", "eXample.", 1,
     false},
    {"wildcard expanded at a target", NAME("\1a\7eXample"), at_expanded_target, "d.e.eXample.",
     "eXample.", 1, true},
    {"name yet to be written, apex at hand", NAME("\1a\7eXample"), nowhere_with_apex, "z.eXample.",
     "eXample.", 0, false},
    {"name yet to be written in full", NAME("\1a\3net"), nowhere, "z.example.", "example.", 0,
     false},
};

/* --- the product of both ---------------------------------------------------------------------- */

/* Puts one large record, so that the response goes on at octet `at` (0: puts none). Returns their
 * number. */
static size_t fill_up_to(struct response *response, uint32_t at)
{
    enum { OVERHEAD = WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE };
    static uint8_t octets[ROOM] = OWNER "\xff\xfe\0\1\0\0\0\x3c"; /* TYPE65534 */
    static const uint16_t pointers[] = {0};

    if (at == 0)
        return 0;
    assert_true(at > response->at + OVERHEAD);
    uint32_t length = at - response->at;
    wire_write_u16(octets + 10, (uint16_t)(length - OVERHEAD));
    struct fragment filler = {.octets = octets,
                              .length = (uint16_t)length,
                              .count = 1,
                              .pointers = pointers,
                              .pointer_count = 1,
                              .owner_length = 11};
    struct place place = {.owner = WIRE_HEADER_SIZE};
    assert_true(response_put(response, SECTION_ANSWER, &filler, NULL, &place));
    assert_int_equal(response->at, at);
    return 1;
}

struct put_case {
    const struct sample *sample;
    const struct setting *setting;
    uint32_t at;
    bool prepare_late; /* behind what fills: the owner itself lies there */
    bool with_signatures;
};

/* Puts the sample into a response of at most `limit` octets. Returns the octets it has then, or 0
 * if there was no room for it. */
static uint32_t put_in(const struct put_case *this, size_t limit, char text[TEXT_MAX])
{
    uint8_t *wire = malloc(limit);
    struct response response;
    struct place place;
    size_t records;

    assert_non_null(wire);
    begin(&response, wire, limit, this->setting->qname, this->setting->qname_length);
    if (this->prepare_late) {
        records = fill_up_to(&response, this->at);
        place = this->setting->prepare(&response);
    } else {
        place = this->setting->prepare(&response);
        records = fill_up_to(&response, this->at);
    }
    records += this->setting->records;

    struct response before = response;
    struct place place_before = place;
    bool done = response_put(&response, SECTION_ANSWER, &this->sample->rrs,
                             this->with_signatures ? &this->sample->signatures : NULL, &place);
    if (!done) {
        assert_int_equal(response.at, before.at);
        assert_memory_equal(response.counts, before.counts, sizeof before.counts);
        assert_int_equal(place.owner, place_before.owner);
    }
    assert_true(response.at <= limit);
    uint32_t end = response.at;
    finish_to_text(&response, records, text);
    free(wire);
    return done ? end : 0;
}

static void check_put(const struct put_case *this)
{
    char expected[TEXT_MAX] = "";
    char text[TEXT_MAX];
    const struct setting *setting = this->setting;

    expand(expected, this->sample->text, setting->owner, setting->suffix);
    if (this->with_signatures)
        expand(expected, this->sample->signature_text, setting->owner, setting->suffix);
    uint32_t end = put_in(this, ROOM, text);
    if (end == 0 || strcmp(text, expected) != 0)
        fail_msg("%s at %s, octet %u: got\n%s, not\n%s", this->sample->what, setting->what,
                 (unsigned)this->at, text, expected);
    /* An exact fit fits; one octet less, and nothing is written. */
    assert_int_equal(put_in(this, end, text), end);
    assert_string_equal(text, expected);
    assert_int_equal(put_in(this, end - 1, text), 0);
    assert_string_equal(text, "");
}

static void check_all_at(uint32_t at, bool prepare_late)
{
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        for (size_t j = 0; j < COUNT_OF(settings); j++) {
            if (settings[j].wildcard && samples[i].names_owner)
                continue;
            for (unsigned with_signatures = 0; with_signatures < 2; with_signatures++)
                check_put(&(struct put_case){&samples[i], &settings[j], at, prepare_late,
                                             with_signatures != 0});
        }
}

static void rrsets_decode_wherever_they_are_put(void **state)
{
    (void)state;
    check_all_at(0, false);
    check_all_at(300, false);
}

static void rrsets_decode_across_the_reach_of_pointers(void **state)
{
    (void)state;
    for (uint32_t at = WIRE_POINTER_MAX - 150; at <= WIRE_POINTER_MAX + 2; at++)
        check_all_at(at, false);
}

static void rrsets_decode_past_the_reach_of_pointers(void **state)
{
    (void)state;
    check_all_at(30000, false);
    check_all_at(30000, true);
    check_all_at(WIRE_POINTER_MAX - 20, true);
    check_all_at(WIRE_POINTER_MAX, true);
}

/* --- glue and other names in RDATA ------------------------------------------------------------ */

static const struct fragment glue = {
    /* ns.@, @, t.ns.@ of the NS sample */
    .octets = (const uint8_t *)"\xc0\x35" FIXED("\1", "\4") "\xc0\0\2\1" OWNER FIXED(
        "\1", "\4") "\xc0\0\2\2"
                    "\xc0\x46" FIXED("\x1c", "\x10") "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1",
    .length = 60,
    .count = 3,
    .owner_length = 11,
};

static void check_glue_at(const struct setting *setting, uint32_t at)
{
    uint8_t *wire = malloc(ROOM);
    struct response response;
    char expected[TEXT_MAX] = "";
    char text[TEXT_MAX];

    assert_non_null(wire);
    begin(&response, wire, ROOM, setting->qname, setting->qname_length);
    struct place place = setting->prepare(&response);
    fill_up_to(&response, at);
    assert_true(response_put(&response, SECTION_AUTHORITY, &samples[2].rrs, NULL, &place));
    struct response before = response;
    assert_true(response_put_run(&response, SECTION_ADDITIONAL, &glue, &samples[2].rrs, &place));

    /* Once more, with exactly that room and with one octet less. */
    size_t length = response.at;
    response = before;
    response.limit = (uint32_t)length - 1;
    assert_false(response_put_run(&response, SECTION_ADDITIONAL, &glue, &samples[2].rrs, &place));
    assert_int_equal(response.at, before.at);
    assert_int_equal(response.counts[SECTION_ADDITIONAL], 0);
    response.limit = (uint32_t)length;
    assert_true(response_put_run(&response, SECTION_ADDITIONAL, &glue, &samples[2].rrs, &place));

    expand(expected, "ns.@ 60 IN A 192.0.2.1\n@ 60 IN A 192.0.2.2\nt.ns.@ 60 IN AAAA 2001:db8::1\n",
           setting->owner, setting->suffix);
    length = response_finish(&response, 0, &no_edns, RCODE_NOERROR);
    ldns_pkt *packet = decode(wire, length);
    list_to_text(ldns_pkt_additional(packet), 0, text);
    assert_string_equal(text, expected);
    assert_int_equal(ldns_pkt_nscount(packet), 3);
    assert_int_equal(ldns_pkt_arcount(packet), 3);
    ldns_pkt_free(packet);
    free(wire);
}

static void glue_is_owned_by_names_in_its_ns(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        if (settings[i].wildcard)
            continue;
        check_glue_at(&settings[i], 0);
        check_glue_at(&settings[i], 20000);
        for (uint32_t at = WIRE_POINTER_MAX - 150; at <= WIRE_POINTER_MAX + 2; at += 3)
            check_glue_at(&settings[i], at);
    }
}

static void names_in_rdata_own_additional_records(void **state)
{
    (void)state;
    uint8_t *wire = malloc(ROOM);
    char text[TEXT_MAX];

    assert_non_null(wire);
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        struct response response;
        char expected[TEXT_MAX] = "";
        begin(&response, wire, ROOM, settings[i].qname, settings[i].qname_length);
        struct place place = settings[i].prepare(&response);
        assert_true(response_put(&response, SECTION_ANSWER, &samples[1].rrs, NULL, &place));
        size_t before = response.counts[SECTION_ANSWER];
        /* y.x.mail.^, which begins at octet 69 of the fragment; then ^, the owner's suffix */
        struct place target = {.owner = response_resolve(&response, &samples[1].rrs, &place,
                                                         fragment_pointer_within(11, 69))};
        struct place suffix = {.owner = response_resolve(&response, &samples[1].rrs, &place,
                                                         fragment_pointer_suffix(2))};
        assert_true(response_put(&response, SECTION_ANSWER, &samples[0].rrs, NULL, &target));
        assert_true(response_put(&response, SECTION_ANSWER, &samples[0].rrs, NULL, &suffix));
        expand(expected,
               "y.x.mail.^ 60 IN A 192.0.2.1\ny.x.mail.^ 60 IN A 192.0.2.2\n"
               "^ 60 IN A 192.0.2.1\n^ 60 IN A 192.0.2.2\n",
               settings[i].owner, settings[i].suffix);
        finish_to_text(&response, before, text);
        assert_string_equal(text, expected);
    }
    free(wire);
}

static void past_their_reach_names_in_rdata_cannot_be_pointed_to(void **state)
{
    (void)state;
    uint8_t *wire = malloc(ROOM);
    struct response response;
    struct place place = {.owner = WIRE_HEADER_SIZE};

    assert_non_null(wire);
    begin(&response, wire, ROOM, NAME("\1a\7example"));
    fill_up_to(&response, 20000);
    assert_true(response_put(&response, SECTION_ANSWER, &samples[1].rrs, NULL, &place));
    assert_int_equal(
        response_resolve(&response, &samples[1].rrs, &place, fragment_pointer_within(11, 14)), 0);
    assert_int_equal(
        response_resolve(&response, &samples[1].rrs, &place, fragment_pointer_suffix(2)),
        WIRE_HEADER_SIZE + 2);
    free(wire);
}

/* --- synthesised CNAME ------------------------------------------------------------------------ */

static void a_cname_can_be_made_from_prefix_and_target(void **state)
{
    (void)state;
    static const uint32_t places[] = {
        0, 300, WIRE_POINTER_MAX - 20, WIRE_POINTER_MAX - 5, 16383, 16384, 40000};
    uint8_t *wire = malloc(ROOM);
    char text[TEXT_MAX];

    assert_non_null(wire);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct response response;
        struct name name;
        uint32_t rdata;
        begin(&response, wire, ROOM, NAME("\3WWW\1a\7eXample"));
        size_t filled = fill_up_to(&response, places[i]);
        /* its target stands where the first one was written: the second leans on it */
        for (unsigned again = 0; again < 2; again++) {
            uint32_t target = again ? rdata : WIRE_HEADER_SIZE + 6;
            assert_true(response_put_cname(&response, WIRE_HEADER_SIZE, 77,
                                           (const uint8_t *)"\3WWW", 4, target, &rdata));
        }
        response_read_name(&response, rdata, &name);
        assert_int_equal(name.length, 17);
        assert_memory_equal(name.octets, "\3www\3www\7example", 17);

        struct response before = response;
        response.limit = response.at + WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE + 4 + 1;
        assert_false(response_put_cname(&response, WIRE_HEADER_SIZE, 77, (const uint8_t *)"\3WWW",
                                        4, WIRE_HEADER_SIZE + 6, &rdata));
        assert_int_equal(response.at, before.at);
        assert_memory_equal(response.counts, before.counts, sizeof before.counts);
        finish_to_text(&response, filled, text);
        assert_string_equal(text, "WWW.a.eXample. 77 IN CNAME WWW.eXample.\n"
                                  "WWW.a.eXample. 77 IN CNAME WWW.WWW.eXample.\n");
    }
    free(wire);
}

/* --- names in what was written ---------------------------------------------------------------- */

static void suffixes_are_found_through_pointers(void **state)
{
    (void)state;
    uint8_t wire[512];
    uint8_t copy[NAME_OCTETS_MAX];
    struct response response;
    struct place place = {.owner = WIRE_HEADER_SIZE};
    struct name name;

    begin(&response, wire, sizeof wire, NAME("\1A\7eXample"));
    assert_true(response_put(&response, SECTION_ANSWER, &samples[1].rrs, NULL, &place));
    uint32_t offset =
        response_resolve(&response, &samples[1].rrs, &place, fragment_pointer_within(11, 69));
    assert_int_equal(response_copy_name(&response, offset, copy), 18);
    assert_memory_equal(copy, "\1y\1x\4mail\7eXample", 18);

    static const struct {
        unsigned octets;
        const char *suffix;
    } cases[] = {{0, "\1y\1x\4mail\7example"},
                 {2, "\1x\4mail\7example"},
                 {4, "\4mail\7example"},
                 {9, "\7example"},
                 {17, ""}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        response_read_name(&response, response_suffix(&response, offset, cases[i].octets), &name);
        assert_int_equal(name.length, 18 - cases[i].octets);
        assert_memory_equal(name.octets, cases[i].suffix, name.length);
    }
    assert_int_equal(response_suffix(&response, WIRE_HEADER_SIZE, 2), WIRE_HEADER_SIZE + 2);
}

/* --- header ----------------------------------------------------------------------------------- */

/* Room for OPT is left below the limit: it is there even if the response is full. */
static void opt_comes_last(void **state)
{
    (void)state;
    static const struct edns edns = {.present = true,
                                     .payload = 1232,
                                     .dnssec_ok = true,
                                     .rcode = RCODE_BADVERS,
                                     .ede = EDE_NONE};
    uint8_t wire[512];
    struct response response;
    struct place place = {.owner = WIRE_HEADER_SIZE};

    begin(&response, wire, 27 + 32, NAME("\1a\7example"));
    assert_true(response_put(&response, SECTION_ADDITIONAL, &samples[0].rrs, NULL, &place));
    size_t length = response_finish(&response, 0, &edns, RCODE_BADVERS);
    assert_int_equal(length, 27 + 32 + 11);
    ldns_pkt *packet = decode(wire, length);
    assert_int_equal(wire_read_u16(wire + 10), 3);
    assert_true(ldns_pkt_edns(packet));
    assert_true(ldns_pkt_edns_do(packet));
    assert_int_equal(ldns_pkt_edns_udp_size(packet), 1232);
    assert_int_equal(ldns_pkt_edns_extended_rcode(packet), RCODE_BADVERS >> 4);
    assert_int_equal(ldns_pkt_get_rcode(packet), RCODE_BADVERS & 0x0F);
    ldns_pkt_free(packet);
}

static void the_header_copies_what_was_asked(void **state)
{
    (void)state;
    static const struct {
        uint8_t query[2], response[2]; /* third and fourth octet of the header */
        uint16_t flags, rcode;
    } cases[] = {
        {{0x00, 0x00}, {0x80, 0x00}, 0, RCODE_NOERROR},
        {{0x01, 0x10}, {0x81, 0x10}, 0, RCODE_NOERROR}, /* RD, CD */
        {{0x07, 0xff}, {0x81, 0x10}, 0, RCODE_NOERROR}, /* AA, TC, RA, Z, AD, RCODE */
        {{0x78, 0x00}, {0xf8, 0x04}, 0, RCODE_NOTIMP},  /* opcode 15 */
        {{0x01, 0x00}, {0x85, 0x03}, FLAG_AA, RCODE_NXDOMAIN},
        {{0x00, 0x00}, {0x86, 0x00}, FLAG_AA | FLAG_TC, RCODE_NOERROR},
        {{0x00, 0x00}, {0x80, 0x00}, 0, RCODE_BADVERS}, /* the rest goes into OPT */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t query[] = "\xab\xcd__\0\1\0\2\0\3\0\4\1A\0\0\1\0\1";
        uint8_t expected[] = "\xab\xcd__\0\1\0\0\0\0\0\0\1A\0\0\1\0\1";
        uint8_t wire[sizeof query];
        struct response response;
        memcpy(query + 2, cases[i].query, 2);
        memcpy(expected + 2, cases[i].response, 2);
        response_begin(&response, wire, sizeof wire, query, 7);
        assert_int_equal(response_finish(&response, cases[i].flags, &no_edns, cases[i].rcode), 19);
        assert_memory_equal(wire, expected, 19);
    }
}

static void without_a_question_there_is_a_header_only(void **state)
{
    (void)state;
    static const uint8_t query[12] = {1, 2, 0, 0, 0, 7};
    uint8_t wire[12];
    struct response response;

    response_begin(&response, wire, sizeof wire, query, 0);
    assert_int_equal(response_finish(&response, 0, &no_edns, RCODE_FORMERR), 12);
    assert_memory_equal(wire, "\1\2\x80\1\0\0\0\0\0\0\0\0", 12);
}

static void each_section_counts_its_own(void **state)
{
    (void)state;
    uint8_t wire[1024];
    struct response response;

    begin(&response, wire, sizeof wire, NAME("\1a\7example"));
    static const enum section sections[] = {SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL};
    for (size_t i = 0; i < COUNT_OF(sections); i++) {
        struct place place = {.owner = WIRE_HEADER_SIZE};
        assert_true(
            response_put(&response, sections[i], &samples[i].rrs, &samples[i].signatures, &place));
    }
    size_t length = response_finish(&response, 0, &no_edns, RCODE_NOERROR);
    ldns_pkt *packet = decode(wire, length);
    assert_int_equal(ldns_pkt_ancount(packet), 3);
    assert_int_equal(ldns_pkt_nscount(packet), 6);
    assert_int_equal(ldns_pkt_arcount(packet), 4);
    ldns_pkt_free(packet);
}

static void a_copy_marks_a_place_to_return_to(void **state)
{
    (void)state;
    uint8_t wire[1024];
    char text[TEXT_MAX];
    char expected[TEXT_MAX] = "";
    struct response response;
    struct place place = {.owner = WIRE_HEADER_SIZE};

    begin(&response, wire, sizeof wire, NAME("\1a\7example"));
    assert_true(response_put(&response, SECTION_ANSWER, &samples[0].rrs, NULL, &place));
    struct response mark = response;
    assert_true(response_put(&response, SECTION_ANSWER, &samples[1].rrs, NULL, &place));
    response = mark;
    expand(expected, samples[0].text, "a.example.", "example.");
    finish_to_text(&response, 0, text);
    assert_string_equal(text, expected);
}

static void clearing_keeps_the_question(void **state)
{
    (void)state;
    uint8_t wire[1024];
    struct response response;
    struct place place = {.owner = WIRE_HEADER_SIZE};

    begin(&response, wire, sizeof wire, NAME("\1a\7example"));
    assert_true(response_put(&response, SECTION_AUTHORITY, &samples[0].rrs, NULL, &place));
    response_clear(&response);
    assert_int_equal(response_finish(&response, FLAG_TC, &no_edns, RCODE_NOERROR), 12 + 11 + 4);
    assert_memory_equal(wire, "\x12\x34\x82\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1", 27);
}

static void a_cut_response_is_its_question(void **state)
{
    static const struct {
        const char *what;
        uint8_t wire[64];
        size_t length, left;
    } cases[] = {
        {"header", "\0\1\x84\0\0\0\0\1\0\2\0\3", 12, 12},
        {"question",
         "\0\1\x84\0\0\1\0\1\0\2\0\3\1a\2bc\0\0\1\0\1"
         "rest",
         26, 22},
        {"root", "\0\1\x84\0\0\1\0\1\0\2\0\3\0\0\1\0\1", 17, 17},
        {"question without end", "\0\1\x84\0\0\1\0\0\0\0\0\0\3abc\3abc", 20, 12},
        {"question without class", "\0\1\x84\0\0\1\0\0\0\0\0\0\0\0\1", 15, 12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t wire[64];
        print_message("%s\n", cases[i].what);
        memcpy(wire, cases[i].wire, sizeof wire);
        assert_int_equal(response_cut(wire, cases[i].length), cases[i].left);
        assert_int_equal(wire[2], 0x86);
        assert_int_equal(wire_read_u16(wire + 4), cases[i].left > 12);
        assert_memory_equal(wire + 6, "\0\0\0\0\0\0", 6);
        assert_memory_equal(wire + 12, cases[i].wire + 12, cases[i].left - 12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_response_is_its_question),
        cmocka_unit_test(rrsets_decode_wherever_they_are_put),
        cmocka_unit_test(rrsets_decode_across_the_reach_of_pointers),
        cmocka_unit_test(rrsets_decode_past_the_reach_of_pointers),
        cmocka_unit_test(glue_is_owned_by_names_in_its_ns),
        cmocka_unit_test(names_in_rdata_own_additional_records),
        cmocka_unit_test(past_their_reach_names_in_rdata_cannot_be_pointed_to),
        cmocka_unit_test(a_cname_can_be_made_from_prefix_and_target),
        cmocka_unit_test(suffixes_are_found_through_pointers),
        cmocka_unit_test(the_header_copies_what_was_asked),
        cmocka_unit_test(without_a_question_there_is_a_header_only),
        cmocka_unit_test(each_section_counts_its_own),
        cmocka_unit_test(a_copy_marks_a_place_to_return_to),
        cmocka_unit_test(clearing_keeps_the_question),
        cmocka_unit_test(opt_comes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
