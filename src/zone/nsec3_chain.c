#include "zone/nsec3_chain.h"

#include "message/codes.h"
#include "message/wire.h"
#include "zone/memory.h"
#include "zone/presentation.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- hashing -------------------------------------------------------------- */

struct digest {
    EVP_MD *md; /* fetched once: looking the algorithm up costs more than hashing a name */
    pthread_key_t contexts; /* one for each thread that hashes, freed with it */
};

static struct digest digest_of_all;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void fetch_digest(void)
{
    if (pthread_key_create(&digest_of_all.contexts, free_context) == 0)
        digest_of_all.md = EVP_MD_fetch(NULL, "SHA1", NULL);
}

static const struct digest *sha1(void)
{
    static pthread_once_t fetched = PTHREAD_ONCE_INIT;

    pthread_once(&fetched, fetch_digest);
    return digest_of_all.md != NULL ? &digest_of_all : NULL;
}

static EVP_MD_CTX *context_of_thread(const struct digest *digest)
{
    EVP_MD_CTX *context = pthread_getspecific(digest->contexts);

    if (context != NULL)
        return context;
    context = EVP_MD_CTX_new();
    if (context == NULL || pthread_setspecific(digest->contexts, context) != 0)
        memory_exhausted();
    return context;
}

static void hash_once(const struct digest *digest, const struct nsec3_chain *chain,
                      const uint8_t *octets, size_t length, uint8_t hash[NSEC3_HASH_OCTETS])
{
    EVP_MD_CTX *context = context_of_thread(digest);
    int done = EVP_DigestInit_ex2(context, digest->md, NULL) &&
               EVP_DigestUpdate(context, octets, length) &&
               EVP_DigestUpdate(context, chain->salt, chain->salt_length) &&
               EVP_DigestFinal_ex(context, hash, NULL);
    assert(done);
}

void nsec3_chain_hash(const struct nsec3_chain *chain, const uint8_t *name, size_t length,
                      uint8_t hash[NSEC3_HASH_OCTETS])
{
    const struct digest *digest = sha1();

    hash_once(digest, chain, name, length, hash);
    for (unsigned i = 0; i < chain->iterations; i++)
        hash_once(digest, chain, hash, NSEC3_HASH_OCTETS, hash);
}

uint64_t nsec3_chain_key(const uint8_t hash[NSEC3_HASH_OCTETS])
{
    return (uint64_t)wire_read_u32(hash) << 32 | wire_read_u32(hash + 4);
}

/* --- parameters ------------------------------------------------------------ */

/* The front of an NSEC3 and of an NSEC3PARAM RDATA (§3.2, §4.2). */
struct parameters {
    uint8_t algorithm;
    uint8_t flags;
    uint16_t iterations;
    uint8_t salt_length;
    const uint8_t *salt;
};

static struct parameters parameters_of(const struct zone_record *record)
{
    const uint8_t *rdata = record->rdata;

    return (struct parameters){
        .algorithm = rdata[0],
        .flags = rdata[1],
        .iterations = wire_read_u16(rdata + 2),
        .salt_length = rdata[4],
        .salt = rdata + 5,
    };
}

static bool is_same_chain(const struct parameters *a, const struct parameters *b)
{
    return a->algorithm == b->algorithm && a->iterations == b->iterations &&
           a->salt_length == b->salt_length && memcmp(a->salt, b->salt, a->salt_length) == 0;
}

/* §4.1.2: flags other than 0 say that this chain is being built or taken down. */
static bool is_usable(struct zone *zone, const struct zone_record *record,
                      const struct parameters *parameters)
{
    if (parameters->algorithm != NSEC3_SHA1)
        zone_record_warning(zone, record,
                            "NSEC3PARAM with unknown hash algorithm %u: its chain cannot be used",
                            parameters->algorithm);
    else if (parameters->iterations > NSEC3_ITERATIONS_MAX)
        zone_record_warning(zone, record,
                            "NSEC3PARAM with %u iterations: its chain is not used, the limit is %u",
                            parameters->iterations, NSEC3_ITERATIONS_MAX);
    else
        return parameters->flags == 0;
    return false;
}

/* --- collecting a chain ------------------------------------------------------ */

/* Decodes the hash that is the first label of an NSEC3's owner, which must be directly below the
 * apex. */
static bool hash_of_owner(const struct zone *zone, uint32_t name, uint8_t hash[NSEC3_HASH_OCTETS])
{
    const struct zone_name *owner = &zone->names[name];
    size_t length;

    return owner->parent == ZONE_APEX && owner->wire[0] == NSEC3_LABEL_OCTETS &&
           presentation_base32hex((const char *)owner->wire + 1, NSEC3_LABEL_OCTETS, hash,
                                  NSEC3_HASH_OCTETS, &length) == NULL;
}

static const uint8_t *next_hash(const struct zone *zone, const struct nsec3_entry *entry)
{
    const struct zone_record *record = zone_record_at(zone, entry->record);
    return record->rdata + 5 + record->rdata[4] + 1;
}

static bool has_hash_length(const struct zone_record *record)
{
    return record->rdata[5 + record->rdata[4]] == NSEC3_HASH_OCTETS;
}

static int compare_entries(const void *a, const void *b)
{
    return memcmp(((const struct nsec3_entry *)a)->hash, ((const struct nsec3_entry *)b)->hash,
                  NSEC3_HASH_OCTETS);
}

/* Adds the NSEC3 RR of the name that has these parameters, if there is one. */
static void collect_from_name(struct zone *zone, uint32_t name, const struct parameters *wanted,
                              struct nsec3_chain *chain, size_t *room)
{
    struct zone_rrset rrset;

    if (!zone_find_rrset(zone, name, TYPE_NSEC3, &rrset))
        return;
    for (uint32_t i = 0; i < rrset.count; i++) {
        const struct zone_record *record = zone_record_at(zone, rrset.first + i);
        struct parameters parameters = parameters_of(record);
        struct nsec3_entry entry = {.name = name, .record = rrset.first + i};
        if (!is_same_chain(&parameters, wanted) || !has_hash_length(record) ||
            !hash_of_owner(zone, name, entry.hash))
            continue;
        memory_grow(&chain->entries, chain->count, room, sizeof *chain->entries);
        chain->entries[chain->count++] = entry;
        return;
    }
}

static void collect(struct zone *zone, const struct parameters *wanted, struct nsec3_chain *chain)
{
    size_t room = 0;

    *chain = (struct nsec3_chain){
        .iterations = wanted->iterations,
        .salt_length = wanted->salt_length,
        .salt = wanted->salt,
    };
    for (uint32_t name = 0; zone->has_nsec3 && name < zone->name_count; name++)
        if (zone->names[name].count > 0)
            collect_from_name(zone, name, wanted, chain, &room);
    if (chain->count > 0)
        qsort(chain->entries, chain->count, sizeof *chain->entries, compare_entries);
}

/* Each RR names the next one's hash, the last one the first's; and the apex is in it. */
static bool is_complete(const struct zone *zone, const struct nsec3_chain *chain)
{
    uint8_t apex[NSEC3_HASH_OCTETS];
    bool matches;

    for (size_t i = 0; i < chain->count; i++)
        if (memcmp(next_hash(zone, &chain->entries[i]), chain->entries[(i + 1) % chain->count].hash,
                   NSEC3_HASH_OCTETS) != 0)
            return false;
    if (chain->count == 0)
        return false;
    nsec3_chain_hash(chain, zone->origin.octets, zone->origin.length, apex);
    nsec3_chain_find(chain, apex, &matches);
    return matches;
}

/* --- choosing ------------------------------------------------------------------ */

/* The first complete chain, or else the first that has any RRs. */
static const struct zone_record *choose(struct zone *zone, const struct zone_rrset *rrset,
                                        struct nsec3_chain *chain, bool *complete)
{
    const struct zone_record *chosen = NULL;

    *complete = false;
    for (uint32_t i = 0; i < rrset->count && !*complete; i++) {
        const struct zone_record *record = zone_record_at(zone, rrset->first + i);
        struct parameters parameters = parameters_of(record);
        struct nsec3_chain candidate;
        if (!is_usable(zone, record, &parameters))
            continue;
        collect(zone, &parameters, &candidate);
        *complete = is_complete(zone, &candidate);
        if (*complete || (chosen == NULL && candidate.count > 0)) {
            nsec3_chain_free(chain);
            *chain = candidate;
            chosen = record;
        } else {
            nsec3_chain_free(&candidate);
        }
    }
    return chosen;
}

static void warn_of_unused(struct zone *zone, const struct nsec3_chain *chain)
{
    const struct zone_record *example = NULL;
    size_t all = 0;

    for (uint32_t name = 0; zone->has_nsec3 && name < zone->name_count; name++) {
        struct zone_rrset rrset;
        if (zone->names[name].count == 0 || !zone_find_rrset(zone, name, TYPE_NSEC3, &rrset))
            continue;
        if (example == NULL)
            example = zone_record_at(zone, rrset.first);
        all += rrset.count;
    }
    if (all == chain->count)
        return;
    if (chain->count == 0)
        zone_record_warning(
            zone, example,
            "NSEC3 records, %zu in all, are left out of answers: no NSEC3PARAM with flags 0 at "
            "the apex goes with them",
            all);
}

void nsec3_chain_choose(struct zone *zone, struct nsec3_chain *chain)
{
    struct zone_rrset rrset;
    bool complete = true;
    const struct zone_record *chosen = NULL;

    *chain = (struct nsec3_chain){0};
    bool has_parameters = zone_find_rrset(zone, ZONE_APEX, TYPE_NSEC3PARAM, &rrset);
    /* Not before it is needed: libcrypto takes two milliseconds to begin with. */
    if (has_parameters && sha1() == NULL) {
        report_error(zone->report, zone->files[0].path, 0, "libcrypto provides no SHA-1");
        return;
    }
    if (has_parameters)
        chosen = choose(zone, &rrset, chain, &complete);
    if (chosen != NULL && !complete)
        zone_record_warning(zone, chosen, "the NSEC3 chain of this NSEC3PARAM is not complete");
    if (chosen != NULL && chain->iterations > NSEC3_ITERATIONS_SENSIBLE)
        zone_record_warning(zone, chosen,
                            "NSEC3 with %u iterations: validators may treat the zone as "
                            "unsigned (RFC 9276)",
                            chain->iterations);
    warn_of_unused(zone, chain);
}

void nsec3_chain_free(struct nsec3_chain *chain)
{
    free(chain->entries);
    *chain = (struct nsec3_chain){0};
}

/* --- finding -------------------------------------------------------------------- */

const struct nsec3_entry *nsec3_chain_find(const struct nsec3_chain *chain,
                                           const uint8_t hash[NSEC3_HASH_OCTETS], bool *matches)
{
    size_t low = 0, high = chain->count;

    /* Invariant: entries before `low` are at or below the hash, those from `high` on above it. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(chain->entries[middle].hash, hash, NSEC3_HASH_OCTETS) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct nsec3_entry *entry = &chain->entries[low > 0 ? low - 1 : chain->count - 1];
    *matches = memcmp(entry->hash, hash, NSEC3_HASH_OCTETS) == 0;
    return entry;
}
