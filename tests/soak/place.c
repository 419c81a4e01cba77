#include "place.h"

#include "../loss/child.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new file takes the place of the old: the daemon reads the one or the other. */
static void replace(const char *path, const char *text)
{
    char draft[PLACE_PATH_MAX + 8];

    snprintf(draft, sizeof draft, "%s.new", path);
    FILE *file = fopen(draft, "we");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0 || chmod(draft, 0600) != 0 ||
        rename(draft, path) != 0)
        child_fail("cannot write %s: %s", path, strerror(errno));
}

void place_configure(const struct place *place, unsigned choice)
{
    static const unsigned limits[] = {50, 200, 1000};
    char text[1024];

    snprintf(text, sizeof text,
             "rate-limit {\n"
             "    responses = %u\n"
             "    slip = %u\n"
             "    exempt = 127.0.0.1\n"
             "}\n"
             "allow-query = { 127.0.0.0/24%s }\n"
             "tcp-connections = 64\n"
             "tcp-idle = 2\n"
             "log { level = %s }\n",
             limits[choice % 3], choice % 4,
             ", 127.0.1.0/24, 127.0.2.0/24, 127.0.3.0/24, 127.0.4.0/24, 127.0.5.0/24",
             choice % 2 == 0 ? "info" : "notice");
    replace(place->configuration, text);
}

void place_break(const struct place *place)
{
    replace(place->configuration, "rate-limit {\n    responses = plenty\n}\n");
}

void place_write_secrets(const struct place *place, unsigned choice)
{
    char text[128];

    snprintf(text, sizeof text, "%08x000000000000000000000001\n%08x000000000000000000000001\n",
             choice, choice + 1);
    replace(place->secrets, text);
}

unsigned place_count_state(const struct place *place)
{
    DIR *directory = opendir(place->state);
    struct dirent *entry;
    unsigned count = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    if (directory != NULL)
        closedir(directory);
    return count;
}

static void set_options(struct place *place)
{
    const char *const options[] = {"-c",         place->configuration,   "--state",
                                   place->state, "--cookie-secret-file", place->secrets,
                                   "--http",     place->http_address,    "--stall",
                                   "0.5",        "--identity",           NULL};

    memcpy(place->options, options, sizeof options);
}

void place_make(struct place *place)
{
    const char *base = getenv("TMPDIR");

    *place = (struct place){.http = child_free_port()};
    snprintf(place->directory, sizeof place->directory, "%s/sorrel-soak.XXXXXX",
             base != NULL && *base != '\0' ? base : "/tmp");
    if (mkdtemp(place->directory) == NULL)
        child_fail("cannot make the directory %s: %s", place->directory, strerror(errno));
    snprintf(place->configuration, PLACE_PATH_MAX, "%s/sorrel.conf", place->directory);
    snprintf(place->secrets, PLACE_PATH_MAX, "%s/secrets", place->directory);
    snprintf(place->state, PLACE_PATH_MAX, "%s/state", place->directory);
    snprintf(place->http_address, sizeof place->http_address, "127.0.0.1@%u", place->http);
    if (mkdir(place->state, 0700) != 0)
        child_fail("cannot make the directory %s: %s", place->state, strerror(errno));
    place_configure(place, 0);
    place_write_secrets(place, 0);
    set_options(place);
}

static void remove_all(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory != NULL)
        closedir(directory);
    rmdir(path);
}

void place_remove(const struct place *place)
{
    remove_all(place->state);
    remove_all(place->directory);
}
