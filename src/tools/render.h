/*
 * A daemon's replies, for people. What a reply does not have is left out, so that the next
 * version's can be read as well.
 */
#ifndef SORREL_TOOLS_RENDER_H
#define SORREL_TOOLS_RENDER_H

#include <jansson.h>
#include <stdio.h>

typedef void render_function(const json_t *reply, FILE *out);

render_function render_status;
render_function render_zones;
render_function render_reload;
render_function render_workers;
render_function render_takeover;
render_function render_stop;

#endif
