/*
 * Values of options and what is in files of secrets: each is taken or turned down with a sentence;
 * an address or prefix that was taken, written as text, is read as the same.
 *
 * Input: an octet that chooses the reader, then the text or the file.
 */
#include "fuzz.h"
#include "server/host/address.h"
#include "server/host/prefix_text.h"
#include "server/protection/access_rules.h"
#include "server/protection/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const unsigned fuzz_rounds = 30000;

enum { READERS = 5 };

static int file;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    file = memfd_create("secrets", MFD_CLOEXEC);
    FUZZ_ASSERT(file >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return 0;
}

/* --- inputs that get far --------------------------------------------------------------------- */

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    static const char secret[] = "00112233445566778899aabbccddeeFF\n";
    static const char *const parts[] = {
        secret,
        secret,
        secret,
        secret,
        "192.0.2.1",
        "2001:db8::",
        "::",
        "fe80::1%1",
        "@",
        "53",
        "65535",
        "65536",
        "/",
        "24",
        "0",
        "129",
        "1",
        "any",
        "none",
        "=",
        "example.",
        "a\\046b",
        "\\000",
        "\n",
        "#",
        "\r",
        "00112233445566778899aabb",
        " ",
        "::ffff:",
        "0.0.0.0",
        "x",
        "\x80",
        "# a long comment ................................................................"
        "................................................",
    };
    size_t length = 1;

    input[0] = (uint8_t)fuzz_below(random, READERS);
    for (uint32_t left = 1 + fuzz_below(random, 12); left > 0; left--) {
        const char *part = parts[fuzz_below(random, sizeof parts / sizeof parts[0])];
        memcpy(input + length, part, strlen(part));
        length += strlen(part);
    }
    return length;
}

/* --- readers --------------------------------------------------------------------------------- */

/* One line, unless it quotes what has more: whoever shows it escapes that. */
static void check_sentence(const char *sentence, const char *quoted)
{
    FUZZ_ASSERT(sentence[0] != '\0');
    FUZZ_ASSERT(strchr(sentence, '\n') == NULL || strchr(quoted, '\n') != NULL);
}

static void try_address(const char *text)
{
    char error[ADDRESS_ERROR_MAX] = "";
    char written[ADDRESS_TEXT_MAX];
    union address address, again;

    if (!address_parse(&address, text, error)) {
        check_sentence(error, text);
        return;
    }
    FUZZ_ASSERT(address_parse(&again, address_to_text(&address, written), error));
    FUZZ_ASSERT(address_is_equal(&address, &again) && address_overlaps(&address, &again));
}

static void try_prefix(const char *text)
{
    char error[PREFIX_TEXT_ERROR_MAX] = "";
    char written[PREFIX_TEXT_MAX];
    struct prefix prefix, again;

    if (!prefix_text_parse(&prefix, text, error)) {
        check_sentence(error, text);
        return;
    }
    struct client client = {.length = prefix.length};
    memcpy(client.address, prefix.address, sizeof client.address);
    FUZZ_ASSERT(prefix_covers(&prefix, &client));
    prefix_text_write(&client, prefix.bits, written);
    FUZZ_ASSERT(prefix_text_parse(&again, written, error));
    FUZZ_ASSERT(memcmp(&prefix, &again, sizeof prefix) == 0);
}

/* A rule in each line. */
static void try_access(char *text)
{
    struct access_rules rules = {0};
    struct access access = {0};
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        char error[ACCESS_RULES_ERROR_MAX] = "";
        if (!access_rules_read(&rules, line, error))
            check_sentence(error, text);
    }
    FUZZ_ASSERT(access_rules_compile(&rules, 1, &access));
    FUZZ_ASSERT(access.count <= rules.count);
    for (size_t i = 1; i < access.count; i++)
        FUZZ_ASSERT(access.entries[i - 1].hash < access.entries[i].hash);
    free(access.entries);
    access_rules_free(&rules);
}

/* Secrets in `text`, as secrets.h has them; -1 if one of the lines is something else. */
static int count_secrets(const char *text, size_t length)
{
    int count = 0;

    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end != NULL ? (size_t)(end - text) : length;
        size_t whole = line;
        if (whole > 0 && text[whole - 1] == '\r')
            whole--;
        if (whole > 0 && text[0] != '#') {
            if (whole != (size_t)2 * COOKIE_SECRET_SIZE ||
                strspn(text, "0123456789abcdefABCDEF") < whole)
                return -1;
            count++;
        }
        text += line + (end != NULL);
        length -= line + (end != NULL);
    }
    return count;
}

static void try_secrets(const char *text, size_t length)
{
    char error[SECRETS_ERROR_MAX] = "";
    struct cookie_secrets secrets;
    int count = count_secrets(text, length);

    bool is_read = secrets_read(&secrets, path, error);
    FUZZ_ASSERT(is_read == (count >= 1 && count <= COOKIE_SECRETS_MAX));
    if (is_read)
        FUZZ_ASSERT(secrets.count == (unsigned)count);
    else
        check_sentence(error, text);
}

/* What another daemon has left. */
static void try_board(void)
{
    char error[SECRETS_ERROR_MAX] = "";
    struct secrets secrets;

    FUZZ_ASSERT(secrets_open(&secrets, NULL, dup(file), error));
    const struct cookie_secrets *current = secrets_current(secrets.board);
    FUZZ_ASSERT(current->count >= 1 && current->count <= COOKIE_SECRETS_MAX);
    secrets_close(&secrets);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    if (length == 0)
        return 0;
    char *text = malloc(length);
    FUZZ_ASSERT(text != NULL);
    memcpy(text, input + 1, length - 1);
    text[length - 1] = '\0';
    FUZZ_ASSERT(ftruncate(file, 0) == 0 &&
                pwrite(file, text, length - 1, 0) == (ssize_t)length - 1);
    switch (input[0] % READERS) {
    case 0:
        try_address(text);
        break;
    case 1:
        try_prefix(text);
        break;
    case 2:
        try_access(text);
        break;
    case 3:
        try_secrets(text, length - 1);
        break;
    default:
        try_board();
        break;
    }
    free(text);
    return 0;
}
