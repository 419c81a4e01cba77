/*
 * A daemon's replies, for people. What a reply does not have is left out, so that the next
 * version's can be read as well.
 */
#ifndef SORREL_TOOLS_RENDER_H
#define SORREL_TOOLS_RENDER_H

#include <jansson.h>
#include <stdio.h>

typedef void render_function(const json_t *reply, FILE *out);

/* Zones that render_status() shows, lest the rest of the status scroll away: as many are to be
 * asked for. */
#define RENDER_STATUS_ZONES "10"

render_function render_status;
render_function render_zones;
render_function render_stats;
render_function render_explanation; /* of explain.h */
render_function render_reload;
render_function render_workers;
render_function render_steering;
render_function render_takeover;
render_function render_stop;

/* Of what tally_change() gives: rates over `seconds`. */
void render_rates(const json_t *change, double seconds, FILE *out);

#endif
