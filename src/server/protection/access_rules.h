/*
 * The rules that options give for who may ask about which zone, or have it transferred
 * (answer/access.h).
 */
#ifndef SORREL_SERVER_ACCESS_RULES_H
#define SORREL_SERVER_ACCESS_RULES_H

#include "answer/access.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACCESS_RULES_ERROR_MAX = 512 };

/* What a rule comes from; the strings are the caller's. */
struct access_origin {
    const char *text; /* [ZONE=]WHO as given; NULL: in the section of the zone itself */
    const char *file; /* whose line `line` has it; NULL: the command line */
    unsigned line;
};

struct access_rule {
    bool others; /* for the zones that have no rule of their own, and `apex` is nothing */
    struct name apex;
    struct access_origin origin; /* the first, if there are several */
    struct access_list allowed;
};

struct access_rules {
    struct access_rule *rules;
    size_t count;
    size_t room;
    uint32_t *index;   /* by zone: places of rules, from 1 on; open addressing, 0 is empty */
    size_t index_size; /* a power of two, or 0 */
    size_t others;     /* place of the rule for the zones that have none, or 0 */
    bool with_keys;    /* `who` may be key:NAME, too, or ADDR/BITS+key:NAME: both at once */
    struct access_origin origin; /* of what is added next */
};

/* The name that `text` is; false: it is none. */
bool access_rules_read_name(struct name *name, const char *text);

/* Adds `who`, an address, ADDR/BITS, `any` or `none`, to the rule of the zone of that name, or with
 * NULL to that of all that have no rule of their own. False with what to do in `error`. */
bool access_rules_allow(struct access_rules *rules, const char *zone, const char *who,
                        char error[ACCESS_RULES_ERROR_MAX]);

/* The same from one text: [ZONE=]WHO. */
bool access_rules_read(struct access_rules *rules, const char *text,
                       char error[ACCESS_RULES_ERROR_MAX]);

void access_rules_free(struct access_rules *rules);

/* Makes the rules ready for tables with that seed. `access` points into `rules`, and has memory of
 * its own, which a second call with it reuses. False: there is no memory. */
bool access_rules_compile(const struct access_rules *rules, uint64_t seed, struct access *access);

#endif
