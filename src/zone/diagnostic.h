/*
 * What is wrong in a zone file, told to whoever asked for it to be read. Libraries do not log.
 */
#ifndef SORREL_ZONE_DIAGNOSTIC_H
#define SORREL_ZONE_DIAGNOSTIC_H

enum severity {
    SEVERITY_ERROR,   /* the zone is not served (or its last good version stays) */
    SEVERITY_WARNING, /* served as it is, or without the records named */
};

struct diagnostic {
    enum severity severity;
    const char *file; /* as the user named it; for an included file, the path it was found at */
    unsigned line;    /* from 1; 0 if it concerns the file as a whole */
    const char *text; /* no newline, no full stop; octets from the file are escaped as \DDD */
};

/* Called in file order as far as that is known. `diagnostic` is valid during the call only. */
typedef void diagnostic_sink(void *closure, const struct diagnostic *diagnostic);

#endif
