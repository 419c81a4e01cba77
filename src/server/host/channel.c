#include "server/host/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than any message has, so that one with too many is seen for what it is. */
enum { DESCRIPTORS_MAX = 4 };

enum descriptor_rule { DESCRIPTOR_NEVER, DESCRIPTOR_ALWAYS, DESCRIPTOR_IF_MADE };

static const size_t header_size = offsetof(struct channel_message, table);

static enum descriptor_rule descriptor_rule(const struct channel_message *message)
{
    switch (message->type) {
    case CHANNEL_ADOPT:
        return DESCRIPTOR_ALWAYS;
    case CHANNEL_BUILT:
        return DESCRIPTOR_IF_MADE;
    default:
        return DESCRIPTOR_NEVER;
    }
}

static size_t text_length(const struct channel_message *message, size_t room)
{
    const char *text = message->diagnostic.text;
    size_t file = strnlen(text, room);

    if (file == room)
        return 0;
    size_t sentence = strnlen(text + file + 1, room - file - 1);
    return file + 1 + sentence == room ? 0 : file + sentence + 2;
}

/* What a message of this type takes; `received` bounds where its texts may end. 0: no such message.
 */
static size_t message_size(const struct channel_message *message, size_t received)
{
    const size_t text_at = offsetof(struct channel_message, diagnostic.text);
    const size_t items_at = offsetof(struct channel_message, zones.items);

    switch (message->type) {
    case CHANNEL_RETIRE:
    case CHANNEL_FINISH:
    case CHANNEL_SERVING:
    case CHANNEL_LEAVE:
    case CHANNEL_LEFT:
        return header_size;
    case CHANNEL_ADOPT:
    case CHANNEL_ADOPTED:
        return header_size + sizeof message->table;
    case CHANNEL_BUILT:
        return header_size + sizeof message->built;
    case CHANNEL_PROGRESS:
        return header_size + sizeof message->progress;
    case CHANNEL_ZONES:
        return received >= items_at && message->zones.length <= sizeof message->zones.items
                   ? items_at + message->zones.length
                   : 0;
    case CHANNEL_DIAGNOSTIC: {
        if (received <= text_at)
            return 0;
        size_t length = text_length(message, received - text_at);
        return length == 0 ? 0 : text_at + length;
    }
    default:
        return 0;
    }
}

int channel_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

int channel_send(int channel, const struct channel_message *message, int descriptor)
{
    union {
        struct cmsghdr align;
        char octets[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {(void *)message, message_size(message, sizeof *message)};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(cmsg), &descriptor, sizeof descriptor);
    }
    for (;;) {
        ssize_t n = sendmsg(channel, &header, MSG_NOSIGNAL);
        if (n >= 0)
            return 0;
        if (errno != EINTR)
            return -1;
    }
}

bool channel_add_zone(struct channel_message *message, const struct name *origin, unsigned outcome)
{
    struct channel_zones *zones = &message->zones;

    if (sizeof zones->items - zones->length < 1u + origin->length)
        return false;
    zones->items[zones->length++] = (uint8_t)outcome;
    memcpy(zones->items + zones->length, origin->octets, origin->length);
    zones->length += origin->length;
    return true;
}

bool channel_next_zone(const struct channel_message *message, uint32_t *position,
                       struct name *origin, unsigned *outcome)
{
    const struct channel_zones *zones = &message->zones;

    if (*position == zones->length)
        return false;
    size_t length =
        name_read(origin, zones->items + *position + 1, zones->length - *position - 1);
    if (length == 0)
        return false;
    *outcome = zones->items[*position];
    *position += 1 + (uint32_t)length;
    return true;
}

void channel_set_diagnostic(struct channel_message *message, uint32_t severity, uint32_t line,
                            const char *file, const char *sentence)
{
    char *text = message->diagnostic.text;
    const size_t half = CHANNEL_TEXT_MAX / 2;

    memset(message, 0, offsetof(struct channel_message, diagnostic.text));
    message->type = CHANNEL_DIAGNOSTIC;
    message->diagnostic.severity = severity;
    message->diagnostic.line = line;
    snprintf(text, half, "%s", file);
    snprintf(text + strlen(text) + 1, half, "%s", sentence);
}

const char *channel_diagnostic_sentence(const struct channel_message *message)
{
    const char *text = message->diagnostic.text;

    return text + strlen(text) + 1;
}

/* Takes the descriptors out of a received message; returns how many there were. */
static unsigned take_descriptors(struct msghdr *header, int descriptors[DESCRIPTORS_MAX])
{
    unsigned count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t octets = c->cmsg_len - CMSG_LEN(0);
        for (size_t at = 0; at + sizeof(int) <= octets && count < DESCRIPTORS_MAX;
             at += sizeof(int))
            memcpy(&descriptors[count++], CMSG_DATA(c) + at, sizeof(int));
    }
    return count;
}

static bool is_well_formed(const struct channel_message *message, size_t length,
                           unsigned descriptors)
{
    if (length < header_size || message_size(message, length) != length)
        return false;
    switch (descriptor_rule(message)) {
    case DESCRIPTOR_ALWAYS:
        return descriptors == 1;
    case DESCRIPTOR_IF_MADE:
        return message->built.made <= 1 && descriptors == message->built.made;
    default:
        return descriptors == 0;
    }
}

enum channel_outcome channel_receive(int channel, struct channel_message *message, int *descriptor)
{
    union {
        struct cmsghdr align;
        char octets[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control;
    struct iovec iov = {message, sizeof *message};
    struct msghdr header = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t n;

    *descriptor = -1;
    do
        n = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? CHANNEL_NOTHING : CHANNEL_END;
    if (n == 0)
        return CHANNEL_END;

    int descriptors[DESCRIPTORS_MAX];
    unsigned count = take_descriptors(&header, descriptors);
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
        !is_well_formed(message, (size_t)n, count)) {
        for (unsigned i = 0; i < count; i++)
            close(descriptors[i]);
        return CHANNEL_MALFORMED;
    }
    if (count == 1)
        *descriptor = descriptors[0];
    return CHANNEL_MESSAGE;
}
