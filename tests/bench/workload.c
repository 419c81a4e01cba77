#include "workload.h"

#include "../loss/child.h"
#include "signed.h"
#include "zonetext.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NOERROR = 0, NXDOMAIN = 3, MANY = 10000000, MANY_PORTS = 128 };

const struct workload workload_all[WORKLOAD_COUNT] = {
    {.name = "thousand",
     .title = "1,000 names: A",
     .zones = "thousand",
     .questions = {.pattern = "n#######.names.bench", .type = "A"},
     .parts = 1,
     .rcode = NOERROR},
    {.name = "ports",
     .title = "1,000 names, asked from 128 source ports: A",
     .zones = "thousand",
     .questions = {.pattern = "n#######.names.bench", .type = "A"},
     .parts = 1,
     .rcode = NOERROR,
     .flows = MANY_PORTS},
    {.name = "million",
     .title = "1,000,000 names at random: A",
     .zones = "million",
     .questions = {.pattern = "n#######.names.bench", .type = "A"},
     .parts = 1,
     .rcode = NOERROR},
    {.name = "nxdomain",
     .title = "names that are not among 1,000,000: NXDOMAIN",
     .zones = "million",
     .questions = {.pattern = "x#######.names.bench", .type = "A"},
     .parts = 0,
     .rcode = NXDOMAIN},
    {.name = "delegations",
     .title = "1,000,000 delegations at random: referrals",
     .zones = "delegations",
     .questions = {.pattern = "www.d#######.tld.bench", .type = "A"},
     .parts = 1,
     .rcode = NOERROR},
    {.name = "signed-referral",
     .title = "1,000,000 delegations, NSEC3 with opt-out, DO: referrals",
     .zones = "signed",
     .questions = {.pattern = "www.d#######.signed.bench", .type = "A", .dnssec = true},
     .parts = 1,
     .rcode = NOERROR},
    {.name = "signed-positive",
     .title = "100,000 signed names beside them, DO: A",
     .zones = "signed",
     .questions = {.pattern = "s#######.signed.bench", .type = "A", .dnssec = true},
     .parts = 10,
     .rcode = NOERROR},
    {.name = "signed-nxdomain",
     .title = "names that are not there, NSEC3, DO: NXDOMAIN",
     .zones = "signed",
     .questions = {.pattern = "x#######.signed.bench", .type = "A", .dnssec = true},
     .parts = 0,
     .rcode = NXDOMAIN},
    {.name = "zones",
     .title = "100,000 zones at random: A",
     .zones = "zones",
     .questions = {.pattern = "www.z######.bench", .type = "A"},
     .parts = 1,
     .rcode = NOERROR},
    {.name = "root",
     .title = "the root zone, real names: referrals",
     .zones = "root",
     .questions = {.type = "A"},
     .parts = 1,
     .rcode = NOERROR,
     .mixed = true},
};

void workload_sets(struct zoneset sets[WORKLOAD_SETS], uint32_t names_max,
                   const struct workload_root *root)
{
    const struct zoneset all[WORKLOAD_SETS] = {
        {.name = "thousand",
         .title = "one zone, 1,000 A",
         .origin = "names.bench",
         .zones = 1,
         .names = 1000,
         .write = zonetext_names},
        {.name = "million",
         .title = "one zone, 1,000,000 A",
         .origin = "names.bench",
         .zones = 1,
         .names = 1000000,
         .write = zonetext_names},
        {.name = "delegations",
         .title = "one zone, 1,000,000 delegations, 3,000,000 records",
         .origin = "tld.bench",
         .zones = 1,
         .names = 1000000,
         .write = zonetext_delegations},
        {.name = "signed",
         .title = "one zone, 1,000,000 delegations, 50,000 of them with DS, "
                  "100,000 A; NSEC3, opt-out; 3,600,000 records",
         .origin = "signed.bench",
         .zones = 1,
         .names = 1000000,
         .write = signed_write,
         .is_signed = true},
        {.name = "zones",
         .title = "100,000 zones of four records",
         .origin = "z######.bench",
         .zones = 100000,
         .names = 100000,
         .write = zonetext_zones},
        {.name = "root",
         .title = "the root zone",
         .origin = ".",
         .zones = 1,
         .names = 1,
         .file = root->zone},
    };

    memcpy(sets, all, sizeof all);
    for (unsigned i = 0; i < WORKLOAD_SETS; i++) {
        if (sets[i].names > names_max)
            sets[i].names = names_max;
        if (sets[i].zones > 1)
            sets[i].zones = sets[i].names;
    }
}

/* Lines NAME become lines NAME TYPE. */
static void write_root_questions(const char *path, const char *names)
{
    FILE *from = fopen(names, "re"), *to = fopen(path, "we");
    char line[512];

    if (from == NULL || to == NULL)
        child_fail("cannot copy %s to %s: %s", names, path, strerror(errno));
    while (fgets(line, sizeof line, from) != NULL) {
        line[strcspn(line, " \t\r\n")] = '\0';
        if (line[0] != '\0')
            fprintf(to, "%s A\n", line);
    }
    fclose(from);
    if (fclose(to) != 0)
        child_fail("cannot write %s: %s", path, strerror(errno));
}

struct questions *workload_questions(const struct workload *workload, const struct zoneset *set,
                                     const char *directory, const struct workload_root *root)
{
    struct questions_settings settings = workload->questions;
    char path[PATH_MAX];

    settings.count = workload->parts == 0 ? MANY : set->names / workload->parts;
    if (settings.count == 0)
        settings.count = 1;
    if (settings.pattern == NULL) {
        snprintf(path, sizeof path, "%s/questions", directory);
        write_root_questions(path, root->names);
        settings.file = path;
    }
    struct questions *questions = questions_open(&settings);
    if (questions == NULL)
        child_fail("workload %s has no questions", workload->name);
    return questions;
}
