#include "zone/rdata_field.h"

#include "message/wire.h"
#include "zone/bitmap.h"
#include "zone/loc.h"
#include "zone/memory.h"
#include "zone/svcb.h"
#include "zone/type.h"

#include <arpa/inet.h>
#include <string.h>

/* Reads a field; the contract is that of rdata_field_read(). */
typedef const char *field_reader(struct rdata_fields *fields);

static size_t room_left(const struct rdata_fields *fields)
{
    return RDATA_MAX - fields->rdata->length;
}

static uint8_t *put_at(const struct rdata_fields *fields)
{
    return fields->rdata->octets + fields->rdata->length;
}

static const char *put(struct rdata_fields *fields, const void *octets, size_t length)
{
    if (length > room_left(fields))
        return "makes the RDATA longer than 65535 octets";
    memcpy(put_at(fields), octets, length);
    fields->rdata->length += length;
    return NULL;
}

static const char *put_number(struct rdata_fields *fields, uint32_t number, unsigned octets)
{
    uint8_t wire[4];

    wire_write_u32(wire, number);
    const char *error = put(fields, wire + 4 - octets, octets);
    if (error == NULL)
        fields->next++;
    return error;
}

static char *scratch(struct rdata *rdata, size_t size)
{
    if (size > rdata->scratch_room) {
        rdata->scratch = memory_resize(rdata->scratch, size);
        rdata->scratch_room = size;
    }
    return rdata->scratch;
}

/* Tokens `next` to `last` as one string, with `between` between them; all if `last` is the end. */
static const char *join(const struct rdata_fields *fields, const struct token *last,
                        const char *between, size_t *length)
{
    size_t size = 1;
    size_t gap = strlen(between);

    for (const struct token *token = fields->next; token < last; token++)
        size += token->length + gap;
    char *text = scratch(fields->rdata, size);
    char *at = text;
    for (const struct token *token = fields->next; token < last; token++) {
        if (token > fields->next)
            at = mempcpy(at, between, gap);
        at = mempcpy(at, token->text, token->length);
    }
    *at = '\0';
    *length = (size_t)(at - text);
    return text;
}

static const char *word(const struct rdata_fields *fields)
{
    size_t length;
    return join(fields, fields->next + 1, "", &length);
}

static const char *read_name(struct rdata_fields *fields)
{
    struct domain name;
    const char *error = presentation_name(fields->next, fields->origin, &name);

    if (error == NULL)
        error = put(fields, name.octets, name.length);
    if (error == NULL)
        fields->next++;
    return error;
}

static const char *read_number(struct rdata_fields *fields, unsigned octets)
{
    uint32_t number;
    const char *error = presentation_number(fields->next, UINT32_MAX >> (32 - 8 * octets), &number);

    return error != NULL ? error : put_number(fields, number, octets);
}

static const char *read_int8(struct rdata_fields *fields)
{
    return read_number(fields, 1);
}

static const char *read_int16(struct rdata_fields *fields)
{
    return read_number(fields, 2);
}

static const char *read_int32(struct rdata_fields *fields)
{
    return read_number(fields, 4);
}

static const char *read_period(struct rdata_fields *fields)
{
    uint32_t seconds;
    const char *error = presentation_ttl(fields->next, &seconds);

    return error != NULL ? error : put_number(fields, seconds, 4);
}

static const char *read_time(struct rdata_fields *fields)
{
    uint32_t seconds;
    const char *error = presentation_time(fields->next, &seconds);

    return error != NULL ? error : put_number(fields, seconds, 4);
}

/* Old signatures have a bare number (RFC 2535 §7.2). */
static const char *read_type(struct rdata_fields *fields)
{
    uint16_t type;

    if (type_read(fields->next, &type))
        return put_number(fields, type, 2);
    return read_int16(fields) == NULL ? NULL : "is no RR type";
}

static const char *read_address(struct rdata_fields *fields, int family, size_t size)
{
    uint8_t address[16];

    if (fields->next->quoted || fields->next->length >= INET6_ADDRSTRLEN ||
        inet_pton(family, word(fields), address) != 1)
        return family == AF_INET ? "is no IPv4 address" : "is no IPv6 address";
    const char *error = put(fields, address, size);
    if (error == NULL)
        fields->next++;
    return error;
}

static const char *read_a(struct rdata_fields *fields)
{
    return read_address(fields, AF_INET, 4);
}

static const char *read_aaaa(struct rdata_fields *fields)
{
    return read_address(fields, AF_INET6, 16);
}

static const char *read_string(struct rdata_fields *fields)
{
    uint8_t string[256];
    size_t length;
    const char *error = presentation_octets(fields->next, string + 1, 255, &length);

    if (error != NULL)
        return error;
    string[0] = (uint8_t)length;
    error = put(fields, string, length + 1);
    if (error == NULL)
        fields->next++;
    return error;
}

/* A string that takes the rest of the RDATA, without a length octet (CAA, URI). */
static const char *read_long_string(struct rdata_fields *fields)
{
    size_t length;
    const char *error =
        presentation_octets(fields->next, put_at(fields), room_left(fields), &length);

    if (error != NULL)
        return error;
    fields->rdata->length += length;
    fields->next++;
    return NULL;
}

/* RFC 8659 §4.1: letters and digits. */
static const char *read_tag(struct rdata_fields *fields)
{
    const struct token *token = fields->next;

    if (token->length == 0)
        return "is no tag";
    for (unsigned i = 0; i < token->length; i++)
        if (!((unsigned char)((token->text[i] | 0x20) - 'a') < 26 ||
              (unsigned char)(token->text[i] - '0') < 10))
            return "is no tag: letters and digits only";
    return read_string(fields);
}

const char *rdata_field_read_hex(struct rdata_fields *fields)
{
    size_t text_length, length;
    const char *text = join(fields, fields->end, "", &text_length);
    const char *error =
        presentation_hex(text, text_length, put_at(fields), room_left(fields), &length);

    if (error != NULL)
        return error;
    fields->rdata->length += length;
    fields->next = fields->end;
    return NULL;
}

static const char *read_base64_rest(struct rdata_fields *fields)
{
    size_t text_length, length;
    const char *text = join(fields, fields->end, "", &text_length);
    const char *error =
        presentation_base64(text, text_length, put_at(fields), room_left(fields), &length);

    if (error != NULL)
        return error;
    fields->rdata->length += length;
    fields->next = fields->end;
    return NULL;
}

static const char *put_counted(struct rdata_fields *fields, const uint8_t *octets, size_t length)
{
    uint8_t count = (uint8_t)length;
    const char *error = put(fields, &count, 1);

    if (error == NULL)
        error = put(fields, octets, length);
    if (error == NULL)
        fields->next++;
    return error;
}

static const char *read_nsec3_salt(struct rdata_fields *fields)
{
    const struct token *token = fields->next;
    uint8_t salt[255];
    size_t length;

    if (presentation_is(token, "-"))
        return put_counted(fields, salt, 0);
    const char *error = presentation_hex(token->text, token->length, salt, sizeof salt, &length);
    return error != NULL ? error : put_counted(fields, salt, length);
}

static const char *read_nsec3_next_owner(struct rdata_fields *fields)
{
    const struct token *token = fields->next;
    uint8_t hash[255];
    size_t length;
    const char *error =
        presentation_base32hex(token->text, token->length, hash, sizeof hash, &length);

    if (error == NULL && length == 0)
        error = "is no hash";
    return error != NULL ? error : put_counted(fields, hash, length);
}

static const char *read_bitmap(struct rdata_fields *fields)
{
    struct bitmap bitmap = {0};

    for (; fields->next < fields->end; fields->next++) {
        uint16_t type;
        if (!type_read(fields->next, &type))
            return "is no RR type";
        bitmap_add(&bitmap, type);
    }
    size_t length = bitmap_write(&bitmap, put_at(fields), room_left(fields));
    if (length == SIZE_MAX)
        return "makes the RDATA longer than 65535 octets";
    fields->rdata->length += length;
    return NULL;
}

static const char *read_svcb_parameters(struct rdata_fields *fields)
{
    size_t length;
    const char *error = svcb_read_parameters(&fields->next, fields->end, put_at(fields),
                                             room_left(fields), &length);

    if (error == NULL)
        fields->rdata->length += length;
    return error;
}

/* Tokens `next` to `last` as ldns reads a field of that kind. */
static const char *read_by_ldns(struct rdata_fields *fields, ldns_rdf_type kind,
                                const struct token *last)
{
    size_t length;
    const char *text = join(fields, last, " ", &length);
    ldns_rdf *rdf;

    if (strlen(text) != length)
        return "has a zero octet";
    rdf = text[0] != '\0' ? ldns_rdf_new_frm_str(kind, text) : NULL;
    if (rdf == NULL)
        return "is not what this type has here";
    const char *error = put(fields, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
    ldns_rdf_deep_free(rdf);
    if (error == NULL)
        fields->next = last;
    return error;
}

/* A number, or a mnemonic that ldns knows. */
static const char *read_mnemonic(struct rdata_fields *fields, ldns_rdf_type kind, unsigned octets)
{
    const char *error = read_number(fields, octets);
    char first =
        fields->next < fields->end && fields->next->length > 0 ? fields->next->text[0] : '0';

    if (error == NULL || (first >= '0' && first <= '9'))
        return error;
    return read_by_ldns(fields, kind, fields->next + 1);
}

/* RFC 4025 §3: precedence, gateway type, algorithm, gateway, key. ldns would not complete the
 * gateway's name. */
static const char *read_gateway(struct rdata_fields *fields, unsigned kind)
{
    switch (kind) {
    case 0:
        if (!presentation_is(fields->next, "."))
            return "is no gateway of type 0, which is written as a dot";
        fields->next++;
        return NULL;
    case 1:
        return read_a(fields);
    case 2:
        return read_aaaa(fields);
    case 3:
        return read_name(fields);
    default:
        return "follows an unknown gateway type";
    }
}

static const char *read_in_turn(struct rdata_fields *fields, field_reader *const *readers,
                                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fields->next == fields->end)
            return "";
        const char *error = readers[i](fields);
        if (error != NULL)
            return error;
    }
    return NULL;
}

static const char *read_ipseckey(struct rdata_fields *fields)
{
    static field_reader *const head[] = {read_int8, read_int8, read_int8};
    const uint8_t *start = put_at(fields);
    const char *error = read_in_turn(fields, head, 3);

    if (error != NULL)
        return error;
    if (fields->next == fields->end)
        return "";
    error = read_gateway(fields, start[1]);
    /* "no key is present" when the algorithm is 0 (§2.4) */
    return error != NULL || fields->next == fields->end ? error : read_base64_rest(fields);
}

/* RFC 8777 §4.3: precedence, D-bit, type, relay. */
const char *rdata_field_read_amtrelay(struct rdata_fields *fields)
{
    static field_reader *const head[] = {read_int8, read_int8, read_int8};
    uint8_t *start = put_at(fields);
    const char *error = read_in_turn(fields, head, 3);

    if (error != NULL)
        return error;
    if (fields->next == fields->end)
        return "";
    if (start[1] > 1)
        return "follows a D-bit that is neither 0 nor 1";
    unsigned kind = start[2];
    start[1] = (uint8_t)((unsigned)start[1] << 7 | kind);
    fields->rdata->length--;
    return read_gateway(fields, kind);
}

static const char *read_loc(struct rdata_fields *fields)
{
    uint8_t wire[LOC_OCTETS];
    const char *error = loc_read(&fields->next, fields->end, wire);

    return error != NULL ? error : put(fields, wire, sizeof wire);
}

/* Hexadecimal digits from the token's octet `first` on, with dots among them to please the eye. */
static const char *put_dotted_hex(struct rdata_fields *fields, unsigned first)
{
    const struct token *token = fields->next;
    char *digits = scratch(fields->rdata, token->length + 1u);
    size_t count = 0, length;

    for (unsigned i = first; i < token->length; i++)
        if (token->text[i] != '.')
            digits[count++] = token->text[i];
    const char *error = presentation_hex(digits, count, put_at(fields), room_left(fields), &length);
    if (error != NULL)
        return error;
    fields->rdata->length += length;
    fields->next++;
    return NULL;
}

/* RFC 1706 §5. */
static const char *read_nsap(struct rdata_fields *fields)
{
    const struct token *token = fields->next;

    if (token->length < 3 || token->text[0] != '0' || (token->text[1] | 0x20) != 'x')
        return "is no NSAP address, which begins with 0x";
    return put_dotted_hex(fields, 2);
}

/* ATM Name System 2.0 §5.5: an E.164 number in digits behind a plus sign, or an AESA address. */
static const char *read_atma(struct rdata_fields *fields)
{
    enum { AESA, E164 };
    const struct token *token = fields->next;
    const uint8_t format = token->length > 0 && token->text[0] == '+' ? E164 : AESA;
    const char *error = put(fields, &format, 1);

    if (token->length < 2)
        return "is no ATM address";
    if (error != NULL || format == AESA)
        return error != NULL ? error : put_dotted_hex(fields, 0);
    for (unsigned i = 1; i < token->length && error == NULL; i++) {
        if (token->text[i] >= '0' && token->text[i] <= '9')
            error = put(fields, &token->text[i], 1);
        else if (token->text[i] != '.')
            error = "is no ATM address";
    }
    if (error == NULL)
        fields->next++;
    return error;
}

static const char *read_rest_by_ldns(struct rdata_fields *fields, ldns_rdf_type kind)
{
    return read_by_ldns(fields, kind, fields->end);
}

/* Host identity: algorithm, tag and key are one field to ldns (RFC 8005 §6). */
static const char *read_hip(struct rdata_fields *fields)
{
    if (fields->end - fields->next < 3)
        return "";
    return read_by_ldns(fields, LDNS_RDF_TYPE_HIP, fields->next + 3);
}

const char *rdata_field_read(struct rdata_fields *fields, ldns_rdf_type kind)
{
    switch (kind) {
    case LDNS_RDF_TYPE_DNAME:
        return read_name(fields);
    case LDNS_RDF_TYPE_INT8:
        return read_int8(fields);
    case LDNS_RDF_TYPE_INT16:
        return read_int16(fields);
    case LDNS_RDF_TYPE_INT32:
        return read_int32(fields);
    case LDNS_RDF_TYPE_PERIOD:
        return read_period(fields);
    case LDNS_RDF_TYPE_TIME:
        return read_time(fields);
    case LDNS_RDF_TYPE_TYPE:
        return read_type(fields);
    case LDNS_RDF_TYPE_ALG:
    case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
    case LDNS_RDF_TYPE_SELECTOR:
    case LDNS_RDF_TYPE_MATCHING_TYPE:
        return read_mnemonic(fields, kind, 1);
    case LDNS_RDF_TYPE_CERT_ALG:
        return read_mnemonic(fields, kind, 2);
    case LDNS_RDF_TYPE_A:
        return read_a(fields);
    case LDNS_RDF_TYPE_AAAA:
        return read_aaaa(fields);
    case LDNS_RDF_TYPE_STR:
        return read_string(fields);
    case LDNS_RDF_TYPE_LONG_STR:
        return read_long_string(fields);
    case LDNS_RDF_TYPE_TAG:
        return read_tag(fields);
    case LDNS_RDF_TYPE_HEX:
        return rdata_field_read_hex(fields);
    case LDNS_RDF_TYPE_B64:
        return read_base64_rest(fields);
    case LDNS_RDF_TYPE_NSEC3_SALT:
        return read_nsec3_salt(fields);
    case LDNS_RDF_TYPE_NSEC3_NEXT_OWNER:
        return read_nsec3_next_owner(fields);
    case LDNS_RDF_TYPE_NSEC:
        return read_bitmap(fields);
    case LDNS_RDF_TYPE_SVCPARAMS:
        return read_svcb_parameters(fields);
    case LDNS_RDF_TYPE_IPSECKEY:
        return read_ipseckey(fields);
    case LDNS_RDF_TYPE_HIP:
        return read_hip(fields);
    case LDNS_RDF_TYPE_LOC:
        return read_loc(fields);
    case LDNS_RDF_TYPE_NSAP:
        return read_nsap(fields);
    case LDNS_RDF_TYPE_ATMA:
        return read_atma(fields);
    case LDNS_RDF_TYPE_WKS:
    case LDNS_RDF_TYPE_SERVICE:
        return read_rest_by_ldns(fields, kind);
    default:
        return read_by_ldns(fields, kind, fields->next + 1);
    }
}
