#include "answer/chaos.h"

#include "message/codes.h"
#include "message/fragment.h"
#include "message/wire.h"

#include <string.h>

/* A name in wire form, its final zero that of the string. */
struct told {
    const char *name;
    size_t text; /* offset within struct chaos */
};

static const struct told told[] = {
    {"\2id\6server", offsetof(struct chaos, id)},
    {"\10hostname\4bind", offsetof(struct chaos, id)},
    {"\7version\6server", offsetof(struct chaos, version)},
    {"\7version\4bind", offsetof(struct chaos, version)},
    {"\6worker\6sorrel", offsetof(struct chaos, worker)},
};

static bool is_named(const struct name *name, const char *wire)
{
    return name->length == strlen(wire) + 1 && memcmp(name->octets, wire, name->length) == 0;
}

const char *chaos_find(const struct chaos *chaos, const struct name *name, uint16_t qtype)
{
    if (qtype != TYPE_TXT && qtype != TYPE_ANY)
        return NULL;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (is_named(name, told[i].name))
            return *(const char *const *)(const void *)((const char *)chaos + told[i].text);
    return NULL;
}

bool chaos_put(struct response *response, const char *text)
{
    uint8_t rr[WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE + 1 + 255] = {0};
    size_t length = strlen(text);
    struct place place = {.owner = WIRE_HEADER_SIZE};

    wire_write_u16(rr, FRAGMENT_OWNER_POINTER);
    wire_write_u16(rr + 2, TYPE_TXT);
    wire_write_u16(rr + 4, CLASS_CH);
    wire_write_u16(rr + 10, (uint16_t)(length + 1));
    rr[12] = (uint8_t)length;
    memcpy(rr + 13, text, length);
    const struct fragment run = {.octets = rr,
                                 .length = (uint16_t)(13 + length),
                                 .count = 1};
    return response_put_run(response, SECTION_ANSWER, &run, &run, &place);
}
