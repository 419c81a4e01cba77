#include "server/protection/secrets.h"

#include "server/host/mappings.h"
#include "table/seal.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static bool __attribute__((format(printf, 2, 3)))
refuse(char error[SECRETS_ERROR_MAX], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, SECRETS_ERROR_MAX, format, arguments);
    va_end(arguments);
    return false;
}

/* --- files ------------------------------------------------------------------------- */

static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;

    return at != NULL ? (int)((at - digits) % 16) : -1;
}

static bool read_secret(uint8_t secret[COOKIE_SECRET_SIZE], const char *text, size_t length)
{
    if (length != 2 * (size_t)COOKIE_SECRET_SIZE)
        return false;
    for (unsigned i = 0; i < COOKIE_SECRET_SIZE; i++) {
        int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        secret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Reads a line of any length, of which as much is kept as there is room for, without its end.
 * Returns the length of that, or -1 behind the last line. */
static ssize_t read_line(FILE *stream, char *line, size_t room)
{
    size_t length = 0;
    int octet;

    while ((octet = getc(stream)) != EOF && octet != '\n')
        if (length < room)
            line[length++] = (char)octet;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    return octet == EOF && length == 0 ? -1 : (ssize_t)length;
}

static bool read_lines(struct cookie_secrets *secrets, FILE *stream, const char *file,
                       char error[SECRETS_ERROR_MAX])
{
    char line[2 * COOKIE_SECRET_SIZE + 2]; /* longer than a secret, so that others can be told */
    ssize_t length;

    secrets->count = 0;
    for (unsigned number = 1; (length = read_line(stream, line, sizeof line)) >= 0; number++) {
        if (length == 0 || line[0] == '#')
            continue;
        if (secrets->count == COOKIE_SECRETS_MAX)
            return refuse(error, "%s:%u: there are more than %d secrets: leave old ones out", file,
                          number, COOKIE_SECRETS_MAX);
        if (!read_secret(secrets->secrets[secrets->count++], line, (size_t)length))
            return refuse(error, "%s:%u: a secret is %d hexadecimal digits", file, number,
                          2 * COOKIE_SECRET_SIZE);
    }
    if (ferror(stream))
        return refuse(error, "cannot read the secrets of cookies in %s: %s", file, strerror(errno));
    return secrets->count > 0 || refuse(error, "%s: there is no secret in it", file);
}

bool secrets_read(struct cookie_secrets *read, const char *file, char error[SECRETS_ERROR_MAX])
{
    FILE *stream = fopen(file, "re");

    if (stream == NULL)
        return refuse(error, "cannot read the secrets of cookies in %s: %s", file, strerror(errno));
    /* Its buffer would be left in the heap, secrets and all. */
    setvbuf(stream, NULL, _IONBF, 0);
    bool sound = read_lines(read, stream, file, error);
    fclose(stream);
    return sound;
}

bool secrets_are_public(const char *file)
{
    struct stat status;

    return stat(file, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

/* --- the board --------------------------------------------------------------------- */

void secrets_change(struct secrets *secrets, const struct cookie_secrets *to)
{
    struct secrets_board *board = secrets->board;
    uint32_t next = atomic_load_explicit(&board->current, memory_order_relaxed) + 1;

    board->versions[next % SECRETS_VERSIONS] = *to;
    atomic_store_explicit(&board->current, next, memory_order_release);
}

bool secrets_renew(struct secrets *secrets)
{
    const struct cookie_secrets *current = secrets_current(secrets->board);
    struct cookie_secrets next = {.count = 1};

    if (getrandom(next.secrets[0], COOKIE_SECRET_SIZE, 0) != COOKIE_SECRET_SIZE)
        return false;
    if (current->count > 0)
        memcpy(next.secrets[next.count++], current->secrets[0], COOKIE_SECRET_SIZE);
    secrets_change(secrets, &next);
    sodium_memzero(&next, sizeof next);
    return true;
}

/* What another daemon's board says, if it is one. */
static bool inherit(struct secrets *secrets, int fd)
{
    struct secrets_board board;

    if (pread(fd, &board, sizeof board, 0) != sizeof board)
        return false;
    const struct cookie_secrets *current = secrets_current(&board);
    bool usable = current->count >= 1 && current->count <= COOKIE_SECRETS_MAX;
    if (usable)
        secrets_change(secrets, current);
    sodium_memzero(&board, sizeof board);
    return usable;
}

static bool map_board(struct secrets *secrets, char error[SECRETS_ERROR_MAX])
{
    secrets->fd = memfd_create("cookie-secrets", MFD_CLOEXEC);
    if (secrets->fd < 0 || ftruncate(secrets->fd, sizeof *secrets->board) != 0)
        return refuse(error, "cannot keep cookie secrets: %s", seal_error(errno));
    secrets->board = mappings_add(
        mmap(NULL, sizeof *secrets->board, PROT_READ | PROT_WRITE, MAP_SHARED, secrets->fd, 0),
        sizeof *secrets->board);
    if (secrets->board == MAP_FAILED) {
        secrets->board = NULL;
        return refuse(error, "cannot keep cookie secrets: %s", seal_error(errno));
    }
    return true;
}

bool secrets_open(struct secrets *secrets, const struct cookie_secrets *given, int inherited,
                  char error[SECRETS_ERROR_MAX])
{
    bool sound = map_board(secrets, error);

    if (sound && given != NULL)
        secrets_change(secrets, given);
    else if (sound && (inherited < 0 || !inherit(secrets, inherited)))
        sound = secrets_renew(secrets) || refuse(error, "the system has no random numbers");
    if (inherited >= 0)
        close(inherited);
    return sound;
}

void secrets_only_read(const struct secrets *secrets)
{
    if (secrets->board != NULL)
        mprotect(secrets->board, sizeof *secrets->board, PROT_READ);
}

void secrets_close(struct secrets *secrets)
{
    mappings_remove(secrets->board);
    if (secrets->fd >= 0)
        close(secrets->fd);
    *secrets = (struct secrets){.fd = -1};
}
