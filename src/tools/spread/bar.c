#include "tools/spread/bar.h"

#include <assert.h>
#include <langinfo.h>
#include <math.h>
#include <string.h>

/* From nothing to a full character. */
static const char *const blocks_steps[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const plain_steps[] = {" ", "-", "#"};

bool bar_has_blocks(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *bar_draw(double part, unsigned width, bool blocks, char text[BAR_TEXT_MAX])
{
    const char *const *steps = blocks ? blocks_steps : plain_steps;
    unsigned full = blocks ? 8 : 2;
    char *end = text;

    assert(width <= BAR_WIDTH_MAX);
    part = fmin(fmax(part, 0), 1);
    unsigned filled = (unsigned)lround(part * width * full);
    if (part > 0 && filled == 0)
        filled = 1;
    for (unsigned i = 0; i < width; i++) {
        unsigned step = filled > full ? full : filled;
        end = stpcpy(end, steps[step]);
        filled -= step;
    }
    return text;
}
