#include "server/supervisor/apart.h"

#include "server/host/log.h"
#include "server/host/mappings.h"
#include "server/host/privilege.h"
#include "server/host/process.h"
#include "server/host/sandbox.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { APART_NICENESS = 10 };

/* Waits for the peer to take what is written, as long as the supervisor would. */
static bool make_blocking(int socket)
{
    const struct timeval patience = {.tv_sec = CONTROL_PATIENCE_SECONDS};
    int flags = fcntl(socket, F_GETFL);

    return flags >= 0 && fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
           setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0;
}

static _Noreturn void run_child(struct control_request *request, control_function *function,
                                void *closure)
{
    int kept[] = {control_descriptor(request)};

    prctl(PR_SET_NAME, "sorreld:apart");
    process_keep_only(kept, 1);
    mappings_keep_only(NULL, 0);
    setpriority(PRIO_PROCESS, 0, APART_NICENESS);
    privilege_confine();
    /* Otherwise Jansson opens a file for that, once it makes its first object. */
    json_object_seed(0);
    if (make_blocking(kept[0])) {
        sandbox_enter_apart();
        function(closure, request);
    }
    _exit(EXIT_SUCCESS);
}

void apart_answer(struct control_request *request, control_function *function, void *closure)
{
    int channel;

    if (control_descriptor(request) < 0) {
        function(closure, request);
        return;
    }
    pid_t pid = process_fork(&channel, PROCESS_KILLED);
    if (pid == 0)
        run_child(request, function, closure);
    if (pid < 0) {
        function(closure, request);
        return;
    }
    close(channel);
    close(control_detach(request));
}

void apart_died(int status)
{
    if (WIFSIGNALED(status))
        log_error("a process that was to answer sorrelctl died: %s", strsignal(WTERMSIG(status)));
}
