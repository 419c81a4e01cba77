#include "queries.h"

#include "message/codes.h"

#include <stdlib.h>
#include <string.h>

enum { TYPE_UNKNOWN = 65432, TYPES_MAX = 64 };

/* Asked of every owner, whatever it has. */
static const uint16_t usual_types[] = {
    TYPE_A,    TYPE_NS,    TYPE_CNAME, TYPE_SOA,    TYPE_MX,    TYPE_TXT,        TYPE_AAAA,
    TYPE_SRV,  TYPE_DNAME, TYPE_DS,    TYPE_RRSIG,  TYPE_NSEC,  TYPE_DNSKEY,     TYPE_NSEC3,
    TYPE_SVCB, TYPE_HTTPS, TYPE_ANY,   TYPE_UNKNOWN, TYPE_NSEC3PARAM,
};

/* Of which names that are not owners get two in turn, besides A and DS. */
static const uint16_t turn_types[] = {
    TYPE_CNAME, TYPE_NS, TYPE_TXT, TYPE_ANY, TYPE_NSEC, TYPE_DNAME, TYPE_SOA, TYPE_UNKNOWN,
    TYPE_RRSIG, TYPE_MX, TYPE_NSEC3,
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* How a question is put. Every name and type is asked in the first two ways and one more in
 * turn. */
static const struct manner {
    bool edns, dnssec_ok, tcp, mixed_case, recursion_desired;
    uint16_t payload;
} manners[] = {
    { .edns = false },
    { .edns = true, .dnssec_ok = true, .payload = 4096 },
    { .edns = true, .payload = 512 },
    { .edns = true, .dnssec_ok = true, .payload = 512 },
    { .tcp = true },
    { .edns = true, .payload = 1232, .mixed_case = true },
    { .edns = true, .dnssec_ok = true, .payload = 1232, .mixed_case = true },
    { .edns = true, .dnssec_ok = true, .payload = 4096, .tcp = true },
    { .edns = true, .payload = 700, .recursion_desired = true },
    { .edns = true, .dnssec_ok = true, .payload = 1000 },
    { .edns = false, .mixed_case = true },
};

enum { MANNERS_ALWAYS = 2 };

/* Where the questions of one zone go: counted first, then sampled. */
struct generator {
    struct query_list *list; /* NULL: only count */
    size_t seen;
    size_t expected, limit;  /* keep about `limit` of `expected` */
    unsigned turn;           /* which manner and which types are next */
};

struct query *queries_add(struct query_list *list, size_t length)
{
    struct query *query;

    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 256;
        list->items = realloc(list->items, list->room * sizeof *list->items);
    }
    query = &list->items[list->count];
    *query = (struct query){ .wire = calloc(1, length < 12 ? 12 : length),
                             .length = (uint16_t)length };
    query->wire[0] = (uint8_t)(list->count >> 8);
    query->wire[1] = (uint8_t)list->count;
    list->count++;
    return query;
}

void queries_free(struct query_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].wire);
    free(list->items);
    *list = (struct query_list){ .items = NULL };
}

/* Upper case for about half of the letters, the same ones on every run. */
static void mix_case(uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (octets[i] >= 'a' && octets[i] <= 'z' && (i * 2654435761u >> 7 & 1))
            octets[i] = (uint8_t)(octets[i] - 'a' + 'A');
}

static uint16_t reply_max(const struct manner *manner)
{
    if (manner->tcp)
        return 65535;
    if (!manner->edns || manner->payload < 512)
        return 512;
    return manner->payload < QUERIES_UDP_PAYLOAD ? manner->payload : QUERIES_UDP_PAYLOAD;
}

static void write_question(struct query *query, const struct name *qname,
                           const struct manner *manner)
{
    uint8_t *end = query->wire + 12;

    query->wire[2] = manner->recursion_desired;
    query->wire[5] = 1;
    memcpy(end, qname->octets, qname->length);
    if (manner->mixed_case)
        mix_case(end, qname->length);
    end += qname->length;
    *end++ = (uint8_t)(query->qtype >> 8);
    *end++ = (uint8_t)query->qtype;
    *end++ = (uint8_t)(query->qclass >> 8);
    *end++ = (uint8_t)query->qclass;
    if (manner->edns) {
        const uint8_t opt[11] = { 0, 0, TYPE_OPT, (uint8_t)(manner->payload >> 8),
                                  (uint8_t)manner->payload, 0, 0,
                                  manner->dnssec_ok ? 0x80 : 0 };

        query->wire[11] = 1;
        memcpy(end, opt, sizeof opt);
    }
}

static bool generator_keeps(struct generator *generator)
{
    /* Knuth's multiplicative hash spreads consecutive numbers evenly */
    size_t scattered = generator->seen++ * 2654435761u & 0xffffffff;

    if (!generator->list || generator->list->count >= QUERIES_MAX)
        return false;
    return generator->expected <= generator->limit
           || scattered % generator->expected < generator->limit;
}

static void ask_in_manner(struct generator *generator, const struct name *qname, uint16_t qtype,
                          const struct manner *manner)
{
    struct query *query;

    if (!generator_keeps(generator))
        return;
    query = queries_add(generator->list, 12u + qname->length + 4u + (manner->edns ? 11u : 0u));
    query->qname = *qname;
    query->qtype = qtype;
    query->qclass = CLASS_IN;
    query->tcp = manner->tcp;
    query->edns = manner->edns;
    query->dnssec_ok = manner->dnssec_ok;
    query->reply_max = reply_max(manner);
    write_question(query, qname, manner);
}

static void ask(struct generator *generator, const struct name *qname, uint16_t qtype)
{
    unsigned more = MANNERS_ALWAYS + generator->turn++ % (COUNT(manners) - MANNERS_ALWAYS);

    for (size_t i = 0; i < MANNERS_ALWAYS; i++)
        ask_in_manner(generator, qname, qtype, &manners[i]);
    ask_in_manner(generator, qname, qtype, &manners[more]);
}

static void ask_derived(struct generator *generator, const struct name *qname, uint16_t likely)
{
    ask(generator, qname, TYPE_A);
    ask(generator, qname, TYPE_DS);
    ask(generator, qname, turn_types[generator->turn % COUNT(turn_types)]);
    ask(generator, qname, turn_types[(generator->turn / 3 + 5) % COUNT(turn_types)]);
    if (likely != TYPE_A && likely != TYPE_DS)
        ask(generator, qname, likely);
}

/* `label` put before `parent`, of whose labels the first `skip` are left out. */
static bool prepend(struct name *child, const uint8_t *label, size_t length,
                    const struct name *parent, unsigned skip)
{
    uint8_t wire[1 + NAME_LABEL_OCTETS_MAX + NAME_OCTETS_MAX];
    unsigned rest = name_suffix_length(parent, skip);

    if (length == 0 || length > NAME_LABEL_OCTETS_MAX || 1 + length + rest > NAME_OCTETS_MAX)
        return false;
    wire[0] = (uint8_t)length;
    memcpy(wire + 1, label, length);
    memcpy(wire + 1 + length, name_suffix(parent, skip), rest);
    return name_read(child, wire, 1 + length + rest) != 0;
}

static void ask_prepended(struct generator *generator, const char *label, size_t length,
                          const struct name *parent, unsigned skip, uint16_t likely)
{
    struct name child;

    if (prepend(&child, (const uint8_t *)label, length, parent, skip))
        ask_derived(generator, &child, likely);
}

static void ask_below(struct generator *generator, const struct name *owner, uint16_t likely)
{
    struct name child, grandchild;

    ask_prepended(generator, "*", 1, owner, 0, likely);
    ask_prepended(generator, "\0", 1, owner, 0, likely);
    if (!prepend(&child, (const uint8_t *)"below", 5, owner, 0))
        return;
    ask_derived(generator, &child, likely);
    if (prepend(&grandchild, (const uint8_t *)"far", 3, &child, 0))
        ask_derived(generator, &grandchild, likely);
}

/* The neighbours in canonical order: the owner's first label a little greater and a little less. */
static void ask_next_to(struct generator *generator, const struct name *owner, uint16_t likely)
{
    char label[NAME_LABEL_OCTETS_MAX + 1];
    size_t length = owner->octets[0];

    memcpy(label, owner->octets + 1, length);
    label[length] = '\0';
    ask_prepended(generator, label, length + 1, owner, 1, likely);
    if (label[length - 1] > '\0') {
        label[length - 1]--;
        ask_prepended(generator, label, length, owner, 1, likely);
    }
}

static void ask_beside(struct generator *generator, const struct name *owner, uint16_t likely)
{
    struct name sibling, nephew;

    ask_prepended(generator, "*", 1, owner, 1, likely);
    if (!prepend(&sibling, (const uint8_t *)"beside", 6, owner, 1))
        return;
    ask_derived(generator, &sibling, likely);
    if (prepend(&nephew, (const uint8_t *)"x", 1, &sibling, 0))
        ask_derived(generator, &nephew, likely);
    if (prepend(&nephew, (const uint8_t *)"*", 1, &sibling, 0))
        ask_derived(generator, &nephew, likely);
}

static void ask_around(struct generator *generator, const struct name *owner,
                       const struct name *apex, uint16_t likely)
{
    ask_below(generator, owner, likely);
    if (owner->length > apex->length) {
        ask_next_to(generator, owner, likely);
        ask_beside(generator, owner, likely);
    }
}

struct owner {
    struct name name;
    uint16_t types[TYPES_MAX]; /* empty: not an owner, but named in RDATA, or an ancestor */
    size_t type_count;
};

struct owner_list {
    struct owner *items;
    size_t count, room;
};

static int compare_owners(const void *left, const void *right)
{
    const struct owner *a = left, *b = right;

    return name_compare(&a->name, &b->name);
}

static void owner_add(struct owner_list *owners, const struct name *name, uint16_t type)
{
    struct owner *owner;

    if (owners->count == owners->room) {
        owners->room = owners->room ? 2 * owners->room : 64;
        owners->items = realloc(owners->items, owners->room * sizeof *owners->items);
    }
    owner = &owners->items[owners->count++];
    owner->name = *name;
    owner->types[0] = type;
    owner->type_count = type != 0;
}

static void merge_types(struct owner *into, const struct owner *from)
{
    for (size_t i = 0; i < from->type_count; i++) {
        bool known = false;

        for (size_t j = 0; j < into->type_count; j++)
            known = known || into->types[j] == from->types[i];
        if (!known && into->type_count < TYPES_MAX)
            into->types[into->type_count++] = from->types[i];
    }
}

static void unite_equal(struct owner_list *owners)
{
    size_t kept = 0;

    if (owners->count == 0)
        return;
    qsort(owners->items, owners->count, sizeof *owners->items, compare_owners);
    for (size_t i = 1; i < owners->count; i++) {
        if (name_compare(&owners->items[kept].name, &owners->items[i].name) == 0)
            merge_types(&owners->items[kept], &owners->items[i]);
        else
            owners->items[++kept] = owners->items[i];
    }
    owners->count = kept + 1;
}

/* The names strictly between an owner and the apex: empty non-terminals, unless owners
 * themselves. */
static void add_ancestors(struct owner_list *owners, const struct name *owner,
                          const struct name *apex)
{
    for (unsigned skip = 1; name_suffix_length(owner, skip) > apex->length; skip++) {
        struct name ancestor;

        name_read(&ancestor, name_suffix(owner, skip), name_suffix_length(owner, skip));
        owner_add(owners, &ancestor, 0);
    }
}

static void gather_owners(struct owner_list *owners, const struct zone *zone)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        struct name owner = zones_name(ldns_rr_owner(record));

        owner_add(owners, &owner, (uint16_t)ldns_rr_get_type(record));
        if (name_is_within(&owner, &zone->origin))
            add_ancestors(owners, &owner, &zone->origin);
        for (size_t j = 0; j < ldns_rr_rd_count(record); j++) {
            const ldns_rdf *field = ldns_rr_rdf(record, j);

            if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME) {
                struct name target = zones_name(field);

                owner_add(owners, &target, 0);
            }
        }
    }
    unite_equal(owners);
}

static void ask_owner(struct generator *generator, const struct owner *owner)
{
    for (size_t i = 0; i < COUNT(usual_types); i++)
        ask(generator, &owner->name, usual_types[i]);
    for (size_t i = 0; i < owner->type_count; i++) {
        bool usual = false;

        for (size_t j = 0; j < COUNT(usual_types); j++)
            usual = usual || usual_types[j] == owner->types[i];
        if (!usual)
            ask(generator, &owner->name, owner->types[i]);
    }
}

/* NSEC3 owners are no names one asks for, but each must be denied like any other. */
static bool is_only_nsec3(const struct owner *owner)
{
    for (size_t i = 0; i < owner->type_count; i++)
        if (owner->types[i] != TYPE_NSEC3 && owner->types[i] != TYPE_RRSIG)
            return false;
    return owner->type_count > 0;
}

static void ask_above(struct generator *generator, const struct name *apex)
{
    for (unsigned skip = 1; skip <= apex->labels; skip++) {
        struct name ancestor;

        name_read(&ancestor, name_suffix(apex, skip), name_suffix_length(apex, skip));
        ask(generator, &ancestor, TYPE_SOA);
        ask(generator, &ancestor, TYPE_DS);
    }
}

static void ask_everything(struct generator *generator, const struct zone *zone,
                           const struct owner_list *owners)
{
    generator->seen = 0;
    generator->turn = 0;
    ask_above(generator, &zone->origin);
    for (size_t i = 0; i < owners->count; i++) {
        const struct owner *owner = &owners->items[i];
        uint16_t likely = owner->type_count ? owner->types[0] : TYPE_A;

        if (is_only_nsec3(owner)) {
            ask_derived(generator, &owner->name, TYPE_NSEC3);
            ask_prepended(generator, "below", 5, &owner->name, 0, TYPE_NSEC3);
            continue;
        }
        ask_owner(generator, owner);
        if (name_is_within(&owner->name, &zone->origin))
            ask_around(generator, &owner->name, &zone->origin, likely);
    }
}

void queries_generate(struct query_list *list, const struct zone *zone, size_t limit)
{
    struct owner_list owners = { .items = NULL };
    struct generator generator = { .list = NULL, .limit = limit };

    gather_owners(&owners, zone);
    ask_everything(&generator, zone, &owners);
    generator.expected = generator.seen;
    generator.list = list;
    ask_everything(&generator, zone, &owners);
    free(owners.items);
}
