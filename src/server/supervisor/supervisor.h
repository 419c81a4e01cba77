/*
 * The supervisor: owns every socket and every slot, starts and replaces workers, has tables built
 * and hands them out. It never answers, and never reads a zone file or a packet.
 */
#ifndef SORREL_SERVER_SUPERVISOR_H
#define SORREL_SERVER_SUPERVISOR_H

struct options;

/* Serves until SIGTERM or SIGINT. The program's exit status: 0, or 1 if it could not start, logged.
 */
int supervisor_run(struct options *options);

#endif
