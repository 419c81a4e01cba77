/*
 * Prints what a capture of dnstap has, a line for each message:
 *
 *   AUTH_QUERY udp 127.0.0.1 127.0.0.1@5300 name.example A - server version
 *   AUTH_RESPONSE tcp ::1 ::1@5300 name.example A NOERROR server version
 *
 * and, for whatever is not as it should be, a sentence on standard error. Exits with 1 then, and if
 * the file does not end with a STOP frame, unless there is -p: it is being written.
 *
 * usage: captured [-p] FILE
 */
#include "message/wire.h"
#include "server/dnstap/dnstap.pb-c.h"

#include <arpa/inet.h>
#include <fstrm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned faults;

static void complain(const char *sentence)
{
    fprintf(stderr, "captured: %s\n", sentence);
    faults++;
}

static const char *address_text(const ProtobufCBinaryData *address, Dnstap__SocketFamily family,
                                char text[INET6_ADDRSTRLEN])
{
    bool is_v4 = family == DNSTAP__SOCKET_FAMILY__INET;

    if (address->len != (is_v4 ? 4 : 16)) {
        complain("an address is not as long as its family has them");
        return "?";
    }
    return inet_ntop(is_v4 ? AF_INET : AF_INET6, address->data, text, INET6_ADDRSTRLEN);
}

/* The question of a message, as NAME TYPE; returns its flags. */
static unsigned print_question(const ProtobufCBinaryData *octets)
{
    size_t at = WIRE_HEADER_SIZE;

    if (octets->len < WIRE_HEADER_SIZE) {
        complain("a message is shorter than its header");
        return 0;
    }
    while (at < octets->len && octets->data[at] != 0) {
        printf("%.*s.", octets->data[at], (const char *)octets->data + at + 1);
        at += 1u + octets->data[at];
    }
    if (at + 5 > octets->len) {
        printf(". - ");
        return wire_read_u16(octets->data + 2);
    }
    unsigned type = wire_read_u16(octets->data + at + 1);
    printf(type == 1 ? " A " : type == 16 ? " TXT " : " TYPE%u ", type);
    return wire_read_u16(octets->data + 2);
}

static void print_ends(const Dnstap__Message *message)
{
    char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];

    printf("%s %s %s@%u ", message->socket_protocol == DNSTAP__SOCKET_PROTOCOL__TCP ? "tcp" : "udp",
           address_text(&message->query_address, message->socket_family, client),
           address_text(&message->response_address, message->socket_family, server),
           (unsigned)message->response_port);
    if (message->query_port == 0)
        complain("a client has no port");
}

static void check_time(uint64_t seconds, uint32_t nanoseconds)
{
    uint64_t now = (uint64_t)time(NULL);

    if (seconds > now || seconds + 600 < now || nanoseconds >= 1000000000)
        complain("a time is not that of the last minutes");
}

static void print_response(const Dnstap__Message *message)
{
    unsigned flags = print_question(&message->response_message);

    if ((flags & 0x8000) == 0)
        complain("a response is a query");
    check_time(message->response_time_sec, message->response_time_nsec);
    if (message->response_time_sec < message->query_time_sec ||
        (message->response_time_sec == message->query_time_sec &&
         message->response_time_nsec < message->query_time_nsec))
        complain("a response comes before its query");
    fputs((flags & 15) == 0 ? "NOERROR" : (flags & 15) == 3 ? "NXDOMAIN" : "ERROR", stdout);
}

static void print_message(const Dnstap__Dnstap *dnstap)
{
    const Dnstap__Message *message = dnstap->message;
    bool is_query = message->type == DNSTAP__MESSAGE__TYPE__AUTH_QUERY;

    fputs(is_query ? "AUTH_QUERY " : "AUTH_RESPONSE ", stdout);
    print_ends(message);
    check_time(message->query_time_sec, message->query_time_nsec);
    if (!is_query)
        print_response(message);
    else if ((print_question(&message->query_message) & 0x8000) == 0)
        putchar('-');
    else
        complain("a query is a response");
    printf(" %.*s %.*s\n", (int)dnstap->identity.len, (const char *)dnstap->identity.data,
           (int)dnstap->version.len, (const char *)dnstap->version.data);
}

static void print_frame(const uint8_t *octets, size_t length)
{
    Dnstap__Dnstap *dnstap = dnstap__dnstap__unpack(NULL, length, octets);

    if (dnstap == NULL || dnstap->message == NULL)
        complain("a frame is no message of dnstap");
    else
        print_message(dnstap);
    if (dnstap != NULL)
        dnstap__dnstap__free_unpacked(dnstap, NULL);
}

static fstrm_res print_all(const char *path)
{
    struct fstrm_file_options *options = fstrm_file_options_init();
    const uint8_t *octets;
    size_t length;
    fstrm_res outcome;

    fstrm_file_options_set_file_path(options, path);
    struct fstrm_reader *reader = fstrm_file_reader_init(options, NULL);
    fstrm_file_options_destroy(&options);
    if (reader == NULL || fstrm_reader_open(reader) != fstrm_res_success)
        return fstrm_res_failure;
    while ((outcome = fstrm_reader_read(reader, &octets, &length)) == fstrm_res_success)
        print_frame(octets, length);
    fstrm_reader_destroy(&reader);
    return outcome;
}

int main(int argc, char **argv)
{
    bool is_partial = argc == 3 && strcmp(argv[1], "-p") == 0;

    if (print_all(argv[argc - 1]) != fstrm_res_stop && !is_partial)
        complain("the file does not end as it should");
    return faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
