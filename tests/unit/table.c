/* table/table.c: what is in a table is found, and what is not is not. */
#include "image.h"
#include "message/codes.h"
#include "table/hash.h"
#include "unit.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#define HASH_A "\40" "0a0000000000000000000000000000aa"

static struct image image;
static struct table table;

static int make_table(void **state)
{
    (void)state;
    image_make(&image);
    table = image_open(&image);
    return 0;
}

static int free_table(void **state)
{
    (void)state;
    image_free(&image);
    return 0;
}

/* A name with the hashes of its suffixes. */
struct hashed {
    struct name name;
    uint64_t hashes[NAME_LABELS_MAX + 1];
};

static struct hashed hashed(const char *wire)
{
    struct hashed this;

    assert_true(name_read(&this.name, (const uint8_t *)wire, strlen(wire) + 1) > 0);
    hash_name(&this.name, table.header->seed, this.hashes);
    return this;
}

static const struct table_section *find_zone(const char *wire, unsigned labels)
{
    struct hashed apex = hashed(wire);

    return table_find_zone(&table, &apex.name, labels, apex.hashes[labels]);
}

/* The node of `example.` with that name, searched by hash. */
static const struct table_node *find_node(const char *wire)
{
    struct hashed name = hashed(wire);

    return section_find_node(image_section(&image), &name.name, name.name.labels,
                             name.hashes[name.name.labels]);
}

static struct rrset find_rrset(const char *owner, uint16_t type)
{
    struct rrset rrset;

    assert_true(
        node_find_rrset(image_section(&image), image_node(&image, owner), type, &rrset));
    assert_int_equal(rrset.type, type);
    return rrset;
}

/* --- zones ------------------------------------------------------------------------------------ */

static void zones_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(find_zone("\7example", 1), image_section(&image));
    assert_ptr_equal(find_zone("\7EXAMPLE", 1), image_section(&image));
    assert_ptr_equal(find_zone("\3www\7example", 1), image_section(&image));
    assert_non_null(find_zone("", 0));
    assert_ptr_not_equal(find_zone("", 0), image_section(&image));
    assert_ptr_equal(find_zone("\3www\7example", 0), find_zone("", 0));
    assert_null(find_zone("\3www\7example", 2));
    assert_null(find_zone("\7exbmple", 1));
}

static void a_hash_alone_makes_no_zone(void **state)
{
    (void)state;
    struct hashed same_length = hashed("\7exbmple");
    struct hashed longer = hashed("\10example0");
    uint64_t hash = hashed("\7example").hashes[1];

    assert_null(table_find_zone(&table, &same_length.name, 1, hash));
    assert_null(table_find_zone(&table, &longer.name, 1, hash));
}

static void each_zone_is_visited_once(void **state)
{
    (void)state;
    uint32_t position = 0;
    const struct table_section *first = table_next_zone(&table, &position);
    const struct table_section *second = table_next_zone(&table, &position);

    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    assert_null(table_next_zone(&table, &position));
    assert_null(table_next_zone(&table, &position));
}

static void depths_are_those_of_zones(void **state)
{
    (void)state;
    for (unsigned labels = 0; labels <= NAME_LABELS_MAX; labels++)
        assert_int_equal(table_has_depth(&table, labels), labels < 2);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void nodes_are_found_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *owner;
    } cases[] = {
        {"\7example", ""},          {"\2ns\7example", "\2ns"},       {"\2NS\7eXample", "\2ns"},
        {"\3ent\7example", "\3ent"}, {"\1b\3ent\7example", "\1b\3ent"}, {"\1*\7example", "\1*"},
        {"\3cut\7example", "\3cut"}, {"\1d\7example", "\1d"},         {"\3big\7example", "\3big"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_ptr_equal(find_node(cases[i].name), image_node(&image, cases[i].owner));
}

static void names_that_are_not_nodes_are_not_found(void **state)
{
    (void)state;
    static const char *const absent[] = {
        "\2nt\7example", "\1a\3ent\7example", "\1b\1*\7example", "\3www\3cut\7example",
        /* outside the slots: glue of others, hashed names */
        "\4glue\3cut\7example", HASH_A "\7example",
    };
    for (size_t i = 0; i < COUNT_OF(absent); i++)
        assert_null(find_node(absent[i]));
}

/* What is asked for ahead is what is then found. */
static void guesses_are_right(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *owner; /* NULL: none */
    } cases[] = {
        {"\7example", ""},
        {"\2ns\7example", "\2ns"},
        {"\1b\3ent\7example", "\1b\3ent"},
        {"\2nt\7example", NULL},
        {"\3www\3cut\7example", NULL},
    };
    const struct table_section *section = image_section(&image);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct hashed name = hashed(cases[i].name);
        uint32_t guess = section_guess_node(section, name.hashes[name.name.labels]);
        assert_int_equal(guess != 0, cases[i].owner != NULL);
        if (guess != 0)
            assert_ptr_equal(section_node(section, guess), image_node(&image, cases[i].owner));
    }
    assert_ptr_equal(table_guess_zone(&table, hashed("\7example").hashes[1]), section);
    assert_null(table_guess_zone(&table, hashed("\7exbmple").hashes[1]));
}

static void a_hash_alone_makes_no_node(void **state)
{
    (void)state;
    struct hashed same_length = hashed("\2nt\7example");
    struct hashed longer = hashed("\3nss\7example");
    uint64_t hash = hashed("\2ns\7example").hashes[2];

    assert_null(section_find_node(image_section(&image), &same_length.name, 2, hash));
    assert_null(section_find_node(image_section(&image), &longer.name, 2, hash));
}

static void probing_goes_on_at_the_first_slot(void **state)
{
    (void)state;
    struct table_section *section = image_section(&image);
    struct table_slot *slots = (void *)image_octets(&image, section_at(section, section->slots));
    struct hashed name = hashed("\2ns\7example");
    uint64_t hash = name.hashes[2];

    for (uint32_t i = hash_slot(hash, section->slot_count); i < section->slot_count; i++)
        slots[i] = (struct table_slot){.tag = ~hash_tag(hash), .node = section->apex};
    slots[0] = (struct table_slot){.tag = ~hash_tag(hash), .node = section->apex};
    slots[1] = (struct table_slot){.tag = hash_tag(hash), .node = image.refs[1]};
    slots[2] = (struct table_slot){0};
    assert_int_equal(section_guess_node(section, hash), image.refs[1]);
    assert_ptr_equal(section_find_node(section, &name.name, 2, hash), image_node(&image, "\2ns"));
    slots[1].node = 0;
    assert_int_equal(section_guess_node(section, hash), 0);
    assert_null(section_find_node(section, &name.name, 2, hash));
}

static void the_wildcard_child_is_found(void **state)
{
    (void)state;
    const struct table_section *section = image_section(&image);
    struct hashed ent = hashed("\3ent\7example");

    assert_ptr_equal(section_find_wildcard(section, image_node(&image, ""), section->apex_hash),
                     image_node(&image, "\1*"));
    assert_null(section_find_wildcard(section, image_node(&image, "\3ent"), ent.hashes[2]));
    /* the hash of the wildcard's parent, but another encloser */
    assert_null(
        section_find_wildcard(section, image_node(&image, "\3ent"), section->apex_hash));
}

static void nodes_know_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *owner;
        const char *name;
        unsigned labels;
    } cases[] = {
        {"", "\7example", 1},
        {"\1b\3ent", "\1b\3ent\7example", 3},
        {"\4glue\3cut", "\4glue\3cut\7example", 3},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct table_node *node = image_node(&image, cases[i].owner);
        struct name name;
        node_name(image_section(&image), node, &name);
        assert_int_equal(name.labels, cases[i].labels);
        assert_int_equal(name.length, strlen(cases[i].name) + 1);
        assert_memory_equal(name.octets, cases[i].name, name.length);
        assert_int_equal(node_name_length(image_section(&image), node), name.length);
        assert_memory_equal(node_owner(node), cases[i].owner, strlen(cases[i].owner));
    }
}

static struct table_proofs proofs_of(const char *owner)
{
    const struct table_proofs *proofs = node_proofs(image_node(&image, owner));

    assert_non_null(proofs);
    return proofs != NULL ? *proofs : (struct table_proofs){0};
}

static void proofs_are_there_if_flagged(void **state)
{
    (void)state;
    assert_int_equal(proofs_of("\1b\3ent").match, 0);
    assert_ptr_equal(section_node(image_section(&image), proofs_of("\1b\3ent").cover),
                     image_node(&image, "\40v00000000000000000000000000000bb"));
    assert_null(node_proofs(image_node(&image, "\4glue\3cut")));
}

/* --- RRsets ----------------------------------------------------------------------------------- */

static void rrsets_are_found_by_type(void **state)
{
    (void)state;
    static const struct {
        const char *owner;
        uint16_t type;
        bool found;
    } cases[] = {
        {"", TYPE_NS, true},         {"", TYPE_SOA, true},   {"", TYPE_NSEC, true},
        {"", TYPE_A, false},         {"", TYPE_MX, false},   {"", TYPE_DNSKEY, false},
        {"\2ns", TYPE_A, true},      {"\2ns", TYPE_NSEC, true}, {"\2ns", TYPE_TXT, false},
        {"\3ent", TYPE_A, false},    {"\3big", TYPE_TXT, true}, {"\1*", TYPE_MX, true},
        {HASH_A, TYPE_NSEC3, true},  {HASH_A, TYPE_NSEC, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rrset rrset;
        bool found = node_find_rrset(image_section(&image), image_node(&image, cases[i].owner),
                                     cases[i].type, &rrset);
        assert_int_equal(found, cases[i].found);
        if (found)
            assert_int_equal(rrset.type, cases[i].type);
    }
}

static void a_walk_meets_each_rrset_in_order(void **state)
{
    (void)state;
    static const uint16_t types[] = {TYPE_NS, TYPE_SOA, TYPE_NSEC};
    struct rrset_walk walk = node_rrsets(image_section(&image), image_node(&image, ""));
    struct rrset rrset;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        assert_true(rrset_next(&walk, &rrset));
        assert_int_equal(rrset.type, types[i]);
        assert_int_equal(rrset.rrs.owner_length, 9);
    }
    assert_false(rrset_next(&walk, &rrset));

    walk = node_rrsets(image_section(&image), image_node(&image, "\3ent"));
    assert_false(rrset_next(&walk, &rrset));
}

static void an_rrset_has_all_its_parts(void **state)
{
    (void)state;
    struct rrset ns = find_rrset("", TYPE_NS);

    assert_false(ns.oversize);
    assert_int_equal(ns.rrs.count, 2);
    assert_int_equal(ns.rrs.length, 33);
    assert_memory_equal(ns.rrs.octets, "\xc0\x0c\0\2\0\1", 6);
    assert_int_equal(ns.rrs.pointer_count, 4);
    assert_int_equal(ns.rrs.pointers[3], 31);
    assert_int_equal(ns.signatures.count, 1);
    assert_int_equal(ns.signatures.length, 43);
    assert_memory_equal(ns.signatures.octets, "\xc0\x0c\0\x2e\0\1", 6);
    assert_int_equal(ns.signatures.pointer_count, 0);
    assert_int_equal(ns.glue.count, 0);
    assert_int_equal(ns.target_count, 2);
    assert_int_equal(ns.targets[0].owner, 0xc025);
    assert_ptr_equal(section_node(image_section(&image), target_node(&ns.targets[0])),
                     image_node(&image, "\2ns"));
    assert_int_equal(ns.targets[1].owner, 0);
}

static void a_plain_rrset_has_no_other_parts(void **state)
{
    (void)state;
    struct rrset cname = find_rrset("\1b\3ent", TYPE_CNAME);

    assert_int_equal(cname.rrs.count, 1);
    assert_int_equal(cname.rrs.owner_length, 15);
    assert_int_equal(cname.signatures.count, 0);
    assert_int_equal(cname.glue.count, 0);
    assert_int_equal(cname.target_count, 0);
}

static void glue_is_with_its_cut(void **state)
{
    (void)state;
    struct rrset ns = find_rrset("\3cut", TYPE_NS);

    assert_int_equal(ns.signatures.count, 0);
    assert_int_equal(ns.glue.count, 2);
    assert_int_equal(ns.glue.length, 16 + 28);
    assert_memory_equal(ns.glue.octets, "\xc0\x0c\0\1\0\1", 6);
    assert_int_equal(ns.glue.owner_length, 13);
}

static void an_rrset_too_large_is_known_as_such(void **state)
{
    (void)state;
    assert_true(find_rrset("\3big", TYPE_TXT).oversize);
    assert_false(find_rrset("\3big", TYPE_A).oversize);
}

static void the_negative_soa_is_a_soa(void **state)
{
    (void)state;
    struct rrset soa;

    section_negative_soa(image_section(&image), &soa);
    assert_int_equal(soa.type, TYPE_SOA);
    assert_int_equal(soa.rrs.count, 1);
    assert_int_equal(soa.rrs.owner_length, 9);
    assert_int_equal(soa.signatures.count, 1);
}

#define TABLE_TEST(function) cmocka_unit_test_setup_teardown(function, make_table, free_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(zones_are_found_by_name),
        TABLE_TEST(a_hash_alone_makes_no_zone),
        TABLE_TEST(each_zone_is_visited_once),
        TABLE_TEST(depths_are_those_of_zones),
        TABLE_TEST(nodes_are_found_by_name),
        TABLE_TEST(names_that_are_not_nodes_are_not_found),
        TABLE_TEST(guesses_are_right),
        TABLE_TEST(a_hash_alone_makes_no_node),
        TABLE_TEST(probing_goes_on_at_the_first_slot),
        TABLE_TEST(the_wildcard_child_is_found),
        TABLE_TEST(nodes_know_their_names),
        TABLE_TEST(proofs_are_there_if_flagged),
        TABLE_TEST(rrsets_are_found_by_type),
        TABLE_TEST(a_walk_meets_each_rrset_in_order),
        TABLE_TEST(an_rrset_has_all_its_parts),
        TABLE_TEST(a_plain_rrset_has_no_other_parts),
        TABLE_TEST(glue_is_with_its_cut),
        TABLE_TEST(an_rrset_too_large_is_known_as_such),
        TABLE_TEST(the_negative_soa_is_a_soa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
