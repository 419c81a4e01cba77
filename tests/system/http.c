/*
 * http [-s SOURCE] [-n COUNT] ADDRESS PORT: sends standard input, prints what is answered until the
 * peer closes. With -n that many connections are made before, and stay open in silence meanwhile.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 20 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t make_address(union address *address, const char *text, const char *port)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)atoi(port));
        return sizeof address->v4;
    }
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) != 1)
        errx(2, "%s is no address", text);
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons((uint16_t)atoi(port));
    return sizeof address->v6;
}

static int connect_to(const char *text, const char *port, const char *source)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    union address address;
    socklen_t length = make_address(&address, text, port);
    int fd = socket(address.any.sa_family, SOCK_STREAM, 0);

    if (fd < 0)
        err(2, "socket");
    if (source != NULL) {
        union address own;
        socklen_t own_length = make_address(&own, source, "0");
        if (bind(fd, &own.any, own_length) != 0)
            err(2, "%s", source);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, &address.any, length) != 0)
        err(1, "%s@%s", text, port);
    return fd;
}

/* The peer may have answered, and closed, before it has read all. */
static void send_input(int fd)
{
    char octets[4096];
    size_t length;

    while ((length = fread(octets, 1, sizeof octets, stdin)) > 0)
        if (send(fd, octets, length, MSG_NOSIGNAL) < 0)
            return;
}

int main(int argc, char **argv)
{
    const char *source = NULL;
    int silent = 0, option;
    char octets[4096];
    ssize_t length;

    while ((option = getopt(argc, argv, "s:n:")) != -1)
        if (option == 's')
            source = optarg;
        else if (option == 'n')
            silent = atoi(optarg);
    if (argc - optind != 2)
        errx(2, "usage: http [-s SOURCE] [-n COUNT] ADDRESS PORT <REQUEST");
    while (silent-- > 0)
        connect_to(argv[optind], argv[optind + 1], NULL);
    int fd = connect_to(argv[optind], argv[optind + 1], source);
    send_input(fd);
    while ((length = recv(fd, octets, sizeof octets, 0)) > 0)
        fwrite(octets, 1, (size_t)length, stdout);
    return length < 0;
}
