#include "zone/findings.h"

#include "zone/memory.h"

#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_get(size), text, size);
}

void findings_add(void *closure, const struct diagnostic *diagnostic)
{
    struct findings *findings = closure;

    memory_grow(&findings->items, findings->count, &findings->room, sizeof *findings->items);
    struct diagnostic *added = &findings->items[findings->count++];
    *added = *diagnostic;
    added->file = copy_text(diagnostic->file);
    added->text = copy_text(diagnostic->text);
}

void findings_tell(const struct findings *findings, diagnostic_sink *sink, void *closure)
{
    for (size_t i = 0; i < findings->count; i++)
        sink(closure, &findings->items[i]);
}

void findings_report(const struct findings *findings, const struct report *told,
                     struct report *report, unsigned line)
{
    unsigned errors = told->errors, warnings = told->warnings;

    for (size_t i = 0; i < findings->count; i++) {
        struct diagnostic moved = findings->items[i];
        moved.line += line;
        if (moved.severity == SEVERITY_ERROR) {
            report_error(report, moved.file, moved.line, "%s", moved.text);
            errors--;
        } else {
            report_warning(report, moved.file, moved.line, "%s", moved.text);
            warnings--;
        }
    }
    /* Those beyond the limit. */
    report->errors += errors;
    report->warnings += warnings;
}

void findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free((char *)(uintptr_t)findings->items[i].file);
        free((char *)(uintptr_t)findings->items[i].text);
    }
    free(findings->items);
    *findings = (struct findings){0};
}
