#include "zone/rdata.h"

#include "message/codes.h"
#include "zone/rdata_field.h"
#include "zone/report.h"
#include "zone/type.h"

#include <stdio.h>
#include <stdlib.h>

void rdata_free(struct rdata *rdata)
{
    free(rdata->scratch);
    rdata->scratch = NULL;
    rdata->scratch_room = 0;
}

static const char *read_fields(struct rdata_fields *fields, const ldns_rr_descriptor *descriptor)
{
    size_t minimum = ldns_rr_descriptor_minimum(descriptor);
    size_t maximum = ldns_rr_descriptor_maximum(descriptor);

    for (size_t i = 0; i < maximum && (fields->next < fields->end || i < minimum); i++) {
        ldns_rdf_type kind = ldns_rr_descriptor_field_type(descriptor, i);
        if (fields->next == fields->end)
            return kind == LDNS_RDF_TYPE_NSEC ? NULL : ""; /* no types at all */
        const char *error = rdata_field_read(fields, kind);
        if (error != NULL)
            return error;
    }
    return fields->next < fields->end ? "is more than this type has" : NULL;
}

/* RFC 3597 §5: \# LENGTH HEX... */
static const char *read_unknown(struct rdata_fields *fields)
{
    uint32_t announced;

    fields->next++;
    if (fields->next == fields->end)
        return "";
    const char *error = presentation_number(fields->next, RDATA_MAX, &announced);
    if (error != NULL)
        return error;
    const struct token *length_token = fields->next++;
    error = rdata_field_read_hex(fields);
    if (error == NULL && fields->rdata->length != announced) {
        fields->next = length_token;
        return "is not the length of the octets behind it";
    }
    return error;
}

static bool is_unknown_form(const struct token *tokens, size_t count)
{
    return count > 0 && presentation_is(&tokens[0], "\\#");
}

static bool fail(struct rdata *rdata, uint16_t type, const struct rdata_fields *fields,
                 const char *why)
{
    char quote[REPORT_QUOTE_MAX], text[TYPE_TEXT_MAX];
    const char *mnemonic = type_to_text(type, text);

    rdata->error_line = 0;
    if (why[0] == '\0' || fields->next == fields->end) {
        snprintf(rdata->error, sizeof rdata->error, "%s: %s", mnemonic,
                 why[0] == '\0' ? "the RDATA ends too early" : why);
        return false;
    }
    report_quote(quote, fields->next->text, fields->next->length);
    snprintf(rdata->error, sizeof rdata->error, "%s: \"%s\" %s", mnemonic, quote, why);
    rdata->error_line = fields->next->line;
    return false;
}

static const char *read_known(struct rdata_fields *fields, uint16_t type)
{
    const ldns_rr_descriptor *descriptor = type_descriptor(type);

    if (type == TYPE_AMTRELAY)
        return rdata_field_read_amtrelay(fields);
    if (descriptor == NULL)
        return "cannot be read: give this type's RDATA as \\# LENGTH HEX";
    return read_fields(fields, descriptor);
}

bool rdata_read(struct rdata *rdata, uint16_t type, const struct token *tokens, size_t count,
                const struct domain *origin)
{
    struct rdata_fields fields = {
        .next = tokens, .end = tokens + count, .origin = origin, .rdata = rdata};
    const char *error;

    rdata->length = 0;
    if (is_unknown_form(tokens, count))
        error = read_unknown(&fields);
    else
        error = read_known(&fields, type);
    if (error != NULL)
        return fail(rdata, type, &fields, error);
    error = rdata_check(type, rdata->octets, rdata->length);
    if (error == NULL)
        return true;
    fields.next = fields.end;
    return fail(rdata, type, &fields, error);
}
