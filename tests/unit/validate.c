/*
 * table/validate.c: a table that is not what layout.h promises is refused, for its own reason; and
 * what is not refused can be read from end to end without leaving it.
 */
#include "image.h"
#include "message/codes.h"
#include "message/response.h"
#include "table/hash.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#define HASH_A "\40" "0a0000000000000000000000000000aa"

/* --- each promise broken by itself ------------------------------------------------------------ */

static struct table_header *header_of(struct image *image)
{
    return (void *)image->octets;
}

static struct table_zone *directory_of(struct image *image)
{
    return (void *)(image->octets + header_of(image)->directory);
}

static void *at_ref(struct image *image, uint32_t ref)
{
    return image->octets + image->section + (size_t)ref * TABLE_UNIT;
}

/* The RRset with that index of the node of `example.` with that owner. */
static struct table_rrset *rrset_at(struct image *image, const char *owner, unsigned index)
{
    struct rrset_walk walk = node_rrsets(image_section(image), image_node(image, owner));
    struct rrset rrset;

    while (index-- > 0)
        rrset_next(&walk, &rrset);
    return (void *)image_octets(image, walk.next);
}

static struct rrset rrset_of(struct image *image, const char *owner, unsigned index)
{
    struct rrset_walk walk = node_rrsets(image_section(image), image_node(image, owner));
    struct rrset rrset;

    do
        rrset_next(&walk, &rrset);
    while (index-- > 0);
    return rrset;
}

/* Octet `at` of the RRs of such an RRset. */
static uint8_t *rr_octet(struct image *image, const char *owner, unsigned index, unsigned at)
{
    struct rrset rrset = rrset_of(image, owner, index);

    return image_octets(image, rrset.rrs.octets) + at;
}

static uint16_t *list_entry(struct image *image, const char *owner, unsigned index, unsigned entry)
{
    struct rrset rrset = rrset_of(image, owner, index);

    return (void *)image_octets(image, rrset.rrs.pointers + entry);
}

static struct table_proofs *proofs_at(struct image *image, const char *owner)
{
    return (void *)(image_node(image, owner) + 1);
}

static uint8_t *owner_octets(struct image *image, const char *owner)
{
    return image_octets(image, node_owner(image_node(image, owner)));
}

static struct table_slot *a_full_slot(struct image *image)
{
    struct table_slot *slot = at_ref(image, image_section(image)->slots);

    while (slot->node == 0)
        slot++;
    return slot;
}

static struct table_target *target_at(struct image *image, const char *owner, unsigned index)
{
    return (void *)image_octets(image, rrset_of(image, owner, index).targets);
}

/* Each defines a function that breaks one promise. */
#define BREAK(name, statement)                                                                     \
    static void break_##name(struct image *image)                                                  \
    {                                                                                              \
        statement;                                                                                 \
    }

/* the header */
BREAK(magic, header_of(image)->magic[7] = 'T')
BREAK(byte_order, header_of(image)->byte_order = 0x04030201)
BREAK(version, header_of(image)->version++)
BREAK(table_length, header_of(image)->length++)
/* the directory */
BREAK(directory_before, header_of(image)->directory = 72)
BREAK(directory_odd, header_of(image)->directory += 4)
BREAK(directory_far, header_of(image)->directory = UINT64_MAX - 7)
BREAK(directory_large, header_of(image)->directory_slots = UINT32_MAX)
BREAK(directory_none, header_of(image)->directory_slots = 0)
BREAK(zones_missing, header_of(image)->zone_count++)
BREAK(depths_wrong, header_of(image)->depths[1] = 1)
static void break_directory_full(struct image *image)
{
    for (unsigned i = 0; i < header_of(image)->directory_slots; i++)
        directory_of(image)[i].section = image->section;
    header_of(image)->zone_count = header_of(image)->directory_slots;
}

static void break_section_unlisted(struct image *image)
{
    /* Of two zones the one that lies last. */
    for (unsigned i = 0; i < header_of(image)->directory_slots; i++)
        if (directory_of(image)[i].section > image->section)
            directory_of(image)[i].section = 0;
    header_of(image)->zone_count--;
}

static void break_zone_moved(struct image *image)
{
    for (unsigned i = 0; i < header_of(image)->directory_slots; i++)
        if (directory_of(image)[i].section == image->section)
            directory_of(image)[i].section += TABLE_UNIT;
}

static void break_zone_rehashed(struct image *image)
{
    for (unsigned i = 0; i < header_of(image)->directory_slots; i++)
        directory_of(image)[i].hash ^= 1;
}

/* a section */
BREAK(section_long, image_section(image)->length += 8)
BREAK(section_longest, image_section(image)->length = UINT64_MAX - 7)
BREAK(section_odd, image_section(image)->length -= 4)
BREAK(section_none, image_section(image)->length = 0)
BREAK(nodes_none, image_section(image)->nodes = 0)
BREAK(nodes_far, image_section(image)->nodes = UINT32_MAX)
BREAK(apex_name_far, image_section(image)->apex_name = UINT32_MAX)
BREAK(apex_name_inside, image_section(image)->apex_name = 1)
BREAK(apex_name_none, image_section(image)->apex_length = 0)
BREAK(apex_name_upper, ((char *)at_ref(image, image_section(image)->apex_name))[1] = 'E')
BREAK(apex_name_cut, image_section(image)->apex_length--)
BREAK(apex_labels, image_section(image)->apex_labels++)
BREAK(apex_hash, image_section(image)->apex_hash++)
BREAK(apex_far, image_section(image)->apex = UINT32_MAX)
BREAK(apex_elsewhere, image_section(image)->apex = image->refs[1])
BREAK(apex_inside, image_section(image)->apex++)
BREAK(too_deep, image_section(image)->deepest = 127)
BREAK(slots_far, image_section(image)->slots = image_section(image)->nodes)
BREAK(slots_many, image_section(image)->slot_count = UINT32_MAX)
BREAK(slots_full, image_section(image)->slot_count = image_section(image)->node_count)
BREAK(slot_far, a_full_slot(image)->node = UINT32_MAX)
BREAK(slot_before, a_full_slot(image)->node = image_section(image)->nodes - 1)
BREAK(slot_inside, a_full_slot(image)->node++)
BREAK(slot_empty, a_full_slot(image)->node = 0)
BREAK(nsec_far, image_section(image)->nsec_keys = UINT32_MAX)
BREAK(nsec_nodes_far, image_section(image)->nsec_nodes = UINT32_MAX)
BREAK(nsec_empty, image_section(image)->nsec_count = 0)
BREAK(nsec_without_keys, image_section(image)->nsec_keys = 0)
BREAK(nsec_many, image_section(image)->nsec_count = UINT32_MAX)
BREAK(nsec_order, *(uint64_t *)at_ref(image, image_section(image)->nsec_keys) = UINT64_MAX)
BREAK(nsec_ref, *(uint32_t *)at_ref(image, image_section(image)->nsec_nodes) = image->refs[2])
BREAK(nsec3_order, ((uint64_t *)at_ref(image, image_section(image)->nsec3_keys))[1] = 0)
BREAK(nsec3_key, ((uint64_t *)at_ref(image, image_section(image)->nsec3_keys))[0]++)
BREAK(nsec3_ref, *(uint32_t *)at_ref(image, image_section(image)->nsec3_nodes) = image->refs[0])
BREAK(nsec3_digit, owner_octets(image, HASH_A)[32] = 'w')
BREAK(salt_far, image_section(image)->nsec3_salt = UINT32_MAX)
BREAK(soa_far, image_section(image)->negative_soa = UINT32_MAX)
BREAK(soa_none, image_section(image)->negative_soa = 0)
BREAK(soa_type, ((struct table_rrset *)at_ref(image, image_section(image)->negative_soa))->type++)
BREAK(soa_long,
      ((struct table_rrset *)at_ref(image, image_section(image)->negative_soa))->length = 0xffff)
BREAK(sources_far, image_section(image)->sources = UINT32_MAX)
BREAK(sources_many, image_section(image)->source_count = UINT32_MAX)
BREAK(source_path, ((struct table_source *)at_ref(image, image_section(image)->sources))
                       ->path_length = UINT32_MAX)
static void break_slot_tag(struct image *image)
{
    struct table_slot *slots = at_ref(image, image_section(image)->slots);

    for (uint32_t i = 0; i < image_section(image)->slot_count; i++)
        slots[i].tag ^= 1;
}

/* a node */
BREAK(node_long, image_node(image, HASH_A)->owner_length = 255)
BREAK(node_name, image_node(image, "\2ns")->owner_length = 250)
BREAK(node_label, owner_octets(image, "\2ns")[0] = 3)
BREAK(node_label_none, owner_octets(image, "\2ns")[0] = 0)
BREAK(node_label_pointer, owner_octets(image, "\2ns")[0] = 0xc0)
BREAK(node_upper, owner_octets(image, "\2ns")[1] = 'N')
BREAK(node_more_rrsets, image_node(image, "\40v00000000000000000000000000000bb")->rrset_count++)
BREAK(node_order, rrset_at(image, "\2ns", 1)->type = TYPE_A)
BREAK(cut_without_ns, image_node(image, "\2ns")->flags |= NODE_CUT)
BREAK(cut_at_apex, image_node(image, "")->flags |= NODE_CUT)
BREAK(cut_with_dname, image_node(image, "\1d")->flags |= NODE_CUT)
BREAK(cname_unflagged, image_node(image, "\1b\3ent")->flags &= (uint8_t)~NODE_CNAME)
BREAK(cname_flagged, image_node(image, "\3ent")->flags |= NODE_CNAME)
BREAK(dname_unflagged, image_node(image, "\1d")->flags &= (uint8_t)~NODE_DNAME)
BREAK(dname_flagged, image_node(image, "\3ent")->flags |= NODE_DNAME)
BREAK(wildcard_unflagged, image_node(image, "\1*")->flags &= (uint8_t)~NODE_WILDCARD)
BREAK(wildcard_flagged, image_node(image, "\3ent")->flags |= NODE_WILDCARD)
BREAK(match_far, proofs_at(image, "\2ns")->match = UINT32_MAX)
BREAK(cover_far, proofs_at(image, "\2ns")->cover = 1)
BREAK(match_other, proofs_at(image, "\2ns")->match = image->refs[0])
BREAK(cover_inside, proofs_at(image, "\2ns")->cover++)

/* an RRset */

/* A name in a TTL that ends in what is no pointer of the list. */
static void break_pointer_unlisted_end(struct image *image)
{
    memcpy(rr_octet(image, "", 0, 6), "\1x\xc0\x0c", 4);
    *rr_octet(image, "", 0, 32) = 12 + 13 + 6;
}

static void break_no_dname(struct image *image)
{
    /* an RRset that is too large to be sent has no RRs at all */
    rrset_at(image, "\3big", 2)->type = TYPE_DNAME;
    image_node(image, "\3big")->flags |= NODE_DNAME;
}

BREAK(rrset_long, rrset_at(image, HASH_A, 0)->length = 0xffff)
BREAK(rrset_short, rrset_at(image, "\2ns", 0)->length = 14)
BREAK(rrset_more, rrset_at(image, "\2ns", 0)->count++)
BREAK(rrset_fewer, rrset_at(image, "\3cut", 0)->count--)
BREAK(rr_owner, *rr_octet(image, "\2ns", 0, 1) = 14)
BREAK(rr_unlisted, *list_entry(image, "\3cut", 0, 2) = 16)
BREAK(rr_type, *rr_octet(image, "\2ns", 0, 3) = TYPE_AAAA)
BREAK(rr_class, *rr_octet(image, "\2ns", 0, 5) = CLASS_CH)
BREAK(rr_long, *rr_octet(image, "\2ns", 0, 10) = 1)
BREAK(rr_next, *rr_octet(image, "\3cut", 0, 11) = 3)
BREAK(pointer_more, rrset_at(image, "\2ns", 0)->pointers++)
BREAK(name_unlisted, *list_entry(image, "\3cut", 0, 1) = 13)
BREAK(name_label, *rr_octet(image, "\3cut", 0, 26) = 40)
BREAK(name_reserved, *rr_octet(image, "\3cut", 0, 26) = 0x41)
BREAK(name_plain_compressed, *rr_octet(image, "\1d", 0, 12) = 0xc0)
BREAK(pointer_header, *rr_octet(image, "\3cut", 0, 30) = 4)
BREAK(pointer_into_label, *rr_octet(image, "\3cut", 0, 30) = 14)
BREAK(pointer_above_apex, *rr_octet(image, "\3cut", 0, 30) = 12 + 12)
BREAK(pointer_question, *rr_octet(image, "\3cut", 0, 30) = 12 + 13)
BREAK(pointer_itself, *rr_octet(image, "\3cut", 0, 30) = 12 + 17 + 26)
BREAK(pointer_ahead, *rr_octet(image, "\3cut", 0, 13) = 12 + 17 + 26)
BREAK(pointer_far, *rr_octet(image, "\3cut", 0, 29) = 0xff)
BREAK(pointer_at_pointer, *rr_octet(image, "", 0, 32) = 12 + 13 + 15)
BREAK(pointer_at_root, *rr_octet(image, "", 0, 32) = 12 + 13 + 2)
BREAK(wildcard_itself, *rr_octet(image, "\1*", 0, 34) = 12)
BREAK(soa_short, *rr_octet(image, "", 1, 12) = 1)
BREAK(minfo_second, *rr_octet(image, "\3big", 1, 19) = 0x2a)
BREAK(dname_more, *rr_octet(image, "\1d", 0, 12) = 1)
BREAK(nsec_name, *rr_octet(image, "\2ns", 1, 12) = 63)
BREAK(nsec3_salt_long, *rr_octet(image, HASH_A, 0, 16) = 200)
BREAK(nsec3_hash_long, *rr_octet(image, HASH_A, 0, 19) = 200)
BREAK(signature_owner, *image_octets(image, rrset_of(image, "\2ns", 0).signatures.octets) = 0xc1)
BREAK(signature_type, image_octets(image, rrset_of(image, "\2ns", 0).signatures.octets)[3] = 1)
BREAK(signature_covers, image_octets(image, rrset_of(image, "\2ns", 0).signatures.octets)[13]++)
BREAK(signature_signer, image_octets(image, rrset_of(image, "\2ns", 0).signatures.octets)[30] = 60)
BREAK(signature_more, ((struct table_signatures *)(rrset_at(image, "\2ns", 0) + 1))->count++)
BREAK(signature_fewer, ((struct table_signatures *)(rrset_at(image, "\2ns", 0) + 1))->count = 0)
BREAK(glue_type, image_octets(image, rrset_of(image, "\3cut", 0).glue.octets)[3] = TYPE_TXT)
BREAK(glue_short, image_octets(image, rrset_of(image, "\3cut", 0).glue.octets)[3] = TYPE_AAAA)
BREAK(glue_more, ((struct table_additional *)(rrset_at(image, "\3cut", 0) + 1))->glue_count++)
BREAK(glue_fewer, ((struct table_additional *)(rrset_at(image, "\3cut", 0) + 1))->glue_count--)
BREAK(glue_owner, image_octets(image, rrset_of(image, "\3cut", 0).glue.octets)[17]++)
BREAK(target_owner, target_at(image, "", 0)->owner++)
BREAK(target_owner_low, target_at(image, "", 0)->owner = 3)
BREAK(target_far, target_at(image, "", 0)->node[1] = 0xffff)
BREAK(target_none, target_at(image, "", 0)->node[0] = 0)
BREAK(target_inside, target_at(image, "", 0)->node[0]++)
BREAK(targets_many, ((struct table_additional *)(rrset_at(image, "\1*", 0) + 1))->targets = 0xffff)

#define BROKEN(name) #name, break_##name

static const struct {
    const char *name;
    void (*change)(struct image *image);
    const char *reason;
} promises[] = {
    {BROKEN(magic), "it is not a zone table"},
    {BROKEN(byte_order), "it was written by a machine of another byte order"},
    {BROKEN(version), "it was written by another version of the program"},
    {BROKEN(table_length), "it has another length than it says"},
    {BROKEN(directory_before), "its directory goes beyond the table"},
    {BROKEN(directory_odd), "its directory goes beyond the table"},
    {BROKEN(directory_far), "its directory goes beyond the table"},
    {BROKEN(directory_large), "its directory goes beyond the table"},
    {BROKEN(directory_none), "its directory has not as many zones as it says, or no empty slot"},
    {BROKEN(zones_missing), "its directory has not as many zones as it says, or no empty slot"},
    {BROKEN(directory_full), "its directory has not as many zones as it says, or no empty slot"},
    {BROKEN(section_unlisted), "there is something behind its last section"},
    {BROKEN(zone_moved), "a zone is not found under its name"},
    {BROKEN(zone_rehashed), "a zone is not found under its name"},
    {BROKEN(depths_wrong), "its zones have other depths than it says"},
    {BROKEN(section_long), "a node goes beyond its section"},
    {BROKEN(section_longest), "a section goes beyond the table"},
    {BROKEN(section_odd), "a section goes beyond the table"},
    {BROKEN(section_none), "a section has no nodes"},
    {BROKEN(nodes_none), "a section has no nodes"},
    {BROKEN(nodes_far), "a section has no nodes"},
    {BROKEN(apex_name_far), "a zone's name is malformed"},
    {BROKEN(apex_name_inside), "a zone's name is malformed"},
    {BROKEN(apex_name_none), "a zone's name is malformed"},
    {BROKEN(apex_name_upper), "a zone's name is malformed"},
    {BROKEN(apex_name_cut), "a zone's name is malformed"},
    {BROKEN(apex_labels), "a zone's name is malformed"},
    {BROKEN(apex_hash), "a zone's name has another hash than its section says"},
    {BROKEN(apex_far), "a zone's apex is not a node"},
    {BROKEN(apex_elsewhere), "a zone's apex is not found under its name"},
    {BROKEN(apex_inside), "a ref leads to no node, or to one of the wrong kind"},
    {BROKEN(too_deep), "a zone is deeper than names can be"},
    {BROKEN(slots_far), "a section's slots go beyond it, or none is left empty"},
    {BROKEN(slots_many), "a section's slots go beyond it, or none is left empty"},
    {BROKEN(slots_full), "a section's slots go beyond it, or none is left empty"},
    {BROKEN(slot_far), "a slot leads to no node"},
    {BROKEN(slot_before), "a slot leads to no node"},
    {BROKEN(slot_inside), "a ref leads to no node, or to one of the wrong kind"},
    {BROKEN(slot_empty), "a section has not as many nodes as it says"},
    {BROKEN(slot_tag), "a zone's apex is not found under its name"},
    {BROKEN(nsec_far), "an index is empty or goes beyond its section"},
    {BROKEN(nsec_nodes_far), "an index is empty or goes beyond its section"},
    {BROKEN(nsec_empty), "an index is empty or goes beyond its section"},
    {BROKEN(nsec_without_keys), "an index has entries but no keys"},
    {BROKEN(nsec_many), "an index is empty or goes beyond its section"},
    {BROKEN(nsec_order), "an index is not in order, or leads to no node"},
    {BROKEN(nsec_ref), "a ref leads to no node, or to one of the wrong kind"},
    {BROKEN(nsec3_order), "an index is not in order, or leads to no node"},
    {BROKEN(nsec3_key), "an NSEC3 record's owner and its place in the index contradict each other"},
    {BROKEN(nsec3_ref), "a ref leads to no node, or to one of the wrong kind"},
    {BROKEN(nsec3_digit),
     "an NSEC3 record's owner and its place in the index contradict each other"},
    {BROKEN(salt_far), "the NSEC3 salt goes beyond its section"},
    {BROKEN(soa_far), "the negative SOA goes beyond its section"},
    {BROKEN(soa_none), "the negative SOA goes beyond its section"},
    {BROKEN(soa_type), "the negative SOA is not a SOA record"},
    {BROKEN(soa_long), "the negative SOA goes beyond its section"},
    {BROKEN(sources_far), "a source goes beyond its section"},
    {BROKEN(sources_many), "a source goes beyond its section"},
    {BROKEN(source_path), "a source goes beyond its section"},
    {BROKEN(node_long), "a node's name is malformed"},
    {BROKEN(node_name), "a node's name is malformed"},
    {BROKEN(node_label), "a node's name is malformed"},
    {BROKEN(node_label_none), "a node's name is malformed"},
    {BROKEN(node_label_pointer), "a node's name is malformed"},
    {BROKEN(node_upper), "a node's name is malformed"},
    {BROKEN(node_more_rrsets), "a node goes beyond its section"},
    {BROKEN(node_order), "a node's RRsets are not in ascending order"},
    {BROKEN(cut_without_ns), "a zone cut has no NS, or more than a cut may have"},
    {BROKEN(cut_at_apex), "a zone cut has no NS, or more than a cut may have"},
    {BROKEN(cut_with_dname), "a zone cut has no NS, or more than a cut may have"},
    {BROKEN(cname_unflagged), "a node's flags and its CNAME or DNAME contradict each other"},
    {BROKEN(cname_flagged), "a node's flags and its CNAME or DNAME contradict each other"},
    {BROKEN(dname_unflagged), "a node's flags and its CNAME or DNAME contradict each other"},
    {BROKEN(dname_flagged), "a node's flags and its CNAME or DNAME contradict each other"},
    {BROKEN(wildcard_unflagged), "a node's wildcard flag and its name contradict each other"},
    {BROKEN(wildcard_flagged), "a node's wildcard flag and its name contradict each other"},
    {BROKEN(match_far), "a node's proofs are not NSEC3 nodes"},
    {BROKEN(cover_far), "a node's proofs are not NSEC3 nodes"},
    {BROKEN(match_other), "a ref leads to no node, or to one of the wrong kind"},
    {BROKEN(cover_inside), "a ref leads to no node, or to one of the wrong kind"},
    {BROKEN(rrset_long), "a node goes beyond its section"},
    {BROKEN(rrset_short), "an RR is malformed or of another type than its RRset"},
    {BROKEN(rrset_more), "an RR is malformed or of another type than its RRset"},
    {BROKEN(rrset_fewer), "an RRset does not end where its last RR does"},
    {BROKEN(rr_owner), "an RR's owner is not a pointer in the RRset's list"},
    {BROKEN(rr_unlisted), "an RR's owner is not a pointer in the RRset's list"},
    {BROKEN(rr_type), "an RR is malformed or of another type than its RRset"},
    {BROKEN(rr_class), "an RR is malformed or of another type than its RRset"},
    {BROKEN(rr_long), "an RR is malformed or of another type than its RRset"},
    {BROKEN(rr_next), "RDATA has the wrong length"},
    {BROKEN(pointer_more), "an RR is malformed or of another type than its RRset"},
    {BROKEN(name_unlisted), "a name in RDATA is malformed"},
    {BROKEN(name_label), "a name in RDATA is malformed"},
    {BROKEN(name_reserved), "a name in RDATA is malformed"},
    {BROKEN(name_plain_compressed), "a name in RDATA is malformed"},
    {BROKEN(pointer_header), "a name in RDATA is malformed"},
    {BROKEN(pointer_into_label), "a name in RDATA is malformed"},
    {BROKEN(pointer_above_apex), "a name in RDATA is malformed"},
    {BROKEN(pointer_question), "a name in RDATA is malformed"},
    {BROKEN(pointer_itself), "a name in RDATA is malformed"},
    {BROKEN(pointer_ahead), "a name in RDATA is malformed"},
    {BROKEN(pointer_far), "a name in RDATA is malformed"},
    {BROKEN(pointer_at_pointer), "a name in RDATA is malformed"},
    {BROKEN(pointer_at_root), "a name in RDATA is malformed"},
    {BROKEN(pointer_unlisted_end), "a name in RDATA is malformed"},
    {BROKEN(wildcard_itself), "a name in RDATA is malformed"},
    {BROKEN(soa_short), "a name in RDATA is malformed"},
    {BROKEN(no_dname), "a CNAME or DNAME RRset has not exactly one RR"},
    {BROKEN(minfo_second), "a name in RDATA is malformed"},
    {BROKEN(dname_more), "a name in RDATA is malformed"},
    {BROKEN(nsec_name), "a name in RDATA is malformed"},
    {BROKEN(nsec3_salt_long), "an NSEC3 record is cut short"},
    {BROKEN(nsec3_hash_long), "an NSEC3 record is cut short"},
    {BROKEN(signature_owner), "a signature is malformed"},
    {BROKEN(signature_type), "a signature is malformed"},
    {BROKEN(signature_covers), "a signature is malformed or covers another type"},
    {BROKEN(signature_signer), "a signature is malformed or covers another type"},
    {BROKEN(signature_more), "a signature is malformed"},
    {BROKEN(signature_fewer), "signatures do not end where the last one does"},
    {BROKEN(glue_type), "glue is not an address record"},
    {BROKEN(glue_short), "glue is not an address record"},
    {BROKEN(glue_more), "glue is not an address record"},
    {BROKEN(glue_fewer), "glue does not end where its last RR does"},
    {BROKEN(glue_owner), "glue has an owner that is not a name server of its cut"},
    {BROKEN(target_owner), "a target is not named by its RRset"},
    {BROKEN(target_owner_low), "a target is not named by its RRset"},
    {BROKEN(target_far), "a target is not a node"},
    {BROKEN(target_none), "a target is not a node"},
    {BROKEN(target_inside), "a ref leads to no node, or to one of the wrong kind"},
    {BROKEN(targets_many), "a node goes beyond its section"},
};

static void a_broken_promise_is_named(void **state)
{
    (void)state;
    struct image sound;

    image_make(&sound);
    image_open(&sound);
    for (size_t i = 0; i < COUNT_OF(promises); i++) {
        struct image image;
        struct table table;
        image_copy(&image, &sound);
        promises[i].change(&image);
        image_mend(&image);
        const char *reason = table_open(&table, image.octets, image.length);
        if (reason == NULL || strcmp(reason, promises[i].reason) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", promises[i].name,
                     reason == NULL ? "(accepted)" : reason,
                     promises[i].reason);
        image_free(&image);
    }
    image_free(&sound);
}

static void every_changed_octet_is_noticed(void **state)
{
    (void)state;
    struct image image;
    struct table table;

    image_make(&image);
    for (size_t i = 0; i < image.length; i++) {
        image.octets[i] ^= 0x01;
        assert_non_null(table_open(&table, image.octets, image.length));
        image.octets[i] ^= 0x81;
        assert_non_null(table_open(&table, image.octets, image.length));
        image.octets[i] ^= 0x80;
    }
    image_open(&image);
    image_free(&image);
}

static void a_table_cut_short_is_refused(void **state)
{
    (void)state;
    struct image sound;

    image_make(&sound);
    for (size_t length = 0; length < sound.length; length++) {
        struct image image = {.octets = malloc(length + 1), .length = length};
        struct table table;
        assert_non_null(image.octets);
        memcpy(image.octets, sound.octets, length);
        assert_non_null(table_open(&table, image.octets, length));
        if (length >= sizeof(struct table_header)) {
            header_of(&image)->length = length;
            image_mend(&image);
            assert_non_null(table_open(&table, image.octets, length));
        }
        image_free(&image);
    }
    image_free(&sound);
}

/* --- what is accepted can be read ------------------------------------------------------------- */

/* Room for messages; what was read ends here, so that reading it is not left out. */
static uint8_t message[65535];
static volatile uint64_t sink;

static void read_octets(const void *octets, size_t length)
{
    sink = XXH3_64bits(octets, length);
}

static struct response begin_response(const struct name *qname, size_t limit)
{
    uint8_t query[WIRE_HEADER_SIZE + NAME_OCTETS_MAX + 4] = {0};
    struct response response;

    memcpy(query + WIRE_HEADER_SIZE, qname->octets, qname->length);
    response_begin(&response, message, limit, query, qname->length + 4u);
    return response;
}

/* Puts the RRset where it is at home, and out of the reach of pointers. */
static void write_rrset(const struct rrset *rrset, const struct name *owner)
{
    static const uint32_t places[] = {0, 20000};

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct response response = begin_response(owner, sizeof message);
        struct place place = {.owner = WIRE_HEADER_SIZE};
        struct name name;
        response.at += places[i];
        memset(message + response.question_end, 0, places[i]);
        if (!response_put(&response, SECTION_ANSWER, &rrset->rrs, &rrset->signatures, &place))
            continue;
        response_put_run(&response, SECTION_ADDITIONAL, &rrset->glue, &rrset->rrs, &place);
        if (rrset->type == TYPE_CNAME || rrset->type == TYPE_DNAME)
            response_read_name(&response, place.rdata, &name);
        for (unsigned t = 0; t < rrset->target_count; t++) {
            uint16_t pointer = rrset->targets[t].owner;
            uint32_t at = pointer == 0 ? 0
                                       : response_resolve(&response, &rrset->rrs, &place, pointer);
            if (at != 0)
                response_read_name(&response, at, &name);
        }
    }
}

static void read_node(const struct table_section *section, const struct table_node *node)
{
    struct rrset_walk walk = node_rrsets(section, node);
    struct rrset rrset;
    struct name name;

    node_name(section, node, &name);
    while (rrset_next(&walk, &rrset)) {
        read_octets(rrset.rrs.octets, rrset.rrs.length);
        read_octets(rrset.rrs.pointers, rrset.rrs.pointer_count * sizeof(uint16_t));
        read_octets(rrset.signatures.octets, rrset.signatures.length);
        for (unsigned i = 0; i < rrset.target_count; i++) {
            struct name target;
            node_name(section, section_node(section, target_node(&rrset.targets[i])), &target);
        }
        write_rrset(&rrset, &name);
    }
    const struct table_proofs *proofs = node_proofs(node);
    if (proofs != NULL && proofs->match != 0)
        assert_true(node_find_rrset(section, section_node(section, proofs->match), TYPE_NSEC3,
                                    &rrset));
    if (proofs != NULL && proofs->cover != 0)
        assert_true(node_find_rrset(section, section_node(section, proofs->cover), TYPE_NSEC3,
                                    &rrset));
}

static void read_index(const struct table_section *section, uint32_t nodes_ref, uint32_t count,
                       uint16_t type)
{
    const uint32_t *nodes = section_at(section, nodes_ref);
    struct rrset rrset;

    for (uint32_t i = 0; i < count; i++) {
        assert_true(node_find_rrset(section, section_node(section, nodes[i]), type, &rrset));
        read_node(section, section_node(section, nodes[i]));
    }
}

static void read_section(const struct table *table, const struct table_section *section)
{
    static const uint8_t absent[] = "\1*\6absent\3ent\7example";
    const struct table_slot *slots = section_at(section, section->slots);
    uint64_t hashes[NAME_LABELS_MAX + 1];
    struct name name;
    struct rrset soa;

    for (uint32_t i = 0; i < section->slot_count; i++) {
        if (slots[i].node == 0)
            continue;
        const struct table_node *node = section_node(section, slots[i].node);
        read_node(section, node);
        node_name(section, node, &name);
        hash_name(&name, table->header->seed, hashes);
        sink = (uintptr_t)section_find_node(section, &name, name.labels, hashes[name.labels]);
        sink = (uintptr_t)section_find_wildcard(section, node, hashes[name.labels]);
    }
    name_read(&name, absent, sizeof absent);
    hash_name(&name, table->header->seed, hashes);
    for (unsigned i = section->apex_labels; i <= name.labels; i++)
        sink = (uintptr_t)section_find_node(section, &name, i, hashes[i]);
    read_index(section, section->nsec_nodes, section->nsec_count, TYPE_NSEC);
    read_index(section, section->nsec3_nodes, section->nsec3_count, TYPE_NSEC3);
    read_octets(section_at(section, section->nsec3_salt), section->nsec3_salt_length);
    section_negative_soa(section, &soa);
    node_name(section, section_node(section, section->apex), &name);
    write_rrset(&soa, &name);
}

static void read_table(const struct table *table)
{
    const struct table_section *section;
    uint32_t position = 0;

    while ((section = table_next_zone(table, &position)) != NULL) {
        struct name apex;
        name_read(&apex, section_apex_name(section), section->apex_length);
        assert_true(table_has_depth(table, apex.labels));
        sink = (uintptr_t)table_find_zone(table, &apex, apex.labels, section->apex_hash);
        read_section(table, section);
    }
}

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

/* xorshift64: the same changes in every run. */
static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * limit >> 32);
}

static void change_at_random(struct image *image)
{
    static const uint8_t telling[] = {0, 1, 2, 12, 63, 64, 0x7f, 0x80, 0xc0, 0xfe, 0xff};
    uint8_t *octet = image->octets + random_below((uint32_t)image->length);

    switch (random_below(4)) {
    case 0:
        *octet ^= (uint8_t)(1u << random_below(8));
        break;
    case 1:
        *octet = telling[random_below(COUNT_OF(telling))];
        break;
    case 2:
        *octet = (uint8_t)(*octet + random_below(9) - 4);
        break;
    default:
        *octet = image->octets[random_below((uint32_t)image->length)];
        break;
    }
}

static void what_is_accepted_can_be_read_to_the_end(void **state)
{
    (void)state;
    enum { CHANGED_TABLES = 150000 };
    struct image sound;
    struct image image;
    unsigned accepted = 0;

    image_make(&sound);
    image_copy(&image, &sound);
    struct table table = image_open(&sound);
    read_table(&table);
    for (unsigned i = 0; i < CHANGED_TABLES; i++) {
        for (unsigned left = 1 + random_below(3); left > 0; left--)
            change_at_random(&image);
        header_of(&image)->length = image.length;
        image_mend(&image);
        if (table_open(&table, image.octets, image.length) == NULL) {
            accepted++;
            read_table(&table);
        }
        memcpy(image.octets, sound.octets, sound.length);
    }
    /* Without many of either kind this would test nothing. */
    assert_in_range(accepted, CHANGED_TABLES / 100, CHANGED_TABLES - CHANGED_TABLES / 100);
    image_free(&image);
    image_free(&sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_promise_is_named),
        cmocka_unit_test(every_changed_octet_is_noticed),
        cmocka_unit_test(a_table_cut_short_is_refused),
        cmocka_unit_test(what_is_accepted_can_be_read_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
