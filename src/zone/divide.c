#include "zone/divide.h"

#include "table/crew.h"
#include "zone/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Octets of text in a part: many, so that parts are few, yet few enough for what is read of
     * the parts under way to be small beside the zone. */
    PART_SIZE = 1 << 19,
    WORTHWHILE = 2 * PART_SIZE,
};

/* What directives set, and records depend on. */
struct scope {
    struct domain origin;
    bool has_default_ttl;
    uint32_t default_ttl;
};

/* A part of the text, and how it was read. */
struct part {
    const char *text;
    const char *end; /* where the next begins */
    struct scope scope; /* at its start; when it has been read, at its end */
    struct piece piece;
    struct report report;
    bool has_last_ttl;
    uint32_t last_ttl;
    bool outside; /* the owner at its end is outside the zone */
    char *outside_owner;
    unsigned lines;
};

struct division {
    struct reader *reader; /* of the whole file */
    struct level *level;
    struct part *parts;
    size_t count;
    size_t room;
    struct scope *scopes; /* what is presumed at the start of each part */
    bool abandoned;       /* a part was not what was presumed: the rest is read one by one */
};

/* --- where to divide ---------------------------------------------------------------- */

static struct scope scope_of(const struct reader *reader, const struct level *level)
{
    return (struct scope){.origin = level->origin,
                          .has_default_ttl = reader->has_default_ttl,
                          .default_ttl = reader->default_ttl};
}

static void set_scope(struct reader *reader, struct level *level, const struct scope *scope)
{
    level->origin = scope->origin;
    reader->has_default_ttl = scope->has_default_ttl;
    reader->default_ttl = scope->default_ttl;
}

static bool is_same_scope(const struct scope *a, const struct scope *b)
{
    return a->has_default_ttl == b->has_default_ttl &&
           (!a->has_default_ttl || a->default_ttl == b->default_ttl) &&
           a->origin.length == b->origin.length &&
           memcmp(a->origin.octets, b->origin.octets, a->origin.length) == 0;
}

/* May an entry that names its owner begin with that octet? */
static bool begins_owner(char octet)
{
    return strchr(" \t\r\n;()$\"", octet) == NULL;
}

/* The first line at or behind `at` that begins with an owner, as far as one can see; NULL: none. */
static const char *find_owner_line(const char *at, const char *end)
{
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL || newline + 1 == end)
            return NULL;
        at = newline + 1;
        if (begins_owner(*at))
            return at;
    }
    return NULL;
}

/* The next line from `at` on that begins with a directive; NULL: none. */
static const char *find_directive(const char *text, const char *at, const char *end)
{
    while (at < end && (at = memchr(at, '$', (size_t)(end - at))) != NULL) {
        if (at == text || at[-1] == '\n')
            return at;
        at++;
    }
    return NULL;
}

static void add_part(struct division *division, const char *text, const struct scope *scope)
{
    size_t room = division->room;

    memory_grow(&division->parts, division->count, &division->room, sizeof *division->parts);
    memory_grow(&division->scopes, division->count, &room, sizeof *division->scopes);
    if (division->count > 0)
        division->parts[division->count - 1].end = text;
    division->scopes[division->count] = *scope;
    division->parts[division->count++] = (struct part){.text = text, .scope = *scope};
}

/* Adds the parts that begin in a run of text without directives. */
static void add_parts(struct division *division, const char *at, const char *end,
                      const struct scope *scope)
{
    for (;;) {
        const char *last = division->parts[division->count - 1].text;
        const char *wanted = last + PART_SIZE > at ? last + PART_SIZE : at;
        const char *start = wanted < end ? find_owner_line(wanted, end) : NULL;
        if (start == NULL)
            return;
        add_part(division, start, scope);
    }
}

/* Reads the directive at `line` for what it does to the scope. False if it is one that a part
 * cannot read by itself, or is wrong. */
static bool read_directive(struct reader *reader, struct level *level, const char *line,
                           const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line) + 1);

    lexer_start(&level->lexer, line, (size_t)(newline - line));
    reading_entries(reader, level);
    return reader->report->errors == 0 && !reader->piece->depends && reader->piece->length == 0;
}

/* Divides the text, whose directives are read ahead by `reader` and `level`. False if that cannot
 * be. */
static bool divide(struct division *division, struct reader *reader, struct level *level)
{
    const char *text = division->level->input.text;
    const char *end = text + division->level->input.length;
    struct scope scope = scope_of(reader, level);
    const char *at = text;

    add_part(division, text, &scope);
    while (at < end) {
        const char *directive = find_directive(text, at, end);
        add_parts(division, at, directive != NULL ? directive : end, &scope);
        if (directive == NULL)
            break;
        if (!read_directive(reader, level, directive, end))
            return false;
        scope = scope_of(reader, level);
        at = directive + 1;
    }
    division->parts[division->count - 1].end = end;
    return true;
}

/* --- a part ----------------------------------------------------------------------------- */

static void note_owner(struct part *part, const struct level *level)
{
    part->outside = level->owner_known && level->owner == ZONE_NO_NAME;
    if (part->outside) {
        part->outside_owner = memory_get(sizeof level->owner_text);
        memcpy(part->outside_owner, level->owner_text, sizeof level->owner_text);
    }
}

static void read_part(void *closure, size_t number)
{
    struct division *division = closure;
    struct part *part = &division->parts[number];
    struct reader *reader = memory_get(sizeof *reader);
    struct level *level = memory_get(sizeof *level);

    part->report = (struct report){.sink = findings_add, .closure = &part->piece.findings};
    *reader = (struct reader){
        .zone = division->reader->zone, .report = &part->report, .piece = &part->piece};
    *level = (struct level){.file = division->level->file};
    set_scope(reader, level, &part->scope);
    /* Every part ends with a newline, but the last, behind which there is one. */
    bool last = number + 1 == division->count;
    lexer_start(&level->lexer, part->text, (size_t)(part->end - part->text) - (last ? 0 : 1));
    level->lexer.line = 0;
    reading_entries(reader, level);
    part->lines = level->lexer.line;
    /* An open parenthesis at the end was perhaps closed in the next part. */
    part->piece.depends |= !last && level->lexer.at < part->end;
    part->scope = scope_of(reader, level);
    part->has_last_ttl = reader->has_last_ttl;
    part->last_ttl = reader->last_ttl;
    note_owner(part, level);
    lexer_free_entry(&level->entry);
    rdata_free(&reader->rdata);
    free(level);
    free(reader);
}

static void free_part(struct part *part)
{
    piece_free(&part->piece);
    free(part->outside_owner);
    part->outside_owner = NULL;
}

/* Adds to the zone what was read, and brings reader and level to the end of the part. */
static void adopt_part(struct reader *reader, struct level *level, const struct part *part)
{
    unsigned line = level->lexer.line;

    findings_report(&part->piece.findings, &part->report, reader->report, line);
    uint32_t owner = piece_move(&part->piece, reader->zone, line, level->owner);
    level->owner_known = true;
    level->owner = part->outside ? ZONE_NO_NAME : owner;
    if (part->outside)
        memcpy(level->owner_text, part->outside_owner, sizeof level->owner_text);
    set_scope(reader, level, &part->scope);
    if (part->has_last_ttl) {
        reader->has_last_ttl = true;
        reader->last_ttl = part->last_ttl;
    }
    tally_add(&reader->zone->share, (uint64_t)(part->end - level->counted),
              reader->zone->record_count - reader->counted);
    reader->counted = reader->zone->record_count;
    level->counted = part->end;
    tally_tell(reader->zone->share.tally);
    level->lexer.at = part->end;
    level->lexer.line = line + part->lines;
}

static void take_part(void *closure, size_t number)
{
    struct division *division = closure;
    struct part *part = &division->parts[number];
    struct scope scope = scope_of(division->reader, division->level);

    if (!division->abandoned && !part->piece.depends &&
        is_same_scope(&scope, &division->scopes[number]))
        adopt_part(division->reader, division->level, part);
    else
        __atomic_store_n(&division->abandoned, true, __ATOMIC_RELAXED);
    free_part(part);
}

/* --- all of them ------------------------------------------------------------------------- */

static bool perform(void *closure, size_t job)
{
    const struct division *division = closure;

    /* Seen late, it costs only time. */
    return __atomic_load_n(&division->abandoned, __ATOMIC_RELAXED) ||
           memory_guard(read_part, closure, job);
}

static bool take(void *closure, size_t job)
{
    return memory_guard(take_part, closure, job);
}

static void read_parts(struct division *division)
{
    const struct crew_work work = {
        .jobs = division->count,
        .window = 2 * crew_size(),
        .perform = perform,
        .take = take,
        .closure = division,
    };

    if (!crew_run(&work))
        memory_exhausted();
}

/* Plans the division by a reader of its own, which neither adds nor reports anything. */
static bool plan(struct division *division)
{
    struct reader *reader = memory_get(sizeof *reader);
    struct level *level = memory_get(sizeof *level);
    struct piece piece = {0};
    struct report report = {.sink = findings_add, .closure = &piece.findings};

    *reader = (struct reader){.zone = division->reader->zone, .report = &report, .piece = &piece};
    *level = (struct level){.file = division->level->file, .origin = division->level->origin};
    bool divided = divide(division, reader, level);
    lexer_free_entry(&level->entry);
    rdata_free(&reader->rdata);
    piece_free(&piece);
    free(level);
    free(reader);
    return divided;
}

void divide_read(struct reader *reader, struct level *level)
{
    struct division division = {.reader = reader, .level = level};

    if (level->input.length < WORTHWHILE || crew_size() < 2)
        return;
    if (plan(&division) && division.count > 1)
        read_parts(&division);
    free(division.parts);
    free(division.scopes);
}
