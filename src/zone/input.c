#include "zone/input.h"

#include "zone/memory.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 16 }; /* for pipes, whose size is not known */

/* When the file was changed last. Its time of modification can be set to what it was before the
 * change, so that of the inode counts, unless it is older: where it is that of creation, or the
 * other was set to a future one. */
static const struct timespec *changed_at(const struct stat *status)
{
    const struct timespec *modified = &status->st_mtim, *inode = &status->st_ctim;

    if (modified->tv_sec != inode->tv_sec)
        return modified->tv_sec > inode->tv_sec ? modified : inode;
    return modified->tv_nsec > inode->tv_nsec ? modified : inode;
}

static bool is_recent(const struct timespec *time)
{
    struct timespec now;

    /* Time stamps come from the kernel's tick, at most 10 ms long; FAT's are 2 s apart. */
    clock_gettime(CLOCK_REALTIME, &now);
    return time->tv_sec + INPUT_RECENT_SECONDS >= now.tv_sec;
}

static void identify(struct input_identity *identity, const struct stat *status)
{
    const struct timespec *changed = changed_at(status);

    identity->device = status->st_dev;
    identity->inode = status->st_ino;
    identity->size = (uint64_t)status->st_size;
    identity->changed_seconds = changed->tv_sec;
    identity->changed_nanoseconds =
        is_recent(changed) ? INPUT_CHANGED_RECENTLY : (uint32_t)changed->tv_nsec;
}

/* Reads to the end, wherever that is; `expected` octets save growing on the way. */
static int read_all(int fd, size_t expected, struct input *input)
{
    size_t room = expected + READ_SIZE;

    input->text = memory_get(room);
    for (;;) {
        if (room - input->length < READ_SIZE)
            input->text = memory_resize(input->text, room *= 2);
        ssize_t got = read(fd, input->text + input->length, room - input->length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        input->length += (size_t)got;
    }
    input->text[input->length] = '\n';
    return 0;
}

static int read_fd(int fd, struct input *input)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return errno;
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        return EISDIR;
    int error = read_all(fd, (size_t)status.st_size, input);
    if (error != 0)
        return error;
    identify(&input->identity, &status);
    /* What was read, not what fstat() saw before somebody appended to the file. */
    input->identity.size = input->length;
    input->identity.content_hash = XXH3_64bits(input->text, input->length);
    return 0;
}

int input_read(struct input *input, const char *path)
{
    *input = (struct input){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno;
    int error = read_fd(fd, input);
    close(fd);
    if (error != 0)
        input_free(input);
    return error;
}

void input_free(struct input *input)
{
    free(input->text);
    *input = (struct input){0};
}

bool input_seems_unchanged(const char *path, const struct input_identity *identity)
{
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    const struct timespec *changed = changed_at(&status);
    return status.st_dev == identity->device && status.st_ino == identity->inode &&
           (uint64_t)status.st_size == identity->size &&
           changed->tv_sec == identity->changed_seconds &&
           (uint32_t)changed->tv_nsec == identity->changed_nanoseconds;
}
