#include "zone/type.h"

#include "message/codes.h"
#include "zone/presentation.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Registered since ldns 1.8, or described there in a way that cannot be used: same RDATA as another
 * type. */
static const struct {
    uint16_t type;
    uint16_t like;
    const char *mnemonic;
} aliases[] = {
    {23, TYPE_NS, "NSAP-PTR"},
    {56, TYPE_TXT, "NINFO"},
    {57, TYPE_DNSKEY, "RKEY"},
    {258, TYPE_TXT, "AVC"},
    {TYPE_AMTRELAY, TYPE_AMTRELAY, "AMTRELAY"},
    {261, TYPE_TXT, "RESINFO"},
    {262, TYPE_TXT, "WALLET"},
    {32768, TYPE_DS, "TA"},
};

enum {
    ALIASES = sizeof aliases / sizeof aliases[0],
    HIGHEST_DENSE = 300, /* ldns has nothing but DLV beyond */
    MNEMONIC_SLOTS = 256,
};

struct mnemonic {
    const char *text;
    uint16_t type;
};

static unsigned slot_of(const char *text, size_t length)
{
    unsigned hash = (unsigned)length;

    for (size_t i = 0; i < length; i++)
        hash = hash * 33 + ((unsigned char)text[i] & 0xDFu);
    return hash % MNEMONIC_SLOTS;
}

static void add_mnemonic(struct mnemonic *slots, const char *text, uint16_t type)
{
    unsigned slot = slot_of(text, strlen(text));

    while (slots[slot].text != NULL)
        slot = (slot + 1) % MNEMONIC_SLOTS;
    slots[slot] = (struct mnemonic){text, type};
}

static bool is_numbered(const char *mnemonic)
{
    return strncmp(mnemonic, "TYPE", 4) == 0;
}

static void add_known(struct mnemonic *slots, uint16_t type)
{
    const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);

    if (descriptor->_name != NULL && descriptor->_type == type && !is_numbered(descriptor->_name))
        add_mnemonic(slots, descriptor->_name, type);
}

static struct mnemonic slots_of_all[MNEMONIC_SLOTS];

static void fill_slots(void)
{
    for (uint16_t type = 1; type < HIGHEST_DENSE; type++)
        add_known(slots_of_all, type);
    add_known(slots_of_all, LDNS_RR_TYPE_DLV);
    for (unsigned i = 0; i < ALIASES; i++)
        add_mnemonic(slots_of_all, aliases[i].mnemonic, aliases[i].type);
}

static const struct mnemonic *mnemonics(void)
{
    static pthread_once_t filled = PTHREAD_ONCE_INIT;

    pthread_once(&filled, fill_slots);
    return slots_of_all;
}

static bool read_numbered(const struct token *token, uint16_t *type)
{
    uint32_t number;

    if (token->length < 5 || strncasecmp(token->text, "TYPE", 4) != 0)
        return false;
    const struct token digits = {.text = token->text + 4, .length = token->length - 4};
    if (presentation_number(&digits, UINT16_MAX, &number) != NULL)
        return false;
    *type = (uint16_t)number;
    return true;
}

bool type_read(const struct token *token, uint16_t *type)
{
    const struct mnemonic *slots = mnemonics();

    if (token->quoted)
        return false;
    if (token->length == 1 && (token->text[0] | 0x20) == 'a') {
        *type = TYPE_A;
        return true;
    }
    for (unsigned slot = slot_of(token->text, token->length); slots[slot].text != NULL;
         slot = (slot + 1) % MNEMONIC_SLOTS)
        if (presentation_is(token, slots[slot].text)) {
            *type = slots[slot].type;
            return true;
        }
    return read_numbered(token, type);
}

const char *type_to_text(uint16_t type, char text[TYPE_TEXT_MAX])
{
    const struct mnemonic *slots = mnemonics();

    for (unsigned slot = 0; slot < MNEMONIC_SLOTS; slot++)
        if (slots[slot].text != NULL && slots[slot].type == type)
            return slots[slot].text;
    snprintf(text, TYPE_TEXT_MAX, "TYPE%u", type);
    return text;
}

static const ldns_rr_descriptor *find_descriptor(uint16_t type)
{
    for (unsigned i = 0; i < ALIASES; i++)
        if (aliases[i].type == type)
            type = aliases[i].like;
    const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);
    if (descriptor->_name == NULL || descriptor->_type != type)
        return NULL;
    for (unsigned i = 0; i < descriptor->_maximum; i++)
        if (ldns_rr_descriptor_field_type(descriptor, i) == LDNS_RDF_TYPE_UNKNOWN)
            return NULL;
    return descriptor;
}

static const ldns_rr_descriptor *descriptors[HIGHEST_DENSE];

static void fill_descriptors(void)
{
    for (uint16_t type = 0; type < HIGHEST_DENSE; type++)
        descriptors[type] = find_descriptor(type);
}

const ldns_rr_descriptor *type_descriptor(uint16_t type)
{
    static pthread_once_t filled = PTHREAD_ONCE_INIT;

    if (type >= HIGHEST_DENSE)
        return find_descriptor(type);
    pthread_once(&filled, fill_descriptors);
    return descriptors[type];
}
