/*
 * The command line of sorrel-spread.
 */
#ifndef SORREL_TOOLS_SPREAD_ARGUMENTS_H
#define SORREL_TOOLS_SPREAD_ARGUMENTS_H

#include "server/host/address.h"
#include "tools/spread/cell.h"
#include "tools/spread/packet.h"

#include <stdbool.h>
#include <stdint.h>

enum { ARGUMENTS_FLOWS_MAX = 16 };

enum arguments_format { ARGUMENTS_TEXT, ARGUMENTS_JSON, ARGUMENTS_CSV };

struct arguments {
    const struct policy *policies[CELL_POLICIES_MAX];
    size_t policy_count;
    bool policies_named; /* by the user: then each has to be had */
    unsigned flows[ARGUMENTS_FLOWS_MAX];
    size_t flow_count;
    unsigned workers;
    uint64_t queries;
    bool queries_named; /* by the user: then it takes as long as it takes */
    bool has_server;
    union address server;
    const char *server_text;
    struct packet question;
    bool tcp;
    bool events;
    enum arguments_format format;
    const char *plot;    /* NULL: none */
    const char *sorreld; /* NULL: to be looked for */
};

/* Reads the command line. Ends the program with a sentence if something is wrong with it, and after
 * --help and --version. */
void arguments_read(struct arguments *arguments, int argc, char **argv);

#endif
