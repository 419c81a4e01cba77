#include "signed.h"

#include "../loss/child.h"
#include "message/wire.h"
#include "zonetext.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN "signed.bench"

enum {
    SECURE_EVERY = 20, /* delegations */
    NAMES_EVERY = 10,
    SIGNATURE = 64, /* ECDSA P-256 */
    DIGEST = 20,
    DIGEST_TEXT = 32, /* base32hex */
    LABEL_MAX = 16,
};

/* A name in the chain. */
struct link {
    uint8_t digest[DIGEST];
    const char *types;
};

struct chain {
    struct link *links;
    size_t count;
};

/* --- text ----------------------------------------------------------------------- */

static void put_base32hex(char text[DIGEST_TEXT + 1], const uint8_t digest[DIGEST])
{
    for (unsigned i = 0; i < DIGEST_TEXT; i++) {
        unsigned bit = i * 5, at = bit / 8, shift = bit % 8;
        unsigned pair = (unsigned)digest[at] << 8 | (at + 1 < DIGEST ? digest[at + 1] : 0U);
        text[i] = "0123456789abcdefghijklmnopqrstuv"[pair >> (11 - shift) & 31];
    }
    text[DIGEST_TEXT] = '\0';
}

static void write_base64(FILE *file, const uint8_t *octets, int length)
{
    uint8_t text[4 * ((SIGNATURE + 2) / 3) + 1];

    EVP_EncodeBlock(text, octets, length);
    fprintf(file, "%s\n", (const char *)text);
}

/* 64 octets that differ from one call to the next. */
static const uint8_t *next_octets(void)
{
    static uint64_t state = 1;
    static uint8_t octets[SIGNATURE];

    for (unsigned i = 0; i < SIGNATURE; i += 8) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(octets + i, &state, 8);
    }
    return octets;
}

static void write_signature(FILE *file, const char *owner, const char *type, unsigned labels)
{
    fprintf(file, "%s RRSIG %s 13 %u 3600 20380101000000 20240101000000 12345 " ORIGIN ". ", owner,
            type, labels);
    write_base64(file, next_octets(), SIGNATURE);
}

/* --- the chain ------------------------------------------------------------------- */

static void hash(uint8_t digest[DIGEST], const char *label)
{
    static const uint8_t origin[] = "\6signed\5bench"; /* and the root's 0 */
    uint8_t name[1 + LABEL_MAX + sizeof origin];
    size_t length = strlen(label), used = 0;

    if (length > 0) {
        name[0] = (uint8_t)length;
        memcpy(name + 1, label, length);
        used = 1 + length;
    }
    memcpy(name + used, origin, sizeof origin);
    if (EVP_Digest(name, used + sizeof origin, digest, NULL, EVP_sha1(), NULL) != 1)
        child_fail("libcrypto has no SHA-1");
}

static void add(struct chain *chain, const char *label, const char *types)
{
    struct link *link = &chain->links[chain->count++];

    hash(link->digest, label);
    link->types = types;
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct link *)a)->digest, ((const struct link *)b)->digest, DIGEST);
}

static void write_chain(FILE *file, struct chain *chain)
{
    char owner[DIGEST_TEXT + 1], next[DIGEST_TEXT + 1];

    qsort(chain->links, chain->count, sizeof *chain->links, compare);
    for (size_t i = 0; i < chain->count; i++) {
        put_base32hex(owner, chain->links[i].digest);
        put_base32hex(next, chain->links[(i + 1) % chain->count].digest);
        fprintf(file, "%s 300 NSEC3 1 1 0 - %s %s\n", owner, next, chain->links[i].types);
        write_signature(file, owner, "NSEC3", 3);
    }
}

/* --- the zone --------------------------------------------------------------------- */

static void write_apex(FILE *file, struct chain *chain)
{
    static const char *const types[] = {"SOA", "NS", "DNSKEY", "NSEC3PARAM"};

    fputs("$TTL 3600\n"
          "@ SOA ns.provider.example. hostmaster.provider.example. 1 7200 3600 1209600 300\n"
          "@ NS ns.provider.example.\n@ NSEC3PARAM 1 0 0 -\n@ DNSKEY 257 3 13 ",
          file);
    write_base64(file, next_octets(), SIGNATURE);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        write_signature(file, "@", types[i], 2);
    add(chain, "", "NS SOA RRSIG DNSKEY NSEC3PARAM");
}

static void write_delegations(FILE *file, struct chain *chain, uint32_t count)
{
    char label[LABEL_MAX];

    for (uint32_t i = 0; i < count; i++) {
        zonetext_delegation(file, i);
        if (i % SECURE_EVERY != 0)
            continue;
        snprintf(label, sizeof label, "d%07u", i);
        fprintf(file, "%s DS %u 13 2 %064x\n", label, i % 65536, i);
        write_signature(file, label, "DS", 3);
        add(chain, label, "NS DS RRSIG");
    }
}

static void write_names(FILE *file, struct chain *chain, uint32_t count)
{
    char label[LABEL_MAX];

    for (uint32_t i = 0; i < count; i++) {
        snprintf(label, sizeof label, "s%07u", i);
        fprintf(file, "%s A %s\n", label, zonetext_address(i));
        write_signature(file, label, "A", 3);
        add(chain, label, "A RRSIG");
    }
}

void signed_write(const char *directory, uint32_t count)
{
    FILE *file = zonetext_open(directory, ORIGIN);
    struct chain chain = {.count = 0};

    chain.links = calloc(count / SECURE_EVERY + count / NAMES_EVERY + 2, sizeof *chain.links);
    if (chain.links == NULL)
        child_fail("no memory for an NSEC3 chain");
    write_apex(file, &chain);
    write_delegations(file, &chain, count);
    write_names(file, &chain, count / NAMES_EVERY);
    write_chain(file, &chain);
    free(chain.links);
    zonetext_close(file);
}
