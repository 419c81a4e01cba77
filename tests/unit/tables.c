#include "tables.h"

#include "unit.h"
#include "zone/build.h"
#include "zone/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_MAX_OCTETS = 4096, SEED = 2718 };

/* Room for one descriptor beside a message (cmsg(3)). */
union descriptor_message {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static bool send_descriptor(int channel, int fd)
{
    char octet = 0;
    union descriptor_message control;
    struct iovec content = {.iov_base = &octet, .iov_len = 1};
    struct msghdr message = {.msg_iov = &content,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};

    memset(&control, 0, sizeof control);
    control.header = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    return sendmsg(channel, &message, 0) == 1;
}

/* -1 if the other end was closed without sending one. */
static int receive_descriptor(int channel)
{
    char octet;
    union descriptor_message control;
    struct iovec content = {.iov_base = &octet, .iov_len = 1};
    struct msghdr message = {.msg_iov = &content,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int fd;

    if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL)
        return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void report_error(void *closure, const struct diagnostic *diagnostic)
{
    (void)closure;
    if (diagnostic->severity == SEVERITY_ERROR)
        fprintf(stderr, "%s:%u: %s\n", diagnostic->file, diagnostic->line, diagnostic->text);
}

/* The child: sends the descriptor of a table that has every zone, or nothing. */
static _Noreturn void build_and_exit(const struct source_list *sources, int channel)
{
    struct build_request request = {
        .sources = sources, .seed = SEED, .generation = 1, .sink = report_error};
    struct build_result result;

    if (!build_table(&request, &result) || result.failed > 0)
        _exit(EXIT_FAILURE);
    _exit(send_descriptor(channel, result.fd) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* The table's descriptor, or -1 if a zone had errors. */
static int build_in_child(const struct source_list *sources)
{
    int channel[2];
    int status;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        build_and_exit(sources, channel[1]);
    close(channel[1]);
    int fd = receive_descriptor(channel[0]);
    close(channel[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status == 0 ? fd : -1;
}

static int build_from(const char *const *arguments, size_t count)
{
    struct source_list sources = {0};

    for (size_t i = 0; i < count; i++) {
        char error[SOURCE_ERROR_MAX];
        if (!source_list_add(&sources, arguments[i], error))
            fail_msg("%s", error);
    }
    int fd = build_in_child(&sources);
    source_list_free(&sources);
    return fd;
}

static void map_table(struct sealed_table *sealed, int fd)
{
    assert_true(fd >= 0);
    const char *reason = seal_map(sealed, fd);
    if (reason != NULL)
        fail_msg("the table is refused: %s", reason);
    close(fd);
}

void tables_load(struct sealed_table *sealed, const char *const *arguments, size_t count)
{
    map_table(sealed, build_from(arguments, count));
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Of "ORIGIN=PATH". */
static const char *path_of(const char *argument)
{
    return strrchr(argument, '=') + 1;
}

void tables_build(struct sealed_table *sealed, const struct zone_text *zones, size_t count)
{
    const char *parent = getenv("TMPDIR");
    char directory[PATH_MAX_OCTETS];
    char **arguments = calloc(count, sizeof *arguments);

    assert_non_null(arguments);
    snprintf(directory, sizeof directory, "%s/sorrel-tables-XXXXXX",
             parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < count; i++) {
        assert_true(asprintf(&arguments[i], "%s=%s/%zu", zones[i].origin, directory, i) > 0);
        write_file(path_of(arguments[i]), zones[i].text);
    }
    int fd = build_from((const char *const *)arguments, count);
    for (size_t i = 0; i < count; i++) {
        unlink(path_of(arguments[i]));
        free(arguments[i]);
    }
    rmdir(directory);
    free(arguments);
    map_table(sealed, fd);
}
