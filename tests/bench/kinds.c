/* How each server is configured. */
#include "server.h"

#include "../loss/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For each zone: `format` with its origin and its path. */
static void each_zone(const struct server *server, FILE *file,
                      void (*write)(FILE *file, const char *origin, const char *path))
{
    char origin[ZONESET_ORIGIN_MAX], path[ZONESET_PATH_MAX];

    for (uint32_t i = 0; i < server->zones->zones; i++) {
        zoneset_origin(server->zones, i, origin);
        zoneset_path(server->zones, server->zone_directory, i, path);
        write(file, origin, path);
    }
}

static void close_file(FILE *file)
{
    if (ferror(file) || fclose(file) != 0)
        child_fail("cannot write a configuration: %s", strerror(errno));
}

/* --- the null responder ------------------------------------------------------------- */

static bool null_is_installed(void)
{
    char program[PATH_MAX];

    child_beside(program, "null");
    return access(program, X_OK) == 0;
}

static void start_null(struct server *server)
{
    char program[PATH_MAX];

    child_beside(program, "null");
    server_argument(server, "%s", program);
    server_argument(server, "-w");
    server_argument(server, "%u", server->workers);
}

static void configure_null(struct server *server)
{
    start_null(server);
    server_argument(server, "%u", server->port);
}

static void configure_blocking(struct server *server)
{
    start_null(server);
    server_argument(server, "-b");
    server_argument(server, "%u", server->port);
}

static const struct server_kind null_kind = {.name = "null",
                                             .is_installed = null_is_installed,
                                             .configure = configure_null,
                                             .is_measure = true,
                                             .no_zones = true};
static const struct server_kind blocking_kind = {.name = "null-b",
                                                 .is_installed = null_is_installed,
                                                 .configure = configure_blocking,
                                                 .no_zones = true};

/* --- sorreld ------------------------------------------------------------------------ */

static const char *sorreld_program(void)
{
    const char *program = getenv("SORRELD");

    return program != NULL && *program != '\0' ? program : "./sorreld";
}

static bool sorreld_is_installed(void)
{
    return child_can_run(sorreld_program());
}

static void configure_sorreld(struct server *server)
{
    char origin[ZONESET_ORIGIN_MAX], path[ZONESET_PATH_MAX];

    server_argument(server, "%s", sorreld_program());
    server_argument(server, "-l");
    server_argument(server, "127.0.0.1@%u", server->port);
    server_argument(server, "-w");
    server_argument(server, "%u", server->workers);
    server_argument(server, "--control");
    server_argument(server, "%s/control", server->directory);
    if (server->state_directory != NULL) {
        server_argument(server, "--state");
        server_argument(server, "%s", server->state_directory);
    }
    zoneset_origin(server->zones, 0, origin);
    zoneset_path(server->zones, server->zone_directory, 0, path);
    if (server->zones->zones == 1)
        server_argument(server, "%s=%s", origin, path);
    else
        server_argument(server, "%s", server->zone_directory);
}

static const struct server_kind sorreld_kind = {.name = "sorreld",
                                                .is_installed = sorreld_is_installed,
                                                .configure = configure_sorreld,
                                                .keeps_table = true};

/* --- gdnsd -------------------------------------------------------------------------- */

static bool gdnsd_is_installed(void)
{
    return child_can_run("gdnsd");
}

/* Its zone files bear their origin as name, so they are linked into a directory of its own. */
static void link_zones(const struct server *server)
{
    char origin[ZONESET_ORIGIN_MAX], path[ZONESET_PATH_MAX], link_path[PATH_MAX];

    for (uint32_t i = 0; i < server->zones->zones; i++) {
        zoneset_origin(server->zones, i, origin);
        zoneset_path(server->zones, server->zone_directory, i, path);
        snprintf(link_path, sizeof link_path, "%s/zones/%s", server->directory,
                 strcmp(origin, ".") == 0 ? "ROOT_ZONE" : origin);
        if (symlink(path, link_path) != 0 && errno != EEXIST)
            child_fail("cannot make %s: %s", link_path, strerror(errno));
    }
}

static void configure_gdnsd(struct server *server)
{
    char path[SERVER_PATH_MAX + 8];
    FILE *file = server_file(server, "config");

    fprintf(file,
            "options => {\n  listen => \"127.0.0.1:%u\"\n  udp_threads => %u\n"
            "  tcp_threads => 1\n  udp_rcvbuf => 1048576\n  zones_rfc1035_threads => %ld\n"
            "  run_dir => \"%s/run\"\n  state_dir => \"%s/state\"\n}\n",
            server->port, server->workers, sysconf(_SC_NPROCESSORS_ONLN), server->directory,
            server->directory);
    close_file(file);
    snprintf(path, sizeof path, "%s/zones", server->directory);
    if (mkdir(path, 0755) == 0)
        link_zones(server);
    server_argument(server, "gdnsd");
    server_argument(server, "-c");
    server_argument(server, "%s", server->directory);
    server_argument(server, "start");
}

static const struct server_kind gdnsd_kind = {.name = "gdnsd",
                                              .is_installed = gdnsd_is_installed,
                                              .configure = configure_gdnsd,
                                              .no_dnssec = true};

/* --- NSD ---------------------------------------------------------------------------- */

static bool nsd_is_installed(void)
{
    return child_can_run("nsd");
}

static void write_nsd_zone(FILE *file, const char *origin, const char *path)
{
    fprintf(file, "zone:\n  name: \"%s\"\n  zonefile: \"%s\"\n", origin, path);
}

static void configure_nsd(struct server *server)
{
    const char *directory = server->directory;
    FILE *file = server_file(server, "nsd.conf");

    fprintf(file,
            "server:\n  ip-address: 127.0.0.1@%u\n  server-count: %u\n  reuseport: yes\n"
            "  username: \"\"\n  chroot: \"\"\n  database: \"\"\n  zonesdir: \"%s\"\n"
            "  pidfile: \"%s/pid\"\n  zonelistfile: \"%s/zone.list\"\n"
            "  xfrdfile: \"%s/xfrd.state\"\n  xfrdir: \"%s\"\n"
            "  minimal-responses: yes\n  rrl-ratelimit: 0\n"
            "remote-control:\n  control-enable: no\n",
            server->port, server->workers, directory, directory, directory, directory, directory);
    each_zone(server, file, write_nsd_zone);
    close_file(file);
    server_argument(server, "nsd");
    server_argument(server, "-d");
    server_argument(server, "-c");
    server_argument(server, "%s/nsd.conf", directory);
}

static const struct server_kind nsd_kind = {
    .name = "nsd", .is_installed = nsd_is_installed, .configure = configure_nsd};

/* --- Knot DNS ----------------------------------------------------------------------- */

static bool knotd_is_installed(void)
{
    return child_can_run("knotd");
}

static void write_knot_zone(FILE *file, const char *origin, const char *path)
{
    fprintf(file, "  - domain: \"%s\"\n    file: \"%s\"\n", origin, path);
}

static void configure_knotd(struct server *server)
{
    const char *directory = server->directory;
    FILE *file = server_file(server, "knot.conf");

    fprintf(file,
            "server:\n  rundir: \"%s\"\n  listen: 127.0.0.1@%u\n  udp-workers: %u\n"
            "  tcp-workers: 1\n"
            "log:\n  - target: stderr\n    any: warning\n"
            "database:\n  storage: \"%s\"\n"
            "template:\n  - id: default\n    storage: \"%s\"\n    semantic-checks: off\n"
            "    journal-content: none\n    zonefile-load: whole\n    zonefile-sync: -1\n"
            "zone:\n",
            directory, server->port, server->workers, directory, directory);
    each_zone(server, file, write_knot_zone);
    close_file(file);
    server_argument(server, "knotd");
    server_argument(server, "-c");
    server_argument(server, "%s/knot.conf", directory);
    server_argument(server, "-s");
    server_argument(server, "%s/knot.sock", directory);
}

static const struct server_kind knotd_kind = {
    .name = "knotd", .is_installed = knotd_is_installed, .configure = configure_knotd};

/* --- BIND --------------------------------------------------------------------------- */

static bool named_is_installed(void)
{
    return child_can_run("named");
}

static void write_named_zone(FILE *file, const char *origin, const char *path)
{
    fprintf(file, "zone \"%s\" { type primary; file \"%s\"; };\n", origin, path);
}

static void configure_named(struct server *server)
{
    FILE *file = server_file(server, "named.conf");

    fprintf(file,
            "options {\n  directory \"%s\";\n  listen-on port %u { 127.0.0.1; };\n"
            "  listen-on-v6 { none; };\n  pid-file none; session-keyfile none; lock-file none;\n"
            "  recursion no; dnssec-validation no; empty-zones-enable no;\n"
            "  allow-query { any; }; allow-transfer { none; }; notify no;\n"
            "  minimal-responses yes; answer-cookie no; zone-statistics none;\n"
            "  check-integrity no; check-names primary ignore;\n"
            "};\ncontrols { };\n",
            server->directory, server->port);
    each_zone(server, file, write_named_zone);
    close_file(file);
    server_argument(server, "named");
    server_argument(server, "-g");
    server_argument(server, "-n");
    server_argument(server, "%u", server->workers);
    server_argument(server, "-c");
    server_argument(server, "%s/named.conf", server->directory);
}

static const struct server_kind named_kind = {
    .name = "named", .is_installed = named_is_installed, .configure = configure_named};

const struct server_kind *const server_kinds[] = {
    &null_kind, &blocking_kind, &sorreld_kind, &gdnsd_kind,
    &nsd_kind,  &knotd_kind,    &named_kind,   NULL};
