/*
 * Where a daemon is spoken to: the path of its control socket, and both ways to it.
 */
#ifndef SORREL_SERVER_CONTROL_SOCKET_H
#define SORREL_SERVER_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum {
    CONTROL_SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path),
    CONTROL_SOCKET_ERROR_MAX = 512,
};

/*
 * Writes the path that is used unless another is named, for daemons of user `uid` and whoever
 * speaks to them:
 *
 *   root            /run/sorrel/control
 *   everyone else   sorrel/control in $XDG_RUNTIME_DIR; without that variable in /run/user/UID;
 *                   without such a directory /tmp/sorrel-UID/control
 *
 * $RUNTIME_DIRECTORY, by which systemd.exec(5) tells a `daemon` the directory that was made for it,
 * comes before all of these.
 */
void control_socket_default_path(uid_t uid, bool daemon, char path[CONTROL_SOCKET_PATH_MAX]);

/* Makes the directory of a default path, if there is none: mode 0755 for root, else 0700. False
 * with a sentence in `error`. */
bool control_socket_make_directory(const char *path, char error[CONTROL_SOCKET_ERROR_MAX]);

struct control_socket {
    int fd; /* listening, does not block; -1: none */
    char path[CONTROL_SOCKET_PATH_MAX];
    dev_t device; /* what tells our socket from one that has taken its place */
    ino_t inode;
};

enum control_socket_outcome {
    CONTROL_SOCKET_LISTENING,
    CONTROL_SOCKET_TAKEN, /* another daemon listens there */
    CONTROL_SOCKET_FAILED,
};

/*
 * Listens at `path`; the file is `owner`'s, with mode 0600. A socket that nobody listens at any
 * more is replaced; one that a daemon has, a file that is no socket, and a directory in which
 * others could replace ours, are left alone with a sentence in `error`.
 */
enum control_socket_outcome control_socket_listen(struct control_socket *control, const char *path,
                                                  uid_t owner,
                                                  char error[CONTROL_SOCKET_ERROR_MAX]);

/* Could this user's daemon listen at `path`, were there no other? False with the sentence in
 * `error` that control_socket_listen() would have. Nothing is made or removed. */
bool control_socket_check(const char *path, char error[CONTROL_SOCKET_ERROR_MAX]);

/* Makes `control` of a listening socket that another process has opened; owns `fd` then. False if
 * it is none. */
bool control_socket_adopt(struct control_socket *control, int fd);

/* From now on whoever connects is told that this process listens (SO_PEERCRED), not the one that
 * has opened it. */
void control_socket_claim(const struct control_socket *control);

/* Closes it. `remove`: and takes the file away, if it is still ours. */
void control_socket_close(struct control_socket *control, bool remove);

/* A connection to the daemon that listens at `path`, which blocks; or -1 with a sentence in
 * `error`. */
int control_socket_connect(const char *path, char error[CONTROL_SOCKET_ERROR_MAX]);

/* Only root and the user that the daemon runs as are obeyed: whether the peer is one of them. */
bool control_socket_obeys(int connection);

#endif
