#include "server/protection/keys.h"

#include "server/host/mappings.h"
#include "server/protection/access_rules.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The base64 of more than any secret is worth: HMAC hashes those longer than 128 octets. */
enum { TEXT_MAX = 4096, SECRET_MAX = TEXT_MAX * 3 / 4 };

enum { KEYS_FIRST = 8, STACK_USED = 4096 };

static bool refuse(char error[KEYS_ERROR_MAX], const char *sentence)
{
    snprintf(error, KEYS_ERROR_MAX, "%s", sentence);
    return false;
}

/* Makes the key ready with a secret in base64. */
static bool take_secret(struct tsig_key *key, enum hmac_hash hash, const char *text)
{
    uint8_t secret[SECRET_MAX];
    size_t length;

    if (sodium_base642bin(secret, sizeof secret, text, strlen(text), " \t\r\n", &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        length == 0)
        return false;
    hmac_prepare(&key->hmac, hash, secret, length);
    sodium_memzero(secret, sizeof secret);
    sodium_stackzero(STACK_USED); /* by hmac_prepare() */
    return true;
}

static bool grow_list(struct keys *keys)
{
    size_t room = keys->room > 0 ? 2 * keys->room : KEYS_FIRST;
    struct tsig_key *list = mappings_add(
        mmap(NULL, room * sizeof *list, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        room * sizeof *list);

    if (list == MAP_FAILED)
        return false;
    madvise(list, room * sizeof *list, MADV_DONTDUMP);
    for (size_t i = 0; i < keys->ready.count; i++)
        list[i] = keys->list[i];
    mappings_remove(keys->list);
    keys->ready.keys = keys->list = list;
    keys->room = room;
    return true;
}

/* Room for one more. */
static bool grow(struct keys *keys)
{
    size_t count = keys->ready.count + 1;

    if (count > keys->room && !grow_list(keys))
        return false;
    const char **files = reallocarray(keys->files, count, sizeof *files);
    if (files != NULL)
        keys->files = files;
    const char **sources = reallocarray(keys->sources, count, sizeof *sources);
    if (sources != NULL)
        keys->sources = sources;
    return files != NULL && sources != NULL;
}

bool keys_add(struct keys *keys, const char *name, const struct key_setting *setting,
              char error[KEYS_ERROR_MAX])
{
    struct tsig_key key = {.hmac.hash = setting->algorithm};

    if (!access_rules_read_name(&key.name, name))
        return refuse(error, "its name is not the name of a key");
    if (keys_have(keys, &key.name))
        return refuse(error, "there is another of that name");
    if ((setting->secret == NULL) == (setting->file == NULL))
        return refuse(error, "give either its secret or its secret-file");
    if (setting->secret != NULL && !take_secret(&key, setting->algorithm, setting->secret))
        return refuse(error, "its secret is not base64: make one with openssl rand -base64 32");
    if (!grow(keys)) {
        sodium_memzero(&key, sizeof key);
        return refuse(error, "out of memory");
    }
    keys->list[keys->ready.count] = key;
    sodium_memzero(&key, sizeof key);
    keys->sources[keys->ready.count] = setting->source;
    keys->files[keys->ready.count++] = setting->file;
    return true;
}

static bool read_file(struct tsig_key *key, const char *path, char error[KEYS_ERROR_MAX])
{
    char text[TEXT_MAX + 1];
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        snprintf(error, KEYS_ERROR_MAX, "cannot read the key in %s: %s", path, strerror(errno));
        return false;
    }
    /* Its buffer would be left in the heap, secret and all. */
    setvbuf(file, NULL, _IONBF, 0);
    size_t length = fread(text, 1, TEXT_MAX, file);
    fclose(file);
    text[length] = '\0';
    bool taken = take_secret(key, key->hmac.hash, text);
    sodium_memzero(text, sizeof text);
    if (!taken)
        snprintf(error, KEYS_ERROR_MAX,
                 "%s holds no secret in base64: make one with openssl rand -base64 32", path);
    return taken;
}

bool keys_read_files(struct keys *keys, char error[KEYS_ERROR_MAX])
{
    for (size_t i = 0; i < keys->ready.count; i++)
        if (keys->files[i] != NULL && !read_file(&keys->list[i], keys->files[i], error))
            return false;
    return true;
}

const char *keys_place(const struct keys *keys, size_t i)
{
    return keys->files[i] != NULL ? keys->files[i] : keys->sources[i];
}

bool keys_have(const struct keys *keys, const struct name *name)
{
    for (size_t i = 0; i < keys->ready.count; i++)
        if (name_compare(&keys->list[i].name, name) == 0)
            return true;
    return false;
}

static bool is_same(const struct keys *a, const struct keys *b, size_t i)
{
    const struct tsig_key *left = &a->list[i], *right = &b->list[i];

    if (name_compare(&left->name, &right->name) != 0 || left->hmac.hash != right->hmac.hash)
        return false;
    if (a->files[i] == NULL || b->files[i] == NULL)
        return a->files[i] == b->files[i] &&
               sodium_memcmp(&left->hmac, &right->hmac, sizeof left->hmac) == 0;
    return strcmp(a->files[i], b->files[i]) == 0;
}

bool keys_are_same(const struct keys *a, const struct keys *b)
{
    size_t i = 0;

    if (a->ready.count != b->ready.count)
        return false;
    while (i < a->ready.count && is_same(a, b, i))
        i++;
    return i == a->ready.count;
}

void keys_free(struct keys *keys)
{
    mappings_remove(keys->list);
    free(keys->files);
    free(keys->sources);
    *keys = (struct keys){0};
}
