/*
 * libmicrohttpd, loaded when HTTP is to be served: it brings GnuTLS and ten libraries more, which
 * take a fifth of the time of a start, and are of no use to a daemon without --http.
 */
#ifndef SORREL_SERVER_MICROHTTPD_H
#define SORREL_SERVER_MICROHTTPD_H

#include "server/host/library.h"

#include <microhttpd.h>
#include <stdbool.h>

/* Its functions, by their names without MHD_. */
struct microhttpd {
    __typeof__(MHD_add_response_header) *add_response_header;
    __typeof__(MHD_create_response_from_buffer) *create_response_from_buffer;
    __typeof__(MHD_destroy_response) *destroy_response;
    __typeof__(MHD_get_connection_info) *get_connection_info;
    __typeof__(MHD_queue_response) *queue_response;
    __typeof__(MHD_run_wait) *run_wait;
    __typeof__(MHD_start_daemon) *start_daemon;
};

/* To be called only when microhttpd_load() has succeeded. */
extern struct microhttpd microhttpd;

/* Loads it, once. False with the reason if it cannot be. */
bool microhttpd_load(char error[LIBRARY_ERROR_MAX]);

#endif
