#include "zonetext.h"

#include "../loss/child.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* A million files take four gigabytes: so many zones share one, under names of their own. */
enum { ZONES_A_FILE = 1000 };

static void write_apex(FILE *file)
{
    fputs("$TTL 3600\n"
          "@ SOA ns.provider.example. hostmaster.provider.example. 1 7200 3600 1209600 300\n"
          "@ NS ns.provider.example.\n",
          file);
}

FILE *zonetext_open(const char *directory, const char *origin)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s.zone", directory, origin);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        child_fail("cannot write %s: %s", path, strerror(errno));
    return file;
}

void zonetext_close(FILE *file)
{
    if (ferror(file) || fclose(file) != 0)
        child_fail("cannot write a zone file: %s", strerror(errno));
}

const char *zonetext_address(uint32_t i)
{
    static char text[sizeof "10.255.255.255"];

    snprintf(text, sizeof text, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
    return text;
}

void zonetext_names(const char *directory, uint32_t count)
{
    FILE *file = zonetext_open(directory, "names.bench");

    write_apex(file);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "n%07u A %s\n", i, zonetext_address(i));
    zonetext_close(file);
}

void zonetext_delegation(FILE *file, uint32_t i)
{
    fprintf(file, "d%07u NS ns.d%07u\nd%07u NS ns.provider.example.\nns.d%07u A %s\n", i, i, i, i,
            zonetext_address(i));
}

void zonetext_delegations(const char *directory, uint32_t count)
{
    FILE *file = zonetext_open(directory, "tld.bench");

    write_apex(file);
    for (uint32_t i = 0; i < count; i++)
        zonetext_delegation(file, i);
    zonetext_close(file);
}

static void write_small_zone(const char *directory, const char *origin, uint32_t i)
{
    FILE *file = zonetext_open(directory, origin);

    write_apex(file);
    fprintf(file, "www A %s\nmail A %s\n", zonetext_address(i), zonetext_address(i + 1));
    zonetext_close(file);
}

void zonetext_zones(const char *directory, uint32_t count)
{
    char origin[32], path[PATH_MAX], first[PATH_MAX] = "";

    for (uint32_t i = 0; i < count; i++) {
        snprintf(origin, sizeof origin, "z%06u.bench", i);
        snprintf(path, sizeof path, "%s/%s.zone", directory, origin);
        if (i % ZONES_A_FILE == 0) {
            write_small_zone(directory, origin, i);
            memcpy(first, path, sizeof first);
        } else if (link(first, path) != 0) {
            child_fail("cannot make %s: %s", path, strerror(errno));
        }
    }
}
