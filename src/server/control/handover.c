#include "server/control/handover.h"

#include "server/control/protocol.h"
#include "server/steering/steering.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for a message of sockets, and for a sentence. */
enum { MESSAGE_MAX = ENVELOPE_DESCRIPTORS_MAX * sizeof(struct handover_record) };

bool handover_add(struct handover *handover, enum handover_kind kind, unsigned slot,
                  const union address *address, int descriptor)
{
    if (handover->count == handover->room) {
        size_t room = 2 * handover->room + 16;
        struct handover_record *records = reallocarray(handover->records, room, sizeof *records);
        if (records == NULL)
            return false;
        handover->records = records;
        int *descriptors = reallocarray(handover->descriptors, room, sizeof *descriptors);
        if (descriptors == NULL)
            return false;
        handover->descriptors = descriptors;
        handover->room = room;
    }
    struct handover_record *record = &handover->records[handover->count];
    memset(record, 0, sizeof *record); /* gaps travel too */
    record->kind = kind;
    record->slot = slot;
    if (address != NULL)
        memcpy(&record->address, address, address_length(address));
    handover->descriptors[handover->count++] = descriptor;
    return true;
}

int handover_take(struct handover *handover, enum handover_kind kind, unsigned slot,
                  const union address *address)
{
    for (size_t i = 0; i < handover->count; i++) {
        const struct handover_record *record = &handover->records[i];
        int descriptor = handover->descriptors[i];
        if (descriptor < 0 || record->kind != kind || record->slot != slot ||
            (address != NULL && !address_is_equal(&record->address, address)))
            continue;
        handover->descriptors[i] = -1;
        return descriptor;
    }
    return -1;
}

unsigned handover_slots(const struct handover *handover)
{
    unsigned slots = 0;

    for (size_t i = 0; i < handover->count; i++)
        if (handover_is_socket(&handover->records[i]) && handover->records[i].slot >= slots)
            slots = handover->records[i].slot + 1;
    return slots;
}

void handover_free(struct handover *handover)
{
    free(handover->records);
    free(handover->descriptors);
    *handover = (struct handover){0};
}

void handover_discard(struct handover *handover)
{
    for (size_t i = 0; i < handover->count; i++)
        if (handover->descriptors[i] >= 0)
            close(handover->descriptors[i]);
    handover_free(handover);
}

/* --- sending ------------------------------------------------------------------- */

static void load_message(struct handover_sender *sender, size_t next)
{
    size_t left = sender->handover->count - next;

    sender->next = next;
    sender->carried = left < ENVELOPE_DESCRIPTORS_MAX ? left : ENVELOPE_DESCRIPTORS_MAX;
    if (left == 0) {
        envelope_writer_start(&sender->writer, PROTOCOL_SOCKETS, "", 0);
        return;
    }
    envelope_writer_start(&sender->writer, PROTOCOL_SOCKETS, sender->handover->records + next,
                          sender->carried * sizeof(struct handover_record));
    sender->writer.descriptors = sender->handover->descriptors + next;
    sender->writer.descriptor_count = sender->carried;
}

void handover_send_start(struct handover_sender *sender, const struct handover *handover)
{
    *sender = (struct handover_sender){.handover = handover};
    load_message(sender, 0);
}

enum envelope_outcome handover_send(struct handover_sender *sender, int connection)
{
    enum envelope_outcome outcome;

    /* The message that carries nothing is the last. */
    while ((outcome = envelope_write(&sender->writer, connection)) == ENVELOPE_WHOLE &&
           sender->carried > 0)
        load_message(sender, sender->next + sender->carried);
    return outcome;
}

/* --- receiving ------------------------------------------------------------------ */

static bool is_sound(const struct handover_record *record)
{
    int family = record->address.any.sa_family;

    switch (record->kind) {
    case HANDOVER_UDP:
    case HANDOVER_TCP:
        return record->slot < STEERING_SLOTS_MAX && (family == AF_INET || family == AF_INET6);
    case HANDOVER_CONTROL:
    case HANDOVER_TABLE:
    case HANDOVER_SECRETS:
    case HANDOVER_HTTP:
        return true;
    default:
        return false;
    }
}

static bool take_message(struct handover *handover, struct envelope_reader *reader)
{
    size_t count = reader->descriptor_count;

    if (reader->header.length != count * sizeof(struct handover_record) ||
        handover->count + count > HANDOVER_SOCKETS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct handover_record record;
        memcpy(&record, reader->payload + i * sizeof record, sizeof record);
        if (!is_sound(&record) ||
            !handover_add(handover, record.kind, record.slot, NULL, reader->descriptors[i]))
            return false;
        handover->records[handover->count - 1].address = record.address;
        reader->descriptors[i] = -1;
    }
    return true;
}

/* A daemon that does not hand over says why, as to any request. */
static void explain_refusal(const struct envelope_reader *reader, char error[HANDOVER_ERROR_MAX])
{
    json_t *document =
        json_loadb((const char *)reader->payload, reader->header.length, JSON_DECODE_ANY, NULL);
    const char *sentence = json_string_value(json_object_get(document, "error"));

    snprintf(error, HANDOVER_ERROR_MAX, "the running daemon hands over nothing: %s",
             sentence != NULL ? sentence : "it does not say why");
    json_decref(document);
}

static const char *read_fault(enum envelope_outcome outcome)
{
    switch (outcome) {
    case ENVELOPE_PARTIAL:
        return "the running daemon does not answer";
    case ENVELOPE_END:
        return "the running daemon has ended the takeover";
    case ENVELOPE_BROKEN:
        return strerror(errno);
    default:
        return "the running daemon hands over what cannot be used";
    }
}

/* Takes one message; false with a sentence. */
static bool receive_message(struct handover *handover, struct envelope_reader *reader,
                            int connection, char error[HANDOVER_ERROR_MAX])
{
    enum envelope_outcome outcome = envelope_read(reader, connection);

    if (outcome == ENVELOPE_WHOLE && reader->header.type == PROTOCOL_FAILED) {
        explain_refusal(reader, error);
        return false;
    }
    if (outcome == ENVELOPE_WHOLE && reader->header.type == PROTOCOL_SOCKETS &&
        reader->header.version == PROTOCOL_VERSION && take_message(handover, reader))
        return true;
    snprintf(error, HANDOVER_ERROR_MAX, "%s", read_fault(outcome));
    return false;
}

bool handover_receive(struct handover *handover, int connection, char error[HANDOVER_ERROR_MAX])
{
    struct envelope_reader reader;
    bool received, last;

    *handover = (struct handover){0};
    envelope_reader_start(&reader, MESSAGE_MAX, true);
    do {
        received = receive_message(handover, &reader, connection, error);
        last = !received || reader.header.length == 0;
        envelope_reader_clear(&reader);
    } while (!last);
    if (!received)
        handover_discard(handover);
    return received;
}
