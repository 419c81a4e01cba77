/*
 * `sorrelctl top`: shows what a daemon's workers do, again and again, until somebody presses q.
 */
#ifndef SORREL_TOOLS_TOP_H
#define SORREL_TOOLS_TOP_H

/*
 * Shows the daemon at `control`, every `interval` seconds, on the terminal; where standard output
 * is none, once. Goes on when the daemon is replaced or started anew. The program's exit status.
 */
int top_run(const char *control, double interval);

#endif
