/*
 * The files that a section was made from: are they as they were?
 */
#ifndef SORREL_ZONE_PROVENANCE_H
#define SORREL_ZONE_PROVENANCE_H

#include "table/layout.h"
#include "zone/input.h"

#include <stdbool.h>

/*
 * Is the section made from the zone file `path`, and are that file and those it includes what they
 * were? A file whose identity has changed, or cannot be relied on, is read and compared by its
 * content. If that was necessary, `*renewed` becomes what the identity of each file is now
 * (section->source_count of them, to be freed); else NULL.
 */
bool provenance_is_unchanged(const struct table_section *section, const char *path,
                             struct input_identity **renewed);

/* Has the section remember these identities, so that the files need not be read next time. */
void provenance_renew(struct table_section *section, const struct input_identity *renewed);

enum provenance_age {
    PROVENANCE_SETTLED, /* the identity of each file can be relied on, or the file has changed */
    PROVENANCE_RECENT,  /* some file was changed so short a time ago that it cannot yet */
};

/* Has the section remember the identity of files that had been changed just before they were read,
 * if they have not been changed since. */
enum provenance_age provenance_settle(struct table_section *section);

#endif
