/* sorrel-checkzone: loads zones as sorreld would, says what is wrong with them, and can keep the
 * table. */
#include "config.h"
#include "table/hash.h"
#include "table/seal.h"
#include "zone/build.h"
#include "zone/pace.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: sorrel-checkzone [-q] [-o FILE] ZONE...\n"
    "  -o, --output FILE  write the compiled zone table to FILE\n"
    "  -q, --quiet        print errors and warnings only\n"
    "  -V, --version      print the version and exit\n"
    "  -h, --help         print this and exit\n"
    "ZONE: a directory (every *.zone in it), FILE.zone (its origin is the file name\n"
    "without .zone), or ORIGIN=FILE.\n";

struct arguments {
    bool quiet;
    const char *output;
    struct source_list sources;
};

static void complain(const char *what)
{
    fprintf(stderr, "sorrel-checkzone: %s\n", what);
}

static void complain_errno(const char *what, const char *path)
{
    fprintf(stderr, "sorrel-checkzone: %s %s: %s\n", what, path, seal_error(errno));
}

static void read_zone_argument(struct arguments *arguments, const char *text)
{
    char error[SOURCE_ERROR_MAX];

    if (source_list_add(&arguments->sources, text, error))
        return;
    complain(error);
    exit(EXIT_FAILURE);
}

static void read_arguments(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"quiet", no_argument, NULL, 'q'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "o:qVh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            arguments->output = optarg;
            break;
        case 'q':
            arguments->quiet = true;
            break;
        case 'V':
            puts("sorrel-checkzone " PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        case 'h':
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            fputs(usage, stderr);
            exit(EXIT_FAILURE);
        }
    }
    if (optind == argc) {
        complain("no zones given");
        fputs(usage, stderr);
        exit(EXIT_FAILURE);
    }
    for (int i = optind; i < argc; i++)
        read_zone_argument(arguments, argv[i]);
}

/* On a terminal, how long it will take; each line replaces the one before (ECMA-48, EL). */
struct progress {
    struct pace pace;
    bool shown; /* there is a line to be replaced */
};

static void erase_progress(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

static void print_progress(void *closure, const struct tally_count *count)
{
    struct progress *progress = closure;
    char text[PACE_TEXT_MAX];

    if (!pace_line(&progress->pace, count, pace_clock(), text))
        return;
    erase_progress(progress);
    fputs(text, stderr);
    fflush(stderr);
    progress->shown = true;
}

static void print_diagnostic(void *closure, const struct diagnostic *diagnostic)
{
    const char *mark = diagnostic->severity == SEVERITY_WARNING ? "warning: " : "";

    erase_progress(closure);
    if (diagnostic->line > 0)
        fprintf(stderr, "%s:%u: %s%s\n", diagnostic->file, diagnostic->line, mark,
                diagnostic->text);
    else
        fprintf(stderr, "%s: %s%s\n", diagnostic->file, mark, diagnostic->text);
}

static const char *signing_of(const struct table_section *section)
{
    if ((section->flags & SECTION_SIGNED) == 0)
        return "not signed";
    if (section->nsec3_count > 0)
        return "signed with NSEC3";
    return section->nsec_count > 0 ? "signed with NSEC" : "signed, without NSEC or NSEC3";
}

static void print_summary(const struct table_section *section, const struct name *apex)
{
    char text[NAME_TEXT_MAX];

    printf("%s: %u records, serial %u, %s\n", name_to_text(apex, text), section->record_count,
           section->serial, signing_of(section));
}

/* In the order in which they were given. */
static void print_summaries(const struct table *table, const struct source_list *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct name *apex = &sources->items[i].origin;
        uint64_t hashes[NAME_LABELS_MAX + 1];
        hash_name(apex, table->header->seed, hashes);
        const struct table_section *section =
            table_find_zone(table, apex, apex->labels, hashes[apex->labels]);
        if (section != NULL)
            print_summary(section, apex);
    }
}

static bool write_all(int fd, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, octets, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        octets += written;
        length -= (size_t)written;
    }
    return true;
}

/* The mode a file made by open(2) would get. */
static bool set_usual_mode(int fd)
{
    mode_t mask = umask(0);

    umask(mask);
    return fchmod(fd, 0666 & ~mask) == 0;
}

/* Readers of `path` see the old table or the new one, never a part of it. */
static bool write_output(const struct sealed_table *sealed, const char *path)
{
    char temporary[4096];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);

    if (length < 0 || (size_t)length >= sizeof temporary) {
        errno = ENAMETOOLONG;
        complain_errno("cannot write", path);
        return false;
    }
    int fd = mkstemp(temporary);
    if (fd < 0) {
        complain_errno("cannot make a temporary file beside", path);
        return false;
    }
    bool written =
        write_all(fd, sealed->base, sealed->length) && set_usual_mode(fd) && fsync(fd) == 0;
    if (close(fd) != 0)
        written = false;
    if (written && rename(temporary, path) == 0)
        return true;
    complain_errno("cannot write", path);
    unlink(temporary);
    return false;
}

static bool use_table(const struct arguments *arguments, int fd, bool complete)
{
    struct sealed_table sealed;
    const char *reason = seal_map(&sealed, fd);
    bool done = true;

    if (reason != NULL) {
        complain(reason);
        return false;
    }
    if (!arguments->quiet)
        print_summaries(&sealed.table, &arguments->sources);
    if (arguments->output != NULL && complete)
        done = write_output(&sealed, arguments->output);
    seal_unmap(&sealed);
    return done;
}

static bool check(const struct arguments *arguments)
{
    static const double interval = 0.1; /* seconds */
    struct progress progress = {.shown = false};
    struct build_request request = {
        .sources = &arguments->sources,
        .generation = 1,
        .sink = print_diagnostic,
        .progress = !arguments->quiet && isatty(STDERR_FILENO) ? print_progress : NULL,
        .closure = &progress,
    };
    struct build_result result;

    if (getrandom(&request.seed, sizeof request.seed, 0) != sizeof request.seed) {
        complain("cannot get random octets");
        return false;
    }
    pace_start(&progress.pace, interval, pace_clock());
    bool built = build_table(&request, &result);
    erase_progress(&progress);
    if (!built)
        return false;
    bool used = use_table(arguments, result.fd, result.failed == 0);
    close(result.fd);
    return used && result.failed == 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};

    /* What is too large a file, or memory file, is told. */
    signal(SIGXFSZ, SIG_IGN);
    read_arguments(&arguments, argc, argv);
    bool sound = check(&arguments);
    source_list_free(&arguments.sources);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain_errno("cannot write to", "standard output");
        return EXIT_FAILURE;
    }
    return sound ? EXIT_SUCCESS : EXIT_FAILURE;
}
