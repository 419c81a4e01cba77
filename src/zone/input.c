#include "zone/input.h"

#include "zone/memory.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 1 << 16, /* for pipes, whose size is not known */

    /* Nobody may ever write into a pipe, and whoever reads zones must not wait for that. A writer
     * that is there may take longer to come to its first octet. */
    PIPE_WAIT_MS = 10,
    PIPE_WRITER_WAITS = 30,
    PIPE_OCTETS_WAITS = 6000,
};

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

/* Could a change that is still to come bear the same time stamp? They come from the kernel's tick,
 * at most 10 ms long; file systems that keep no more than seconds (FAT: every other one) have no
 * nanoseconds. */
static bool is_recent(const struct timespec *time)
{
    const int64_t second = 1000000000, coarse = INPUT_RECENT_SECONDS * second, fine = second / 10;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (time->tv_sec > now.tv_sec)
        return true;
    if (time->tv_sec < now.tv_sec - INPUT_RECENT_SECONDS)
        return false;
    int64_t age = (now.tv_sec - time->tv_sec) * second + now.tv_nsec - time->tv_nsec;
    return age <= (time->tv_nsec == 0 ? coarse : fine);
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

/* One more time: false once it has been often enough. */
static bool wait_for_writer(unsigned *waits, unsigned most)
{
    static const struct timespec moment = {.tv_nsec = PIPE_WAIT_MS * 1000000};

    if (++*waits > most)
        return false;
    nanosleep(&moment, NULL);
    return true;
}

/* Reads to the end, wherever that is; `expected` octets save growing on the way. A pipe is at its
 * end before its writer has come. */
static int read_all(int fd, size_t expected, bool is_pipe, struct input *input)
{
    size_t room = expected + READ_SIZE;
    unsigned waits = 0;

    input->text = memory_get(room);
    for (;;) {
        if (room - input->length < READ_SIZE)
            input->text = memory_resize(input->text, room *= 2);
        ssize_t got = read(fd, input->text + input->length, room - input->length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN) {
            if (!wait_for_writer(&waits, PIPE_OCTETS_WAITS))
                return ETIMEDOUT;
            continue;
        }
        if (got < 0)
            return errno;
        if (got == 0 && is_pipe && input->length == 0) {
            if (!wait_for_writer(&waits, PIPE_WRITER_WAITS))
                return ETIMEDOUT;
            continue;
        }
        if (got == 0)
            break;
        input->length += (size_t)got;
        waits = 0;
    }
    input->text[input->length] = '\n';
    return 0;
}

static int read_fd(int fd, struct input *input)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        return INPUT_NO_FILE;
    int error = read_all(fd, (size_t)status.st_size, S_ISFIFO(status.st_mode), input);
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
    /* Neither a pipe without a writer nor a device may hold it up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENXIO ? INPUT_NO_FILE : errno;
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

static const char *reader;

void input_name_reader(const char *name)
{
    reader = name;
}

const char *input_error(int error, char text[INPUT_ERROR_MAX])
{
    if (error == INPUT_NO_FILE)
        snprintf(text, INPUT_ERROR_MAX, "it is neither a file nor a pipe");
    else if (error == ETIMEDOUT)
        snprintf(text, INPUT_ERROR_MAX, "it is a pipe, and nobody writes into it");
    else if (error == EACCES && reader != NULL)
        snprintf(text, INPUT_ERROR_MAX, "%s, as user %s", strerror(error), reader);
    else
        snprintf(text, INPUT_ERROR_MAX, "%s", strerror(error));
    return text;
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
