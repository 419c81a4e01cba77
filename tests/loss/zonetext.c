#include "zonetext.h"

#include "child.h"
#include "question.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Names that only this version has: up to so many. */
enum { PASSING_NAMES = 97 };

static void write_records(FILE *file, uint32_t names, uint32_t version)
{
    fprintf(file,
            "$ORIGIN " QUESTION_ORIGIN ".\n$TTL %u\n"
            "@ SOA ns hostmaster %u 3600 600 86400 %u\n"
            "@ NS ns\nns A 127.0.0.1\n",
            version, version, version);
    for (uint32_t i = 0; i < version * 31 % PASSING_NAMES; i++)
        fprintf(file, "a%u-%u TXT \"here for one version only\"\n", i, version);
    for (uint32_t i = 0; i < names; i++)
        fprintf(file, "n%07u A 10.%u.%u.%u\n  MX %u n%07u\n", i, i >> 16 & 255, i >> 8 & 255,
                i & 255, i & 65535, question_target(i, names));
}

static void replace(const char *path, uint32_t names, uint32_t version, const char *last_line)
{
    char draft[PATH_MAX];

    snprintf(draft, sizeof draft, "%s.draft", path);
    FILE *file = fopen(draft, "we");
    if (file == NULL)
        child_fail("cannot write %s: %s", draft, strerror(errno));
    write_records(file, names, version);
    fputs(last_line, file);
    if (ferror(file) || fclose(file) != 0 || rename(draft, path) != 0)
        child_fail("cannot write %s: %s", path, strerror(errno));
}

void zonetext_write(const char *path, uint32_t names, uint32_t version)
{
    replace(path, names, version, "");
}

void zonetext_write_broken(const char *path, uint32_t names, uint32_t version)
{
    replace(path, names, version, "broken A 256.0.0.0\n");
}
