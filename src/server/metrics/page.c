#include "server/metrics/page.h"

#include "server/metrics/html.h"
#include "server/metrics/page_sections.h"
#include "server/statistics/explain.h"
#include "server/statistics/members.h"
#include "server/statistics/words.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

/* Made of the files of the same names; octets, without a NUL. */
static const uint8_t frame[] = {
#include "server/metrics/page/page.html.inc"
};
static const uint8_t style[] = {
#include "server/metrics/page/style.css.inc"
};
static const uint8_t script[] = {
#include "server/metrics/page/script.js.inc"
};

/* --- the policy ----------------------------------------------------------------------- */

enum { HASH_TEXT_MAX = 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1 };

static void hash(const uint8_t *octets, size_t length, char text[HASH_TEXT_MAX])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256(octets, length, digest);
    EVP_EncodeBlock((unsigned char *)text, digest, sizeof digest);
}

const char *page_policy(void)
{
    static char policy[512];
    char style_hash[HASH_TEXT_MAX], script_hash[HASH_TEXT_MAX];

    if (policy[0] != '\0')
        return policy;
    hash(style, sizeof style, style_hash);
    hash(script, sizeof script, script_hash);
    snprintf(policy, sizeof policy,
             "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; "
             "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'",
             style_hash, script_hash);
    return policy;
}

/* --- the page --------------------------------------------------------------------------- */

static void write_title(const struct snapshot *snapshot, const json_t *explanation, FILE *out)
{
    char rate[WORDS_MAX];
    bool is_problem = strcmp(members_text(explanation, "level"), "problem") == 0;

    fprintf(out, "%ssorrel: %s queries/s", is_problem ? "! " : "",
            words_number(page_sections_rate(snapshot), rate));
}

/* The part that `{word}` in the frame stands for. */
static void write_part(const char *word, size_t length, const struct snapshot *snapshot,
                       const json_t *explanation, FILE *out)
{
    if (strncmp(word, "title", length) == 0)
        write_title(snapshot, explanation, out);
    else if (strncmp(word, "style", length) == 0)
        fwrite(style, 1, sizeof style, out);
    else if (strncmp(word, "script", length) == 0)
        fwrite(script, 1, sizeof script, out);
    else if (strncmp(word, "main", length) == 0)
        page_sections_write(snapshot, explanation, out);
}

void page_write(const struct snapshot *snapshot, FILE *out)
{
    const char *text = (const char *)frame;
    const char *end = text + sizeof frame;
    json_t *explanation = explain(snapshot->stats);

    while (text < end) {
        const char *open = memchr(text, '{', (size_t)(end - text));
        const char *close = open != NULL ? memchr(open, '}', (size_t)(end - open)) : NULL;
        fwrite(text, 1, (size_t)((close != NULL ? open : end) - text), out);
        if (close == NULL)
            break;
        write_part(open + 1, (size_t)(close - open - 1), snapshot, explanation, out);
        text = close + 1;
    }
    json_decref(explanation);
}
