/* Is an RDATA in wire form what its type demands? Needed for \# of known types, and for what ldns
 * lets through. */
#include "message/codes.h"
#include "message/wire.h"
#include "zone/bitmap.h"
#include "zone/rdata.h"
#include "zone/svcb.h"
#include "zone/type.h"

#include <string.h>

/* What is left to be looked at. Every check takes its field off the front. */
struct rest {
    const uint8_t *at;
    size_t length;
};

static const char *const too_short = "the RDATA is too short";

static const char *take(struct rest *rest, size_t octets)
{
    if (rest->length < octets)
        return too_short;
    rest->at += octets;
    rest->length -= octets;
    return NULL;
}

static const char *take_name(struct rest *rest)
{
    size_t octets = name_measure(rest->at, rest->length);

    return octets == 0 ? "the RDATA has no name where one belongs" : take(rest, octets);
}

/* A length octet and as many more. */
static const char *take_string(struct rest *rest, size_t minimum)
{
    if (rest->length < 1 || rest->at[0] < minimum)
        return too_short;
    return take(rest, 1u + rest->at[0]);
}

static const char *take_all(struct rest *rest, size_t minimum)
{
    return rest->length < minimum ? too_short : take(rest, rest->length);
}

static const char *take_tag(struct rest *rest)
{
    const uint8_t *tag = rest->at;
    const char *error = take_string(rest, 1);

    for (unsigned i = 1; error == NULL && i <= tag[0]; i++)
        if (!((uint8_t)((tag[i] | 0x20) - 'a') < 26 || (uint8_t)(tag[i] - '0') < 10))
            return "the tag has other octets than letters and digits";
    return error;
}

static const char *take_bitmap(struct rest *rest)
{
    if (!bitmap_is_valid(rest->at, rest->length))
        return "the type bitmap is malformed";
    return take(rest, rest->length);
}

/* RFC 3123 §4: family, prefix, negation and length, then the address without trailing zeros. */
static const char *take_apl_item(struct rest *rest)
{
    if (rest->length < 4)
        return too_short;
    unsigned family = wire_read_u16(rest->at);
    unsigned prefix = rest->at[2];
    unsigned length = rest->at[3] & 0x7F;
    unsigned octets = family == 1 ? 4 : 16;

    if (family != 1 && family != 2)
        return "an address family is neither 1 nor 2";
    if (prefix > octets * 8 || length > octets)
        return "an address prefix is too long";
    if (4 + length > rest->length)
        return too_short;
    if (length > 0 && rest->at[3 + length] == 0)
        return "an address ends in a zero octet";
    return take(rest, 4 + length);
}

static const char *take_apl(struct rest *rest)
{
    const char *error = NULL;

    while (error == NULL && rest->length > 0)
        error = take_apl_item(rest);
    return error;
}

/* RFC 1876 §2: a size is a decimal digit and a power of ten in one octet. */
static bool is_loc_size(uint8_t octet)
{
    return octet >> 4 <= 9 && (octet & 15) <= 9;
}

static bool is_loc_angle(const uint8_t *at, uint32_t degrees)
{
    uint32_t equator = 1u << 31;
    uint32_t furthest = degrees * 3600000;
    uint32_t angle = wire_read_u32(at);

    return angle >= equator - furthest && angle <= equator + furthest;
}

static const char *take_loc(struct rest *rest)
{
    const uint8_t *loc = rest->at;
    const char *error = take(rest, 16);

    if (error != NULL)
        return error;
    if (loc[0] != 0)
        return "the version is not 0";
    if (!is_loc_size(loc[1]) || !is_loc_size(loc[2]) || !is_loc_size(loc[3]))
        return "a size or precision is malformed";
    if (!is_loc_angle(loc + 4, 90) || !is_loc_angle(loc + 8, 180))
        return "the latitude is beyond 90 degrees or the longitude beyond 180";
    return NULL;
}

static const char *take_gateway(struct rest *rest, unsigned kind)
{
    switch (kind) {
    case 0:
        return NULL;
    case 1:
        return take(rest, 4);
    case 2:
        return take(rest, 16);
    case 3:
        return take_name(rest);
    default:
        return "the gateway type is unknown";
    }
}

static const char *take_ipseckey(struct rest *rest)
{
    if (rest->length < 3)
        return too_short;
    unsigned kind = rest->at[1];
    take(rest, 3);
    const char *error = take_gateway(rest, kind);
    return error != NULL ? error : take_all(rest, 0);
}

static const char *check_amtrelay(struct rest *rest)
{
    if (rest->length < 2)
        return too_short;
    unsigned kind = rest->at[1] & 0x7F;
    take(rest, 2);
    return take_gateway(rest, kind);
}

/* RFC 8005 §5: lengths of the tag and the key, algorithm, tag, key. */
static const char *take_hip(struct rest *rest)
{
    if (rest->length < 4)
        return too_short;
    size_t octets = (size_t)rest->at[0] + wire_read_u16(rest->at + 2);
    if (rest->at[0] == 0 || wire_read_u16(rest->at + 2) == 0)
        return too_short;
    take(rest, 4);
    return take(rest, octets);
}

static const char *take_svcb_parameters(struct rest *rest)
{
    const char *error = svcb_check_parameters(rest->at, rest->length);

    return error != NULL ? error : take(rest, rest->length);
}

static const char *take_field(struct rest *rest, ldns_rdf_type kind)
{
    switch (kind) {
    case LDNS_RDF_TYPE_DNAME:
        return take_name(rest);
    case LDNS_RDF_TYPE_INT8:
    case LDNS_RDF_TYPE_ALG:
    case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
    case LDNS_RDF_TYPE_SELECTOR:
    case LDNS_RDF_TYPE_MATCHING_TYPE:
        return take(rest, 1);
    case LDNS_RDF_TYPE_INT16:
    case LDNS_RDF_TYPE_TYPE:
    case LDNS_RDF_TYPE_CERT_ALG:
        return take(rest, 2);
    case LDNS_RDF_TYPE_INT32:
    case LDNS_RDF_TYPE_PERIOD:
    case LDNS_RDF_TYPE_TIME:
    case LDNS_RDF_TYPE_A:
        return take(rest, 4);
    case LDNS_RDF_TYPE_EUI48:
        return take(rest, 6);
    case LDNS_RDF_TYPE_EUI64:
    case LDNS_RDF_TYPE_ILNP64:
        return take(rest, 8);
    case LDNS_RDF_TYPE_AAAA:
        return take(rest, 16);
    case LDNS_RDF_TYPE_STR:
    case LDNS_RDF_TYPE_NSEC3_SALT:
        return take_string(rest, 0);
    case LDNS_RDF_TYPE_NSEC3_NEXT_OWNER:
        return take_string(rest, 1);
    case LDNS_RDF_TYPE_TAG:
        return take_tag(rest);
    case LDNS_RDF_TYPE_LONG_STR:
        return take_all(rest, 0);
    case LDNS_RDF_TYPE_NSEC:
        return take_bitmap(rest);
    case LDNS_RDF_TYPE_APL:
        return take_apl(rest);
    case LDNS_RDF_TYPE_LOC:
        return take_loc(rest);
    case LDNS_RDF_TYPE_IPSECKEY:
        return take_ipseckey(rest);
    case LDNS_RDF_TYPE_HIP:
        return take_hip(rest);
    case LDNS_RDF_TYPE_SVCPARAMS:
        return take_svcb_parameters(rest);
    default:
        return take_all(rest, 1);
    }
}

/* Fields that may be left out in text without leaving anything out on the wire. */
static bool may_be_empty(ldns_rdf_type kind)
{
    return kind == LDNS_RDF_TYPE_NSEC || kind == LDNS_RDF_TYPE_APL ||
           kind == LDNS_RDF_TYPE_SVCPARAMS || kind == LDNS_RDF_TYPE_LONG_STR;
}

static const char *check_fields(struct rest *rest, const ldns_rr_descriptor *descriptor)
{
    size_t minimum = ldns_rr_descriptor_minimum(descriptor);
    size_t maximum = ldns_rr_descriptor_maximum(descriptor);

    for (size_t i = 0; i < maximum && (rest->length > 0 || i < minimum); i++) {
        ldns_rdf_type kind = ldns_rr_descriptor_field_type(descriptor, i);
        if (rest->length == 0 && may_be_empty(kind))
            continue;
        const char *error = take_field(rest, kind);
        if (error != NULL)
            return error;
    }
    return rest->length > 0 ? "the RDATA is too long" : NULL;
}

/* RFC 4509 §2, RFC 6605 §2: a digest of a known type has a known length. */
static const char *check_digest_length(const uint8_t *octets, size_t length)
{
    static const uint8_t digest_lengths[] = {0, 20, 32, 32, 48};
    unsigned kind = octets[3];

    if (kind > 0 && kind < sizeof digest_lengths && length - 4 != digest_lengths[kind])
        return "the digest's length does not fit its type";
    return NULL;
}

/* RFC 8976 §2.2: at least 12 octets; SHA-384 and SHA-512 have their own. */
static const char *check_zonemd(const uint8_t *octets, size_t length)
{
    size_t digest = length - 6;

    if (digest < 12 || (octets[5] == 1 && digest != 48) || (octets[5] == 2 && digest != 64))
        return "the digest's length does not fit its algorithm";
    return NULL;
}

static const char *check_meaning(uint16_t type, const uint8_t *octets, size_t length)
{
    switch (type) {
    case TYPE_DS:
        return check_digest_length(octets, length);
    case TYPE_CDS:
        /* RFC 8078 §4: algorithm 0 asks for deletion. */
        return octets[2] == 0 ? NULL : check_digest_length(octets, length);
    case TYPE_ZONEMD:
        return check_zonemd(octets, length);
    default:
        return NULL;
    }
}

const char *rdata_check(uint16_t type, const uint8_t *octets, size_t length)
{
    struct rest rest = {octets, length};
    const ldns_rr_descriptor *descriptor = type_descriptor(type);
    const char *error = NULL;

    if (type == TYPE_AMTRELAY)
        error = check_amtrelay(&rest);
    else if (descriptor != NULL)
        error = check_fields(&rest, descriptor);
    else
        return NULL;
    if (error == NULL && type == TYPE_AMTRELAY && rest.length > 0)
        error = "the RDATA is too long";
    return error != NULL ? error : check_meaning(type, octets, length);
}
