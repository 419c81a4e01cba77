#include "table/table_file.h"

#include "table/crew.h"
#include "table/large_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- reading ------------------------------------------------------------------------ */

static const char *refuse_file(const struct stat *status, uid_t owner)
{
    if (!S_ISREG(status->st_mode))
        return "it is no plain file";
    if (status->st_uid != owner)
        return "it belongs to another user";
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "others may write to it";
    if ((size_t)status->st_size < sizeof(struct table_header))
        return "it is shorter than a zone table's header";
    return NULL;
}

/* A file that is being copied, in pieces by several threads. */
struct copying {
    int from;
    uint8_t *to;
    size_t length;
    atomic_bool in_small_pages; /* the kernel has declined large ones */
    atomic_int reason;          /* errno of a read that failed */
};

/* One large page, or what is left at the end: filled right after the kernel has cleared it. */
enum { PIECE = LARGE_PAGE };

/* Stops early if the file is getting shorter, which its table will be found out by. */
static int read_octets(int from, uint8_t *to, size_t length, size_t offset)
{
    while (length > 0) {
        ssize_t got = pread(from, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        to += got;
        length -= (size_t)got;
        offset += (size_t)got;
    }
    return 0;
}

static bool copy_piece(void *closure, size_t number)
{
    struct copying *copying = closure;
    size_t start = number * PIECE;
    size_t rest = copying->length - start, length = rest < PIECE ? rest : PIECE;

    if (length == LARGE_PAGE && !copying->in_small_pages &&
        large_pages_provide(copying->to, start, start + length) == start)
        copying->in_small_pages = true;
    int reason = read_octets(copying->from, copying->to + start, length, start);
    if (reason != 0)
        copying->reason = reason;
    return reason == 0;
}

/* By a mapping, for sendfile(2) would put the copy into small pages. */
static int copy_octets(int from, int to, size_t length)
{
    size_t pieces = (length + PIECE - 1) / PIECE;
    struct copying copying = {
        .from = from,
        .to = large_pages_map(to, length, PROT_READ | PROT_WRITE),
        .length = length,
        .reason = ENOMEM, /* if the crew cannot so much as begin */
    };
    const struct crew_work work = {
        .jobs = pieces, .window = pieces, .perform = copy_piece, .closure = &copying};

    if (copying.to == MAP_FAILED)
        return -1;
    bool copied = crew_run(&work);
    munmap(copying.to, length);
    errno = copying.reason;
    return copied ? 0 : -1;
}

/* A sealed memory file with `length` octets of `file`; -1 with errno. */
static int copy_file(int file, size_t length)
{
    int copy = seal_create(length);

    if (copy < 0 || (copy_octets(file, copy, length) == 0 && seal_close(copy) == 0))
        return copy;
    int reason = errno;
    close(copy);
    errno = reason;
    return -1;
}

static int read_file(struct sealed_table *sealed, int file, uid_t owner, const char **reason)
{
    struct stat status;

    if (fstat(file, &status) != 0) {
        *reason = strerror(errno);
        return -1;
    }
    *reason = refuse_file(&status, owner);
    if (*reason != NULL)
        return -1;
    int copy = copy_file(file, (size_t)status.st_size);
    if (copy < 0) {
        *reason = seal_error(errno);
        return -1;
    }
    *reason = seal_map(sealed, copy);
    if (*reason == NULL)
        return copy;
    close(copy);
    return -1;
}

int table_file_read(struct sealed_table *sealed, const char *path, uid_t owner, const char **reason)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    *reason = NULL;
    if (file < 0) {
        if (errno != ENOENT)
            *reason = errno == ELOOP ? "it is no plain file" : strerror(errno);
        return -1;
    }
    int copy = read_file(sealed, file, owner, reason);
    close(file);
    return copy;
}

/* --- writing ------------------------------------------------------------------------ */

static int write_octets(int file, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, octets, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        octets += written;
        length -= (size_t)written;
    }
    return 0;
}

static bool is_file_at(int file, const char *path)
{
    struct stat open_one, named;

    return fstat(file, &open_one) == 0 && lstat(path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/*
 * Opens the temporary file for this process alone, empty. Its name is always the same, so that one
 * left behind by a process that was killed is used up by the next; and whoever has the lock on what
 * bears that name is the only one that writes to it.
 */
static int open_temporary(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (file < 0)
        return -1;
    if (flock(file, LOCK_EX | LOCK_NB) == 0 && is_file_at(file, path)) {
        if (fchmod(file, 0600) == 0 && ftruncate(file, 0) == 0)
            return file;
    } else {
        errno = EBUSY;
    }
    int reason = errno;
    close(file);
    errno = reason;
    return -1;
}

/* So that the rename survives a crash of the machine, too. */
static int sync_directory(const char *path)
{
    char *directory = strdup(path);
    char *slash = directory != NULL ? strrchr(directory, '/') : NULL;
    int result = -1;

    if (directory == NULL)
        return -1;
    if (slash != NULL)
        slash[slash == directory ? 1 : 0] = '\0';
    int fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (fd < 0)
        return -1;
    result = fsync(fd);
    close(fd);
    return result;
}

static int write_and_rename(int file, const char *temporary, const char *path, const void *base,
                            size_t length)
{
    if (write_octets(file, base, length) == 0 && fsync(file) == 0 && rename(temporary, path) == 0 &&
        sync_directory(path) == 0)
        return 0;
    int reason = errno;
    if (is_file_at(file, temporary))
        unlink(temporary);
    return reason;
}

int table_file_write(const char *path, const void *base, size_t length)
{
    char *temporary;

    if (asprintf(&temporary, "%s.new", path) < 0)
        return ENOMEM;
    int file = open_temporary(temporary);
    int result = file < 0 ? errno : write_and_rename(file, temporary, path, base, length);
    if (file >= 0)
        close(file);
    free(temporary);
    return result;
}
