#include "pieces.h"

#include "descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void cut(struct pieces *pieces)
{
    size_t most = pieces->left;

    if (pieces->descriptor_count > 0 && pieces->left > pieces->marked)
        most = pieces->left - pieces->marked;
    pieces->piece = most;
    if (pieces->piece_max > 0)
        pieces->piece = 1 + fuzz_below(&pieces->random, pieces->piece_max);
    if (pieces->piece > most)
        pieces->piece = most;
}

void pieces_start(struct pieces *pieces, uint8_t seed, const uint8_t *stream, size_t length)
{
    static const uint32_t maxima[] = {0, 1, 3, 14, 40, 500, 5000, 70000};

    *pieces = (struct pieces){.random = {.state = FUZZ_RANDOM_START + seed},
                              .piece_max = maxima[seed % 8],
                              .next = stream,
                              .left = length};
    cut(pieces);
}

void pieces_mark(struct pieces *pieces, size_t at, size_t count)
{
    FUZZ_ASSERT(at < pieces->left);
    pieces->marked = pieces->left - at;
    pieces->descriptor_count = count;
    cut(pieces);
}

static ssize_t send_piece(const struct pieces *pieces, int socket, size_t descriptor_count)
{
    union {
        struct cmsghdr header;
        uint8_t octets[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } rights;
    struct iovec piece = {.iov_base = (void *)(uintptr_t)pieces->next, .iov_len = pieces->piece};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    size_t size = descriptor_count * sizeof(int);

    if (size > 0) {
        memset(&rights, 0, sizeof rights);
        rights.header.cmsg_level = SOL_SOCKET;
        rights.header.cmsg_type = SCM_RIGHTS;
        rights.header.cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(&rights.header), descriptors_get(descriptor_count), size);
        message.msg_control = &rights;
        message.msg_controllen = CMSG_SPACE(size);
    }
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

size_t pieces_send(struct pieces *pieces, int socket)
{
    bool marked = pieces->descriptor_count > 0 && pieces->left == pieces->marked;

    if (pieces->left == 0)
        return 0;
    ssize_t sent = send_piece(pieces, socket, marked ? pieces->descriptor_count : 0);
    if (sent < 0) {
        FUZZ_ASSERT(errno == EAGAIN || errno == EINTR || errno == EPIPE || errno == ECONNRESET);
        if (errno == EPIPE || errno == ECONNRESET)
            pieces->piece = pieces->left = 0; /* nobody takes the rest */
        return 0;
    }
    if (marked)
        pieces->descriptor_count = 0;
    pieces->next += sent;
    pieces->left -= (size_t)sent;
    pieces->piece -= (size_t)sent;
    if (pieces->piece == 0)
        cut(pieces);
    return (size_t)sent;
}
