/* dnstap/encoder.c: what protobuf-c reads of a frame is what the record says. */
#include "server/dnstap/encoder.h"

#include "answer/client.h"
#include "server/dnstap/dnstap.pb-c.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t second = 1000000000;

static struct ring_record example(enum transport transport, uint8_t address_length)
{
    struct ring_record record = {.query_length = 17,
                                 .response_length = 33,
                                 .query_time = 1700000000 * second + 7,
                                 .response_time = 1700000001 * second + 999999999,
                                 .client_port = 65535,
                                 .server_port = 53,
                                 .transport = (uint8_t)transport,
                                 .address_length = address_length,
                                 .server_known = 1};

    memset(record.client, 0xc1, address_length);
    memset(record.server, 0x5e, address_length);
    return record;
}

static const struct encoder named = {.identity = "ns1.example.net", .version = "sorrel 1"};

static Dnstap__Dnstap *encode(const struct encoder *encoder, const struct ring_record *record,
                              const uint8_t *octets, enum encoder_kind kind)
{
    static uint8_t frame[ENCODER_FRAME_MAX];
    size_t length = encoder_write(encoder, record, octets, kind, frame);
    Dnstap__Dnstap *dnstap = dnstap__dnstap__unpack(NULL, length, frame);

    assert_non_null(dnstap);
    assert_int_equal(dnstap->type, DNSTAP__DNSTAP__TYPE__MESSAGE);
    assert_non_null(dnstap->message);
    return dnstap;
}

static void free_dnstap(Dnstap__Dnstap *dnstap)
{
    dnstap__dnstap__free_unpacked(dnstap, NULL);
}

static void is_data(const ProtobufCBinaryData *data, const void *wanted, size_t length)
{
    assert_int_equal(data->len, length);
    assert_memory_equal(data->data, wanted, length);
}

static void check_ends(const Dnstap__Message *message, const struct ring_record *record)
{
    assert_int_equal(message->socket_family, record->address_length == 4
                                                 ? DNSTAP__SOCKET_FAMILY__INET
                                                 : DNSTAP__SOCKET_FAMILY__INET6);
    assert_int_equal(message->socket_protocol, record->transport == TRANSPORT_UDP
                                                   ? DNSTAP__SOCKET_PROTOCOL__UDP
                                                   : DNSTAP__SOCKET_PROTOCOL__TCP);
    is_data(&message->query_address, record->client, record->address_length);
    is_data(&message->response_address, record->server, record->address_length);
    assert_int_equal(message->query_port, 65535);
    assert_int_equal(message->response_port, 53);
}

static void queries_and_responses_are_told(void **state)
{
    static const struct {
        enum transport transport;
        uint8_t address_length;
    } cases[] = {{TRANSPORT_UDP, 4}, {TRANSPORT_UDP, 16}, {TRANSPORT_TCP, 4}, {TRANSPORT_TCP, 16}};
    uint8_t octets[17 + 33];

    (void)state;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ring_record record = example(cases[i].transport, cases[i].address_length);
        Dnstap__Dnstap *dnstap = encode(&named, &record, octets, ENCODER_QUERY);
        const Dnstap__Message *message = dnstap->message;
        check_ends(message, &record);
        is_data(&dnstap->identity, "ns1.example.net", 15);
        is_data(&dnstap->version, "sorrel 1", 8);
        assert_int_equal(message->type, DNSTAP__MESSAGE__TYPE__AUTH_QUERY);
        is_data(&message->query_message, octets, 17);
        assert_int_equal(message->query_time_sec, 1700000000);
        assert_int_equal(message->query_time_nsec, 7);
        assert_false(message->has_response_message || message->has_response_time_sec);
        free_dnstap(dnstap);

        dnstap = encode(&named, &record, octets, ENCODER_RESPONSE);
        message = dnstap->message;
        check_ends(message, &record);
        assert_int_equal(message->type, DNSTAP__MESSAGE__TYPE__AUTH_RESPONSE);
        is_data(&message->response_message, octets + 17, 33);
        assert_int_equal(message->response_time_sec, 1700000001);
        assert_int_equal(message->response_time_nsec, 999999999);
        assert_int_equal(message->query_time_sec, 1700000000);
        assert_false(message->has_query_message);
        free_dnstap(dnstap);
    }
}

static void what_is_not_known_is_left_out(void **state)
{
    static const struct encoder nameless = {.identity = "", .version = ""};
    static const uint8_t octets[17 + 33];
    struct ring_record record = example(TRANSPORT_UDP, 4);

    (void)state;
    record.server_known = 0;
    record.server_port = 0;
    Dnstap__Dnstap *dnstap = encode(&nameless, &record, octets, ENCODER_QUERY);
    assert_false(dnstap->has_identity || dnstap->has_version);
    assert_false(dnstap->message->has_response_address || dnstap->message->has_response_port);
    assert_true(dnstap->message->has_query_address);
    free_dnstap(dnstap);
}

static void the_longest_fits(void **state)
{
    char text[ENCODER_IDENTITY_MAX + 1];
    const struct encoder verbose = {.identity = text, .version = text};
    uint8_t *octets = calloc(2, UINT16_MAX);
    struct ring_record record = example(TRANSPORT_TCP, 16);

    (void)state;
    assert_non_null(octets);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    record.query_length = record.response_length = UINT16_MAX;
    record.query_time = record.response_time = UINT64_MAX;
    for (unsigned kind = ENCODER_QUERY; kind <= ENCODER_RESPONSE; kind++)
        free_dnstap(encode(&verbose, &record, octets, (enum encoder_kind)kind));
    free(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_and_responses_are_told),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(the_longest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
