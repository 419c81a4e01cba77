#include "image.h"

#include "message/codes.h"
#include "table/hash.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* --- what is in it ---------------------------------------------------------------------------- */

enum { POINTERS_MAX = 8, TARGETS_MAX = 2, RRSETS_MAX = 4, NODES_MAX = IMAGE_NODES_MAX };

struct run {
    const char *octets;
    uint16_t length;
    uint16_t count;
};

struct rrset_data {
    uint16_t type;
    struct run rrs;
    uint16_t pointers[POINTERS_MAX];
    uint16_t pointer_count;
    struct run signatures;
    struct run glue;
    struct {
        uint16_t owner;
        const char *node;
    } targets[TARGETS_MAX];
    uint16_t target_count;
};

struct node_data {
    const char *owner; /* wire form below the apex, without the root's octet */
    uint8_t flags;
    bool outside;             /* of the slots */
    const char *match, *cover; /* owners of NSEC3 nodes */
    uint16_t rrset_count;
    struct rrset_data rrsets[RRSETS_MAX];
};

struct zone_data {
    const char *apex;
    const struct node_data *nodes;
    size_t node_count;
    const struct rrset_data *negative_soa;
    const char *nsec[NODES_MAX]; /* owners in canonical order */
    uint32_t nsec_count;
    const char *nsec3[NODES_MAX];
    uint64_t nsec3_keys[NODES_MAX];
    uint32_t nsec3_count;
    const char *salt;
};

#define RUN(number, literal) {.octets = (literal), .length = sizeof(literal) - 1, .count = (number)}
#define RR(type, rdlength) "\xc0\x0c\0" type "\0\1\0\0\0\x3c\0" rdlength
#define SOA_NUMBERS "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
#define SIGNED(type)                                                                               \
    RUN(1, RR("\x2e", "\x1f") "\0" type                                                            \
           "\x0f\2\0\0\0\x3c\x77\x35\x94\0\x59\x68\x2f\0\x12\x34\7example\0sig!")
#define ADDRESS                                                                                    \
    {                                                                                              \
        .type = TYPE_A, .rrs = RUN(1, RR("\1", "\4") "\xc0\0\2\1"), .pointer_count = 1,            \
        .signatures = SIGNED("\1")                                                                 \
    }
#define NEXT_SECURE                                                                                \
    {                                                                                              \
        .type = TYPE_NSEC, .rrs = RUN(1, RR("\x2f", "\x0e") "\1*\7example\0\0\1\2"),               \
        .pointer_count = 1, .signatures = SIGNED("\x2f")                                           \
    }

#define HASH_A "\40" "0a0000000000000000000000000000aa"
#define HASH_B "\40" "v00000000000000000000000000000bb"
#define NEXT_HASHED                                                                                \
    {                                                                                              \
        .type = TYPE_NSEC3,                                                                        \
        .rrs = RUN(1, RR("\x32", "\x1f") "\1\1\0\1\2\xab\xcd\x14"                                  \
                      "01234567890123456789\0\1\2"),                                               \
        .pointer_count = 1, .signatures = SIGNED("\x32")                                           \
    }

/* Fragments of an owner of n octets begin, for pointers, at octet 12 + n + 4. The apex has 9
 * octets. */
#define EXAMPLE_SOA                                                                                \
    {                                                                                              \
        .type = TYPE_SOA,                                                                          \
        .rrs = RUN(1, RR("\6", "\x1d") "\2ns\xc0\x0c\1h\xc0\x0c" SOA_NUMBERS),                     \
        .pointers = {0, 15, 19}, .pointer_count = 3, .signatures = SIGNED("\6")                    \
    }

static const struct rrset_data example_soa = EXAMPLE_SOA;

static const struct node_data example_nodes[] = {
    {.owner = "",
     .flags = NODE_PROOFS | NODE_WILDCARD_CHILD,
     .match = HASH_A,
     .rrset_count = 3,
     .rrsets = {{.type = TYPE_NS,
                 .rrs = RUN(2, RR("\2", "\5") "\2ns\xc0\x0c" RR("\2", "\4") "\1x\xc0\x25"),
                 .pointers = {0, 15, 17, 31},
                 .pointer_count = 4,
                 .signatures = SIGNED("\2"),
                 .targets = {{.owner = 0xc025, .node = "\2ns"}, {.owner = 0, .node = "\1d"}},
                 .target_count = 2},
                EXAMPLE_SOA,
                NEXT_SECURE}},
    {.owner = "\2ns",
     .flags = NODE_PROOFS,
     .match = HASH_B,
     .cover = HASH_A,
     .rrset_count = 2,
     .rrsets = {ADDRESS, NEXT_SECURE}},
    /* an empty non-terminal, and the name that makes it one */
    {.owner = "\3ent", .flags = NODE_PROOFS, .match = HASH_A, .cover = HASH_B},
    {.owner = "\1b\3ent",
     .flags = NODE_PROOFS | NODE_CNAME,
     .cover = HASH_B,
     .rrset_count = 1,
     .rrsets = {{.type = TYPE_CNAME,
                 .rrs = RUN(1, RR("\5", "\5") "\2ns\xc0\x12"),
                 .pointers = {0, 15},
                 .pointer_count = 2}}},
    {.owner = "\1*",
     .flags = NODE_PROOFS | NODE_WILDCARD,
     .match = HASH_B,
     .cover = HASH_B,
     .rrset_count = 1,
     .rrsets = {{.type = TYPE_MX,
                 .rrs = RUN(2, RR("\xf", "\x7") "\0\x0a\2ns\xc0\x0e" RR("\xf", "\4")
                                   "\0\x14\xc0\x29"),
                 .pointers = {0, 17, 19, 33},
                 .pointer_count = 4,
                 .targets = {{.owner = 0xc029, .node = "\2ns"}},
                 .target_count = 1}}},
    /* a zone cut with glue below it and at it */
    {.owner = "\3cut",
     .flags = NODE_PROOFS | NODE_CUT,
     .match = HASH_A,
     .cover = HASH_A,
     .rrset_count = 1,
     .rrsets = {{.type = TYPE_NS,
                 .rrs = RUN(2, RR("\2", "\2") "\xc0\x0c" RR("\2", "\5") "\2ns\xc0\x0c"),
                 .pointers = {0, 12, 14, 29},
                 .pointer_count = 4,
                 .glue = RUN(2, RR("\1", "\4") "\xc0\0\2\1"
                                    "\xc0\x37\0\x1c\0\1\0\0\0\x3c\0\x10"
                                    "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1")}}},
    {.owner = "\1d",
     .flags = NODE_PROOFS | NODE_DNAME,
     .match = HASH_A,
     .cover = HASH_A,
     .rrset_count = 1,
     .rrsets = {{.type = TYPE_DNAME,
                 .rrs = RUN(1, RR("\x27", "\5") "\3net\0"),
                 .pointer_count = 1}}},
    /* two names in one RR; and an RRset that is too large to be sent */
    {.owner = "\3big",
     .flags = NODE_PROOFS,
     .match = HASH_A,
     .cover = HASH_A,
     .rrset_count = 3,
     .rrsets = {ADDRESS,
                {.type = TYPE_MINFO,
                 .rrs = RUN(1, RR("\xe", "\x8") "\1a\xc0\x10\1b\xc0\x29"),
                 .pointers = {0, 14, 18},
                 .pointer_count = 3},
                {.type = TYPE_TXT}}},
    /* a zone cut whose NS are too many to be sent */
    {.owner = "\4many",
     .flags = NODE_PROOFS | NODE_CUT,
     .match = HASH_A,
     .cover = HASH_A,
     .rrset_count = 1,
     .rrsets = {{.type = TYPE_NS}}},
    {.owner = "\4glue\3cut", .outside = true, .rrset_count = 1, .rrsets = {ADDRESS}},
    {.owner = HASH_A, .outside = true, .rrset_count = 1, .rrsets = {NEXT_HASHED}},
    {.owner = HASH_B, .outside = true, .rrset_count = 1, .rrsets = {NEXT_HASHED}},
};

#define ROOT_SOA                                                                                   \
    {                                                                                              \
        .type = TYPE_SOA, .rrs = RUN(1, RR("\6", "\x18") "\1a\0\0" SOA_NUMBERS),                   \
        .pointer_count = 1                                                                         \
    }

static const struct rrset_data root_soa = ROOT_SOA;
static const struct node_data root_nodes[] = {
    {.owner = "", .rrset_count = 1, .rrsets = {ROOT_SOA}}};

static const struct zone_data zones[] = {
    {.apex = "\7example",
     .nodes = example_nodes,
     .node_count = COUNT_OF(example_nodes),
     .negative_soa = &example_soa,
     .nsec = {"", "\2ns"},
     .nsec_count = 2,
     .nsec3 = {HASH_A, HASH_B},
     .nsec3_keys = {UINT64_C(0x0280000000000000), UINT64_C(0xf800000000000000)},
     .nsec3_count = 2,
     .salt = "\xab\xcd"},
    {.apex = "",
     .nodes = root_nodes,
     .node_count = COUNT_OF(root_nodes),
     .negative_soa = &root_soa,
     .salt = ""},
};

/* --- how it is written ------------------------------------------------------------------------ */

enum { SEED = 99, SOURCE_PATH_LENGTH = 5 };

/* A section being written. It is written twice: refs are those that the first time has found
 * out. */
struct writing {
    uint8_t *octets;
    size_t length;
    size_t room;
    size_t start; /* of the section */
    const struct zone_data *zone;
    uint32_t refs[NODES_MAX];
};

static void *put(struct writing *w, const void *octets, size_t length)
{
    if (w->length + length > w->room) {
        w->room = 2 * (w->length + length);
        w->octets = realloc(w->octets, w->room);
        assert_non_null(w->octets);
    }
    void *at = w->octets + w->length;
    if (length > 0)
        memcpy(at, octets, length);
    w->length += length;
    return at;
}

static void pad(struct writing *w, size_t multiple)
{
    static const uint8_t zeros[TABLE_UNIT];
    size_t over = (w->length - w->start) % multiple;

    if (over != 0)
        put(w, zeros, multiple - over);
}

static uint32_t next_ref(struct writing *w)
{
    pad(w, TABLE_UNIT);
    return (uint32_t)((w->length - w->start) / TABLE_UNIT);
}

static uint32_t ref_of(const struct writing *w, const char *owner)
{
    for (size_t i = 0; i < w->zone->node_count; i++)
        if (owner != NULL && strcmp(w->zone->nodes[i].owner, owner) == 0)
            return w->refs[i];
    return 0;
}

static void put_run(struct writing *w, const struct run *run)
{
    put(w, run->octets, run->length);
    pad(w, 2);
}

static void put_rrset(struct writing *w, const struct rrset_data *data)
{
    bool additional = data->target_count > 0 || data->glue.count > 0;
    struct table_rrset head = {
        .type = data->type,
        .count = data->rrs.count,
        .length = data->rrs.length,
        .pointers = (uint16_t)(data->pointer_count |
                               (data->signatures.count > 0 ? RRSET_SIGNED : 0) |
                               (additional ? RRSET_ADDITIONAL : 0)),
    };

    put(w, &head, sizeof head);
    if (data->signatures.count > 0)
        put(w,
            &(struct table_signatures){.count = data->signatures.count,
                                       .length = data->signatures.length},
            sizeof(struct table_signatures));
    if (additional)
        put(w,
            &(struct table_additional){.glue_count = data->glue.count,
                                       .glue_length = data->glue.length,
                                       .targets = data->target_count},
            sizeof(struct table_additional));
    put(w, data->pointers, data->pointer_count * sizeof data->pointers[0]);
    put_run(w, &data->rrs);
    put_run(w, &data->signatures);
    put_run(w, &data->glue);
    for (unsigned i = 0; i < data->target_count; i++) {
        uint32_t ref = ref_of(w, data->targets[i].node);
        struct table_target target = {.owner = data->targets[i].owner,
                                      .node = {(uint16_t)ref, (uint16_t)(ref >> 16)}};
        put(w, &target, sizeof target);
    }
}

static void put_node(struct writing *w, const struct node_data *data)
{
    struct table_node node = {.rrset_count = data->rrset_count,
                              .owner_length = (uint8_t)strlen(data->owner),
                              .flags = data->flags};
    struct table_proofs proofs = {.match = ref_of(w, data->match),
                                  .cover = ref_of(w, data->cover)};

    put(w, &node, sizeof node);
    if (data->flags & NODE_PROOFS)
        put(w, &proofs, sizeof proofs);
    put(w, data->owner, node.owner_length);
    pad(w, 2);
    for (unsigned i = 0; i < data->rrset_count; i++)
        put_rrset(w, &data->rrsets[i]);
    pad(w, TABLE_UNIT);
}

static uint64_t hash_of(const struct zone_data *zone, const char *owner)
{
    uint8_t wire[NAME_OCTETS_MAX];
    uint64_t hashes[NAME_LABELS_MAX + 1];
    struct name name;
    size_t length = strlen(owner);

    memcpy(wire, owner, length);
    strcpy((char *)wire + length, zone->apex);
    assert_true(name_read(&name, wire, length + strlen(zone->apex) + 1) > 0);
    hash_name(&name, SEED, hashes);
    return hashes[name.labels];
}

static uint32_t put_slots(struct writing *w, uint32_t *slot_count, uint32_t *node_count)
{
    struct table_slot slots[2 * NODES_MAX] = {{0}};

    *slot_count = COUNT_OF(slots);
    *node_count = 0;
    for (size_t i = 0; i < w->zone->node_count; i++) {
        if (w->zone->nodes[i].outside)
            continue;
        uint64_t hash = hash_of(w->zone, w->zone->nodes[i].owner);
        uint32_t at = hash_slot(hash, *slot_count);
        while (slots[at].tag != 0)
            at = (at + 1) % *slot_count;
        slots[at] = (struct table_slot){.tag = hash_tag(hash), .node = w->refs[i]};
        ++*node_count;
    }
    uint32_t ref = next_ref(w);
    put(w, slots, sizeof slots);
    return ref;
}

static uint32_t put_index(struct writing *w, const char *const *owners, uint32_t count)
{
    uint32_t ref = next_ref(w);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t node = ref_of(w, owners[i]);
        put(w, &node, sizeof node);
    }
    return ref;
}

static uint32_t put_octets(struct writing *w, const void *octets, size_t length)
{
    uint32_t ref = next_ref(w);

    put(w, octets, length);
    return ref;
}

static void put_nodes(struct writing *w)
{
    for (size_t i = 0; i < w->zone->node_count; i++) {
        static const uint8_t filler[TABLE_UNIT];
        w->refs[i] = next_ref(w);
        put_node(w, &w->zone->nodes[i]);
        if (i == 1)
            put(w, filler, sizeof filler);
    }
}

/* As layout.h defines the key of an NSEC index, for owners of one label. */
static uint64_t nsec_key(const char *owner)
{
    uint64_t key = 0;

    for (size_t i = 0; i < sizeof key; i++)
        key = key << 8 | (i + 1 < strlen(owner) ? (uint8_t)owner[i + 1] : 0);
    return key;
}

static void write_section(struct writing *w)
{
    const struct zone_data *zone = w->zone;
    struct table_section section = {
        .apex_hash = hash_of(zone, ""),
        .nsec_count = zone->nsec_count,
        .nsec3_count = zone->nsec3_count,
        .nsec3_iterations = 1,
        .nsec3_salt_length = (uint8_t)strlen(zone->salt),
        .source_count = 1,
        .deepest = 2,
        .apex_labels = zone->apex[0] != '\0',
        .apex_length = (uint8_t)(strlen(zone->apex) + 1),
    };
    struct table_source source = {.path_length = SOURCE_PATH_LENGTH};
    uint64_t keys[NODES_MAX];

    for (uint32_t i = 0; i < zone->nsec_count; i++)
        keys[i] = nsec_key(zone->nsec[i]);
    put(w, &section, sizeof section);
    section.apex_name = put_octets(w, zone->apex, section.apex_length);
    section.nsec3_salt = put_octets(w, zone->salt, section.nsec3_salt_length);
    section.sources = put_octets(w, &source, sizeof source);
    put(w, "a.zon", SOURCE_PATH_LENGTH);
    section.slots = put_slots(w, &section.slot_count, &section.node_count);
    if (zone->nsec_count > 0) {
        section.nsec_keys = put_octets(w, keys, zone->nsec_count * sizeof keys[0]);
        section.nsec_nodes = put_index(w, zone->nsec, zone->nsec_count);
    }
    if (zone->nsec3_count > 0) {
        section.nsec3_keys =
            put_octets(w, zone->nsec3_keys, zone->nsec3_count * sizeof zone->nsec3_keys[0]);
        section.nsec3_nodes = put_index(w, zone->nsec3, zone->nsec3_count);
    }
    section.negative_soa = next_ref(w);
    put_rrset(w, zone->negative_soa);
    section.nodes = next_ref(w);
    put_nodes(w);
    section.apex = w->refs[0];
    section.length = w->length - w->start;
    memcpy(w->octets + w->start, &section, sizeof section);
}

static void write_zone(struct writing *w, const struct zone_data *zone)
{
    w->zone = zone;
    w->start = w->length;
    memset(w->refs, 0, sizeof w->refs);
    write_section(w);
    w->length = w->start;
    write_section(w);
}

void image_mend(struct image *image)
{
    struct table_header *header = (void *)image->octets;
    size_t from = offsetof(struct table_header, seed);

    header->checksum = XXH3_64bits(image->octets + from, image->length - from);
}

void image_make(struct image *image)
{
    struct table_zone directory[COUNT_OF(zones) + 1] = {{0}};
    struct table_header header = {
        .magic = TABLE_MAGIC,
        .byte_order = TABLE_BYTE_ORDER,
        .version = TABLE_VERSION,
        .seed = SEED,
        .generation = 1,
        .depths = {3, 0},
        .directory = sizeof header,
        .directory_slots = COUNT_OF(directory),
        .zone_count = COUNT_OF(zones),
    };
    struct writing w = {0};

    put(&w, &header, sizeof header);
    put(&w, directory, sizeof directory);
    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        uint64_t hash = hash_of(&zones[i], "");
        uint32_t at = hash_slot(hash, COUNT_OF(directory));
        while (directory[at].section != 0)
            at = (at + 1) % (uint32_t)COUNT_OF(directory);
        directory[at] = (struct table_zone){.hash = hash, .section = w.length};
        write_zone(&w, &zones[i]);
        if (zones[i].nodes == example_nodes) {
            image->section = w.start;
            memcpy(image->refs, w.refs, sizeof w.refs);
        }
    }
    header.length = w.length;
    memcpy(w.octets, &header, sizeof header);
    memcpy(w.octets + sizeof header, directory, sizeof directory);
    image->octets = realloc(w.octets, w.length);
    image->length = w.length;
    assert_non_null(image->octets);
    image_mend(image);
}

void image_copy(struct image *copy, const struct image *image)
{
    *copy = *image;
    copy->octets = malloc(image->length);
    assert_non_null(copy->octets);
    memcpy(copy->octets, image->octets, image->length);
}

struct table image_open(const struct image *image)
{
    struct table table;
    const char *reason = table_open(&table, image->octets, image->length);

    if (reason != NULL)
        fail_msg("a sound table is refused: %s", reason);
    return table;
}

void image_free(struct image *image)
{
    free(image->octets);
}

struct table_section *image_section(const struct image *image)
{
    return (void *)(image->octets + image->section);
}

struct table_node *image_node(const struct image *image, const char *owner)
{
    for (size_t i = 0; i < COUNT_OF(example_nodes); i++)
        if (strcmp(example_nodes[i].owner, owner) == 0)
            return (void *)(image->octets + image->section +
                            (size_t)image->refs[i] * TABLE_UNIT);
    fail_msg("the image has no such node");
    return NULL;
}

uint8_t *image_octets(const struct image *image, const void *found)
{
    return image->octets + ((const uint8_t *)found - image->octets);
}
