#include "server/dnstap/capture.h"

#include "server/host/account.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Escape, length, START, content type, its length and itself; a STOP frame has no fields. */
static const char start[] = "\0\0\0\0"
                            "\0\0\0\42"
                            "\0\0\0\2"
                            "\0\0\0\1"
                            "\0\0\0\26protobuf:dnstap.Dnstap";
static const char stop[] = "\0\0\0\0"
                           "\0\0\0\4"
                           "\0\0\0\3";

enum { START_SIZE = sizeof start - 1, STOP_SIZE = sizeof stop - 1, WINDOW = 1 << 16 };

/* --- opening ------------------------------------------------------------------------- */

/* Nothing at all, a START frame, or as much of one as there was time for? */
static bool is_ours(int fd)
{
    char found[START_SIZE];
    ssize_t n = pread(fd, found, sizeof found, 0);

    return n >= 0 && memcmp(found, start, (size_t)n) == 0;
}

static void explain(int reason, const char *path, char error[CAPTURE_ERROR_MAX])
{
    char user[ACCOUNT_NAME_MAX], advice[128] = "";

    if (reason == ENOENT || reason == ENOTDIR)
        snprintf(advice, sizeof advice, ": make its directory, or name another");
    else if (reason == EACCES || reason == EPERM)
        snprintf(advice, sizeof advice, ": let user %s write there", account_name(geteuid(), user));
    else if (reason == EROFS)
        snprintf(advice, sizeof advice,
                 ": name another place, or with systemd add its directory to ReadWritePaths=");
    snprintf(error, CAPTURE_ERROR_MAX, "%.300s: %s%s", path, strerror(reason), advice);
}

/* Is it a file, and a capture or going to be one? */
static bool is_capture(int fd, const char *path, char error[CAPTURE_ERROR_MAX])
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        explain(errno, path, error);
        return false;
    }
    if (S_ISREG(status.st_mode) && is_ours(fd))
        return true;
    snprintf(error, CAPTURE_ERROR_MAX,
             "%s: is there, and no capture of dnstap: name another file, or unix:PATH for a socket",
             path);
    return false;
}

int capture_open(const char *path, char error[CAPTURE_ERROR_MAX])
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);

    if (fd < 0) {
        explain(errno, path, error);
        return -1;
    }
    if (is_capture(fd, path, error))
        return fd;
    close(fd);
    return -1;
}

/* May a file be made at `path`? 0, or errno. */
static int try_directory(const char *path)
{
    char *copy = strdup(path);

    if (copy == NULL)
        return ENOMEM;
    int reason = faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
    free(copy);
    return reason;
}

bool capture_check(const char *path, char error[CAPTURE_ERROR_MAX])
{
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int reason = fd < 0 ? errno : 0;

    if (fd >= 0) {
        bool sound = is_capture(fd, path, error);
        close(fd);
        return sound;
    }
    if (reason == ENOENT)
        reason = try_directory(path);
    if (reason != 0)
        explain(reason, path, error);
    return reason == 0;
}

bool capture_was_moved(int fd, const char *path)
{
    struct stat opened, named;

    if (fstat(fd, &opened) != 0 || stat(path, &named) != 0)
        return true;
    return opened.st_dev != named.st_dev || opened.st_ino != named.st_ino;
}

/* --- the end of what is there ---------------------------------------------------------- */

struct window {
    int fd;
    off_t at; /* of its first octet */
    size_t length;
    uint8_t octets[WINDOW];
};

/* The number of 4 octets at `place`. False: the file ends before. */
static bool read_length(struct window *window, off_t place, uint32_t *length)
{
    if (place < window->at || place + 4 > window->at + (off_t)window->length) {
        ssize_t n = pread(window->fd, window->octets, sizeof window->octets, place);
        window->at = place;
        window->length = n > 0 ? (size_t)n : 0;
        if (window->length < 4)
            return false;
    }
    const uint8_t *octets = window->octets + (place - window->at);
    *length = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
              octets[3];
    return true;
}

/* Where the last whole data frame ends. */
static off_t find_end(int fd, off_t size)
{
    static struct window window;
    off_t end = START_SIZE;
    uint32_t length;

    window = (struct window){.fd = fd};
    while (read_length(&window, end, &length) && length != 0 && end + 4 + (off_t)length <= size)
        end += 4 + (off_t)length;
    return end;
}

static off_t end_of(int fd, off_t size)
{
    char last[STOP_SIZE];

    if (size < START_SIZE)
        return 0;
    if (size >= START_SIZE + STOP_SIZE &&
        pread(fd, last, sizeof last, size - STOP_SIZE) == STOP_SIZE &&
        memcmp(last, stop, STOP_SIZE) == 0)
        return size - STOP_SIZE;
    return find_end(fd, size);
}

off_t capture_resume(int fd)
{
    struct stat status;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &status) != 0)
        return -1;
    off_t end = end_of(fd, status.st_size);
    return end == status.st_size || ftruncate(fd, end) == 0 ? end : -1;
}

void capture_leave(int fd)
{
    flock(fd, LOCK_UN);
}
