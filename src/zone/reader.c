#include "zone/reader.h"

#include "message/codes.h"
#include "message/wire.h"
#include "zone/divide.h"
#include "zone/generate.h"
#include "zone/lexer.h"
#include "zone/memory.h"
#include "zone/presentation.h"
#include "zone/reading.h"
#include "zone/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 64 };

static const char *path_of(const struct reader *reader, const struct level *level)
{
    return reader->zone->files[level->file].path;
}

#define fail(reader, level, line, ...)                                                             \
    report_error((reader)->report, path_of(reader, level), line, __VA_ARGS__)

static void fail_token(struct reader *reader, struct level *level, const struct token *token,
                       const char *why)
{
    char quote[REPORT_QUOTE_MAX];

    fail(reader, level, token->line, "\"%s\" %s", report_quote(quote, token->text, token->length),
         why);
}

/* --- records ------------------------------------------------------------ */

static bool set_owner(struct reader *reader, struct level *level, const struct token *token)
{
    struct domain domain;
    struct name name;
    const char *error = presentation_name(token, &level->origin, &domain);

    if (error != NULL) {
        fail_token(reader, level, token, error);
        return false;
    }
    name_read(&name, domain.octets, domain.length);
    level->owner_known = true;
    level->owner = ZONE_NO_NAME;
    if (!name_is_within(&name, &reader->zone->origin))
        name_to_text(&name, level->owner_text);
    else if (reader->piece != NULL)
        level->owner = piece_set_owner(reader->piece, reader->zone, &name);
    else
        level->owner = zone_intern(reader->zone, &name);
    return true;
}

/* Is it the class IN? `other`: it is a class, though not IN. */
static bool is_class(const struct token *token, bool *other)
{
    *other = presentation_is(token, "CH") || presentation_is(token, "HS") ||
             presentation_is(token, "CS") ||
             (token->length > 5 && strncasecmp(token->text, "CLASS", 5) == 0 &&
              !presentation_is(token, "CLASS1"));
    return *other || presentation_is(token, "IN") || presentation_is(token, "CLASS1");
}

/* What stands between owner and RDATA. */
struct preamble {
    bool has_ttl;
    bool has_class;
    uint32_t ttl;
    uint16_t type;
};

/* Reads [TTL] [class] or [class] [TTL]; moves `*next` past them. */
static bool read_ttl_and_class(struct reader *reader, struct level *level,
                               struct preamble *preamble, const struct token **next,
                               const struct token *end)
{
    for (; *next < end; ++*next) {
        const struct token *token = *next;
        bool other;
        if (!preamble->has_class && is_class(token, &other)) {
            if (other) {
                fail_token(reader, level, token, "is not served: only class IN is");
                return false;
            }
            preamble->has_class = true;
        } else if (!preamble->has_ttl && !token->quoted && token->length > 0 &&
                   token->text[0] >= '0' && token->text[0] <= '9') {
            const char *error = presentation_ttl(token, &preamble->ttl);
            if (error != NULL) {
                fail_token(reader, level, token, error);
                return false;
            }
            preamble->has_ttl = true;
        } else {
            break;
        }
    }
    return true;
}

/* OPT, TSIG, AXFR and their like belong into messages, not into zones (RFC 6895 §3.1). */
static bool is_meta_type(uint16_t type)
{
    return type == 0 || type == TYPE_OPT || (type >= TYPE_META_FIRST && type <= TYPE_ANY);
}

static bool read_type(struct reader *reader, struct level *level, struct preamble *preamble,
                      const struct token **next, const struct token *end)
{
    if (*next == end) {
        fail(reader, level, level->entry.line, "the record ends before its type");
        return false;
    }
    if (!type_read(*next, &preamble->type)) {
        fail_token(reader, level, *next, "is no RR type");
        return false;
    }
    if (is_meta_type(preamble->type)) {
        fail_token(reader, level, *next, "cannot stand in a zone");
        return false;
    }
    ++*next;
    return true;
}

static uint32_t soa_minimum(const struct rdata *rdata)
{
    return wire_read_u32(rdata->octets + rdata->length - 4);
}

/* RFC 2308 §4 and RFC 1035 §5.1; before there was $TTL, MINIMUM was the default. */
static bool settle_ttl(struct reader *reader, struct level *level, struct preamble *preamble)
{
    if (preamble->has_ttl) {
        reader->has_last_ttl = true;
        reader->last_ttl = preamble->ttl;
    } else if (reader->has_default_ttl) {
        preamble->ttl = reader->default_ttl;
    } else if (reader->has_last_ttl) {
        preamble->ttl = reader->last_ttl;
    } else if (reader->piece != NULL) {
        reader->piece->depends = true;
        return false;
    } else if (preamble->type == TYPE_SOA) {
        preamble->ttl = soa_minimum(&reader->rdata);
        reader->has_last_ttl = true;
        reader->last_ttl = preamble->ttl;
        report_warning(reader->report, path_of(reader, level), level->entry.line,
                       "no TTL: the SOA's MINIMUM, %u, is used (write $TTL above)", preamble->ttl);
    } else {
        fail(reader, level, level->entry.line, "the record has no TTL (write $TTL above)");
        return false;
    }
    return true;
}

static void add_record(struct reader *reader, struct level *level, const struct preamble *preamble)
{
    char text[TYPE_TEXT_MAX];

    if (level->owner == ZONE_NO_NAME) {
        report_warning(reader->report, path_of(reader, level), level->entry.line,
                       "%s %s is outside the zone and left out", level->owner_text,
                       type_to_text(preamble->type, text));
        return;
    }
    const struct zone_record record = {
        .rdata = reader->rdata.octets,
        .name = level->owner,
        .ttl = preamble->ttl,
        .line = level->entry.line,
        .file = level->file,
        .type = preamble->type,
        .length = (uint16_t)reader->rdata.length,
    };
    if (reader->piece != NULL)
        piece_add(reader->piece, &record);
    else
        zone_add(reader->zone, &record);
}

static void read_record(struct reader *reader, struct level *level)
{
    const struct token *next = level->entry.tokens;
    const struct token *end = next + level->entry.count;
    struct preamble preamble = {0};

    if (!level->entry.owner_omitted && !set_owner(reader, level, next++))
        return;
    if (!level->owner_known && reader->piece != NULL) {
        reader->piece->depends = true;
        return;
    }
    if (!level->owner_known) {
        fail(reader, level, level->entry.line,
             "the record begins with a blank, and there is no owner name before it");
        return;
    }
    if (!read_ttl_and_class(reader, level, &preamble, &next, end) ||
        !read_type(reader, level, &preamble, &next, end))
        return;
    if (!rdata_read(&reader->rdata, preamble.type, next, (size_t)(end - next), &level->origin)) {
        unsigned line = reader->rdata.error_line;
        fail(reader, level, line > 0 ? line : level->entry.line, "%s", reader->rdata.error);
        return;
    }
    if (settle_ttl(reader, level, &preamble))
        add_record(reader, level, &preamble);
}

/* --- directives --------------------------------------------------------- */

static bool expect_arguments(struct reader *reader, struct level *level, size_t least, size_t most)
{
    const struct token *tokens = level->entry.tokens;
    size_t count = level->entry.count - 1;

    if (count >= least && count <= most)
        return true;
    if (count > most)
        fail_token(reader, level, &tokens[most + 1], "is more than this directive has");
    else
        fail_token(reader, level, &tokens[0], "lacks an argument");
    return false;
}

static void read_ttl_directive(struct reader *reader, struct level *level)
{
    const struct token *argument = &level->entry.tokens[1];

    if (!expect_arguments(reader, level, 1, 1))
        return;
    const char *error = presentation_ttl(argument, &reader->default_ttl);
    if (error != NULL)
        fail_token(reader, level, argument, error);
    else
        reader->has_default_ttl = true;
}

static void read_origin_directive(struct reader *reader, struct level *level)
{
    const struct token *argument = &level->entry.tokens[1];
    struct domain origin;

    if (!expect_arguments(reader, level, 1, 1))
        return;
    const char *error = presentation_name(argument, &level->origin, &origin);
    if (error != NULL)
        fail_token(reader, level, argument, error);
    else
        level->origin = origin;
}

/* The number of the file in zone->files. */
static uint16_t add_file(struct zone *zone, const char *path, const struct input_identity *identity)
{
    for (size_t i = 0; i < zone->file_count; i++)
        if (strcmp(zone->files[i].path, path) == 0)
            return (uint16_t)i;
    memory_grow(&zone->files, zone->file_count, &zone->file_room, sizeof *zone->files);
    char *copy = memory_get(strlen(path) + 1);
    strcpy(copy, path);
    zone->files[zone->file_count] = (struct zone_file){.path = copy, .identity = *identity};
    return (uint16_t)zone->file_count++;
}

/* The path as it is, if absolute, else from the directory of the file that includes it. */
static char *resolve_path(const char *including, const char *path, size_t length)
{
    const char *slash = strrchr(including, '/');
    size_t directory = slash != NULL && path[0] != '/' ? (size_t)(slash - including) + 1 : 0;
    char *resolved = memory_get(directory + length + 1);

    memcpy(resolved, including, directory);
    memcpy(resolved + directory, path, length);
    resolved[directory + length] = '\0';
    return resolved;
}

static bool is_open_above(const struct level *level, const struct input_identity *identity)
{
    for (; level != NULL; level = level->above)
        if (level->input.identity.device == identity->device &&
            level->input.identity.inode == identity->inode)
            return true;
    return false;
}

static void include_input(struct reader *reader, struct level *above, const char *path,
                          const struct input *input, const struct domain *origin)
{
    struct level *level = memory_get(sizeof *level);

    *level = (struct level){
        .above = above,
        .input = *input,
        .file = add_file(reader->zone, path, &input->identity),
        .depth = above->depth + 1,
        .origin = *origin,
        .owner_known = above->owner_known,
        .owner = above->owner,
    };
    memcpy(level->owner_text, above->owner_text, sizeof level->owner_text);
    level->counted = input->text;
    lexer_start(&level->lexer, input->text, input->length);
    reading_entries(reader, level);
    lexer_free_entry(&level->entry);
    free(level);
}

static void include_file(struct reader *reader, struct level *level, const char *path,
                         const struct domain *origin)
{
    unsigned line = level->entry.line;
    char text[INPUT_ERROR_MAX];
    struct input input;

    int error = input_read(&input, path);
    if (error != 0) {
        fail(reader, level, line, "cannot read %s: %s%s", path, input_error(error, text),
             error == EACCES ? " (sorreld includes files of the folders that zone files are in)"
                             : "");
        return;
    }
    if (is_open_above(level, &input.identity))
        fail(reader, level, line, "%s includes itself", path);
    else if (level->depth == NESTING_MAX || reader->zone->file_count == UINT16_MAX)
        fail(reader, level, line, "%s is one included file too many", path);
    else
        include_input(reader, level, path, &input, origin);
    input_free(&input);
}

static void read_include_directive(struct reader *reader, struct level *level)
{
    const struct token *arguments = &level->entry.tokens[1];
    struct domain origin = level->origin;
    uint8_t file[4096];
    size_t length;

    if (!expect_arguments(reader, level, 1, 2))
        return;
    const char *error = presentation_octets(&arguments[0], file, sizeof file, &length);
    if (error != NULL) {
        fail_token(reader, level, &arguments[0], error);
        return;
    }
    if (level->entry.count > 2 &&
        (error = presentation_name(&arguments[1], &level->origin, &origin)) != NULL) {
        fail_token(reader, level, &arguments[1], error);
        return;
    }
    char *path = resolve_path(path_of(reader, level), (const char *)file, length);
    include_file(reader, level, path, &origin);
    free(path);
}

/* Reads one line that $GENERATE made as if it stood in the file. */
static void read_generated_line(struct reader *reader, struct level *level, const char *text,
                                size_t length)
{
    const char *error;
    unsigned line = level->entry.line;
    struct lexer lexer;

    lexer_start(&lexer, text, length);
    lexer.line = line;
    switch (lexer_next(&lexer, &level->entry, &error)) {
    case LEXER_ENTRY:
        level->entry.line = line;
        read_record(reader, level);
        break;
    case LEXER_ERROR:
        fail(reader, level, line, "$GENERATE made a line in which %s", error);
        break;
    case LEXER_END:
        break;
    }
    level->entry.line = line;
}

static void read_generate_directive(struct reader *reader, struct level *level)
{
    struct generate generate;
    const struct token *culprit;
    struct entry directive = level->entry;

    const char *error = generate_start(&generate, &directive, &culprit);
    if (error != NULL) {
        fail_token(reader, level, culprit, error);
        return;
    }
    unsigned errors_before = reader->report->errors;
    level->entry = (struct entry){.line = directive.line};
    while (generate_next(&generate) && reader->report->errors == errors_before)
        read_generated_line(reader, level, generate.line, generate.length);
    lexer_free_entry(&level->entry);
    level->entry = directive;
    generate_end(&generate);
}

static void read_directive(struct reader *reader, struct level *level)
{
    static const struct {
        const char *word;
        void (*read)(struct reader *, struct level *);
        bool for_whole_files; /* only */
    } directives[] = {
        {"$TTL", read_ttl_directive, false},
        {"$ORIGIN", read_origin_directive, false},
        {"$INCLUDE", read_include_directive, true},
        {"$GENERATE", read_generate_directive, true},
    };
    const struct token *word = &level->entry.tokens[0];

    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        if (!presentation_is(word, directives[i].word))
            continue;
        if (reader->piece != NULL && directives[i].for_whole_files)
            reader->piece->depends = true;
        else
            directives[i].read(reader, level);
        return;
    }
    fail_token(reader, level, word, "is no directive");
}

/* --- files -------------------------------------------------------------- */

static bool is_directive(const struct entry *entry)
{
    const struct token *first = &entry->tokens[0];

    return !entry->owner_omitted && !first->quoted && first->text[0] == '$';
}

/* Whole files are counted while they are read; parts when they are added. */
static void count_entries(struct reader *reader, struct level *level)
{
    enum { STEP = 1 << 19 };
    struct zone *zone = reader->zone;

    if (level->lexer.at - level->counted < STEP)
        return;
    tally_add(&zone->share, (uint64_t)(level->lexer.at - level->counted),
              zone->record_count - reader->counted);
    reader->counted = zone->record_count;
    level->counted = level->lexer.at;
    tally_tell(zone->share.tally);
}

void reading_entries(struct reader *reader, struct level *level)
{
    const char *error;

    for (;;) {
        if (reader->alone)
            count_entries(reader, level);
        switch (lexer_next(&level->lexer, &level->entry, &error)) {
        case LEXER_END:
            return;
        case LEXER_ERROR:
            fail(reader, level, level->entry.line, "%s", error);
            break;
        case LEXER_ENTRY:
            if (is_directive(&level->entry))
                read_directive(reader, level);
            else
                read_record(reader, level);
            break;
        }
    }
}

void reader_read(struct zone *zone, const char *path, bool alone)
{
    struct reader *reader = memory_get(sizeof *reader);
    struct level *level = memory_get(sizeof *level);
    char text[INPUT_ERROR_MAX];

    *reader = (struct reader){.zone = zone, .report = zone->report, .alone = alone};
    *level = (struct level){0};
    int error = input_read(&level->input, path);
    if (error != 0) {
        report_error(zone->report, path, 0, "cannot read the file: %s", input_error(error, text));
    } else {
        level->file = add_file(zone, path, &level->input.identity);
        level->origin.length = zone->origin.length;
        memcpy(level->origin.octets, zone->origin.octets, zone->origin.length);
        lexer_start(&level->lexer, level->input.text, level->input.length);
        level->counted = level->input.text;
        if (alone)
            divide_read(reader, level);
        reading_entries(reader, level);
        tally_add(&zone->share, (uint64_t)(level->lexer.at - level->counted),
                  zone->record_count - reader->counted);
    }
    lexer_free_entry(&level->entry);
    input_free(&level->input);
    rdata_free(&reader->rdata);
    free(level);
    free(reader);
}
