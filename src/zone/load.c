#include "zone/load.h"

#include "zone/classify.h"
#include "zone/compile.h"
#include "zone/nsec3_chain.h"
#include "zone/reader.h"
#include "zone/report.h"
#include "zone/rules.h"
#include "zone/signature.h"
#include "zone/zone.h"

#include <sys/stat.h>
#include <time.h>

static bool compile(struct zone *zone, struct image *image)
{
    struct nsec3_chain chain;

    zone_group(zone);
    classify_names(zone);
    rules_check(zone, zone->report->errors == 0);
    if (zone->report->errors > 0)
        return false;
    signature_check(zone, time(NULL));
    nsec3_chain_choose(zone, &chain);
    bool compiled = zone->report->errors == 0 && compile_zone(zone, &chain, image);
    nsec3_chain_free(&chain);
    return compiled;
}

bool load_zone(const struct source *source, uint64_t seed, bool alone, struct tally_share share,
               diagnostic_sink *sink, void *closure, struct image *image)
{
    struct report report = {.sink = sink, .closure = closure};
    size_t at = image->length;
    struct zone zone;

    zone_start(&zone, &source->origin, seed, &report);
    zone.share = share;
    zone.share.told = alone;
    reader_read(&zone, source->path, alone);
    bool compiled = zone.file_count > 0 && compile(&zone, image);
    report_close(&report, source->path);
    tally_end(&zone.share);
    zone_free(&zone);
    if (!compiled)
        image->length = at;
    return compiled;
}

uint64_t load_size(const struct source *source)
{
    struct stat status;

    return stat(source->path, &status) == 0 ? (uint64_t)status.st_size : 0;
}
