/*
 * sorrel.conf(5): reads options (options.h) from a file, by libconfuse.
 */
#ifndef SORREL_SERVER_CONFIGURATION_H
#define SORREL_SERVER_CONFIGURATION_H

#include "server/configuration/options.h"

#include <stdbool.h>

enum { CONFIGURATION_SENTENCE_MAX = 1024, CONFIGURATION_FAULTS_MAX = 20 };

/* One thing that is wrong: `FILE:LINE: reason` or `FILE: reason`. */
typedef void configuration_sink(void *closure, const char *sentence);

/*
 * Reads the file at `path`, and what it includes, into `options`; what the command line has is
 * kept. False if something is wrong: all that was found, up to CONFIGURATION_FAULTS_MAX, has been
 * told to the sink, and the options are good for nothing but options_free().
 */
bool configuration_read(struct options *options, const char *path, configuration_sink *sink,
                        void *closure);

#endif
