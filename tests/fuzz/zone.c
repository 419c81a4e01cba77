/*
 * Any zone that the compiler takes is a table that table_open() takes, and that answer() keeps its
 * promises with.
 *
 * Input: the zone's text.
 */
#include "fuzz.h"
#include "promises.h"
#include "queries.h"
#include "table/seal.h"
#include "zone/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS_MAX = 40, OWNERS_MAX = 64, OWNER_TEXT_MAX = 400, QUERIES = 60, QUERY_ROOM = 1024 };

const unsigned fuzz_rounds = 400;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* --- zones ------------------------------------------------------------------------------------ */

/* A zone being written: names that have a CNAME or DNAME may not have anything else. */
struct zone_writer {
    struct fuzz_random *random;
    char *text;
    size_t length;
    char owners[OWNERS_MAX][OWNER_TEXT_MAX];
    bool closed[OWNERS_MAX];
    size_t owner_count;
};

static void make_owner(struct fuzz_random *random, char owner[OWNER_TEXT_MAX])
{
    static const char *const labels[] = {
        "a", "b", "*", "ns", "x\\000", "\\.", "a-label-that-is-rather-long-for-a-label-but-fits",
    };

    owner[0] = '\0';
    for (uint32_t left = 1 + fuzz_below(random, 4); left > 0; left--) {
        if (owner[0] != '\0')
            strcat(owner, ".");
        strcat(owner, labels[fuzz_below(random, sizeof labels / sizeof labels[0])]);
    }
}

static void make_target(struct zone_writer *writer, char target[OWNER_TEXT_MAX])
{
    struct fuzz_random *random = writer->random;

    switch (fuzz_below(random, 6)) {
    case 0:
        strcpy(target, "@");
        break;
    case 1:
        strcpy(target, "ns.elsewhere.");
        break;
    case 2:
        strcpy(target, ".");
        break;
    case 3:
        make_owner(random, target);
        break;
    default:
        if (writer->owner_count > 0)
            strcpy(target, writer->owners[fuzz_below(random, (uint32_t)writer->owner_count)]);
        else
            strcpy(target, "ns");
        break;
    }
}

/* Returns the index of an owner that may have more records; a new one if `alone`. */
static size_t choose_owner(struct zone_writer *writer, bool alone)
{
    size_t at = 0;

    make_owner(writer->random, writer->owners[writer->owner_count]);
    while (strcmp(writer->owners[at], writer->owners[writer->owner_count]) != 0)
        at++;
    if (at < writer->owner_count && (alone || writer->closed[at]))
        return OWNERS_MAX;
    if (at == writer->owner_count)
        writer->closed[writer->owner_count++] = alone;
    return at;
}

static void put_text(struct zone_writer *writer, const char *text)
{
    strcpy(writer->text + writer->length, text);
    writer->length += strlen(text);
}

static void put_record(struct zone_writer *writer)
{
    static const struct {
        const char *type; /* and what stands before number and name */
        bool number;
        bool name;
        bool alone;
    } kinds[] = {
        {"A 192.0.2.", true, false, false},
        {"AAAA 2001:db8::", true, false, false},
        {"NS ", false, true, false},
        {"NS ", false, true, false},
        {"CNAME ", false, true, true},
        {"DNAME ", false, true, true},
        {"MX ", true, true, false},
        {"TXT ", true, true, false},
        {"SRV 1 2 ", true, true, false},
        {"PTR ", false, true, false},
        {"MINFO a ", false, true, false},
        {"RP a ", false, true, false},
        {"HTTPS ", true, true, false},
        {"AFSDB ", true, true, false},
        {"TYPE65280 \\# 1 0", true, false, false},
        {"DS 1 15 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", true, false,
         false},
    };
    size_t kind = fuzz_below(writer->random, sizeof kinds / sizeof kinds[0]);
    size_t owner = choose_owner(writer, kinds[kind].alone);
    char target[OWNER_TEXT_MAX];

    if (owner == OWNERS_MAX)
        return;
    make_target(writer, target);
    put_text(writer, writer->owners[owner]);
    put_text(writer, " ");
    put_text(writer, kinds[kind].type);
    if (kinds[kind].number) {
        const char digit[] = {(char)('0' + fuzz_below(writer->random, 8)), ' ', '\0'};
        put_text(writer, digit);
    }
    if (kinds[kind].name)
        put_text(writer, target);
    put_text(writer, "\n");
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    static struct zone_writer writer;

    writer = (struct zone_writer){.random = random, .text = (char *)input};
    writer.length = (size_t)sprintf(writer.text, "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns\n");
    for (uint32_t left = fuzz_below(random, RECORDS_MAX);
         left > 0 && writer.length + 3 * OWNER_TEXT_MAX < FUZZ_INPUT_MAX; left--)
        put_record(&writer);
    return writer.length;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void ignore(void *closure, const struct diagnostic *diagnostic)
{
    (void)closure;
    (void)diagnostic;
}

/* Asks many things of the table in `fd`. */
static void ask_table(int fd)
{
    struct fuzz_random random = {.state = 1};
    struct sealed_table sealed;
    uint8_t query[QUERY_ROOM];

    const char *reason = seal_map(&sealed, fd);
    if (reason != NULL)
        fprintf(stderr, "refused: %s\n", reason);
    FUZZ_ASSERT(reason == NULL);
    queries_learn(&sealed.table);
    unsigned left =
        sealed.table.header->zone_count > 0 ? QUERIES : 0; /* the zone may have errors */
    for (unsigned i = 0; i < left; i++) {
        size_t length = queries_make(&random, query, sizeof query);
        promises_check(&sealed.table, (uint16_t)(i * 41), query, length);
    }
    seal_unmap(&sealed);
}

/* The compiler leaves its memory to be freed by exit, so it runs in a child. */
static _Noreturn void build_and_exit(const uint8_t *text, size_t length)
{
    struct source_list sources = {0};
    char error[SOURCE_ERROR_MAX];
    char argument[64];
    int file = memfd_create("zone", 0);
    struct build_request request = {
        .sources = &sources, .seed = 5, .generation = 1, .sink = ignore};
    struct build_result result;

    FUZZ_ASSERT(file >= 0 && write(file, text, length) == (ssize_t)length);
    snprintf(argument, sizeof argument, "fuzz.test=/proc/self/fd/%d", file);
    FUZZ_ASSERT(source_list_add(&sources, argument, error));
    FUZZ_ASSERT(build_table(&request, &result));
    ask_table(result.fd);
    _exit(EXIT_SUCCESS);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    int status;
    pid_t child = fork();

    FUZZ_ASSERT(child >= 0);
    if (child == 0)
        build_and_exit(input, length);
    FUZZ_ASSERT(waitpid(child, &status, 0) == child);
    FUZZ_ASSERT(status == 0);
    return 0;
}
