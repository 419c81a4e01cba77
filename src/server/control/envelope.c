#include "server/control/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union rights {
    struct cmsghdr header;
    uint8_t octets[CMSG_SPACE(ENVELOPE_DESCRIPTORS_MAX * sizeof(int))];
};

/* --- reading ---------------------------------------------------------------- */

void envelope_reader_start(struct envelope_reader *reader, size_t limit, bool passing)
{
    reader->payload = NULL;
    reader->got = 0;
    reader->limit = limit;
    reader->passing = passing;
    reader->descriptor_count = 0;
}

void envelope_reader_clear(struct envelope_reader *reader)
{
    for (size_t i = 0; i < reader->descriptor_count; i++)
        if (reader->descriptors[i] >= 0)
            close(reader->descriptors[i]);
    free(reader->payload);
    envelope_reader_start(reader, reader->limit, reader->passing);
}

/* Takes what came; false if those are more than one message may have. */
static bool take_descriptors(struct envelope_reader *reader, struct msghdr *message)
{
    bool fit = !(message->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + i * sizeof descriptor, sizeof descriptor);
            if (reader->descriptor_count == ENVELOPE_DESCRIPTORS_MAX) {
                close(descriptor);
                fit = false;
            } else {
                reader->descriptors[reader->descriptor_count++] = descriptor;
            }
        }
    }
    return fit;
}

static enum envelope_outcome receive(struct envelope_reader *reader, int socket, uint8_t *to,
                                     size_t wanted)
{
    union rights rights;
    struct iovec piece = {.iov_base = to, .iov_len = wanted};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    /* Without room for them the kernel closes descriptors that are sent to us. */
    if (reader->passing) {
        message.msg_control = rights.octets;
        message.msg_controllen = sizeof rights.octets;
    }
    ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR)
        return ENVELOPE_WHOLE;
    if (length < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? ENVELOPE_PARTIAL : ENVELOPE_BROKEN;
    if (length == 0)
        return reader->got == 0 ? ENVELOPE_END : ENVELOPE_MALFORMED;
    reader->got += (size_t)length;
    return take_descriptors(reader, &message) ? ENVELOPE_WHOLE : ENVELOPE_MALFORMED;
}

static enum envelope_outcome open_payload(struct envelope_reader *reader)
{
    if (memcmp(reader->header.magic, PROTOCOL_MAGIC, sizeof reader->header.magic) != 0 ||
        reader->header.length > reader->limit)
        return ENVELOPE_MALFORMED;
    reader->payload = malloc((size_t)reader->header.length + 1);
    if (reader->payload == NULL)
        return ENVELOPE_BROKEN;
    reader->payload[reader->header.length] = '\0';
    return ENVELOPE_WHOLE;
}

enum envelope_outcome envelope_read(struct envelope_reader *reader, int socket)
{
    const size_t head = sizeof reader->header;
    enum envelope_outcome outcome = ENVELOPE_WHOLE;

    while (outcome == ENVELOPE_WHOLE) {
        if (reader->got < head) {
            outcome = receive(reader, socket, (uint8_t *)&reader->header + reader->got,
                              head - reader->got);
        } else if (reader->payload == NULL) {
            outcome = open_payload(reader);
        } else {
            size_t have = reader->got - head;
            if (have == reader->header.length)
                return ENVELOPE_WHOLE;
            outcome = receive(reader, socket, reader->payload + have, reader->header.length - have);
        }
    }
    return outcome;
}

char **envelope_strings(const struct envelope_reader *reader, size_t *count)
{
    const char *payload = (const char *)reader->payload;
    size_t length = reader->header.length;

    errno = 0;
    *count = 0;
    if (length > 0 && payload[length - 1] != '\0')
        return NULL;
    for (size_t i = 0; i < length; i++)
        *count += payload[i] == '\0';
    char **strings = malloc((*count + 1) * sizeof *strings);
    if (strings == NULL)
        return NULL;
    char *next = (char *)reader->payload;
    for (size_t i = 0; i < *count; i++) {
        strings[i] = next;
        next += strlen(next) + 1;
    }
    strings[*count] = NULL;
    return strings;
}

/* --- writing ---------------------------------------------------------------- */

void envelope_writer_start(struct envelope_writer *writer, enum protocol_type type,
                           const void *payload, size_t length)
{
    *writer = (struct envelope_writer){
        .header = {.version = PROTOCOL_VERSION, .type = (uint16_t)type, .length = (uint32_t)length},
        .payload = length > 0 ? payload : "", /* no arithmetic on NULL */
    };
    memcpy(writer->header.magic, PROTOCOL_MAGIC, sizeof writer->header.magic);
}

static void attach_descriptors(struct msghdr *message, union rights *rights,
                               const struct envelope_writer *writer)
{
    size_t size = writer->descriptor_count * sizeof(int);

    memset(rights, 0, sizeof *rights);
    message->msg_control = rights->octets;
    message->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *part = &rights->header;
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(part), writer->descriptors, size);
}

enum envelope_outcome envelope_write(struct envelope_writer *writer, int socket)
{
    const size_t head = sizeof writer->header, all = head + writer->header.length;
    union rights rights;

    while (writer->sent < all) {
        size_t done_head = writer->sent < head ? writer->sent : head;
        size_t done_payload = writer->sent - done_head;
        struct iovec pieces[] = {
            {.iov_base = (uint8_t *)&writer->header + done_head, .iov_len = head - done_head},
            {.iov_base = (uint8_t *)writer->payload + done_payload,
             .iov_len = writer->header.length - done_payload},
        };
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        /* Descriptors travel with the first octet. */
        if (writer->sent == 0 && writer->descriptor_count > 0)
            attach_descriptors(&message, &rights, writer);
        ssize_t length = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? ENVELOPE_PARTIAL : ENVELOPE_BROKEN;
        writer->sent += (size_t)length;
    }
    return ENVELOPE_WHOLE;
}
