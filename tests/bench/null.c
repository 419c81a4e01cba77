/*
 * The null responder: what the socket path of this kernel costs, and nothing else. Each worker
 * takes queries with recvmmsg, sets QR and sends them back with sendmmsg, in batches as wide as
 * sorreld's, from buffers laid out like its. No UDP server that uses these calls can be faster.
 *
 *   null [-w WORKERS] [-n WIDTH] [-b] PORT    on 127.0.0.1; prints "ready" once it can be asked
 *
 * By default a worker polls, then reads until nothing is left, as sorreld does. With -b it blocks
 * in recvmmsg(MSG_WAITFORONE): one system call less where queries come singly.
 */
#include "message/wire.h"
#include "server/query/batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, RECEIVE_BUFFER = 16 << 20, FLAGS_OFFSET = 2, FLAG_QR = 0x80 };

struct responder {
    int socket;
    struct mmsghdr message[BATCH_WIDTH];
    struct iovec vector[BATCH_WIDTH];
    struct sockaddr_in peer[BATCH_WIDTH];
    uint8_t buffer[BATCH_WIDTH][BATCH_STRIDE];
};

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "null: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Queries taken at once. */
static unsigned width = BATCH_WIDTH;

static int open_socket(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1, size = RECEIVE_BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        fail("cannot bind");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

/* All as recvmmsg wants to find it; `count` messages were used by the last batch. */
static void reset(struct responder *r, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        r->vector[i].iov_len = BATCH_QUERY_MAX;
        r->message[i].msg_hdr.msg_namelen = sizeof r->peer[i];
    }
}

static void prepare(struct responder *r)
{
    for (unsigned i = 0; i < BATCH_WIDTH; i++) {
        r->vector[i].iov_base = r->buffer[i];
        r->message[i].msg_hdr =
            (struct msghdr){.msg_name = &r->peer[i], .msg_iov = &r->vector[i], .msg_iovlen = 1};
    }
    reset(r, BATCH_WIDTH);
}

static void answer_all(struct responder *r, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        r->vector[i].iov_len = r->message[i].msg_len;
        if (r->message[i].msg_len >= WIRE_HEADER_SIZE)
            r->buffer[i][FLAGS_OFFSET] |= FLAG_QR;
    }
    for (unsigned sent = 0; sent < count;) {
        int n = sendmmsg(r->socket, r->message + sent, count - sent, 0);
        if (n < 0 && errno != EINTR && errno != EAGAIN && errno != ECONNREFUSED)
            fail("cannot send");
        sent += n > 0 ? (unsigned)n : 0;
    }
    reset(r, count);
}

_Noreturn static void respond(struct responder *r, int flags)
{
    struct pollfd poll_for = {.fd = r->socket, .events = POLLIN};

    prepare(r);
    for (;;) {
        int n = recvmmsg(r->socket, r->message, width, flags, NULL);
        if (n > 0)
            answer_all(r, (unsigned)n);
        if (flags == MSG_DONTWAIT && n < (int)width)
            poll(&poll_for, 1, -1);
    }
}

static void start_worker(int socket, int flags, pid_t parent)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("cannot fork");
    if (pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    struct responder *r = calloc(1, sizeof *r);
    if (r == NULL)
        fail("no memory");
    r->socket = socket;
    respond(r, flags);
}

_Noreturn static void usage(void)
{
    fputs("usage: null [-w WORKERS] [-n WIDTH] [-b] PORT\n", stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    int sockets[WORKERS_MAX], flags = MSG_DONTWAIT, option;
    unsigned long workers = 1;

    while ((option = getopt(argc, argv, "w:n:b")) != -1) {
        if (option == 'w')
            workers = strtoul(optarg, NULL, 10);
        else if (option == 'n')
            width = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'b')
            flags = MSG_WAITFORONE;
        else
            usage();
    }
    unsigned long port = optind + 1 == argc ? strtoul(argv[optind], NULL, 10) : 0;
    if (port == 0 || port > UINT16_MAX || workers == 0 || workers > WORKERS_MAX || width == 0 ||
        width > BATCH_WIDTH)
        usage();
    for (unsigned long i = 0; i < workers; i++)
        sockets[i] = open_socket((uint16_t)port);
    for (unsigned long i = 0; i < workers; i++)
        start_worker(sockets[i], flags, getpid());
    puts("ready");
    fflush(stdout);
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return 1; /* workers end with us only */
}
