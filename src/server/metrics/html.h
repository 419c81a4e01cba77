/*
 * Text in HTML.
 */
#ifndef SORREL_SERVER_HTML_H
#define SORREL_SERVER_HTML_H

#include <stdio.h>

/* Writes `text`, for an element or for an attribute in double quotes, so that nothing of it is
 * taken for markup. */
void html_text(const char *text, FILE *out);

#endif
