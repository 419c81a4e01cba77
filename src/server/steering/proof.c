#include "server/steering/proof.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GROUP_MAX = 8, /* sockets: what holds for eight holds for more */
    FLOWS = 8,
    IDS = 16,
    PROBES = FLOWS * IDS,
    PATIENCE_MS = 500, /* for all probes to arrive: they do at once, on loopback */
};

/* The group, and where each probe went: probe f * IDS + i has ID i and comes from flow f. */
struct trial {
    int sockets[GROUP_MAX];
    unsigned count;
    int flows[FLOWS];
    struct sockaddr_in address;
    unsigned sent;
    int cpu[PROBES]; /* that it was sent from; -1: any */
    int at[PROBES];  /* index of the socket it came to; -1: none */
};

static void close_trial(struct trial *trial)
{
    for (unsigned i = 0; i < trial->count; i++)
        close(trial->sockets[i]);
    for (unsigned f = 0; f < FLOWS; f++)
        if (trial->flows[f] >= 0)
            close(trial->flows[f]);
}

/* Another's group must not be joined: see listener.h. */
static int open_member(struct trial *trial, bool first)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof trial->address;
    const int on = 1;

    if (fd < 0)
        return -1;
    if ((first || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, (struct sockaddr *)&trial->address, length) == 0 &&
        (!first || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        getsockname(fd, (struct sockaddr *)&trial->address, &length) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool open_trial(struct trial *trial, unsigned count)
{
    bool sound = true;

    *trial = (struct trial){
        .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    memset(trial->at, -1, sizeof trial->at);
    memset(trial->cpu, -1, sizeof trial->cpu);
    for (unsigned f = 0; f < FLOWS; f++)
        trial->flows[f] = -1;
    while (sound && trial->count < count) {
        int fd = open_member(trial, trial->count == 0);
        sound = fd >= 0;
        if (sound)
            trial->sockets[trial->count++] = fd;
    }
    for (unsigned f = 0; sound && f < FLOWS; f++) {
        trial->flows[f] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sound = trial->flows[f] >= 0 && connect(trial->flows[f], (struct sockaddr *)&trial->address,
                                                sizeof trial->address) == 0;
    }
    if (!sound) {
        int error = errno;
        close_trial(trial);
        errno = error;
    }
    return sound;
}

/* --- probes ----------------------------------------------------------------------- */

static bool send_probe(struct trial *trial, unsigned probe)
{
    const uint8_t octets[] = {0, (uint8_t)(probe % IDS), (uint8_t)probe, (uint8_t)(probe >> 8)};

    trial->sent++;
    return send(trial->flows[probe / IDS], octets, sizeof octets, 0) == sizeof octets;
}

/* Each of some CPUs sends as many as the others. Returns the CPU, or -1. */
static int send_from(const struct affinity *affinity, unsigned probe)
{
    unsigned usable = (unsigned)CPU_COUNT(&affinity->usable);
    unsigned cpus = usable < FLOWS ? usable : FLOWS, turn = PROBES / cpus;
    unsigned cpu = affinity_cpu(affinity, probe / turn % cpus, usable);

    if (probe % turn == 0 && affinity_pin(0, cpu) != 0)
        return -1;
    return (int)cpu;
}

static bool send_probes(struct trial *trial, enum steering_policy policy,
                        const struct affinity *affinity)
{
    bool sent = true;

    for (unsigned probe = 0; sent && probe < PROBES; probe++) {
        if (policy == STEERING_CPU)
            trial->cpu[probe] = send_from(affinity, probe);
        sent = send_probe(trial, probe);
    }
    if (policy == STEERING_CPU)
        affinity_unpin(affinity, 0);
    return sent;
}

static void take_probes(struct trial *trial, unsigned i)
{
    uint8_t octets[4];

    while (recv(trial->sockets[i], octets, sizeof octets, MSG_DONTWAIT) == sizeof octets) {
        unsigned probe = octets[2] | (unsigned)octets[3] << 8;
        if (probe < PROBES && trial->at[probe] < 0) {
            trial->at[probe] = (int)i;
            trial->sent--;
        }
    }
}

/* False: some did not arrive. */
static bool collect_probes(struct trial *trial)
{
    struct pollfd waiting[GROUP_MAX];

    for (unsigned i = 0; i < trial->count; i++)
        waiting[i] = (struct pollfd){.fd = trial->sockets[i], .events = POLLIN};
    while (trial->sent > 0) {
        if (poll(waiting, trial->count, PATIENCE_MS) <= 0)
            return false;
        for (unsigned i = 0; i < trial->count; i++)
            take_probes(trial, i);
    }
    return true;
}

/* --- what they show ------------------------------------------------------------------ */

/* Do all probes of one flow come to the same socket? */
static bool keeps_flows(const struct trial *trial)
{
    for (unsigned probe = 0; probe < PROBES; probe++)
        if (trial->at[probe] != trial->at[probe / IDS * IDS])
            return false;
    return true;
}

static bool goes_by_id(const struct trial *trial)
{
    for (unsigned probe = 0; probe < PROBES; probe++)
        if (trial->at[probe] != (int)(probe % IDS % trial->count))
            return false;
    return true;
}

static bool goes_by_cpu(const struct trial *trial)
{
    for (unsigned probe = 0; probe < PROBES; probe++)
        if (trial->cpu[probe] >= 0 && trial->at[probe] != trial->cpu[probe] % (int)trial->count)
            return false;
    return true;
}

/* By chance alone all 128 do not come to one of two sockets, or each to that of its ID. */
static bool is_scattered(const struct trial *trial)
{
    return !keeps_flows(trial) && !goes_by_id(trial);
}

static bool is_as_promised(const struct trial *trial, enum steering_policy policy)
{
    switch (policy) {
    case STEERING_HASH:
        return keeps_flows(trial);
    case STEERING_QUERY:
        return goes_by_id(trial);
    case STEERING_CPU:
        return goes_by_cpu(trial);
    case STEERING_RANDOM:
        return is_scattered(trial);
    case STEERING_SHARED:
        break;
    }
    return true;
}

/* --- the trial ------------------------------------------------------------------------ */

static bool run_trial(struct trial *trial, enum steering_policy policy,
                      const struct affinity *affinity, char text[PROOF_TEXT_MAX])
{
    static struct steering_program program;
    bool active[GROUP_MAX];

    memset(active, true, sizeof active);
    steering_generate(&program, policy, AF_INET, active, trial->count);
    if (steering_attach(trial->sockets[0], &program) != 0) {
        snprintf(text, PROOF_TEXT_MAX, "the kernel refuses the program for %s (%s)",
                 steering_name(policy), strerror(errno));
        return false;
    }
    if (!send_probes(trial, policy, affinity) || !collect_probes(trial)) {
        snprintf(text, PROOF_TEXT_MAX, "taken by the kernel; no trial: loopback loses datagrams");
        return true;
    }
    if (is_as_promised(trial, policy)) {
        snprintf(text, PROOF_TEXT_MAX,
                 "tried out: %d datagrams to %u sockets went where %s sends them", PROBES,
                 trial->count, steering_name(policy));
        return true;
    }
    /* Receive packet steering may move loopback's datagrams to other CPUs. */
    if (policy == STEERING_CPU) {
        snprintf(text, PROOF_TEXT_MAX,
                 "taken by the kernel; no trial: loopback receives on other CPUs");
        return true;
    }
    snprintf(text, PROOF_TEXT_MAX,
             "the kernel takes the program for %s, but does not send datagrams where it says",
             steering_name(policy));
    return false;
}

bool proof_try(enum steering_policy policy, unsigned slots, const struct affinity *affinity,
               char text[PROOF_TEXT_MAX])
{
    struct trial trial;

    if (policy == STEERING_SHARED || slots < 2) {
        snprintf(text, PROOF_TEXT_MAX, "%s",
                 policy == STEERING_SHARED ? "each address has one socket, which all workers read"
                                           : "there is one worker, and it gets everything");
        return true;
    }
    if (!open_trial(&trial, slots < GROUP_MAX ? slots : GROUP_MAX)) {
        snprintf(text, PROOF_TEXT_MAX, "taken by the kernel; no trial on loopback: %s",
                 strerror(errno));
        return true;
    }
    bool proven = run_trial(&trial, policy, affinity, text);
    close_trial(&trial);
    return proven;
}
