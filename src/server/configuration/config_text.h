/*
 * The text of a configuration file, before its options are looked at: that it is text, that quotes
 * and braces end, and that the options it names exist. What is wrong here is told with the line
 * where it begins; the parser behind would tell where it gave up.
 *
 *   NAME = VALUE     NAME = { VALUE, VALUE }     NAME { ... }     NAME TITLE { ... }
 *
 * A word is in double or single quotes, or has none of  { } = , + * ( ) ; $ and white space. `#`
 * and `//` begin a comment to the line's end, and slash and star one to star and slash.
 */
#ifndef SORREL_SERVER_CONFIG_TEXT_H
#define SORREL_SERVER_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* More than any file that people write, and so little that a mistaken path does no harm. */
enum { CONFIG_TEXT_MAX = 64 << 20, CONFIG_LINE_MAX = 4096, CONFIG_WORD_MAX = 256 };

/* One thing that is wrong, in `line` or, if that is 0, with the file. */
typedef void config_text_sink(void *closure, unsigned line, const char *sentence);

/* Is there an option `name` in `section` (NULL: outside all)? With `is_section`: a section that may
 * be there. If not, the sink has been told. */
typedef bool config_text_check(void *closure, unsigned line, const char *section, const char *name,
                               bool is_section);

/* Which words sentences may show: a secret without the quotation marks that it wants may be taken
 * for several words, and for names of options. */
enum config_text_words {
    CONFIG_TEXT_SHOWN,
    CONFIG_TEXT_SECRET, /* not what is behind the name */
    CONFIG_TEXT_HIDDEN, /* nor the name */
};

/* Of the option or section `name` in `section`. `is_behind_secret`: what is before it is not
 * shown. */
typedef enum config_text_words config_text_judge(const char *section, const char *name,
                                                 bool is_behind_secret);

struct config_text {
    char *octets; /* `length` of them, and a NUL behind */
    size_t length;
};

/* Reads the file at `path`. False with what is wrong with it told to the sink. */
bool config_text_read(struct config_text *text, const char *path, config_text_sink *sink,
                      void *closure);

void config_text_free(struct config_text *text);

/*
 * Puts blanks in the place of comments, of options and sections that the check turns down, and of
 * options without a value. Lines keep their numbers. False if quotes, braces or characters leave
 * nothing to go on with, which the sink has been told.
 */
bool config_text_prepare(struct config_text *text, config_text_check *check,
                         config_text_judge *judge, config_text_sink *sink, void *closure);

#endif
