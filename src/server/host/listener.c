#include "server/host/listener.h"

#include "server/host/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    /* What the kernel is asked for. It doubles that, and counts some 770 octets a small datagram:
     * 16 MiB hold 43,000, nearly two seconds at 25,000 a second. That bridges a stalled worker
     * until it is replaced, a restart, a machine whose cores are all taken. More would keep
     * questions until nobody waits for their answers any more. */
    RECEIVE_BUFFER = 16 << 20,

    TCP_BACKLOG = 512,
};

static void set_option(int fd, int level, int option, int value)
{
    /* What is set by this is wanted, not needed: the kernel may be older or say no. */
    setsockopt(fd, level, option, &value, sizeof value);
}

static void size_receive_buffer(int fd)
{
    int size = RECEIVE_BUFFER;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        set_option(fd, SOL_SOCKET, SO_RCVBUF, size);
}

void listener_allow_fragments(int udp, const union address *address, bool allowed)
{
    if (address->any.sa_family == AF_INET6)
        set_option(udp, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                   allowed ? IPV6_PMTUDISC_OMIT : IPV6_PMTUDISC_PROBE);
    /* One for IPv6 may have IPv4 clients, too. */
    set_option(udp, IPPROTO_IP, IP_MTU_DISCOVER, allowed ? IP_PMTUDISC_OMIT : IP_PMTUDISC_PROBE);
}

static void set_udp_options(int fd, const union address *address)
{
    bool v6 = address->any.sa_family == AF_INET6;

    size_receive_buffer(fd);
    listener_allow_fragments(fd, address, true);
    if (address_is_wildcard(address)) {
        if (v6)
            set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        else
            set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    }
}

void listener_prepare(int fd, const union address *address, int type)
{
    int flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (type == SOCK_DGRAM)
        set_udp_options(fd, address);
}

bool listener_is_dual(int fd, const union address *address)
{
    int only = 1;
    socklen_t size = sizeof only;

    return address->any.sa_family == AF_INET6 &&
           getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == 0 && only == 0;
}

/* One socket of `type`, bound. -1 with errno. */
static int open_socket(const struct listener *listener, int type, bool first)
{
    const union address *address = &listener->address;
    int fd = socket(address->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;

    if (fd < 0)
        return -1;
    if (address->any.sa_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !listener->dual);
    if (type == SOCK_DGRAM)
        set_udp_options(fd, address);
    else
        set_option(fd, SOL_SOCKET, SO_REUSEADDR,
                   1); /* closed connections in TIME_WAIT do no harm */
    if ((first || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, &address->any, address_length(address)) == 0 &&
        (type == SOCK_DGRAM || listen(fd, TCP_BACKLOG) == 0) &&
        (!first || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void explain_in_use(const char *where, const union address *address, int type,
                           char error[LISTENER_ERROR_MAX])
{
    char holder[HOLDER_TEXT_MAX];

    if (!holder_find(address, type, holder))
        snprintf(holder, sizeof holder, "another program");
    snprintf(error, LISTENER_ERROR_MAX,
             "%s is in use (%s) by %s: stop it, choose another address with -l, or share the port "
             "with --join",
             where, type == SOCK_DGRAM ? "UDP" : "TCP", holder);
}

static void explain(int reason, const union address *address, int type,
                    char error[LISTENER_ERROR_MAX])
{
    char where[ADDRESS_TEXT_MAX];

    address_to_text(address, where);
    switch (reason) {
    case EADDRINUSE:
        explain_in_use(where, address, type, error);
        break;
    case EACCES:
        snprintf(error, LISTENER_ERROR_MAX,
                 "no permission for port %u on %s: start as root, give the program "
                 "CAP_NET_BIND_SERVICE, or choose a port from 1024 up with -l",
                 (unsigned)address_port(address), where);
        break;
    case EADDRNOTAVAIL:
        snprintf(error, LISTENER_ERROR_MAX,
                 "cannot listen on %s: this machine has no such address, choose another with -l",
                 where);
        break;
    case EMFILE:
    case ENFILE:
        snprintf(error, LISTENER_ERROR_MAX,
                 "cannot listen on %s: %s; every worker needs two descriptors for each address: "
                 "allow more (ulimit -n, LimitNOFILE=), or run fewer workers",
                 where, strerror(reason));
        break;
    default:
        snprintf(error, LISTENER_ERROR_MAX, "cannot listen on %s (%s): %s", where,
                 type == SOCK_DGRAM ? "UDP" : "TCP", strerror(reason));
        break;
    }
}

static bool is_absent(const struct listener *listener, int reason)
{
    return listener->optional && (reason == EAFNOSUPPORT || reason == EADDRNOTAVAIL);
}

enum listener_outcome listener_open(const struct listener *listener, bool first,
                                    struct listener_sockets *sockets,
                                    char error[LISTENER_ERROR_MAX])
{
    const union address *address = &listener->address;

    if (sockets->udp < 0)
        sockets->udp = open_socket(listener, SOCK_DGRAM, first);
    if (sockets->udp >= 0 && sockets->tcp < 0)
        sockets->tcp = open_socket(listener, SOCK_STREAM, first);
    if (sockets->tcp >= 0)
        return LISTENER_BOUND;
    int reason = errno;
    if (is_absent(listener, reason)) {
        listener_close(sockets);
        return LISTENER_ABSENT;
    }
    explain(reason, address, sockets->udp < 0 ? SOCK_DGRAM : SOCK_STREAM, error);
    listener_close(sockets);
    return LISTENER_FAILED;
}

int listener_try(const union address *address)
{
    union address any_port = *address;
    int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

    if (fd < 0)
        return errno;
    if (address->any.sa_family == AF_INET6) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        any_port.v6.sin6_port = 0;
    } else {
        any_port.v4.sin_port = 0;
    }
    if (bind(fd, &any_port.any, address_length(&any_port)) != 0 && errno != EADDRINUSE)
        error = errno;
    close(fd);
    return error;
}

bool listener_check(const struct listener *listener, char error[LISTENER_ERROR_MAX])
{
    int reason = listener_try(&listener->address);

    if (reason == 0 || is_absent(listener, reason))
        return true;
    explain(reason, &listener->address, SOCK_DGRAM, error);
    return false;
}

void listener_close(struct listener_sockets *sockets)
{
    if (sockets->udp >= 0)
        close(sockets->udp);
    if (sockets->tcp >= 0)
        close(sockets->tcp);
    *sockets = (struct listener_sockets){-1, -1};
}

void listener_fence(const struct listener *listener, const struct listener_sockets *sockets)
{
    enum { DISCARD_PORT = 9 };
    union address nobody = listener->address;
    bool is_v4 = nobody.any.sa_family == AF_INET;

    /* A connected socket hears its peer only; this one is on the same machine and says nothing. */
    if (is_v4 && address_is_wildcard(&nobody))
        nobody.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (address_is_wildcard(&nobody))
        nobody.v6.sin6_addr = in6addr_loopback;
    if (is_v4)
        nobody.v4.sin_port = htons(DISCARD_PORT);
    else
        nobody.v6.sin6_port = htons(DISCARD_PORT);
    /* Should the kernel refuse, closing is as it always was. */
    (void)!connect(sockets->udp, &nobody.any, address_length(&nobody));
}

bool listener_is_fenced(int udp)
{
    union address peer;
    socklen_t length = sizeof peer;

    return getpeername(udp, &peer.any, &length) == 0;
}

void listener_leave_group(int udp)
{
    enum { LOOPBACK_INDEX = 1 };

    /* A group is looked for among the sockets of one device; and a change of that takes a socket
     * out of the group it is in, if the kernel (before 6.13) has not done so when it was connected.
     */
    set_option(udp, SOL_SOCKET, SO_BINDTOIFINDEX, LOOPBACK_INDEX);
}

struct listener_queue listener_queue(const struct listener_sockets *sockets)
{
    uint32_t told[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof told;

    if (getsockopt(sockets->udp, SOL_SOCKET, SO_MEMINFO, told, &length) != 0)
        return (struct listener_queue){0};
    return (struct listener_queue){.length = told[SK_MEMINFO_RMEM_ALLOC],
                                   .room = told[SK_MEMINFO_RCVBUF],
                                   .drops = told[SK_MEMINFO_DROPS]};
}

int listener_receive_buffer(const struct listener_sockets *sockets)
{
    int size = 0;
    socklen_t length = sizeof size;

    getsockopt(sockets->udp, SOL_SOCKET, SO_RCVBUF, &size, &length);
    return size;
}
