/*
 * A resolver over TCP, in the midst of the others: it asks a few queries on a connection, waits for
 * their answers, and closes it. If a connection dies, with its worker or to make room, it asks
 * again on the next, as RFC 7766 §6.2.4 wants it; then it has to be answered.
 */
#include "hostile.h"

#include "../fuzz/fuzz.h"
#include "../loss/question.h"
#include "message/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 5000,
    ATTEMPTS = 5, /* workers die, or are stopped, again and again */
    PAUSE_US = 20000,
};

static bool wait_for(int fd, short events)
{
    struct pollfd ready = {.fd = fd, .events = events};

    return poll(&ready, 1, PATIENCE_MS) == 1;
}

static bool receive(int fd, uint8_t *octets, size_t length)
{
    while (length > 0) {
        ssize_t got = wait_for(fd, POLLIN) ? recv(fd, octets, length, 0) : -1;
        if (got <= 0)
            return false;
        octets += got;
        length -= (size_t)got;
    }
    return true;
}

enum outcome { DIED, ANSWERED, ANSWERED_WRONGLY };

static enum outcome converse(int fd, uint64_t n, uint32_t names)
{
    uint8_t frame[2 + QUESTION_LENGTH], answer[2 + QUESTION_ANSWER_MAX];
    uint32_t version;

    wire_write_u16(frame, QUESTION_LENGTH);
    question_write(frame + 2, n, names, (uint16_t)n);
    if (!wait_for(fd, POLLOUT) || send(fd, frame, sizeof frame, 0) != sizeof frame ||
        !receive(fd, answer, 2))
        return DIED;
    size_t length = wire_read_u16(answer);
    if (length > QUESTION_ANSWER_MAX)
        return ANSWERED_WRONGLY;
    if (!receive(fd, answer + 2, length))
        return DIED;
    return question_check(answer + 2, length, frame + 2, n, names, &version) == QUESTION_ANSWERED
               ? ANSWERED
               : ANSWERED_WRONGLY;
}

static enum outcome ask_once(const struct hostile_part *part, uint64_t n)
{
    int fd = hostile_connect(part, SOCK_STREAM, 0, 1);

    if (fd < 0)
        return DIED;
    enum outcome outcome = converse(fd, n, part->names);
    if (outcome == ANSWERED)
        outcome = converse(fd, n + 1, part->names);
    close(fd);
    return outcome;
}

static void ask(const struct hostile_part *part, uint64_t n)
{
    struct hostile_board *board = part->board;
    enum outcome outcome = ask_once(part, n);

    atomic_fetch_add(&board->honest, 1);
    for (unsigned i = 1; i < ATTEMPTS && outcome == DIED; i++) {
        atomic_fetch_add(&board->again, 1);
        outcome = ask_once(part, n);
    }
    if (outcome != ANSWERED)
        atomic_fetch_add(&board->disappointed, 1);
}

_Noreturn void honest_run(const struct hostile_part *part)
{
    struct fuzz_random random = {part->seed};

    for (;;) {
        if (atomic_load(&part->board->paused))
            hostile_rest(part);
        ask(part, fuzz_below(&random, 2 * part->names));
        hostile_wait(PAUSE_US);
    }
}
