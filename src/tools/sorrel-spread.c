/* Sends queries from known flows, and shows which worker got them. */
#include "tools/spread/arguments.h"
#include "tools/spread/daemon.h"
#include "tools/spread/events.h"
#include "tools/spread/export.h"
#include "tools/spread/interrupt.h"
#include "tools/spread/measure.h"
#include "tools/spread/plot.h"
#include "tools/spread/reading.h"
#include "tools/spread/screen.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static void complain(const char *sentence)
{
    fprintf(stderr, "sorrel-spread: %s\n", sentence);
}

static void print_row(const struct cells *cells, const struct cell *cell, unsigned workers)
{
    if (cell == NULL)
        screen_begin(cells, workers, stdout);
    else
        screen_bars(cell, stdout);
    fflush(stdout);
}

static void print_no_row(const struct cells *cells, const struct cell *cell, unsigned workers)
{
    (void)cells;
    (void)cell;
    (void)workers;
}

static void print_text(const struct cells *cells, const struct reading *reading)
{
    screen_figures(cells, stdout);
    for (size_t i = 0; i < reading->count; i++)
        screen_paragraph(reading->paragraphs[i], stdout);
}

static bool flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    perror("sorrel-spread: standard output");
    return false;
}

static bool print_all(const struct cells *cells, const struct arguments *arguments)
{
    struct reading reading;

    if (!reading_make(&reading, cells)) {
        complain("out of memory");
        return false;
    }
    if (arguments->format == ARGUMENTS_JSON)
        export_json(cells, &reading, stdout);
    else if (arguments->format == ARGUMENTS_CSV)
        export_csv(cells, stdout);
    else
        print_text(cells, &reading);
    reading_free(&reading);
    return flush();
}

static bool draw(const struct cells *cells, const char *path)
{
    char error[PLOT_ERROR_MAX];

    if (plot_draw(cells, path, error))
        return true;
    complain(error);
    return false;
}

/* Says what went wrong, unless it was an interrupt: then nothing did. */
static bool judge(bool done, const char *error)
{
    if (!done && !interrupt_came())
        complain(error);
    return done;
}

static bool measure(struct cells *cells, const struct arguments *arguments, struct daemon *daemon)
{
    measure_watcher *watcher = arguments->format == ARGUMENTS_TEXT ? print_row : print_no_row;
    char error[MEASURE_ERROR_MAX] = "";
    bool done = daemon != NULL ? measure_policies(cells, arguments, daemon, watcher, error)
                               : measure_server(cells, arguments, watcher, error);

    return judge(done, error) && print_all(cells, arguments) &&
           (arguments->plot == NULL || draw(cells, arguments->plot));
}

static bool watch_events(const struct arguments *arguments, struct daemon *daemon)
{
    static struct events events;
    char error[EVENTS_ERROR_MAX] = "";

    if (!judge(events_run(&events, arguments, daemon, error), error))
        return false;
    if (arguments->format == ARGUMENTS_JSON)
        events_json(&events, stdout);
    else
        events_print(&events, stdout);
    return flush();
}

static bool use_own_daemon(struct cells *cells, const struct arguments *arguments)
{
    struct daemon daemon;
    char error[DAEMON_ERROR_MAX];
    bool done =
        judge(daemon_prepare(&daemon, arguments->sorreld, error), error) &&
        (arguments->events ? watch_events(arguments, &daemon) : measure(cells, arguments, &daemon));

    daemon_clean_up(&daemon);
    return done;
}

/* Each flow needs a descriptor. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct cells cells = {0};

    setlocale(LC_CTYPE, "");
    arguments_read(&arguments, argc, argv);
    interrupt_watch();
    raise_descriptor_limit();
    bool done = arguments.has_server ? measure(&cells, &arguments, NULL)
                                     : use_own_daemon(&cells, &arguments);
    cells_free(&cells);
    interrupt_obey();
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
