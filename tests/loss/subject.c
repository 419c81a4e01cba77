#include "subject.h"

#include "question.h"
#include "sockets.h"
#include "zonetext.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A server that reads 100,000 names under AddressSanitizer on a busy machine takes its time. */
enum { START_SECONDS = 120 };

static void set_paths(struct subject *subject)
{
    const char *base = getenv("TMPDIR");
    const char *directory = subject->directory;

    snprintf(subject->directory, sizeof subject->directory, "%s/sorrel-loss.XXXXXX",
             base != NULL && *base != '\0' ? base : "/tmp");
    /* NSD and Knot may give up root, and have to get in. */
    if (mkdtemp(subject->directory) == NULL || chmod(subject->directory, 0755) != 0)
        child_fail("cannot make the directory %s: %s", subject->directory, strerror(errno));
    snprintf(subject->zone, sizeof subject->zone, "%s/" QUESTION_ORIGIN ".zone", directory);
    snprintf(subject->log, sizeof subject->log, "%s/log", directory);
    snprintf(subject->control, sizeof subject->control, "%s/control", directory);
    snprintf(subject->configuration, sizeof subject->configuration, "%s/conf", directory);
}

void subject_start(struct subject *subject)
{
    set_paths(subject);
    subject->port = child_free_port();
    subject->version = 1;
    zonetext_write(subject->zone, subject->names, subject->version);
    subject->kind->start(subject);
    subject_wait_answering(subject);
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR)
            remove_directory(file);
        else
            unlink(file);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(path);
}

void subject_stop(struct subject *subject)
{
    subject->kind->stop(subject);
    subject_remove(subject);
}

void subject_remove(const struct subject *subject)
{
    remove_directory(subject->directory);
}

void subject_change_zone(struct subject *subject)
{
    zonetext_write(subject->zone, subject->names, ++subject->version);
}

/* --- does it answer? ----------------------------------------------------------- */

static bool ask(int socket, uint32_t names)
{
    uint8_t query[QUESTION_LENGTH], answer[QUESTION_ANSWER_MAX];
    uint32_t version;

    question_write(query, 0, names, 1);
    if (send(socket, query, sizeof query, 0) < 0)
        return false;
    ssize_t length = recv(socket, answer, sizeof answer, 0);
    return length > 0 &&
           question_check(answer, (size_t)length, query, 0, names, &version) == QUESTION_ANSWERED;
}

bool subject_answers(const struct subject *subject)
{
    const struct sockaddr_in server = {.sin_family = AF_INET,
                                       .sin_port = htons(subject->port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_usec = 100000};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        connect(fd, (const struct sockaddr *)&server, sizeof server) != 0)
        child_fail("cannot open a socket: %s", strerror(errno));
    bool answers = ask(fd, subject->names);
    close(fd);
    return answers;
}

static _Noreturn void fail_with_log(const struct subject *subject, const char *what)
{
    FILE *log = fopen(subject->log, "re");
    char line[1024];

    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        fprintf(stderr, "  %s", line);
    child_fail("%s %s", subject->kind->name, what);
}

static bool answers_or_is_gone(void *subject)
{
    return subject_answers(subject) || !child_is_alive(((struct subject *)subject)->pid);
}

void subject_wait_answering(struct subject *subject)
{
    if (!child_wait(answers_or_is_gone, subject, START_SECONDS))
        fail_with_log(subject, "does not answer");
    if (!child_is_alive(subject->pid))
        fail_with_log(subject, "has ended");
}

void subject_measure(const struct subject *subject, struct footprint *footprint)
{
    pid_t workers[CHILD_LIST_MAX];
    size_t count = subject->kind->list_workers(subject, workers);

    *footprint = (struct footprint){.descriptors = 0};
    footprint_add(footprint, subject->pid);
    for (size_t i = 0; i < count; i++)
        footprint_add(footprint, workers[i]);
}

uint64_t subject_drops(const struct subject *subject)
{
    static struct sockets_one list[SOCKETS_MAX];
    size_t count = sockets_list(subject->port, list);
    uint64_t drops = 0;

    for (size_t i = 0; i < count; i++)
        drops += list[i].drops;
    return drops;
}
