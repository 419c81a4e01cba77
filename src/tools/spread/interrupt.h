/*
 * Ctrl-C and its relatives: whoever waits or loops looks here, so that the program ends in order,
 * with its daemon stopped and its directory removed.
 */
#ifndef SORREL_TOOLS_SPREAD_INTERRUPT_H
#define SORREL_TOOLS_SPREAD_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP are noted and end nothing by themselves. */
void interrupt_watch(void);

/* Has one come? */
bool interrupt_came(void);

/* If one has come, ends the program by it, so that a shell stops its script, too. To be called when
 * all is cleaned up. */
void interrupt_obey(void);

#endif
