#include "server/dnstap/outlet.h"

#include "server/dnstap/capture.h"
#include "server/dnstap/encoder.h"

#include <errno.h>
#include <fstrm.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    /* For a reader to answer in the handshake; for one to take what it is sent there is no limit,
     * for the workers do not wait ... */
    HANDSHAKE_MILLISECONDS = 5000,
    /* ... until the daemon ends: for each write, from then on. */
    FINISH_MILLISECONDS = 100,
    FOR_EVER = -1,
};

void outlet_init(struct outlet *outlet, const char *path, int file, int channel)
{
    *outlet = (struct outlet){.path = path, .fd = file, .channel = channel};
}

/* --- what libfstrm calls ----------------------------------------------------------------- */

/* Until the connection can be read, or written. False with errno. */
static bool wait_for(struct outlet *outlet, short events, int milliseconds)
{
    for (;;) {
        struct pollfd watched[] = {{.fd = outlet->fd, .events = events},
                                   {.fd = outlet->channel, .events = POLLIN}};
        int n = poll(watched, outlet->finishing ? 1 : 2,
                     outlet->finishing ? FINISH_MILLISECONDS : milliseconds);
        if (n < 0 && errno != EINTR)
            return false;
        if (n == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        if (n > 0 && watched[0].revents != 0)
            return true;
        outlet->finishing |= n > 0 && watched[1].revents != 0;
    }
}

static fstrm_res read_octets(void *closure, void *data, size_t count)
{
    struct outlet *outlet = closure;
    char *at = data;

    while (count > 0) {
        if (!wait_for(outlet, POLLIN, HANDSHAKE_MILLISECONDS))
            return fstrm_res_failure;
        ssize_t n = recv(outlet->fd, at, count, MSG_DONTWAIT);
        if (n > 0) {
            at += n;
            count -= (size_t)n;
        } else if (n == 0) {
            errno = EPROTO;
            return fstrm_res_failure;
        } else if (errno != EAGAIN && errno != EINTR) {
            return fstrm_res_failure;
        }
    }
    errno = EPROTO; /* unless a call fails, it is what has been read that is wrong */
    return fstrm_res_success;
}

static ssize_t write_some(const struct outlet *outlet, struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};

    return outlet->path != NULL ? sendmsg(outlet->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
                                : writev(outlet->fd, parts, count);
}

/* Skips `n` octets. Returns how many parts are done with. */
static int skip(struct iovec *parts, int count, size_t n)
{
    int done = 0;

    while (done < count && n >= parts[done].iov_len)
        n -= parts[done++].iov_len;
    if (done < count) {
        parts[done].iov_base = (char *)parts[done].iov_base + n;
        parts[done].iov_len -= n;
    }
    return done;
}

static fstrm_res write_all(struct outlet *outlet, struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t n = write_some(outlet, parts, count);
        if (n < 0 && errno == EAGAIN && wait_for(outlet, POLLOUT, FOR_EVER))
            continue;
        if (n < 0 && errno != EINTR)
            return fstrm_res_failure;
        int done = skip(parts, count, n > 0 ? (size_t)n : 0);
        parts += done;
        count -= done;
    }
    return fstrm_res_success;
}

static fstrm_res write_octets(void *closure, const struct iovec *given, int count)
{
    struct iovec parts[2 * OUTLET_FRAMES_MAX];
    struct outlet *outlet = closure;
    off_t length = 0;

    if (outlet->has_start) { /* this is it */
        outlet->has_start = false;
        return fstrm_res_success;
    }
    if (count > 2 * OUTLET_FRAMES_MAX)
        return fstrm_res_failure;
    for (int i = 0; i < count; i++)
        length += (off_t)given[i].iov_len;
    memcpy(parts, given, (size_t)count * sizeof *parts);
    if (write_all(outlet, parts, count) != fstrm_res_success)
        return fstrm_res_failure;
    outlet->end += length;
    return fstrm_res_success;
}

static fstrm_res is_open(void *closure)
{
    (void)closure;
    return fstrm_res_success;
}

/* --- opening ------------------------------------------------------------------------------- */

static bool connect_to_reader(struct outlet *outlet)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path, outlet->path, sizeof address.sun_path - 1);
    outlet->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return outlet->fd >= 0 && connect(outlet->fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool find_place(struct outlet *outlet)
{
    outlet->end = capture_resume(outlet->fd);
    outlet->has_start = outlet->end > 0;
    return outlet->end >= 0;
}

static struct fstrm_writer *make_writer(struct outlet *outlet)
{
    struct fstrm_rdwr *ways = fstrm_rdwr_init(outlet);
    struct fstrm_writer_options *options = fstrm_writer_options_init();

    fstrm_rdwr_set_open(ways, is_open);
    fstrm_rdwr_set_close(ways, is_open);
    fstrm_rdwr_set_write(ways, write_octets);
    if (outlet->path != NULL)
        fstrm_rdwr_set_read(ways, read_octets);
    fstrm_writer_options_add_content_type(options, encoder_content_type,
                                          ENCODER_CONTENT_TYPE_LENGTH);
    struct fstrm_writer *writer = fstrm_writer_init(options, &ways);
    fstrm_writer_options_destroy(&options);
    return writer;
}

/* Of a frame that could not be written whole. */
static void take_back(const struct outlet *outlet)
{
    if (outlet->end >= 0 && ftruncate(outlet->fd, outlet->end) != 0)
        return; /* then capture_resume() will find it */
}

/* A broken connection is left as it is; a file ends as it should, if there is room for that. errno
 * stays. */
void outlet_abandon(struct outlet *outlet)
{
    int reason = errno;

    if (outlet->path != NULL) {
        if (outlet->fd >= 0)
            close(outlet->fd);
        outlet->fd = -1;
    } else {
        take_back(outlet);
    }
    fstrm_writer_destroy(&outlet->writer);
    if (outlet->path == NULL) {
        take_back(outlet);
        capture_leave(outlet->fd);
    }
    errno = reason;
}

bool outlet_open(struct outlet *outlet)
{
    outlet->end = 0;
    if (outlet->path != NULL ? connect_to_reader(outlet) : find_place(outlet)) {
        outlet->writer = make_writer(outlet);
        if (fstrm_writer_open(outlet->writer) == fstrm_res_success)
            return true;
    }
    outlet_abandon(outlet);
    return false;
}

/* --- writing ------------------------------------------------------------------------------- */

bool outlet_write(struct outlet *outlet, const struct iovec *frames, int count)
{
    if (fstrm_writer_writev(outlet->writer, frames, count) == fstrm_res_success)
        return true;
    outlet_abandon(outlet);
    return false;
}

int outlet_connection(const struct outlet *outlet)
{
    return outlet->path != NULL ? outlet->fd : -1;
}

void outlet_close(struct outlet *outlet)
{
    fstrm_writer_close(outlet->writer);
    outlet_abandon(outlet);
}
