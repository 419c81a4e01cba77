#include "server/query/identity.h"

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void identity_complete(struct identity *identity)
{
    static char host[IDENTITY_TEXT_MAX + 1];

    if (identity->id == NULL) {
        /* A name that is too long is cut off, and perhaps not ended. */
        if (gethostname(host, sizeof host - 1) != 0)
            *host = '\0';
        identity->id = host;
    }
    if (identity->version == NULL)
        identity->version = PACKAGE_NAME " " PACKAGE_VERSION;
}

static const char *unless_empty(const char *text)
{
    return *text != '\0' ? text : NULL;
}

void identity_tell(struct identity_texts *texts, const struct identity *identity, unsigned slot,
                   struct answer_settings *settings)
{
    *texts = (struct identity_texts){.identity = identity, .slot = slot, .process = (int)getpid()};
    if (!identity->told)
        return;
    settings->chaos = (struct chaos){.id = unless_empty(identity->id),
                                     .version = unless_empty(identity->version),
                                     .worker = texts->worker};
    settings->nsid = (const uint8_t *)texts->nsid;
}

void identity_update(struct identity_texts *texts, unsigned workers,
                     struct answer_settings *settings)
{
    const struct identity *identity = texts->identity;
    char place[IDENTITY_WORKER_MAX / 2];

    if (!identity->told || workers == texts->workers)
        return;
    texts->workers = workers;
    snprintf(place, sizeof place, "worker %u of %u", texts->slot, workers);
    snprintf(texts->worker, sizeof texts->worker, "%s pid %d", place, texts->process);
    snprintf(texts->nsid, sizeof texts->nsid, "%s%s%s", identity->id,
             *identity->id != '\0' ? " " : "", place);
    settings->nsid_length = (uint16_t)strlen(texts->nsid);
}
