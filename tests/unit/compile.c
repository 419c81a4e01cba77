/* zone/compile.c, classify.c, nsec_index.c: what of a zone is where in its section. */
#include "zone/compile.h"

#include "message/codes.h"
#include "message/wire.h"
#include "table/hash.h"
#include "tables.h"
#include "unit.h"
#include "zone/presentation.h"

#include <stdio.h>
#include <string.h>

static const char zone_text[] = "$TTL 60\n"
                                "@ 300 SOA ns host 7 2 3 4 100\n"
                                "@ NS ns\n"
                                "@ NS ns.cut\n"
                                "@ NS ns.elsewhere.\n"
                                "ns A 192.0.2.1\n"
                                "x.y.z TXT deep\n"
                                "*.w A 192.0.2.2\n"
                                "*.w MX 10 ns\n"
                                "al CNAME ns\n"
                                "cut NS ns.cut\n"
                                "cut NS ns.other\n"
                                "cut NS cut\n"
                                "cut DS 1 8 9 00\n"
                                "cut A 192.0.2.3\n"
                                "cut TXT occluded\n"
                                "ns.cut A 192.0.2.4\n"
                                "ns.cut AAAA 2001:db8::4\n"
                                "ns.cut TXT occluded\n"
                                "a.b.cut A 192.0.2.9\n"
                                "other NS ns.other\n"
                                "ns.other A 192.0.2.5\n"
                                "far NS ns.other\n"
                                "far NS ns.elsewhere.\n"
                                "dn DNAME elsewhere.\n"
                                "a.dn A 192.0.2.6\n"
                                "svc HTTPS 1 . alpn=h2\n"
                                "svc HTTPS 2 ns alpn=h2\n"
                                "svc A 192.0.2.7\n"
                                "svc 30 A 192.0.2.8\n";

static struct sealed_table sealed;
static const struct table_section *section;

static int build(void **state)
{
    static const struct zone_text zone = {"o", zone_text};
    uint32_t position = 0;

    (void)state;
    tables_build(&sealed, &zone, 1);
    section = table_next_zone(&sealed.table, &position);
    return section == NULL;
}

static int unmap(void **state)
{
    (void)state;
    seal_unmap(&sealed);
    return 0;
}

static void read_name(const char *text, struct name *name)
{
    const struct token token = {.text = text, .length = (unsigned)strlen(text)};
    const struct domain origin = {.length = 3, .octets = "\1o"};
    struct domain domain;

    assert_null(presentation_name(&token, &origin, &domain));
    name_read(name, domain.octets, domain.length);
}

static const struct table_node *find(const struct table_section *in, const char *text)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];
    struct name name;

    read_name(text, &name);
    hash_name(&name, sealed.table.header->seed, hashes);
    return section_find_node(in, &name, name.labels, hashes[name.labels]);
}

/* The node's types, with the number of RRs, glue RRs and targets that are not none. */
static const char *content(const struct table_node *node)
{
    static char text[200];
    struct rrset_walk walk = node_rrsets(section, node);
    struct rrset rrset;

    text[0] = '\0';
    while (rrset_next(&walk, &rrset)) {
        char *end = text + strlen(text);
        end += sprintf(end, "%u:%u", rrset.type, rrset.rrs.count);
        if (rrset.glue.count > 0)
            end += sprintf(end, "+%u", rrset.glue.count);
        if (rrset.target_count > 0)
            end += sprintf(end, ">%u", rrset.target_count);
        strcpy(end, " ");
    }
    return text;
}

static void names_are_nodes_or_not(void **state)
{
    (void)state;
    enum { WILD = NODE_WILDCARD, PARENT = NODE_WILDCARD_CHILD };
    static const struct {
        const char *name;
        int flags; /* -1: no node */
        const char *content;
    } cases[] = {
        {"@", 0, "2:3>2 6:1 "},
        {"ns", 0, "1:1 "},
        {"x.y.z", 0, "16:1 "},
        {"y.z", 0, ""}, /* empty non-terminals */
        {"z", 0, ""},
        {"w", PARENT, ""},
        {"*.w", WILD, "1:1 15:1>1 "},
        {"al", NODE_CNAME, "5:1 "},
        {"cut", NODE_CUT, "2:3+3>1 43:1 "},
        {"other", NODE_CUT, "2:1+1 "},
        {"far", NODE_CUT, "2:2>1 "},
        {"dn", NODE_DNAME, "39:1 "},
        {"svc", 0, "1:2 65:2>2 "},
        {"ns.cut", -1, NULL},
        {"b.cut", -1, NULL},
        {"a.b.cut", -1, NULL},
        {"a.dn", -1, NULL},
        {"nothing", -1, NULL},
        {"a.w", -1, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct table_node *node = find(section, cases[i].name);
        assert_int_equal(node != NULL ? node->flags : -1, cases[i].flags);
        if (node != NULL)
            assert_string_equal(content(node), cases[i].content);
    }
    assert_int_equal(section->node_count, 13);
    assert_int_equal(section->deepest, 3);
    /* all: those that are occluded too */
    assert_int_equal(section->record_count, 29);
}

/* The target of the MX, NS or HTTPS RRset of `owner` at `position`: the address in its A RRset. */
static uint32_t target_address(const char *owner, uint16_t type, unsigned position)
{
    struct rrset rrset, addresses;

    assert_true(node_find_rrset(section, find(section, owner), type, &rrset));
    assert_true(position < rrset.target_count);
    const struct table_node *node = section_node(section, target_node(&rrset.targets[position]));
    assert_true(node_find_rrset(section, node, TYPE_A, &addresses));
    return wire_read_u32(addresses.rrs.octets + WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE);
}

static void targets_lead_to_addresses(void **state)
{
    (void)state;

    assert_int_equal(target_address("@", TYPE_NS, 0), 0xC0000201);
    assert_int_equal(target_address("@", TYPE_NS, 1), 0xC0000204); /* below a cut */
    assert_int_equal(target_address("*.w", TYPE_MX, 0), 0xC0000201);
    assert_int_equal(target_address("cut", TYPE_NS, 0), 0xC0000205); /* sibling glue */
    assert_int_equal(target_address("far", TYPE_NS, 0), 0xC0000205);
    assert_int_equal(target_address("svc", TYPE_HTTPS, 0), 0xC0000207);
    assert_int_equal(target_address("svc", TYPE_HTTPS, 1), 0xC0000201);
}

static void glue_is_with_its_cut(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        uint8_t length;
        uint16_t owner_is_cut;
    } expected[] = {{TYPE_A, 16, false}, {TYPE_AAAA, 28, false}, {TYPE_A, 16, true}};
    struct rrset rrset;

    assert_true(node_find_rrset(section, find(section, "cut"), TYPE_NS, &rrset));
    const uint8_t *at = rrset.glue.octets;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(wire_read_u16(at + 2), expected[i].type);
        assert_int_equal(wire_read_u16(at) == FRAGMENT_OWNER_POINTER, expected[i].owner_is_cut);
        at += expected[i].length;
    }
    assert_int_equal(at - rrset.glue.octets, rrset.glue.length);
}

static void ttls_are_the_lowest(void **state)
{
    (void)state;
    struct rrset rrset;

    assert_true(node_find_rrset(section, find(section, "svc"), TYPE_A, &rrset));
    assert_int_equal(wire_read_u32(rrset.rrs.octets + 6), 30);
    assert_int_equal(wire_read_u32(rrset.rrs.octets + 16 + 6), 30);
    assert_true(node_find_rrset(section, find(section, "@"), TYPE_SOA, &rrset));
    assert_int_equal(fragment_ttl(&rrset.rrs), 300);
    section_negative_soa(section, &rrset);
    assert_int_equal(fragment_ttl(&rrset.rrs), 100); /* MINIMUM */
    assert_int_equal(section->serial, 7);
}

static void the_complete_nsec3_chain_is_chosen(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"nsec3.example",
         "@ 60 SOA ns host 7 2 3 4 100\n"
         "@ 60 NS ns\n"
         "ns 60 A 192.0.2.1\n"
         "@ 60 NSEC3PARAM 1 1 0 -\n"  /* flags: not to be used */
         "@ 60 NSEC3PARAM 6 0 0 -\n"  /* no such hash */
         "@ 60 NSEC3PARAM 1 0 3 aa\n" /* not complete */
         "00000000000000000000000000000000 60 NSEC3 1 0 3 aa 00000000000000000000000000000001\n"},
    };
    struct sealed_table other;
    uint32_t position = 0;

    tables_build(&other, zones, 1);
    const struct table_section *only = table_next_zone(&other.table, &position);
    assert_int_equal(only->nsec3_count, 1);
    assert_int_equal(only->nsec3_iterations, 3);
    assert_int_equal(only->nsec3_salt_length, 1);
    assert_int_equal(*(const uint8_t *)section_at(only, only->nsec3_salt), 0xaa);
    /* the owner of an NSEC3 RR is no name of the zone */
    assert_null(find(only, "00000000000000000000000000000000.nsec3.example."));
    const struct table_proofs *proofs = node_proofs(find(only, "ns.nsec3.example."));
    const uint32_t *nodes = section_at(only, only->nsec3_nodes);
    assert_true(proofs != NULL && proofs->match == 0 && proofs->cover == nodes[0]);
    seal_unmap(&other);
}

static void nsec_names_are_in_canonical_order(void **state)
{
    (void)state;
    static const struct zone_text zone = {
        "o", "@ 60 SOA ns host 7 2 3 4 100\n@ 60 NS ns\n@ 60 NSEC b\n"
             "longlabel2 60 NSEC o.\na.longlabel1 60 NSEC o.\nlonglabel1 60 NSEC o.\nb 60 NSEC o.\n"
             "ns 60 A 192.0.2.1\n"};
    static const char *const owners[] = {"", "\1b", "\12longlabel1", "\1a\12longlabel1",
                                         "\12longlabel2"};
    struct sealed_table other;
    uint32_t position = 0;

    tables_build(&other, &zone, 1);
    const struct table_section *only = table_next_zone(&other.table, &position);
    const uint32_t *nodes = section_at(only, only->nsec_nodes);
    const uint64_t *keys = section_at(only, only->nsec_keys);
    assert_int_equal(only->nsec_count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct table_node *node = section_node(only, nodes[i]);
        assert_int_equal(node->owner_length, strlen(owners[i]));
        assert_memory_equal(node_owner(node), owners[i], node->owner_length);
    }
    assert_true(keys[0] == 0 && keys[1] == (uint64_t)'b' << 56);
    assert_true(keys[2] == keys[4] && keys[2] == 0x6c6f6e676c616265);
    seal_unmap(&other);
}

static void an_rrset_too_large_is_there_and_empty(void **state)
{
    (void)state;
    static const struct zone_text zone = {
        "o", "@ 60 SOA ns host 7 2 3 4 100\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
             "$GENERATE 1-5000 big 60 TXT ${0,254,d}\nbig 60 A 192.0.2.1\n"};
    struct sealed_table other;
    struct rrset rrset;
    uint32_t position = 0;

    tables_build(&other, &zone, 1);
    const struct table_section *only = table_next_zone(&other.table, &position);
    assert_true(node_find_rrset(only, find(only, "big"), TYPE_TXT, &rrset));
    assert_true(rrset.oversize);
    assert_true(node_find_rrset(only, find(only, "big"), TYPE_A, &rrset));
    assert_false(rrset.oversize);
    seal_unmap(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_nodes_or_not),
        cmocka_unit_test(targets_lead_to_addresses),
        cmocka_unit_test(glue_is_with_its_cut),
        cmocka_unit_test(ttls_are_the_lowest),
        cmocka_unit_test(the_complete_nsec3_chain_is_chosen),
        cmocka_unit_test(nsec_names_are_in_canonical_order),
        cmocka_unit_test(an_rrset_too_large_is_there_and_empty),
    };
    return cmocka_run_group_tests(tests, build, unmap);
}
