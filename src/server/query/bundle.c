#include "server/query/bundle.h"

#include <string.h>

enum {
    PLACES = 256, /* four times as many as answers, so that few fall together */
};

/* Of a bundle being made. */
struct bundler {
    uint8_t last[PLACES];       /* the last answer that fell into this place, or BATCH_BUNDLE_END */
    uint8_t count[BATCH_WIDTH]; /* answers in the bundle up to this one */
};

static unsigned place_of(const struct batch *batch, unsigned i)
{
    /* The port is at the same place in both kinds of address. The sum of its octets tells up to 255
     * ports in a row from each other, in either byte order; what a client has is often in a row. */
    unsigned port = batch->peer[i].v4.sin_port;

    return (port + (port >> 8) + batch->reply_length[i] * 151u) & (PLACES - 1);
}

static bool have_one_client(const union address *a, const union address *b)
{
    if (a->any.sa_family == AF_INET)
        return memcmp(a, b, offsetof(struct sockaddr_in, sin_zero)) == 0;
    return memcmp(a, b, sizeof a->v6) == 0;
}

/* Were both asked at the same address, which they are to come from? */
static bool have_one_source(const struct batch *batch, unsigned i, unsigned j)
{
    const struct msghdr *a = &batch->receive[i].msg_hdr, *b = &batch->receive[j].msg_hdr;

    if (!batch->reply_from_asked)
        return true;
    if (a->msg_controllen != b->msg_controllen)
        return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(a), *d = CMSG_FIRSTHDR(b);
    return c == d || (c != NULL && d != NULL && memcmp(c, d, c->cmsg_len) == 0);
}

static bool can_follow(const struct batch *batch, const struct bundler *bundler, unsigned i,
                       unsigned j)
{
    return batch->reply_length[i] == batch->reply_length[j] &&
           (bundler->count[j] + 1u) * batch->reply_length[j] <= BUNDLE_MAX &&
           have_one_client(&batch->peer[i], &batch->peer[j]) && have_one_source(batch, i, j);
}

void bundle_answers(const struct batch *batch, struct batch_bundles *bundles)
{
    struct bundler bundler;

    memset(bundler.last, BATCH_BUNDLE_END, sizeof bundler.last);
    for (unsigned i = 0; i < batch->taken; i++) {
        if (!batch_is_ready(batch, i))
            continue;
        uint8_t *last = &bundler.last[place_of(batch, i)];
        bundles->next[i] = BATCH_BUNDLE_END;
        bundles->follows[i] = *last != BATCH_BUNDLE_END && can_follow(batch, &bundler, i, *last);
        bundler.count[i] = 1;
        if (bundles->follows[i]) {
            bundles->next[*last] = (uint8_t)i;
            bundler.count[i] += bundler.count[*last];
        }
        *last = (uint8_t)i;
    }
}
