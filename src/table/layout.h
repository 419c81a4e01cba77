/*
 * The zone table: the contract between zone/, which writes it, and answer/, which reads it.
 *
 *   table    +--------------------------------------------------------------------+
 *            | struct table_header                                                |
 *            | directory: struct table_zone x directory_slots  (apex hash -> section)
 *            | section | section | section ...                 one for each zone  |
 *            +--------------------------------------------------------------------+
 *
 *   section  +--------------------------------------------------------------------+
 *            | struct table_section                                               |
 *            | apex name, NSEC3 salt, sources                                     |
 *            | slots:  struct table_slot x slot_count          (name hash -> node)|
 *            | NSEC index:   uint64_t keys[n], uint32_t nodes[n] canonical order  |
 *            | NSEC3 index:  uint64_t keys[n], uint32_t nodes[n] hash order       |
 *            | negative SOA                                                       |
 *            | nodes                                  to the end of the section   |
 *            +--------------------------------------------------------------------+
 *
 *   node     | struct table_node | [struct table_proofs] | owner | pad |
 *            | rrset | rrset | rrset ...                     ascending by type    |
 *
 *   rrset    | struct table_rrset | [struct table_signatures] | [struct table_additional] |
 *            | uint16_t pointers[] | RRs | pad | RRSIG RRs | pad | glue RRs | pad |
 *            | struct table_target x targets |
 *
 * A table is position-independent. It is written for one machine: integers are in host order, but
 * RRs, names and whatever else is copied into messages are in wire form. "pad" fills to an even
 * offset, with zero. Sections and nodes start on multiples of 8; everything in a node on multiples
 * of 2. Sections lie one behind the other from the end of the directory to that of the table. They
 * say nothing of where in it they stand, so the section of an unchanged zone is copied into the
 * next table as it is.
 *
 * A *ref* is a uint32_t: distance from the start of the section in units of 8 octets. 0 is no ref.
 *
 * Which names are nodes. Every authoritative owner name, every zone cut, and every name between one
 * of these and the apex (empty non-terminals, RFC 4592 §2.2.2; they have no RRsets). So existence
 * is closed upwards: a name's parent exists if it does. Names below a zone cut or below a DNAME's
 * owner are not nodes, and cut and DNAME nodes are leaves: the search for the closest encloser ends
 * at them of itself. NSEC3 owner names are not nodes in this sense (they do not exist, RFC 5155
 * §7.2.8): they are found through the NSEC3 index only. Addresses below a zone cut that are needed
 * by other cuts (sibling glue) or by authoritative RRsets have nodes too that only a table_target
 * leads to; neither they nor NSEC3 nodes are in the slots.
 *
 * What is left of the zone is never answered with, and only transferred (RFC 5936 §3.5): RRsets
 * that a zone cut or a DNAME occludes, NSEC3 RRs of a chain that is not served. It is in occluded
 * nodes, which nothing leads to: a transfer walks through all nodes. So a name may have two.
 *
 * A zone cut's node holds NS, and DS and NSEC where they exist, nothing else. In-domain glue
 * (addresses of name servers at or below the cut) is stored with the NS RRset: RFC 9471 wants it
 * complete or TC set. Other addresses are targets: added while there is room.
 */
#ifndef SORREL_TABLE_LAYOUT_H
#define SORREL_TABLE_LAYOUT_H

#include <assert.h>
#include <stdint.h>

#define TABLE_MAGIC "SORRELzt"

enum {
    TABLE_VERSION = 2,
    TABLE_BYTE_ORDER = 0x01020304,
    TABLE_UNIT = 8, /* octets a ref counts in */
};

struct table_header {
    uint8_t magic[8];
    uint32_t byte_order;      /* TABLE_BYTE_ORDER as the writer saw it */
    uint32_t version;         /* TABLE_VERSION */
    uint64_t length;          /* octets of the whole table */
    uint64_t checksum;        /* XXH3-64 of everything behind this field */
    uint64_t seed;            /* hash of the root name; sections depend on it */
    uint64_t generation;      /* counts the tables a daemon has made */
    uint64_t depths[2];       /* bit n: some zone's apex has n labels */
    uint64_t directory;       /* octets from the table's start */
    uint32_t directory_slots; /* at least one more than zone_count, so that probing ends */
    uint32_t zone_count;
};

/* Open addressing: slot hash_slot(hash), then the next, wrapping; section 0 is empty and ends
 * it. */
struct table_zone {
    uint64_t hash;    /* of the apex name */
    uint64_t section; /* octets from the table's start */
};

struct table_section {
    uint64_t length;      /* octets, this struct included; a multiple of 8 */
    uint64_t apex_hash;
    uint32_t apex_name;   /* ref: wire form, lower case */
    uint32_t apex;        /* ref: node */
    uint32_t slots;       /* ref */
    uint32_t slot_count;  /* more than the nodes in it, so that probing ends */
    uint32_t node_count;  /* nodes in the slots */
    uint32_t record_count;
    uint32_t nsec_keys;   /* ref; 0 unless the zone has NSEC RRs */
    uint32_t nsec_nodes;  /* ref */
    uint32_t nsec_count;
    uint32_t nsec3_keys;  /* ref; 0 unless the zone has a usable NSEC3 chain */
    uint32_t nsec3_nodes; /* ref */
    uint32_t nsec3_count;
    uint32_t nsec3_salt;  /* ref, nsec3_salt_length octets */
    uint32_t negative_soa; /* ref: struct table_rrset like the apex' SOA RRset, signatures too, but
                              the TTLs are the lesser of the SOA's and MINIMUM (RFC 2308 §3, §5) */
    uint32_t sources;     /* ref: struct table_source, one behind the other */
    uint32_t source_count;
    uint32_t serial;      /* the SOA's */
    uint16_t nsec3_iterations;
    uint8_t nsec3_salt_length;
    uint8_t deepest;      /* labels of the deepest node, counted below the apex */
    uint8_t apex_labels;
    uint8_t apex_length;  /* octets of the apex name, the root's included */
    uint16_t flags;       /* SECTION_* */
    uint32_t nodes;       /* ref of the first node. All nodes, those outside the slots too, lie one
                             behind the other (each padded to 8) from here to the end of the
                             section. Between them may be filler: whole units of zeros, which are
                             no node */
};

enum section_flag {
    SECTION_SIGNED = 1 << 0,     /* the apex has a DNSKEY RRset, and the zone RRSIGs */
    SECTION_INCOMPLETE = 1 << 1, /* RRs that do not fit into a message are not here */
};

/* A file the section was made from: the zone file first, then those it includes. What tells the
 * next builder whether it has changed. Followed by path (not NUL-terminated), padded to 8. */
struct table_source {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t changed_seconds;
    uint64_t content_hash; /* XXH3-64 of the file's octets */
    uint32_t changed_nanoseconds;
    uint32_t path_length;
};

/* Open addressing within a section; node 0 is an empty slot and ends the search. */
struct table_slot {
    uint32_t tag;  /* hash_tag(): compared before the node is touched */
    uint32_t node; /* ref */
};

struct table_node {
    uint16_t rrset_count;
    uint8_t owner_length; /* octets of the labels below the apex: 0 at the apex, no root octet */
    uint8_t flags;        /* NODE_* */
};

enum node_flag {
    NODE_CUT = 1 << 0,            /* delegation point below the apex */
    NODE_DNAME = 1 << 1,          /* has a DNAME RRset */
    NODE_CNAME = 1 << 2,          /* has a CNAME RRset */
    NODE_WILDCARD_CHILD = 1 << 3, /* the name `*` directly below it is a node */
    NODE_WILDCARD = 1 << 4,       /* its leftmost label is `*` */
    NODE_PROOFS = 1 << 5,         /* struct table_proofs follows: the zone has an NSEC3 chain */
    NODE_OCCLUDED = 1 << 6,       /* only transferred; has no other flag but NODE_WILDCARD */
    NODE_EMBEDDED = 1 << 7,       /* addresses that are stored with their cut's NS RRset as well */
};

/* What the compiler knows of a name's NSEC3 proofs (RFC 5155 §7.2), so that an answer has to hash
 * one name at most: the next closer name, where that does not exist. */
struct table_proofs {
    uint32_t match; /* ref: NSEC3 node that matches this name; 0: none (opt-out, no RR to sign) */
    uint32_t cover; /* ref: NSEC3 node that covers, if match, the name `*` directly below this one
                       (0 if that name exists); else this name itself. Never are both 0 */
};

/* NSEC index: nodes with an NSEC RRset in canonical order (RFC 4034 §6.1). A key is the label just
 * below the apex, lower case, its first 8 octets as a big-endian number, zero-filled; 0 for the
 * apex. Keys ascend; names with equal keys are told apart by comparing the whole.
 * NSEC3 index: the NSEC3 RRs of the served chain, by hash. A key is the first 8 octets of the hash
 * (decoded from base32hex) as a big-endian number. Node owner: the base32hex label, lower case. */

struct table_rrset {
    uint16_t type;
    uint16_t count;    /* RRs; 0 if the RRset cannot be sent in a message of 65,535 octets: TC */
    uint16_t length;   /* octets of the RRs */
    uint16_t pointers; /* low 14 bits: pointers in the list; RRSET_* flags above */
};

enum {
    RRSET_POINTERS = 0x3FFF,
    RRSET_SIGNED = 1 << 14,     /* struct table_signatures follows */
    RRSET_ADDITIONAL = 1 << 15, /* struct table_additional follows (that one) */
};

struct table_signatures {
    uint16_t count;
    uint16_t length;
};

struct table_additional {
    uint16_t glue_count;  /* A and AAAA RRs of in-domain glue, each with the owner pointer that
                             fragment.h describes: the cut itself, or a name in the NS RRs */
    uint16_t glue_length; /* octets */
    uint16_t targets;
    uint16_t reserved;
};

/* A name in the RRset's RDATA whose A and AAAA RRsets are in this zone (MX, NS, SRV,
 * SVCB, HTTPS ...). */
struct table_target {
    uint16_t owner;   /* a pointer as in fragment.h, host order: where the target's name stands. 0
                         if it cannot be named by a pointer: then write it out */
    uint16_t node[2]; /* ref, low half first (keeps this at 2-octet alignment) */
};

static_assert(sizeof(struct table_header) == 80, "table_header");
static_assert(sizeof(struct table_zone) == 16, "table_zone");
static_assert(sizeof(struct table_section) == 96, "table_section");
static_assert(sizeof(struct table_source) == 48, "table_source");
static_assert(sizeof(struct table_slot) == 8, "table_slot");
static_assert(sizeof(struct table_node) == 4, "table_node");
static_assert(sizeof(struct table_proofs) == 8, "table_proofs");
static_assert(sizeof(struct table_rrset) == 8, "table_rrset");
static_assert(sizeof(struct table_signatures) == 4, "table_signatures");
static_assert(sizeof(struct table_additional) == 8, "table_additional");
static_assert(sizeof(struct table_target) == 6, "table_target");

#endif
