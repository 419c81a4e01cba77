#include "server/steering/steering.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Where a program finds the flow, from the network header on; data itself starts at the UDP
 * payload. */
enum {
    IPV4_SOURCE = 12,
    IPV4_PORTS = 20, /* without IP options; with them their first octets serve as well */
    IPV6_SOURCE_TAIL = 20,
    IPV6_PORTS = 40,
};

/* 2^32 divided by the golden ratio: a multiplier that spreads neighbouring values (Knuth 6.4). */
#define HASH_MULTIPLIER 0x9E3779B1u

const char *const steering_names[] = {
    [STEERING_HASH] = "hash",     [STEERING_QUERY] = "query",   [STEERING_CPU] = "cpu",
    [STEERING_RANDOM] = "random", [STEERING_SHARED] = "shared", NULL,
};

bool steering_parse(const char *text, enum steering_policy *policy)
{
    for (unsigned i = 0; steering_names[i] != NULL; i++)
        if (strcmp(text, steering_names[i]) == 0) {
            *policy = (enum steering_policy)i;
            return true;
        }
    return false;
}

const char *steering_name(enum steering_policy policy)
{
    return steering_names[policy];
}

static void emit(struct steering_program *program, struct sock_filter instruction)
{
    assert(program->length < STEERING_CODE_MAX);
    program->code[program->length++] = instruction;
}

static void emit_load(struct steering_program *program, unsigned size, int offset)
{
    emit(program, (struct sock_filter)BPF_STMT(BPF_LD | size | BPF_ABS, (uint32_t)offset));
}

/* A: a number that is the same for all datagrams of a flow. */
static void emit_flow_hash(struct steering_program *program, int family)
{
    bool v6 = family == AF_INET6;

    emit_load(program, BPF_W, SKF_NET_OFF + (v6 ? IPV6_SOURCE_TAIL : IPV4_SOURCE));
    emit(program, (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0));
    emit_load(program, BPF_W, SKF_NET_OFF + (v6 ? IPV6_PORTS : IPV4_PORTS));
    emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0));
    emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, HASH_MULTIPLIER));
    emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16));
}

static void emit_key(struct steering_program *program, enum steering_policy policy, int family)
{
    switch (policy) {
    case STEERING_HASH:
        emit_flow_hash(program, family);
        break;
    case STEERING_QUERY:
        /* The ID. A datagram too short for one ends the program with index 0: it gets no answer
         * anyway. */
        emit_load(program, BPF_H, 0);
        break;
    case STEERING_CPU:
        emit_load(program, BPF_W, SKF_AD_OFF + SKF_AD_CPU);
        break;
    case STEERING_RANDOM:
        emit_load(program, BPF_W, SKF_AD_OFF + SKF_AD_RANDOM);
        break;
    case STEERING_SHARED:
        break;
    }
}

/* A is a position among the active slots; return the slot that stands there. */
static void emit_slots(struct steering_program *program, const bool *active, unsigned slots)
{
    unsigned position = 0;

    for (unsigned slot = 0; slot < slots; slot++) {
        if (!active[slot])
            continue;
        if (slot != position) {
            emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, position, 0, 1));
            emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, slot));
        }
        position++;
    }
    /* What is left stands at its own position. */
    emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0));
}

void steering_generate(struct steering_program *program, enum steering_policy policy, int family,
                       const bool *active, unsigned slots)
{
    bool all[STEERING_SLOTS_MAX];
    unsigned count = 0;

    assert(slots > 0 && slots <= STEERING_SLOTS_MAX);
    for (unsigned slot = 0; slot < slots; slot++) {
        all[slot] = true;
        count += active[slot];
    }
    if (count == 0) {
        active = all;
        count = slots;
    }
    program->length = 0;
    if (slots == 1 || policy == STEERING_SHARED || (policy == STEERING_HASH && count == slots))
        return;
    emit_key(program, policy, family);
    emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count));
    emit_slots(program, active, slots);
}

int steering_attach(int socket, const struct steering_program *program)
{
    if (program->length == 0) {
        int unused = 0;
        if (setsockopt(socket, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused) == 0)
            return 0;
        /* ENOENT: none attached. EINVAL: a group of one is not a group yet. */
        return errno == ENOENT || errno == EINVAL ? 0 : -1;
    }
    static struct sock_fprog image; /* static, so that what lies between its members is 0, too */
    image.len = program->length;
    image.filter = (struct sock_filter *)program->code;
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &image, sizeof image);
}
