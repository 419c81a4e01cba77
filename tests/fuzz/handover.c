/*
 * What a new daemon takes over (control/handover.c) from whatever answers: all sockets of it or
 * none, each with a record that makes sense, and no descriptor is left behind.
 *
 * Input: chunks of what is sent, each of an octet that tells how many descriptors go with it, two
 * octets of length, and the octets themselves.
 */
#include "server/control/handover.h"

#include "descriptors.h"
#include "fuzz.h"
#include "message/wire.h"
#include "pieces.h"
#include "server/steering/steering.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHUNK_HEAD = 3,
    ON_THE_WAY_MAX = 600, /* descriptors: fewer than a process may have open */
};

const unsigned fuzz_rounds = 3000;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    descriptors_get(1);
    return 0;
}

/* --- inputs that get far --------------------------------------------------------------------- */

static struct handover_record make_record(struct fuzz_random *random)
{
    struct handover_record record = {.kind = 1 + fuzz_below(random, HANDOVER_HTTP)};

    record.slot = fuzz_below(random, 30) == 0 ? (uint32_t)STEERING_SLOTS_MAX - fuzz_below(random, 2)
                                              : fuzz_below(random, 4);
    if (fuzz_below(random, 4) == 0)
        record.address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
    else
        record.address.v4 = (struct sockaddr_in){.sin_family = AF_INET};
    if (fuzz_below(random, 50) == 0)
        record.kind = fuzz_below(random, 10);
    return record;
}

/* Makes a chunk of a whole message, for the most part. Returns its length. */
static size_t make_message(struct fuzz_random *random, uint8_t *chunk, uint32_t count)
{
    static const char refusal[] = "{\"error\": \"no\\nthing\"}";
    struct protocol_header header = {
        .magic = PROTOCOL_MAGIC, .version = PROTOCOL_VERSION, .type = PROTOCOL_SOCKETS};
    uint8_t *payload = chunk + CHUNK_HEAD + sizeof header;

    header.length = count * (uint32_t)sizeof(struct handover_record);
    for (uint32_t i = 0; i < count; i++) {
        struct handover_record record = make_record(random);
        memcpy(payload + i * sizeof record, &record, sizeof record);
    }
    if (count == 0 && fuzz_below(random, 8) == 0) {
        header.type = PROTOCOL_FAILED;
        header.length = sizeof refusal - 1;
        memcpy(payload, refusal, header.length);
    }
    memcpy(chunk + CHUNK_HEAD, &header, sizeof header);
    chunk[0] = (uint8_t)(fuzz_below(random, 30) == 0 ? fuzz_below(random, 256) : count);
    wire_write_u16(chunk + 1, (uint16_t)(sizeof header + header.length));
    return CHUNK_HEAD + sizeof header + header.length;
}

size_t fuzz_make_input(struct fuzz_random *random, uint8_t input[FUZZ_INPUT_MAX])
{
    enum { RECORDS_MAX = 20 };
    size_t length = 0;

    for (uint32_t left = fuzz_below(random, 5); left > 0; left--)
        length += make_message(random, input + length, 1 + fuzz_below(random, RECORDS_MAX));
    if (fuzz_below(random, 8) != 0)
        length += make_message(random, input + length, 0);
    if (fuzz_below(random, 8) == 0 && length > 0)
        input[fuzz_below(random, (uint32_t)length)] = (uint8_t)fuzz_below(random, 256);
    return length;
}

/* --- promises -------------------------------------------------------------------------------- */

/* Sends chunks until the socket takes no more. */
static void send_chunks(int socket, const uint8_t *input, size_t length)
{
    size_t on_the_way = 0;

    while (length > CHUNK_HEAD) {
        size_t descriptors = input[0] <= DESCRIPTORS_MAX ? input[0] : 0;
        size_t octets = wire_read_u16(input + 1);
        struct pieces pieces;
        input += CHUNK_HEAD;
        length -= CHUNK_HEAD;
        if (octets > length)
            octets = length;
        pieces_start(&pieces, 0, input, octets);
        on_the_way += descriptors;
        if (descriptors > 0 && octets > 0 && on_the_way <= ON_THE_WAY_MAX)
            pieces_mark(&pieces, 0, descriptors);
        if (pieces_send(&pieces, socket) < octets)
            return;
        input += octets;
        length -= octets;
    }
}

static void check_record(const struct handover_record *record)
{
    FUZZ_ASSERT(record->kind >= HANDOVER_UDP && record->kind <= HANDOVER_HTTP);
    if (!handover_is_socket(record))
        return;
    FUZZ_ASSERT(record->slot < STEERING_SLOTS_MAX);
    FUZZ_ASSERT(record->address.any.sa_family == AF_INET ||
                record->address.any.sa_family == AF_INET6);
}

static void check_handover(struct handover *handover)
{
    for (size_t i = 0; i < handover->count; i++) {
        check_record(&handover->records[i]);
        FUZZ_ASSERT((fcntl(handover->descriptors[i], F_GETFD) & FD_CLOEXEC) != 0);
    }
    FUZZ_ASSERT(handover_slots(handover) <= STEERING_SLOTS_MAX);
    for (size_t i = 0; i < handover->count; i++) {
        const struct handover_record *record = &handover->records[i];
        int taken = handover_take(handover, record->kind, record->slot, NULL);
        FUZZ_ASSERT(taken >= 0);
        close(taken);
    }
    handover_discard(handover);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    size_t descriptors = descriptors_count();
    char error[HANDOVER_ERROR_MAX] = "";
    struct handover handover;
    int ends[2];

    FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    send_chunks(ends[0], input, length);
    close(ends[0]);
    if (handover_receive(&handover, ends[1], error))
        check_handover(&handover);
    else
        FUZZ_ASSERT(error[0] != '\0' && handover.count == 0 && handover.records == NULL);
    close(ends[1]);
    FUZZ_ASSERT(descriptors_count() == descriptors);
    return 0;
}
