#include "responder.h"

#include "child.h"
#include "message/wire.h"
#include "question.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WIDTH = 32,
    RECEIVE_BUFFER = 8 << 20,

    /* From the end of an answer, whose last record is an A. */
    LAST_OCTET = 1,
    LAST_TTL = 4 + 2 + 4,
};

struct work {
    uint32_t names;
    unsigned every;
    struct responder_counts *counts;
    struct mmsghdr in[WIDTH];
    struct iovec in_vector[WIDTH];
    struct sockaddr_in peer[WIDTH];
    uint8_t query[WIDTH][QUESTION_ANSWER_MAX];
    struct mmsghdr out[2 * WIDTH];
    struct iovec out_vector[2 * WIDTH];
    uint8_t answer[WIDTH][QUESTION_ANSWER_MAX];
    unsigned answers;
};

static void put(struct work *work, int i, size_t length)
{
    unsigned k = work->answers++;

    work->out_vector[k] = (struct iovec){work->answer[i], length};
    work->out[k].msg_hdr = (struct msghdr){.msg_name = &work->peer[i],
                                           .msg_namelen = sizeof work->peer[i],
                                           .msg_iov = &work->out_vector[k],
                                           .msg_iovlen = 1};
}

static void put_faulty(struct work *work, int i, size_t length, enum responder_fault fault)
{
    uint8_t *end = work->answer[i] + length;
    size_t query_length = work->in[i].msg_len;

    if (fault == RESPONDER_MIXED && wire_read_u16(work->answer[i] + 10) == 0) {
        put(work, i, length);
        return;
    }
    work->counts->faults[fault]++;
    if (fault == RESPONDER_DROPPED)
        return;
    if (fault == RESPONDER_DOUBLED)
        put(work, i, length);
    else if (fault == RESPONDER_DAMAGED)
        end[-LAST_OCTET] ^= 1;
    else if (fault == RESPONDER_MIXED)
        wire_write_u32(end - LAST_TTL, RESPONDER_VERSION + 1);
    else if (fault == RESPONDER_OUTDATED)
        question_answer(work->answer[i], work->query[i], query_length, work->names, 0);
    put(work, i, length);
}

static void answer_one(struct work *work, int i)
{
    size_t length = question_answer(work->answer[i], work->query[i], work->in[i].msg_len,
                                    work->names, RESPONDER_VERSION);
    uint64_t number = work->counts->queries++;

    if (work->every != 0 && number % work->every < RESPONDER_FAULTS)
        put_faulty(work, i, length, (enum responder_fault)(number % work->every));
    else
        put(work, i, length);
}

static _Noreturn void respond(struct work *work, int socket)
{
    for (unsigned i = 0; i < WIDTH; i++)
        work->in_vector[i] = (struct iovec){work->query[i], sizeof work->query[i]};
    for (;;) {
        for (unsigned i = 0; i < WIDTH; i++)
            work->in[i].msg_hdr = (struct msghdr){.msg_name = &work->peer[i],
                                                  .msg_namelen = sizeof work->peer[i],
                                                  .msg_iov = &work->in_vector[i],
                                                  .msg_iovlen = 1};
        int got = recvmmsg(socket, work->in, WIDTH, MSG_WAITFORONE, NULL);
        work->answers = 0;
        for (int i = 0; i < got; i++)
            answer_one(work, i);
        for (unsigned sent = 0; sent < work->answers;) {
            int out = sendmmsg(socket, work->out + sent, work->answers - sent, 0);
            if (out < 0 && errno != EINTR && errno != EAGAIN && errno != ENOBUFS)
                _exit(1);
            sent += out > 0 ? (unsigned)out : 0;
        }
    }
}

static int open_socket(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = RECEIVE_BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        child_fail("cannot open the responder's socket: %s", strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

void responder_start(struct responder *responder, uint32_t names, unsigned every)
{
    struct responder_counts *counts =
        mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct work *work = calloc(1, sizeof *work);

    if (counts == MAP_FAILED || work == NULL)
        child_fail("no memory for the responder");
    *work = (struct work){.names = names, .every = every, .counts = counts};
    responder->counts = counts;
    responder->port = child_free_port();
    int socket = open_socket(responder->port);
    responder->pid = fork();
    if (responder->pid < 0)
        child_fail("cannot fork: %s", strerror(errno));
    if (responder->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        respond(work, socket);
    }
    close(socket);
    free(work);
}

void responder_stop(struct responder *responder)
{
    child_stop(responder->pid, SIGTERM, 5);
}
