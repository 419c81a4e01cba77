#include "odd.h"

#include "queries.h"

#include "message/codes.h"

#include <stdio.h>
#include <string.h>

enum outcome {
    AS_PEERS,
    SILENT,
    FORMERR_BARE, /* FORMERR without a question */
    FORMERR,      /* FORMERR, with or without */
    NOTIMP,
    REFUSED,      /* or NOTAUTH: not done here */
    BADVERS,
    ANSWERED,     /* like the same question without the oddity: NOERROR, AA, the SOA */
};

/*
 * The body is written with one letter a piece:
 *   q  QNAME of the zone's apex, type SOA, class IN
 *   Q  the same, QTYPE `number`                        C  the same, QCLASS `number`
 *   l  a QNAME that is a pointer to itself             f  a QNAME that points ahead
 *   b  a label of type 01                              n  a name longer than 255 octets
 *   h  a question cut in the QNAME                     t  a question cut before QCLASS
 *   a  an A record                                     x  one octet 0xFF
 *   o  OPT   d  OPT with DO   z  OPT with every Z bit  v  OPT of version 1   s  OPT, payload size 0
 *   u  OPT with an unknown option      k  OPT with an option longer than its RDLENGTH
 *   r  OPT with an owner other than the root           c  OPT cut short
 *   y  OPT of version 1 with DO                        e  OPT with client-subnet (RFC 7871)
 */
struct odd {
    const char *title;
    uint16_t flags;
    uint8_t counts[4];
    const char *body;
    enum outcome outcome;
    uint16_t number;
};

enum {
    QR = 0x8000, AA = 0x0400, TC = 0x0200, RD = 0x0100, RA = 0x0080, Z = 0x0040, AD = 0x0020,
    CD = 0x0010,
};

#define OPCODE(number) ((uint16_t)((number) << 11))

static const struct odd odd_messages[] = {
    { "plain", 0, { 1, 0, 0, 0 }, "q", ANSWERED, 0 },
    { "RD", RD, { 1, 0, 0, 0 }, "q", AS_PEERS, 0 },
    { "CD", CD, { 1, 0, 0, 0 }, "q", AS_PEERS, 0 },
    { "AD", AD, { 1, 0, 0, 0 }, "q", AS_PEERS, 0 },
    { "Z bit", Z, { 1, 0, 0, 0 }, "q", AS_PEERS, 0 },
    { "AA", AA, { 1, 0, 0, 0 }, "q", ANSWERED, 0 },
    { "TC", TC, { 1, 0, 0, 0 }, "q", AS_PEERS, 0 },
    { "RA", RA, { 1, 0, 0, 0 }, "q", ANSWERED, 0 },
    { "RCODE set", 5, { 1, 0, 0, 0 }, "q", AS_PEERS, 0 },
    { "RD AD CD with DO", RD | AD | CD, { 1, 0, 0, 1 }, "qd", AS_PEERS, 0 },
    { "response", QR, { 1, 0, 0, 0 }, "q", SILENT, 0 },
    { "response with opcode NOTIFY", QR | OPCODE(4), { 1, 0, 0, 0 }, "q", SILENT, 0 },
    { "malformed response", QR, { 1, 0, 0, 0 }, "h", SILENT, 0 },

    { "opcode IQUERY", OPCODE(1), { 1, 0, 0, 0 }, "q", NOTIMP, 0 },
    { "opcode STATUS", OPCODE(2), { 1, 0, 0, 0 }, "q", NOTIMP, 0 },
    { "opcode STATUS with OPT", OPCODE(2), { 1, 0, 0, 1 }, "qo", NOTIMP, 0 },
    { "opcode 3", OPCODE(3), { 1, 0, 0, 0 }, "q", NOTIMP, 0 },
    { "opcode DSO", OPCODE(6), { 0, 0, 0, 0 }, "", AS_PEERS, 0 },
    { "opcode 7", OPCODE(7), { 1, 0, 0, 0 }, "q", NOTIMP, 0 },
    { "opcode 15", OPCODE(15), { 1, 0, 0, 1 }, "qo", NOTIMP, 0 },
    { "NOTIFY", OPCODE(4) | AA, { 1, 0, 0, 0 }, "q", REFUSED, 0 },
    { "NOTIFY with OPT", OPCODE(4) | AA, { 1, 0, 0, 1 }, "qo", REFUSED, 0 },
    { "UPDATE", OPCODE(5), { 1, 0, 0, 0 }, "q", REFUSED, 0 },

    { "QDCOUNT 0", 0, { 0, 0, 0, 0 }, "", FORMERR_BARE, 0 },
    { "QDCOUNT 0 with OPT", 0, { 0, 0, 0, 1 }, "o", FORMERR_BARE, 0 },
    { "QDCOUNT 2", 0, { 2, 0, 0, 0 }, "qq", FORMERR, 0 },
    { "QDCOUNT 2, one question", 0, { 2, 0, 0, 0 }, "q", FORMERR, 0 },
    { "QDCOUNT 1, no question", 0, { 1, 0, 0, 0 }, "", FORMERR_BARE, 0 },
    { "QNAME points at itself", 0, { 1, 0, 0, 0 }, "l", FORMERR_BARE, 0 },
    { "QNAME points ahead", 0, { 1, 0, 0, 0 }, "f", FORMERR_BARE, 0 },
    { "QNAME with label type 01", 0, { 1, 0, 0, 0 }, "b", FORMERR_BARE, 0 },
    { "QNAME longer than 255", 0, { 1, 0, 0, 0 }, "n", FORMERR_BARE, 0 },
    { "QNAME cut short", 0, { 1, 0, 0, 0 }, "h", FORMERR_BARE, 0 },
    { "question cut before QCLASS", 0, { 1, 0, 0, 0 }, "t", FORMERR_BARE, 0 },
    { "trailing octet", 0, { 1, 0, 0, 0 }, "qx", AS_PEERS, 0 },
    { "trailing octet behind OPT", 0, { 1, 0, 0, 1 }, "qox", AS_PEERS, 0 },
    { "answer record in the query", 0, { 1, 1, 0, 0 }, "qa", AS_PEERS, 0 },
    { "authority record in the query", 0, { 1, 0, 1, 0 }, "qa", AS_PEERS, 0 },
    { "additional record in the query", 0, { 1, 0, 0, 1 }, "qa", AS_PEERS, 0 },
    { "additional record before OPT", 0, { 1, 0, 0, 2 }, "qao", AS_PEERS, 0 },
    { "ANCOUNT without record", 0, { 1, 1, 0, 0 }, "q", AS_PEERS, 0 },
    { "ARCOUNT without record", 0, { 1, 0, 0, 1 }, "q", FORMERR, 0 },

    { "OPT", 0, { 1, 0, 0, 1 }, "qo", ANSWERED, 0 },
    { "OPT with DO", 0, { 1, 0, 0, 1 }, "qd", ANSWERED, 0 },
    { "OPT with Z bits", 0, { 1, 0, 0, 1 }, "qz", ANSWERED, 0 },
    { "OPT with payload size 0", 0, { 1, 0, 0, 1 }, "qs", ANSWERED, 0 },
    { "OPT with unknown option", 0, { 1, 0, 0, 1 }, "qu", ANSWERED, 0 },
    { "OPT with client-subnet", 0, { 1, 0, 0, 1 }, "qe", ANSWERED, 0 },
    { "OPT of version 1", 0, { 1, 0, 0, 1 }, "qv", BADVERS, 0 },
    { "OPT of version 1 with DO", 0, { 1, 0, 0, 1 }, "qy", BADVERS, 0 },
    { "two OPTs", 0, { 1, 0, 0, 2 }, "qoo", FORMERR, 0 },
    { "two OPTs, one of version 1", 0, { 1, 0, 0, 2 }, "qov", FORMERR, 0 },
    { "OPT in the answer section", 0, { 1, 1, 0, 0 }, "qo", FORMERR, 0 },
    { "OPT in the authority section", 0, { 1, 0, 1, 0 }, "qo", FORMERR, 0 },
    { "OPT option overruns", 0, { 1, 0, 0, 1 }, "qk", FORMERR, 0 },
    { "OPT cut short", 0, { 1, 0, 0, 1 }, "qc", FORMERR, 0 },
    { "OPT with an owner", 0, { 1, 0, 0, 1 }, "qr", FORMERR, 0 },

    { "QTYPE 0", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, 0 },
    { "QTYPE OPT", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_OPT },
    { "QTYPE 128", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_META_FIRST },
    { "QTYPE TKEY", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_TKEY },
    { "QTYPE TSIG", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_TSIG },
    { "QTYPE MAILA", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_MAILA },
    { "QTYPE MAILB", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_MAILB },
    { "QTYPE 65535", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, 65535 },
    { "class CH", 0, { 1, 0, 0, 0 }, "C", AS_PEERS, CLASS_CH },
    { "class HS", 0, { 1, 0, 0, 0 }, "C", AS_PEERS, CLASS_HS },
    { "class HS with OPT", 0, { 1, 0, 0, 1 }, "Co", AS_PEERS, CLASS_HS },
    { "class NONE", 0, { 1, 0, 0, 0 }, "C", AS_PEERS, CLASS_NONE },
    { "class ANY", 0, { 1, 0, 0, 0 }, "C", AS_PEERS, CLASS_ANY },
    { "class 4711", 0, { 1, 0, 0, 0 }, "C", AS_PEERS, 4711 },
    { "AXFR", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_AXFR },
    { "AXFR with OPT", 0, { 1, 0, 0, 1 }, "Qo", AS_PEERS, TYPE_AXFR },
    { "IXFR without SOA", 0, { 1, 0, 0, 0 }, "Q", AS_PEERS, TYPE_IXFR },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct writer {
    uint8_t octets[2048];
    size_t length;
};

static void put(struct writer *writer, const void *octets, size_t length)
{
    memcpy(writer->octets + writer->length, octets, length);
    writer->length += length;
}

static void put_u16(struct writer *writer, unsigned number)
{
    const uint8_t octets[2] = { (uint8_t)(number >> 8), (uint8_t)number };

    put(writer, octets, 2);
}

static void put_question(struct writer *writer, const struct zone *zone, unsigned qtype,
                         unsigned qclass)
{
    put(writer, zone->origin.octets, zone->origin.length);
    put_u16(writer, qtype);
    put_u16(writer, qclass);
}

static void put_long_name(struct writer *writer)
{
    static const uint8_t label[64] = { 63, 'l', 'o', 'n', 'g' };

    for (int i = 0; i < 4; i++)
        put(writer, label, sizeof label);
    put(writer, "", 1);
    put_u16(writer, TYPE_SOA);
    put_u16(writer, CLASS_IN);
}

struct opt {
    const char *owner;
    size_t owner_length;
    uint16_t payload;
    uint8_t version;
    uint16_t flags;
    const char *options;
    size_t options_length; /* as RDLENGTH says */
};

static void put_opt(struct writer *writer, const struct opt *opt)
{
    put(writer, opt->owner, opt->owner_length);
    put_u16(writer, TYPE_OPT);
    put_u16(writer, opt->payload);
    put_u16(writer, opt->version);
    put_u16(writer, opt->flags);
    put_u16(writer, (unsigned)opt->options_length);
    put(writer, opt->options, opt->options_length);
}

static const struct {
    char letter;
    struct opt opt;
} opts[] = {
    { 'o', { "", 1, 1232, 0, 0, "", 0 } },
    { 'd', { "", 1, 1232, 0, 0x8000, "", 0 } },
    { 'z', { "", 1, 1232, 0, 0x7FFF, "", 0 } },
    { 's', { "", 1, 0, 0, 0, "", 0 } },
    { 'v', { "", 1, 1232, 1, 0, "", 0 } },
    { 'y', { "", 1, 1232, 1, 0x8000, "", 0 } },
    { 'u', { "", 1, 1232, 0, 0, "\xFD\xE9\0\3abc", 7 } },
    { 'k', { "", 1, 1232, 0, 0, "\0\3\0\11abc", 7 } },
    { 'e', { "", 1, 1232, 0, 0, "\0\10\0\7\0\1\30\0\12\1\2", 11 } },
    { 'r', { "\1r", 3, 1232, 0, 0, "", 0 } },
};

static void put_piece(struct writer *writer, char letter, const struct odd *odd,
                      const struct zone *zone)
{
    static const uint8_t address[] = { 0xC0, 12, 0, TYPE_A, 0, CLASS_IN, 0, 0, 0, 0,
                                       0,    4,  127, 0,    0, 1 };
    static const uint8_t loop[] = { 0xC0, 12, 0, TYPE_SOA, 0, CLASS_IN };
    static const uint8_t ahead[] = { 0xC0, 18, 0, TYPE_SOA, 0, CLASS_IN, 1, 'a', 0 };
    static const uint8_t label_type[] = { 0x41, 'a', 0, 0, TYPE_SOA, 0, CLASS_IN };

    for (size_t i = 0; i < COUNT(opts); i++)
        if (opts[i].letter == letter)
            put_opt(writer, &opts[i].opt);
    switch (letter) {
    case 'q':
        put_question(writer, zone, TYPE_SOA, CLASS_IN);
        break;
    case 'Q':
        put_question(writer, zone, odd->number, CLASS_IN);
        break;
    case 'C':
        put_question(writer, zone, TYPE_SOA, odd->number);
        break;
    case 'l':
        put(writer, loop, sizeof loop);
        break;
    case 'f':
        put(writer, ahead, sizeof ahead);
        break;
    case 'b':
        put(writer, label_type, sizeof label_type);
        break;
    case 'n':
        put_long_name(writer);
        break;
    case 'h':
        put(writer, "\5cut", 4);
        break;
    case 't':
        put_question(writer, zone, TYPE_SOA, CLASS_IN);
        writer->length -= 2;
        break;
    case 'a':
        put(writer, address, sizeof address);
        break;
    case 'x':
        put(writer, "\xFF", 1);
        break;
    case 'c':
        put_opt(writer, &opts[0].opt);
        writer->length -= 3;
        break;
    default:
        break;
    }
}

static void add(struct query_list *list, const struct odd *odd, const struct zone *zone, bool tcp)
{
    struct writer writer = { .length = 0 };
    struct query *query;

    put_u16(&writer, 0);
    put_u16(&writer, odd->flags);
    for (size_t i = 0; i < 4; i++)
        put_u16(&writer, odd->counts[i]);
    for (const char *letter = odd->body; *letter; letter++)
        put_piece(&writer, *letter, odd, zone);
    query = queries_add(list, writer.length);
    memcpy(query->wire + 2, writer.octets + 2, writer.length - 2);
    query->qname = zone->origin;
    query->qtype = TYPE_SOA;
    query->qclass = CLASS_IN;
    query->reply_max = tcp ? 65535 : 512;
    query->tcp = tcp;
    query->title = odd->title;
}

/* Cut at every length below a header: silence (RFC 1035 §4.1.1 is not there to be read). */
static void add_short(struct query_list *list, const struct zone *zone)
{
    for (size_t length = 2; length < 12; length++) {
        struct query *query = queries_add(list, length);

        query->title = "shorter than a header";
        query->qname = zone->origin;
        query->reply_max = 512;
    }
}

void odd_generate(struct query_list *list, const struct zone *zone, bool tcp)
{
    for (size_t i = 0; i < COUNT(odd_messages); i++)
        add(list, &odd_messages[i], zone, tcp);
    if (!tcp)
        add_short(list, zone);
}

static const struct odd *find(const char *title)
{
    for (size_t i = 0; i < COUNT(odd_messages); i++)
        if (strcmp(odd_messages[i].title, title) == 0)
            return &odd_messages[i];
    return NULL;
}

static enum outcome outcome_of(const struct query *query)
{
    const struct odd *odd = find(query->title);

    return odd ? odd->outcome : SILENT;
}

bool odd_is_open(const struct query *query)
{
    return outcome_of(query) == AS_PEERS;
}

static const char *expect(bool right, const char *expected)
{
    return right ? NULL : expected;
}

static const char *check_outcome(enum outcome outcome, const struct view *view)
{
    switch (outcome) {
    case SILENT:
        return expect(view->silent, "silence expected");
    case FORMERR_BARE:
        return expect(view->rcode == RCODE_FORMERR && !view->question,
                      "FORMERR without question expected");
    case FORMERR:
        return expect(view->rcode == RCODE_FORMERR, "FORMERR expected");
    case NOTIMP:
        return expect(view->rcode == RCODE_NOTIMP, "NOTIMP expected");
    case REFUSED:
        return expect(view->rcode == RCODE_REFUSED || view->rcode == RCODE_NOTAUTH
                          || view->rcode == RCODE_NOTIMP,
                      "REFUSED, NOTAUTH or NOTIMP expected");
    case BADVERS:
        return expect(view->rcode == RCODE_BADVERS && view->edns && view->edns_version == 0,
                      "BADVERS with an OPT of version 0 expected");
    case ANSWERED:
        return expect(view->rcode == RCODE_NOERROR && (view->flags & AA)
                          && view->sections[SECTION_ANSWER].count > 0,
                      "the SOA with authority expected");
    case AS_PEERS:
    default:
        return NULL;
    }
}

const char *odd_check(const struct query *query, const struct view *view)
{
    enum outcome outcome = outcome_of(query);

    if (outcome == AS_PEERS)
        return NULL;
    if (view->silent && outcome != SILENT)
        return "a reply expected";
    if (view->unreadable)
        return "a readable reply expected";
    return check_outcome(outcome, view);
}
