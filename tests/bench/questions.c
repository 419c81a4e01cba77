#include "questions.h"

#include "message/name.h"
#include "message/wire.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CLASS_IN = 1, TYPE_OPT = 41, PAYLOAD = 1232, FLAG_DO = 0x8000, OPT_OCTETS = 11 };

/* A query without its ID. Of a pattern there is one, in which the digits are replaced. */
struct query {
    uint16_t length;
    uint8_t octets[];
};

struct questions {
    uint32_t count;
    struct query **queries; /* of a file: `count`; of a pattern: one */
    bool is_pattern;
    size_t digits_offset;
    unsigned digits;
};

static const struct {
    const char *mnemonic;
    uint16_t type;
} types[] = {{"A", 1},       {"NS", 2},     {"CNAME", 5}, {"SOA", 6},  {"PTR", 12},
             {"MX", 15},     {"TXT", 16},   {"AAAA", 28}, {"SRV", 33}, {"DS", 43},
             {"DNSKEY", 48}, {"HTTPS", 65}, {"ANY", 255}};

static uint16_t type_of(const char *text)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(text, types[i].mnemonic) == 0)
            return types[i].type;
    if (strncasecmp(text, "TYPE", 4) == 0)
        return (uint16_t)strtoul(text + 4, NULL, 10);
    return 0;
}

/* Writes `text`, which has no escapes, in wire form; 0 if it is no name. */
static size_t put_name(const char *text, uint8_t name[NAME_OCTETS_MAX])
{
    size_t at = 0;

    if (strcmp(text, ".") == 0)
        text = "";
    while (*text != '\0') {
        size_t label = strcspn(text, ".");
        if (label == 0 || label > NAME_LABEL_OCTETS_MAX || at + 1 + label + 1 > NAME_OCTETS_MAX)
            return 0;
        name[at] = (uint8_t)label;
        memcpy(name + at + 1, text, label);
        at += 1 + label;
        text += label + (text[label] == '.');
    }
    name[at] = 0;
    return at + 1;
}

static size_t put_opt(uint8_t *at)
{
    memset(at, 0, OPT_OCTETS);
    wire_write_u16(at + 1, TYPE_OPT);
    wire_write_u16(at + 3, PAYLOAD);
    wire_write_u16(at + 7, FLAG_DO);
    return OPT_OCTETS;
}

/* NULL if name or type are none. */
static struct query *make_query(const char *name, const char *type, bool dnssec)
{
    uint8_t wire[QUESTIONS_OCTETS_MAX] = {0};
    size_t length = put_name(name, wire + WIRE_HEADER_SIZE);
    uint16_t qtype = type_of(type);

    if (length == 0 || qtype == 0)
        return NULL;
    length += WIRE_HEADER_SIZE;
    wire_write_u16(wire + 4, 1);
    wire_write_u16(wire + length, qtype);
    wire_write_u16(wire + length + 2, CLASS_IN);
    length += 4;
    if (dnssec) {
        wire_write_u16(wire + 10, 1);
        length += put_opt(wire + length);
    }
    struct query *query = malloc(sizeof *query + length);
    if (query == NULL)
        return NULL;
    query->length = (uint16_t)length;
    memcpy(query->octets, wire, length);
    return query;
}

/* --- of a pattern ------------------------------------------------------------ */

static bool open_pattern(struct questions *questions, const struct questions_settings *settings)
{
    questions->is_pattern = true;
    questions->count = settings->count;
    questions->queries = calloc(1, sizeof *questions->queries);
    if (questions->queries == NULL)
        return false;
    questions->queries[0] = make_query(settings->pattern, settings->type, settings->dnssec);
    if (questions->queries[0] == NULL || settings->count == 0) {
        fprintf(stderr, "no questions: %s %s, %u of them\n", settings->pattern, settings->type,
                settings->count);
        return false;
    }
    /* Dots and length octets take one octet each: places in the text are places on the wire. */
    size_t first = strcspn(settings->pattern, "#");
    questions->digits = (unsigned)strspn(settings->pattern + first, "#");
    questions->digits_offset = WIRE_HEADER_SIZE + 1 + first;
    return true;
}

static void put_digits(uint8_t *at, unsigned digits, uint32_t number)
{
    while (digits-- > 0) {
        at[digits] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
}

/* --- of a file --------------------------------------------------------------- */

static bool add_line(struct questions *questions, const char *line, bool dnssec)
{
    enum { GROWTH = 4096 };
    char name[1024], type[32];

    if (sscanf(line, " %1023[^; \t\n] %31s", name, type) != 2)
        return true; /* empty, or a comment */
    if (questions->count % GROWTH == 0) {
        size_t room = (size_t)questions->count + GROWTH;
        struct query **grown = reallocarray(questions->queries, room, sizeof *grown);
        if (grown == NULL)
            return false;
        questions->queries = grown;
    }
    struct query *query = make_query(name, type, dnssec);
    if (query == NULL)
        return false;
    questions->queries[questions->count++] = query;
    return true;
}

static bool open_file(struct questions *questions, const struct questions_settings *settings)
{
    FILE *file = fopen(settings->file, "re");
    char line[2048];
    unsigned number = 0;
    bool good = file != NULL;

    while (good && fgets(line, sizeof line, file) != NULL) {
        number++;
        good = add_line(questions, line, settings->dnssec);
    }
    if (file != NULL)
        fclose(file);
    if (good && questions->count > 0)
        return true;
    fprintf(stderr, "%s:%u: no question can be read\n", settings->file, number);
    return false;
}

/* --- both -------------------------------------------------------------------- */

struct questions *questions_open(const struct questions_settings *settings)
{
    struct questions *questions = calloc(1, sizeof *questions);

    if (questions == NULL)
        return NULL;
    if (settings->file != NULL ? open_file(questions, settings) : open_pattern(questions, settings))
        return questions;
    questions_free(questions);
    return NULL;
}

void questions_free(struct questions *questions)
{
    uint32_t queries = questions->is_pattern ? 1 : questions->count;

    for (uint32_t i = 0; questions->queries != NULL && i < queries; i++)
        free(questions->queries[i]);
    free(questions->queries);
    free(questions);
}

uint32_t questions_count(const struct questions *questions)
{
    return questions->count;
}

size_t questions_write(const struct questions *questions, uint32_t number,
                       uint8_t wire[QUESTIONS_OCTETS_MAX])
{
    const struct query *query = questions->queries[questions->is_pattern ? 0 : number];

    memcpy(wire, query->octets, query->length);
    if (questions->is_pattern)
        put_digits(wire + questions->digits_offset, questions->digits, number);
    return query->length;
}

static void print_type(uint16_t type, FILE *file)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) {
            fprintf(file, " %s\n", types[i].mnemonic);
            return;
        }
    fprintf(file, " TYPE%u\n", type);
}

void questions_print(const struct questions *questions, uint32_t number, FILE *file)
{
    uint8_t wire[QUESTIONS_OCTETS_MAX];
    char text[NAME_TEXT_MAX];
    struct name name;

    size_t length = questions_write(questions, number, wire);
    size_t octets = name_read(&name, wire + WIRE_HEADER_SIZE, length - WIRE_HEADER_SIZE);
    fputs(name_to_text(&name, text), file);
    print_type(wire_read_u16(wire + WIRE_HEADER_SIZE + octets), file);
}
