#include "report.h"

#include "standing.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* --- the machine -------------------------------------------------------------- */

static void read_processor(char text[128])
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    snprintf(text, 128, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "model name : %127[^\n]", text) == 1)
            break;
    if (file != NULL)
        fclose(file);
}

static json_t *describe_machine(void)
{
    struct utsname system;
    char processor[128];

    uname(&system);
    read_processor(processor);
    return json_pack("{s:s, s:s, s:i, s:I}", "kernel", system.release, "processor", processor,
                     "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "memory_kib",
                     (json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 1024);
}

void report_open(struct report *report, FILE *text, const struct measure_settings *settings,
                 unsigned workers)
{
    json_t *machine = describe_machine();

    report->text = text;
    fprintf(text, "%s, %d CPUs, Linux %s; server on CPU %d, client on CPU %d\n",
            json_string_value(json_object_get(machine, "processor")),
            (int)json_integer_value(json_object_get(machine, "cpus")),
            json_string_value(json_object_get(machine, "kernel")), settings->server_cpu,
            settings->client_cpu);
    fprintf(text, "%u rounds of %.2f s, %u worker%s, %u flows, %u queries under way\n",
            settings->rounds, settings->seconds, workers, workers == 1 ? "" : "s", settings->flows,
            settings->window);
    report->document = json_pack("{s:I, s:o, s:{s:i, s:f, s:i, s:i, s:i}, s:[], s:[], s:[]}",
                                 "time", (json_int_t)time(NULL), "machine", machine, "settings",
                                 "rounds", (int)settings->rounds, "seconds", settings->seconds,
                                 "workers", (int)workers, "flows", (int)settings->flows, "window",
                                 (int)settings->window, "sets", "workloads", "notes");
    if (report->document == NULL)
        abort();
}

void report_note(struct report *report, const char *format, ...)
{
    va_list values;
    char text[640];

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    json_array_append_new(json_object_get(report->document, "notes"), json_string(text));
}

json_t *report_figures(const struct figures *figures)
{
    json_t *array = json_array();

    for (size_t i = 0; i < figures->count; i++)
        json_array_append_new(array, json_real(figures->value[i]));
    return array;
}

/* --- sets: memory and start ------------------------------------------------------ */

static void set_to_json(struct report *report, const struct zoneset *set,
                        const struct report_start *starts, size_t count)
{
    json_t *servers = json_object();

    for (size_t i = 0; i < count; i++)
        if (starts[i].seconds.count > 0)
            json_object_set_new(servers, starts[i].server,
                                json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "start_seconds",
                                          report_figures(&starts[i].seconds), "peak_kib",
                                          (json_int_t)starts[i].peak_kib, "memory_kib",
                                          (json_int_t)starts[i].memory.total_kib, "anonymous_kib",
                                          (json_int_t)starts[i].memory.anonymous_kib, "shared_kib",
                                          (json_int_t)starts[i].memory.shared_kib, "file_kib",
                                          (json_int_t)starts[i].memory.file_kib));
    json_array_append_new(json_object_get(report->document, "sets"),
                          json_pack("{s:s, s:s, s:I, s:I, s:o}", "name", set->name, "title",
                                    set->title, "zones", (json_int_t)set->zones, "names",
                                    (json_int_t)set->names, "servers", servers));
}

static void print_megabytes(FILE *text, uint64_t kib)
{
    if (kib > 0)
        fprintf(text, " %10.1f", (double)kib / 1024);
    else
        fprintf(text, " %10s", "-");
}

void report_set(struct report *report, const struct zoneset *set, const struct report_start *starts,
                size_t count)
{
    fprintf(report->text, "\n%s: %s\n  %-16s %10s %10s %28s\n", set->name, set->title, "server",
            "memory MB", "peak MB", "start to first answer, s");
    for (size_t i = 0; i < count; i++) {
        const struct report_start *s = &starts[i];
        if (s->seconds.count == 0)
            continue;
        fprintf(report->text, "  %-16s", s->server);
        print_megabytes(report->text, s->memory.total_kib);
        print_megabytes(report->text, s->peak_kib);
        fprintf(report->text, " %9.3f (%.3f to %.3f)\n", figures_median(&s->seconds),
                figures_least(&s->seconds), figures_most(&s->seconds));
    }
    fflush(report->text);
    set_to_json(report, set, starts, count);
}

/* --- workloads -------------------------------------------------------------------- */

static json_t *outcome_to_json(const struct measure_outcome *o)
{
    return json_pack(
        "{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "rate",
        report_figures(&o->rate), "ratio", report_figures(&o->ratio), "cpu_ratio",
        report_figures(&o->cpu_ratio), "sampled", o->sampled, "user_ns",
        report_figures(&o->user_ns), "kernel_ns", report_figures(&o->kernel_ns), "busy",
        report_figures(&o->busy), "others", report_figures(&o->others), "paced_rate", o->paced_rate,
        "median_us", report_figures(&o->median_us), "p99_us", report_figures(&o->p99_us),
        "answered", (json_int_t)o->answered, "lost", (json_int_t)o->lost, "strange",
        (json_int_t)o->strange, "unexpected", (json_int_t)o->unexpected, "late",
        (json_int_t)o->late);
}

static void print_remarks(FILE *text, const struct measure_outcome *o)
{
    if (o->unexpected > 0)
        fprintf(text, "  %.1f %% WRONG", 100 * (double)o->unexpected / (double)o->answered);
    if (o->failed > 0)
        fprintf(text, "  %u rounds failed", o->failed);
    if (o->lost > 0)
        fprintf(text, "  %llu lost", (unsigned long long)o->lost);
    if (o->late > 0)
        fputs("  overloaded at that pace", text);
    if (figures_median(&o->busy) < 0.95)
        fprintf(text, "  had %.0f %% of its CPU", 100 * figures_median(&o->busy));
}

static void print_outcome(FILE *text, const char *server, const struct measure_outcome *o)
{
    fprintf(text,
            "  %-8s %9.0f %3.0f%%  %5.2f (%4.2f-%4.2f) %5.2f (%4.2f-%4.2f) %6.0f %3.0f%% %6.0f "
            "%8.1f %8.1f",
            server, figures_median(&o->rate), 100 * figures_spread(&o->rate),
            figures_median(&o->ratio), figures_least(&o->ratio), figures_most(&o->ratio),
            figures_median(&o->cpu_ratio), figures_least(&o->cpu_ratio),
            figures_most(&o->cpu_ratio), figures_median(&o->user_ns),
            100 * figures_spread(&o->user_ns), figures_median(&o->kernel_ns),
            figures_median(&o->median_us), figures_median(&o->p99_us));
    print_remarks(text, o);
    putc('\n', text);
}

void report_workload(struct report *report, const struct workload *workload,
                     const struct server_kind *const *kinds, const struct measure_outcome *outcomes,
                     size_t count)
{
    json_t *servers = json_object();

    fprintf(report->text, "\n%s: %s; latency at %.0f/s\n", workload->name, workload->title,
            outcomes[0].paced_rate);
    fprintf(report->text, "  %-8s %9s %4s  %-17s %-17s %6s %4s %6s %8s %8s\n", "server",
            "answers/s", "+-", "/ null", "/ null by CPU", "user", "+-", "kernel", "p50 us",
            "p99 us");
    for (size_t i = 0; i < count; i++) {
        if (!outcomes[i].measured)
            continue;
        print_outcome(report->text, kinds[i]->name, &outcomes[i]);
        json_object_set_new(servers, kinds[i]->name, outcome_to_json(&outcomes[i]));
    }
    fflush(report->text);
    json_array_append_new(json_object_get(report->document, "workloads"),
                          json_pack("{s:s, s:s, s:s, s:o}", "name", workload->name, "title",
                                    workload->title, "set", workload->zones, "servers", servers));
}

void report_add(struct report *report, const char *key, json_t *value)
{
    json_object_set_new(report->document, key, value);
}

bool report_close(struct report *report, const char *path)
{
    json_t *note;
    size_t i;
    bool written = true;

    standing_print(report->text, report->document);
    json_array_foreach(json_object_get(report->document, "notes"), i, note)
        fprintf(report->text, "%s%s\n", i == 0 ? "\nNotes\n  " : "  ", json_string_value(note));
    fflush(report->text);
    if (path != NULL)
        written =
            json_dump_file(report->document, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0;
    json_decref(report->document);
    return written;
}
