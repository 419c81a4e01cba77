/*
 * Any zone that the compiler takes is a table that table_open() takes, and that answer() keeps its
 * promises with.
 *
 * Input: the zone's text; behind an octet 0 that of a file that it may include, whose name is 200.
 * The name of the zone's own file is 201. Others are not tried: they would be files of the machine.
 */
#include "coverage.h"
#include "fuzz.h"
#include "promises.h"
#include "queries.h"
#include "table/seal.h"
#include "zone/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS_MAX = 40, OWNERS_MAX = 64, OWNER_TEXT_MAX = 400, QUERIES = 60, QUERY_ROOM = 1024 };

/* Descriptors of the files, and so their names in /proc/self/fd. */
enum { INCLUDED_FILE = 200, ZONE_FILE };

const unsigned fuzz_rounds = 300;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    coverage_share();
    return 0;
}

/* --- zones ----------------------------------------------------------------------------------- */

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

/* Lines that are not made of parts. */
static void put_line(struct zone_writer *writer)
{
    static const char *const lines[] = {
        "$GENERATE 1-4 g$ A 192.0.2.$\n",
        "$GENERATE 0-20/5 ${0,3,x}.g TXT $\n",
        "$GENERATE 3-1 $ CNAME \\$.${-1}\n",
        "$GENERATE 8-9 ${0,9,n}.g 60 IN CNAME a.${1,2,X}\n",
        "$ORIGIN a\n",
        "$ORIGIN fuzz.test.\n",
        "$TTL 1h\n",
        "$INCLUDE 200\n",
        "$INCLUDE 200 included\n",
        "$INCLUDE 201\n",
        "a.b ( 5 IN\n A 192.0.2.9 ; )\n )\n IN 6 TXT \"( ;\" \\065\n",
        "@ NSEC b A NS SOA TXT TYPE65280\n",
        "b NSEC fuzz.test. A\n",
        "@ NSEC3PARAM 1 0 1 ab\n",
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 1 ab 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n",
        "2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 1 ab 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom\n",
        "@ RRSIG SOA 13 2 60 20380101000000 20200101000000 1 fuzz.test. AAAA\n",
        "a RRSIG A 13 3 60 20380101000000 20200101000000 1 fuzz.test. AAAA\n",
        "@ DNSKEY 257 3 13 AAAA\n",
        "* LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n",
        "svc SVCB 1 . alpn=h2,h3 port=53 ipv4hint=192.0.2.1 key65280=\"\\001\"\n",
    };

    put_text(writer, lines[fuzz_below(writer->random, sizeof lines / sizeof lines[0])]);
}

static void put_something(struct zone_writer *writer)
{
    if (fuzz_below(writer->random, 6) == 0)
        put_line(writer);
    else
        put_record(writer);
}

static void damage(struct zone_writer *writer)
{
    for (uint32_t left = fuzz_below(writer->random, 3); left > 0; left--)
        writer->text[fuzz_below(writer->random, (uint32_t)writer->length)] =
            "\"\\();$ \n.*@\0x1"[fuzz_below(writer->random, 13)];
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    static struct zone_writer writer;

    writer = (struct zone_writer){.random = random, .text = (char *)input};
    writer.length = (size_t)sprintf(writer.text, "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns\n");
    for (uint32_t left = fuzz_below(random, RECORDS_MAX);
         left > 0 && writer.length + 3 * OWNER_TEXT_MAX < FUZZ_INPUT_MAX; left--)
        put_something(&writer);
    if (fuzz_below(random, 2) == 0)
        input[writer.length++] = '\0';
    for (uint32_t left = fuzz_below(random, 3);
         left > 0 && writer.length + 3 * OWNER_TEXT_MAX < FUZZ_INPUT_MAX; left--)
        put_something(&writer);
    if (fuzz_below(random, 5) == 0)
        damage(&writer);
    return writer.length;
}

/* --- tables ---------------------------------------------------------------------------------- */

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

static void put_file(int descriptor, const uint8_t *text, size_t length)
{
    int file = memfd_create("zone", 0);

    FUZZ_ASSERT(file >= 0 && write(file, text, length) == (ssize_t)length);
    FUZZ_ASSERT(dup2(file, descriptor) == descriptor);
    close(file);
}

/* The compiler leaves its memory to be freed by exit, so it runs in a child. */
static _Noreturn void build_and_exit(const uint8_t *text, size_t length)
{
    struct source_list sources = {0};
    char error[SOURCE_ERROR_MAX];
    char argument[64];
    struct build_request request = {
        .sources = &sources, .seed = 5, .generation = 1, .sink = ignore};
    struct build_result result;
    const uint8_t *end = memchr(text, '\0', length);
    size_t first = end != NULL ? (size_t)(end - text) : length;

    put_file(ZONE_FILE, text, first);
    put_file(INCLUDED_FILE, text + first + (end != NULL), length - first - (end != NULL));
    snprintf(argument, sizeof argument, "fuzz.test=/proc/self/fd/%d", ZONE_FILE);
    FUZZ_ASSERT(source_list_add(&sources, argument, error));
    FUZZ_ASSERT(build_table(&request, &result));
    ask_table(result.fd);
    coverage_give();
    _exit(EXIT_SUCCESS);
}

/* --- what is not tried ----------------------------------------------------------------------- */

/* Does it include other files than ours? */
static bool includes_others(const char *text)
{
    static const char *const ours[] = {" 200\n", " 200 ", " 201\n"};

    while ((text = strcasestr(text, "$include")) != NULL) {
        bool is_ours = false;
        text += strlen("$include");
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            is_ours |= strncmp(text, ours[i], strlen(ours[i])) == 0;
        if (!is_ours)
            return true;
    }
    return false;
}

/* Does it make more than some hundred lines of one? Millions would only take their time. */
static bool makes_many(const char *text)
{
    while ((text = strcasestr(text, "$generate")) != NULL) {
        text += strlen("$generate");
        size_t blank = strspn(text, " \t");
        size_t range = strspn(text + blank, "0123456789-/");
        if (blank == 0 || range > strlen("100-199/1"))
            return true;
    }
    return false;
}

/* Of either file. */
static bool is_tried(const uint8_t *input, size_t length)
{
    char *text = strndup((const char *)input, length);
    FUZZ_ASSERT(text != NULL);
    bool is_tried = !includes_others(text) && !makes_many(text);
    free(text);
    return is_tried;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    const uint8_t *end = memchr(input, '\0', length);
    size_t first = end != NULL ? (size_t)(end - input) + 1 : length;
    int status;

    if (!is_tried(input, length) || !is_tried(input + first, length - first))
        return 0;
    pid_t child = fork();
    FUZZ_ASSERT(child >= 0);
    if (child == 0)
        build_and_exit(input, length);
    while (waitpid(child, &status, 0) != child)
        FUZZ_ASSERT(errno == EINTR); /* libFuzzer has a timer */
    FUZZ_ASSERT(status == 0);
    coverage_take();
    return 0;
}
