#include "config.h"

#ifdef HAVE_LIBMICROHTTPD

#include "server/metrics/microhttpd.h"

struct microhttpd microhttpd;

#define FUNCTION(name) {"MHD_" #name, &microhttpd.name}

bool microhttpd_load(char error[LIBRARY_ERROR_MAX])
{
    static const struct library_function functions[] = {
        FUNCTION(add_response_header), FUNCTION(create_response_from_buffer),
        FUNCTION(destroy_response),    FUNCTION(get_connection_info),
        FUNCTION(queue_response),      FUNCTION(run_wait),
        FUNCTION(start_daemon),
    };
    static bool loaded;

    if (!loaded)
        loaded = library_load(MICROHTTPD_LIBRARY, functions, sizeof functions / sizeof functions[0],
                              error);
    return loaded;
}

#endif
