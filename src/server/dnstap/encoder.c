#include "server/dnstap/encoder.h"

#include "answer/client.h"
#include "server/dnstap/dnstap.pb-c.h"

#include <assert.h>
#include <string.h>

const char encoder_content_type[] = "protobuf:dnstap.Dnstap";

static const uint64_t second = 1000000000;

/* Protocol Buffers do not change what they write out. */
static ProtobufCBinaryData data_of(const void *octets, size_t length)
{
    return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)(uintptr_t)octets};
}

static void set_addresses(Dnstap__Message *message, const struct ring_record *record)
{
    message->has_socket_family = message->has_socket_protocol = true;
    message->socket_family =
        record->address_length == 4 ? DNSTAP__SOCKET_FAMILY__INET : DNSTAP__SOCKET_FAMILY__INET6;
    message->socket_protocol = record->transport == TRANSPORT_TCP ? DNSTAP__SOCKET_PROTOCOL__TCP
                                                                  : DNSTAP__SOCKET_PROTOCOL__UDP;
    message->has_query_address = message->has_query_port = true;
    message->query_address = data_of(record->client, record->address_length);
    message->query_port = record->client_port;
    message->has_response_port = record->server_port != 0;
    message->response_port = record->server_port;
    message->has_response_address = record->server_known != 0;
    message->response_address = data_of(record->server, record->address_length);
}

static void set_query_time(Dnstap__Message *message, const struct ring_record *record)
{
    message->has_query_time_sec = message->has_query_time_nsec = true;
    message->query_time_sec = record->query_time / second;
    message->query_time_nsec = (uint32_t)(record->query_time % second);
}

static void set_query(Dnstap__Message *message, const struct ring_record *record,
                      const uint8_t *octets)
{
    message->type = DNSTAP__MESSAGE__TYPE__AUTH_QUERY;
    message->has_query_message = true;
    message->query_message = data_of(octets, record->query_length);
}

static void set_response(Dnstap__Message *message, const struct ring_record *record,
                         const uint8_t *octets)
{
    message->type = DNSTAP__MESSAGE__TYPE__AUTH_RESPONSE;
    message->has_response_time_sec = message->has_response_time_nsec = true;
    message->response_time_sec = record->response_time / second;
    message->response_time_nsec = (uint32_t)(record->response_time % second);
    message->has_response_message = true;
    message->response_message = data_of(octets + record->query_length, record->response_length);
}

size_t encoder_write(const struct encoder *encoder, const struct ring_record *record,
                     const uint8_t *octets, enum encoder_kind kind, uint8_t *frame)
{
    Dnstap__Dnstap dnstap = DNSTAP__DNSTAP__INIT;
    Dnstap__Message message = DNSTAP__MESSAGE__INIT;

    set_addresses(&message, record);
    set_query_time(&message, record);
    if (kind == ENCODER_QUERY)
        set_query(&message, record, octets);
    else
        set_response(&message, record, octets);
    dnstap.type = DNSTAP__DNSTAP__TYPE__MESSAGE;
    dnstap.message = &message;
    dnstap.identity = data_of(encoder->identity, strlen(encoder->identity));
    dnstap.has_identity = *encoder->identity != '\0';
    dnstap.version = data_of(encoder->version, strlen(encoder->version));
    dnstap.has_version = *encoder->version != '\0';
    size_t length = dnstap__dnstap__pack(&dnstap, frame);
    assert(length <= ENCODER_FRAME_MAX);
    return length;
}
