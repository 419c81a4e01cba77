#include "server/control/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "control"

/* Connections that wait while the supervisor is busy. */
enum { BACKLOG = 64 };

static void say(char error[CONTROL_SOCKET_ERROR_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(char error[CONTROL_SOCKET_ERROR_MAX], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, CONTROL_SOCKET_ERROR_MAX, format, arguments);
    va_end(arguments);
}

/* --- where ------------------------------------------------------------------ */

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* False if there is no such directory to begin with, or too long a path. */
static bool compose_path(char path[CONTROL_SOCKET_PATH_MAX], const char *directory,
                         const char *subdirectory)
{
    if (directory == NULL || directory[0] != '/')
        return false;
    int length =
        snprintf(path, CONTROL_SOCKET_PATH_MAX, "%s%s/" FILE_NAME, directory, subdirectory);
    return length > 0 && length < CONTROL_SOCKET_PATH_MAX;
}

void control_socket_default_path(uid_t uid, bool daemon, char path[CONTROL_SOCKET_PATH_MAX])
{
    char directory[64];

    if (daemon && compose_path(path, getenv("RUNTIME_DIRECTORY"), ""))
        return;
    if (uid == 0) {
        strcpy(path, "/run/sorrel/" FILE_NAME);
        return;
    }
    if (compose_path(path, getenv("XDG_RUNTIME_DIR"), "/sorrel"))
        return;
    snprintf(directory, sizeof directory, "/run/user/%lu", (unsigned long)uid);
    if (is_directory(directory))
        compose_path(path, directory, "/sorrel");
    else
        snprintf(path, CONTROL_SOCKET_PATH_MAX, "/tmp/sorrel-%lu/" FILE_NAME, (unsigned long)uid);
}

static char *directory_of(const char *path, char directory[CONTROL_SOCKET_PATH_MAX])
{
    snprintf(directory, CONTROL_SOCKET_PATH_MAX, "%s", path);
    return dirname(directory);
}

bool control_socket_make_directory(const char *path, char error[CONTROL_SOCKET_ERROR_MAX])
{
    char room[CONTROL_SOCKET_PATH_MAX];
    const char *directory = directory_of(path, room);

    if (mkdir(directory, geteuid() == 0 ? 0755 : 0700) == 0 || errno == EEXIST)
        return true;
    say(error,
        "directory %s for the control socket cannot be made: %s; --control PATH puts it elsewhere",
        directory, strerror(errno));
    return false;
}

/* Whoever can write to the directory can put a socket of his own in the place of ours. */
static bool directory_is_safe(const char *path, char error[CONTROL_SOCKET_ERROR_MAX])
{
    char room[CONTROL_SOCKET_PATH_MAX];
    const char *directory = directory_of(path, room);
    struct stat status;

    if (stat(directory, &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        say(error,
            "there is no directory %s for the control socket: make it, or name another place "
            "with --control PATH",
            directory);
        return false;
    }
    if (stat(directory, &status) != 0) {
        say(error,
            "directory %s for the control socket: %s; --control PATH puts it "
            "elsewhere",
            directory, strerror(errno));
        return false;
    }
    if (status.st_uid != 0 && status.st_uid != geteuid()) {
        say(error,
            "directory %s for the control socket belongs to another user; "
            "--control PATH puts it elsewhere",
            directory);
        return false;
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !(status.st_mode & S_ISVTX)) {
        say(error,
            "others can write to directory %s for the control socket; take that right away, "
            "or put it elsewhere with --control PATH",
            directory);
        return false;
    }
    return true;
}

/* False with a sentence if `path` does not fit. */
static bool fill_address(struct sockaddr_un *address, const char *path,
                         char error[CONTROL_SOCKET_ERROR_MAX])
{
    size_t length = strlen(path);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length == 0 || length >= sizeof address->sun_path) {
        say(error,
            "the path of the control socket has to be of 1 to %zu characters: choose another with "
            "--control PATH",
            sizeof address->sun_path - 1);
        return false;
    }
    memcpy(address->sun_path, path, length + 1);
    return true;
}

/* --- the daemon's end -------------------------------------------------------- */

/*
 * Two daemons that find the same abandoned socket must not both replace it: the later would take
 * away what the earlier has just made. So this is done under a lock on the directory. The lock only
 * guards against daemons that start in the same instant, and anyone who may read the directory can
 * hold it: after a second we go on without. Returns what is to be closed, or -1.
 */
static int lock_directory(const char *path)
{
    char room[CONTROL_SOCKET_PATH_MAX];
    int fd = open(directory_of(path, room), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (int tries = 0; fd >= 0 && tries < 100; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    return fd;
}

static bool is_in_the_way(const char *path, const struct stat *status,
                          char error[CONTROL_SOCKET_ERROR_MAX])
{
    if (S_ISSOCK(status->st_mode))
        return false;
    say(error,
        "%s is in the way of the control socket, and is no socket; remove it, or name another "
        "place with --control PATH",
        path);
    return true;
}

/* Takes an abandoned socket away. LISTENING: the path is free now. */
static enum control_socket_outcome clear_path(const struct sockaddr_un *address,
                                              char error[CONTROL_SOCKET_ERROR_MAX])
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status) != 0)
        return CONTROL_SOCKET_LISTENING; /* if it is for another reason than ENOENT bind(2) tells */
    if (is_in_the_way(path, &status, error))
        return CONTROL_SOCKET_FAILED;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        say(error, "control socket %s: %s", path, strerror(errno));
        return CONTROL_SOCKET_FAILED;
    }
    /* EAGAIN: somebody listens, and is busy. */
    bool taken = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ||
                 errno != ECONNREFUSED;
    if (taken) {
        struct ucred peer = {0};
        socklen_t size = sizeof peer;
        getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        if (peer.pid > 0)
            say(error,
                "the control socket %s is that of a running daemon, process %ld; "
                "--control PATH names another",
                path, (long)peer.pid);
        else
            say(error,
                "the control socket %s is that of a running daemon; "
                "--control PATH names another",
                path);
    }
    close(probe);
    if (taken)
        return CONTROL_SOCKET_TAKEN;
    if (unlink(path) != 0) {
        say(error, "the control socket %s, left by a daemon that is gone, cannot be removed: %s",
            path, strerror(errno));
        return CONTROL_SOCKET_FAILED;
    }
    return CONTROL_SOCKET_LISTENING;
}

static bool bind_and_listen(struct control_socket *control, const struct sockaddr_un *address,
                            uid_t owner)
{
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0)
        return false;
    mode_t mask = umask(0177);
    int bound = bind(control->fd, (const struct sockaddr *)address, sizeof *address);
    umask(mask);
    struct stat status;
    if (bound == 0 && (owner == geteuid() || chown(address->sun_path, owner, (gid_t)-1) == 0) &&
        listen(control->fd, BACKLOG) == 0 && lstat(address->sun_path, &status) == 0) {
        strcpy(control->path, address->sun_path);
        control->device = status.st_dev;
        control->inode = status.st_ino;
        return true;
    }
    int error = errno;
    if (bound == 0)
        unlink(address->sun_path);
    close(control->fd);
    control->fd = -1;
    errno = error;
    return false;
}

enum control_socket_outcome control_socket_listen(struct control_socket *control, const char *path,
                                                  uid_t owner, char error[CONTROL_SOCKET_ERROR_MAX])
{
    struct sockaddr_un address;

    control->fd = -1;
    if (!fill_address(&address, path, error) || !directory_is_safe(path, error))
        return CONTROL_SOCKET_FAILED;
    int lock = lock_directory(path);
    enum control_socket_outcome outcome = clear_path(&address, error);
    if (outcome == CONTROL_SOCKET_LISTENING && !bind_and_listen(control, &address, owner)) {
        say(error, "cannot listen at control socket %s: %s; --control PATH puts it elsewhere", path,
            strerror(errno));
        outcome = CONTROL_SOCKET_FAILED;
    }
    if (lock >= 0)
        close(lock);
    return outcome;
}

bool control_socket_check(const char *path, char error[CONTROL_SOCKET_ERROR_MAX])
{
    struct sockaddr_un address;
    struct stat status;

    return fill_address(&address, path, error) && directory_is_safe(path, error) &&
           (lstat(path, &status) != 0 || !is_in_the_way(path, &status, error));
}

bool control_socket_adopt(struct control_socket *control, int fd)
{
    struct sockaddr_un address = {0};
    socklen_t length = sizeof address;
    int listening = 0;
    socklen_t size = sizeof listening;
    struct stat status;

    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
        address.sun_family != AF_UNIX || address.sun_path[0] == '\0' ||
        address.sun_path[sizeof address.sun_path - 1] != '\0' ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
        return false;
    *control = (struct control_socket){.fd = fd};
    strcpy(control->path, address.sun_path);
    if (lstat(control->path, &status) == 0) {
        control->device = status.st_dev;
        control->inode = status.st_ino;
    }
    return true;
}

void control_socket_claim(const struct control_socket *control)
{
    /* The kernel notes who calls listen(2), and the connections that wait are kept. */
    if (control->fd >= 0)
        listen(control->fd, BACKLOG);
}

void control_socket_close(struct control_socket *control, bool remove)
{
    struct stat status;

    if (control->fd < 0)
        return;
    if (remove && lstat(control->path, &status) == 0 && status.st_dev == control->device &&
        status.st_ino == control->inode)
        unlink(control->path);
    close(control->fd);
    control->fd = -1;
}

bool control_socket_obeys(int connection)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

/* --- the other end ------------------------------------------------------------ */

int control_socket_connect(const char *path, char error[CONTROL_SOCKET_ERROR_MAX])
{
    struct sockaddr_un address;

    if (!fill_address(&address, path, error))
        return -1;
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection >= 0 &&
        connect(connection, (const struct sockaddr *)&address, sizeof address) == 0)
        return connection;
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        say(error,
            "no sorreld listens at %s; start one, or name the control socket of a running one "
            "with --control PATH",
            path);
        break;
    case ECONNREFUSED:
        say(error, "no sorreld listens at %s any more: the one that made it is gone; start one",
            path);
        break;
    case EACCES:
    case EPERM:
        say(error, "no permission to use %s; only root and the user that sorreld runs as may",
            path);
        break;
    default:
        say(error, "cannot connect to %s: %s", path, strerror(errno));
        break;
    }
    if (connection >= 0)
        close(connection);
    return -1;
}
