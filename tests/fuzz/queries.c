#include "queries.h"

#include "message/codes.h"
#include "message/name.h"
#include "message/wire.h"

#include <string.h>

enum { KNOWN_MAX = 8192 };

/* A name, and a type that it has (0: it has none). */
static struct known {
    struct name name;
    uint16_t type;
} known[KNOWN_MAX];
static uint32_t known_count;

static bool one_in(struct fuzz_random *random, uint32_t times)
{
    return fuzz_below(random, times) == 0;
}

static void learn(const struct table_section *section, const struct table_node *node,
                  const struct rrset *rrset)
{
    /* Large RRsets are few, and what they lead to is rare: they are asked for more often. */
    unsigned times = rrset->rrs.length > 1000 ? 20 : 1;

    for (; times > 0 && known_count < KNOWN_MAX; times--) {
        node_name(section, node, &known[known_count].name);
        known[known_count++].type = rrset->type;
    }
}

static void learn_name(const struct table_section *section, const struct table_node *node)
{
    struct rrset_walk walk = node_rrsets(section, node);
    struct rrset rrset = {0};

    do {
        rrset_next(&walk, &rrset);
        learn(section, node, &rrset);
    } while (walk.left > 0);
}

static void learn_section(const struct table_section *section)
{
    const struct table_slot *slots = section_at(section, section->slots);

    for (uint32_t i = 0; i < section->slot_count; i++)
        if (slots[i].node != 0)
            learn_name(section, section_node(section, slots[i].node));
}

void queries_learn(const struct table *table)
{
    const struct table_section *section;
    uint32_t position = 0;

    known_count = 0;
    while ((section = table_next_zone(table, &position)) != NULL)
        learn_section(section);
}

/* --- names ----------------------------------------------------------------------------------- */

/* Puts a label before `name`, if a name may be so long. */
static void prepend(struct name *name, const uint8_t *label, uint8_t length)
{
    uint8_t wire[NAME_OCTETS_MAX + 1 + NAME_LABEL_OCTETS_MAX];

    wire[0] = length;
    memcpy(wire + 1, label, length);
    memcpy(wire + 1 + length, name->octets, name->length);
    struct name longer;
    if (name_read(&longer, wire, (size_t)1 + length + name->length) != 0)
        *name = longer;
}

static void prepend_something(struct fuzz_random *random, struct name *name)
{
    static const char *const labels[] = {"*", "a", "www", "ns1", "zzz", "_tcp", "\001", "-"};
    uint8_t label[NAME_LABEL_OCTETS_MAX];
    uint8_t length = (uint8_t)(1 + fuzz_below(random, NAME_LABEL_OCTETS_MAX));

    if (!one_in(random, 4)) {
        const char *chosen = labels[fuzz_below(random, sizeof labels / sizeof labels[0])];
        prepend(name, (const uint8_t *)chosen, (uint8_t)strlen(chosen));
        return;
    }
    for (unsigned i = 0; i < length; i++)
        label[i] = (uint8_t)fuzz_below(random, 256);
    prepend(name, label, length);
}

/* Leaves `name` without its first label, if it has one. */
static void shorten(struct name *name)
{
    struct name shorter;

    if (name->labels > 0 &&
        name_read(&shorter, name_suffix(name, 1), name_suffix_length(name, 1)) != 0)
        *name = shorter;
}

static void fill_up(struct fuzz_random *random, struct name *name)
{
    uint32_t target = 200 + fuzz_below(random, 56);

    while (name->length < target && name->labels < NAME_LABELS_MAX) {
        uint8_t before = name->length;
        prepend_something(random, name);
        if (name->length == before)
            prepend(name, (const uint8_t *)"x", 1);
        if (name->length == before)
            return;
    }
}

static struct name change_name(struct fuzz_random *random, struct name name)
{
    switch (fuzz_below(random, 10)) {
    case 0:
        prepend_something(random, &name);
        prepend_something(random, &name);
        break;
    case 1:
    case 2:
        prepend_something(random, &name);
        break;
    case 3:
        shorten(&name);
        prepend_something(random, &name);
        break;
    case 4:
        shorten(&name);
        break;
    case 5:
        if (one_in(random, 4))
            fill_up(random, &name);
        break;
    default:
        break;
    }
    return name;
}

/* --- messages -------------------------------------------------------------------------------- */

static size_t put_name(struct fuzz_random *random, const struct name *name, uint8_t *wire)
{
    for (unsigned i = 0; i < name->length; i++) {
        uint8_t octet = name->octets[i];
        bool letter = octet >= 'a' && octet <= 'z';
        wire[i] = letter && one_in(random, 3) ? (uint8_t)(octet - 'a' + 'A') : octet;
    }
    return name->length;
}

static uint16_t make_type(struct fuzz_random *random)
{
    static const uint16_t types[] = {
        TYPE_A,     TYPE_NS,    TYPE_CNAME, TYPE_SOA,        TYPE_PTR,   TYPE_MX,   TYPE_TXT,
        TYPE_AAAA,  TYPE_SRV,   TYPE_DNAME, TYPE_DS,         TYPE_RRSIG, TYPE_NSEC, TYPE_DNSKEY,
        TYPE_NSEC3, TYPE_HTTPS, TYPE_SVCB,  TYPE_NSEC3PARAM, TYPE_ANY,   TYPE_OPT,  TYPE_AXFR,
        TYPE_A,     TYPE_A,     TYPE_TXT,   TYPE_DS,         TYPE_ANY,
    };

    return one_in(random, 20) ? (uint16_t)fuzz_below(random, 65536)
                              : types[fuzz_below(random, sizeof types / sizeof types[0])];
}

/* Puts an option; now and then one whose length is wrong. */
static size_t put_option(struct fuzz_random *random, uint8_t *wire)
{
    static const struct {
        uint16_t code;
        uint16_t length;
    } options[] = {
        {OPTION_NSID, 0},          {OPTION_COOKIE, 8},        {OPTION_COOKIE, 24},
        {OPTION_COOKIE, 8},        {OPTION_COOKIE, 40},       {OPTION_COOKIE, 9},
        {OPTION_TCP_KEEPALIVE, 0}, {OPTION_EDE, 2},           {8 /* client subnet */, 7},
        {12 /* padding */, 30},    {OPTION_TCP_KEEPALIVE, 2}, {65001, 0},
    };
    size_t chosen = fuzz_below(random, sizeof options / sizeof options[0]);
    uint16_t length = options[chosen].length;

    wire_write_u16(wire, options[chosen].code);
    wire_write_u16(wire + 2, one_in(random, 40) ? (uint16_t)fuzz_below(random, 64) : length);
    for (unsigned i = 0; i < length; i++)
        wire[4 + i] = (uint8_t)fuzz_below(random, 256);
    return (size_t)4 + length;
}

static size_t put_opt(struct fuzz_random *random, uint8_t *wire)
{
    static const uint16_t payloads[] = {0, 512, 513, 1232, 1232, 4096, 65535};
    size_t length = (size_t)1 + WIRE_RR_FIXED_SIZE;

    memset(wire, 0, length);
    wire_write_u16(wire + 1, TYPE_OPT);
    wire_write_u16(wire + 3, payloads[fuzz_below(random, sizeof payloads / sizeof payloads[0])]);
    wire[6] = one_in(random, 30);
    wire[7] = one_in(random, 2) ? 0x80 : 0;
    for (uint32_t left = one_in(random, 2) ? fuzz_below(random, 4) : 0; left > 0; left--)
        length += put_option(random, wire + length);
    wire_write_u16(wire + 9, (uint16_t)(length - 1 - WIRE_RR_FIXED_SIZE));
    return length;
}

/* A question about the server itself. */
static size_t put_chaos_question(struct fuzz_random *random, uint8_t *wire)
{
    static const char *const names[] = {"workersorrel",
                                        "idserver",
                                        "versionserver",
                                        "hostname"
                                        "bind",
                                        "version"
                                        "bind",
                                        "noneserver"};
    const char *name = names[fuzz_below(random, sizeof names / sizeof names[0])];
    size_t length = strlen(name) + 1;

    memcpy(wire, name, length);
    wire_write_u16(wire + length, one_in(random, 4) ? TYPE_ANY : TYPE_TXT);
    wire_write_u16(wire + length + 2, CLASS_CH);
    return length + 4;
}

static size_t put_question(struct fuzz_random *random, uint8_t *wire)
{
    const struct known *chosen = &known[fuzz_below(random, known_count)];
    struct name name = change_name(random, chosen->name);
    size_t length = put_name(random, &name, wire);

    wire_write_u16(wire + length, one_in(random, 2) ? chosen->type : make_type(random));
    wire_write_u16(wire + length + 2,
                   one_in(random, 30) ? (uint16_t)fuzz_below(random, 256) : CLASS_IN);
    return length + 4;
}

static size_t put_query(struct fuzz_random *random, uint8_t *wire)
{
    size_t length = WIRE_HEADER_SIZE;

    memset(wire, 0, WIRE_HEADER_SIZE);
    wire_write_u16(wire, (uint16_t)fuzz_below(random, 65536));
    wire[2] = one_in(random, 2);            /* RD */
    wire[3] = one_in(random, 4) ? 0x10 : 0; /* CD */
    wire[5] = !one_in(random, 100);         /* without a question only a cookie is asked for */
    if (wire[5] == 1)
        length += one_in(random, 40) ? put_chaos_question(random, wire + length)
                                     : put_question(random, wire + length);
    if (!one_in(random, 3)) {
        wire[11] = 1;
        length += put_opt(random, wire + length);
    }
    return length;
}

static void damage(struct fuzz_random *random, uint8_t *wire, size_t *length)
{
    for (uint32_t left = 1 + fuzz_below(random, 4); left > 0 && *length > 0; left--) {
        uint8_t *octet = wire + fuzz_below(random, (uint32_t)*length);
        switch (fuzz_below(random, 4)) {
        case 0:
            *octet = (uint8_t)fuzz_below(random, 256);
            break;
        case 1:
            *octet ^= (uint8_t)(1u << fuzz_below(random, 8));
            break;
        case 2:
            *octet = 0xc0;
            break;
        default:
            *length = fuzz_below(random, (uint32_t)*length + 1);
            break;
        }
    }
}

size_t queries_make(struct fuzz_random *random, uint8_t *wire, size_t room)
{
    if (one_in(random, 50)) {
        size_t length = fuzz_below(random, (uint32_t)room + 1);
        for (size_t i = 0; i < length; i++)
            wire[i] = (uint8_t)fuzz_below(random, 256);
        return length;
    }
    size_t length = put_query(random, wire);
    if (one_in(random, 6))
        damage(random, wire, &length);
    return length;
}
