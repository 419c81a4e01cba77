#include "tools/top.h"

#include "config.h"
#include "server/statistics/tally.h"
#include "tools/control_client.h"
#include "tools/top_frame.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 2 };

/* That an event is told: long enough to be read. */
static const double message_seconds = 8;

struct top {
    const char *control;
    double interval;
    json_t *stats, *earlier;
    int first;
    char message[CONTROL_CLIENT_ERROR_MAX];
    double message_until; /* by `clock`; negative: as long as nobody answers */
};

static double clock_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- asking -------------------------------------------------------------------------- */

/* Takes what the daemon has said last. */
static void take(struct top *top, json_t *stats)
{
    bool is_another = top->stats != NULL && tally_seconds(stats, top->stats) <= 0;
    double before = json_number_value(json_object_get(top->stats, "pid"));
    double now = json_number_value(json_object_get(stats, "pid"));

    if (is_another && now != before) {
        snprintf(top->message, sizeof top->message,
                 "Process %.0f has taken the place of %.0f; counts begin anew.", now, before);
        top->message_until = clock_seconds() + message_seconds;
    } else if (top->message_until < clock_seconds()) {
        top->message[0] = '\0';
    }
    json_decref(top->earlier);
    top->earlier = is_another ? NULL : top->stats;
    if (is_another)
        json_decref(top->stats);
    top->stats = stats;
}

/* False, with a message, if nobody answers. */
static bool ask(struct top *top)
{
    struct control_client_reply reply;
    char error[CONTROL_CLIENT_ERROR_MAX];

    if (control_client_ask(top->control, PROTOCOL_STATS, NULL, 0, PATIENCE_SECONDS, false, &reply,
                           error)) {
        if (reply.done) {
            take(top, reply.document);
            return true;
        }
        const char *reason = json_string_value(json_object_get(reply.document, "error"));
        snprintf(error, sizeof error, "%s", reason != NULL ? reason : "the daemon refuses");
        json_decref(reply.document);
    }
    snprintf(top->message, sizeof top->message, "%s", error);
    top->message_until = -1;
    return false;
}

static struct top_frame frame_of(const struct top *top, bool is_live)
{
    return (struct top_frame){.stats = top->stats,
                              .earlier = top->earlier,
                              .interval = is_live ? top->interval : 0,
                              .first = top->first,
                              .message = top->message[0] != '\0' ? top->message : NULL};
}

/* --- once ----------------------------------------------------------------------------- */

static void wait_for(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};

    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0)
        ;
}

static int show_once(struct top *top)
{
    struct canvas canvas;

    if (!ask(top) || (wait_for(top->interval), !ask(top))) {
        fprintf(stderr, "sorrelctl: %s\n", top->message);
        return EXIT_FAILURE;
    }
    struct top_frame frame = frame_of(top, false);
    canvas_open(&canvas, TOP_FRAME_WIDTH, top_frame_height(&frame));
    top_frame_draw(&frame, &canvas);
    canvas_write(&canvas, stdout);
    canvas_close(&canvas);
    if (fflush(stdout) == 0)
        return EXIT_SUCCESS;
    perror("sorrelctl: standard output");
    return EXIT_FAILURE;
}

/* --- on a terminal --------------------------------------------------------------------- */

#ifdef HAVE_NCURSES

#include <curses.h>

/* The first frame that has rates does not wait for long. */
static const double first_interval = 0.5;

static const double intervals[] = {0.2, 0.5, 1, 2, 5, 10, 30, 60};

static attr_t attributes_of(enum canvas_style style)
{
    bool colours = has_colors();

    switch (style) {
    case CANVAS_STRONG:
        return A_BOLD;
    case CANVAS_TITLE:
        return A_REVERSE;
    case CANVAS_QUIET:
        return colours ? A_DIM : A_NORMAL;
    case CANVAS_BAR:
        return A_REVERSE | (colours ? (attr_t)COLOR_PAIR(1) : A_NORMAL);
    case CANVAS_HOT:
        return A_REVERSE | (colours ? (attr_t)COLOR_PAIR(2) : A_BOLD);
    case CANVAS_ALARM:
        return A_BOLD | (colours ? (attr_t)COLOR_PAIR(2) : A_NORMAL);
    default:
        return A_NORMAL;
    }
}

static void show(const struct top *top)
{
    struct top_frame frame = frame_of(top, true);
    struct canvas canvas;

    canvas_open(&canvas, COLS > 0 ? COLS : 1, LINES > 0 ? LINES : 1);
    top_frame_draw(&frame, &canvas);
    erase();
    for (int row = 0; row < canvas.height; row++)
        for (int column = 0; column < canvas.width; column++) {
            struct canvas_cell cell = canvas.cells[row * canvas.width + column];
            bool is_bar = cell.style == CANVAS_BAR || cell.style == CANVAS_HOT;
            attrset((int)attributes_of(cell.style));
            mvaddch(row, column, is_bar ? (chtype)' ' : (chtype)(unsigned char)cell.character);
        }
    refresh();
    canvas_close(&canvas);
}

/* The next longer, or shorter, interval. */
static void change_interval(struct top *top, bool longer)
{
    size_t count = sizeof intervals / sizeof intervals[0];

    if (longer) {
        for (size_t i = 0; i < count; i++)
            if (intervals[i] > top->interval) {
                top->interval = intervals[i];
                return;
            }
        return;
    }
    for (size_t i = count; i > 0; i--)
        if (intervals[i - 1] < top->interval) {
            top->interval = intervals[i - 1];
            return;
        }
}

static void scroll_by(struct top *top, int rows)
{
    int workers = (int)json_array_size(json_object_get(top->stats, "workers"));

    top->first += rows;
    if (top->first >= workers)
        top->first = workers - 1;
    if (top->first < 0)
        top->first = 0;
}

/* False: it is to end. */
static bool obey(struct top *top, int key)
{
    switch (key) {
    case 'q':
    case 'Q':
        return false;
    case '+':
    case '=':
        change_interval(top, false);
        break;
    case '-':
        change_interval(top, true);
        break;
    case KEY_DOWN:
    case 'j':
        scroll_by(top, 1);
        break;
    case KEY_UP:
    case 'k':
        scroll_by(top, -1);
        break;
    case KEY_NPAGE:
        scroll_by(top, LINES / 2);
        break;
    case KEY_PPAGE:
        scroll_by(top, -LINES / 2);
        break;
    default:
        break;
    }
    return true;
}

/* Obeys keys until it is time for the next frame. False: it is to end. */
static bool wait_for_keys(struct top *top, double until)
{
    double left;

    while ((left = until - clock_seconds()) > 0) {
        double before = top->interval;
        timeout((int)(left * 1000) + 1);
        int key = getch();
        if (key == ERR)
            continue;
        if (!obey(top, key))
            return false;
        if (top->interval != before)
            until = clock_seconds() + top->interval;
        show(top);
    }
    return true;
}

/* False: this terminal is none that things can be drawn on. */
static bool open_terminal(SCREEN **screen)
{
    *screen = newterm(NULL, stdout, stdin);
    if (*screen == NULL)
        return false;
    set_term(*screen);
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    if (has_colors()) {
        start_color();
        use_default_colors();
        init_pair(1, COLOR_GREEN, -1);
        init_pair(2, COLOR_RED, -1);
    }
    return true;
}

static int show_live(struct top *top)
{
    SCREEN *screen;
    bool first = true;

    if (!ask(top)) {
        fprintf(stderr, "sorrelctl: %s\n", top->message);
        return EXIT_FAILURE;
    }
    if (!open_terminal(&screen))
        return show_once(top);
    do {
        double wait = first && top->interval > first_interval ? first_interval : top->interval;
        show(top);
        if (!wait_for_keys(top, clock_seconds() + wait))
            break;
        first = false;
        ask(top);
    } while (true);
    endwin();
    delscreen(screen);
    return EXIT_SUCCESS;
}

#else

static int show_live(struct top *top)
{
    (void)top;
    fputs("sorrelctl: this one was built without ncurses, which top draws with; stats 1 shows "
          "rates\n",
          stderr);
    return EXIT_FAILURE;
}

#endif

int top_run(const char *control, double interval)
{
    struct top top = {.control = control, .interval = interval};
    bool is_terminal = isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1;
    int status = is_terminal ? show_live(&top) : show_once(&top);

    json_decref(top.stats);
    json_decref(top.earlier);
    return status;
}
