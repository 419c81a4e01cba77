/*
 * Master file text -> entries (RFC 1035 §5.1): comments gone, parentheses and quotes resolved, the
 * rest cut into tokens. Tokens point into the text; escapes are left as they are.
 */
#ifndef SORREL_ZONE_LEXER_H
#define SORREL_ZONE_LEXER_H

#include <stdbool.h>
#include <stddef.h>

struct token {
    const char *text; /* without the quotes */
    unsigned length;
    unsigned line;
    bool quoted;
    bool adjacent; /* follows the token before it without a blank: key="value" is two tokens */
};

struct entry {
    struct token *tokens;
    size_t count;
    size_t room;
    unsigned line;      /* where it begins */
    bool owner_omitted; /* begins with a blank: same owner as the entry before */
};

struct lexer {
    const char *at;
    const char *end; /* a newline stands there, beyond the text */
    unsigned line;
};

enum lexer_result { LEXER_ENTRY, LEXER_END, LEXER_ERROR };

void lexer_start(struct lexer *lexer, const char *text, size_t length);

/* Reads the next entry that has tokens. After LEXER_ERROR `*error` is a sentence, `entry->line` the
 * place, and reading can go on behind it. */
enum lexer_result lexer_next(struct lexer *lexer, struct entry *entry, const char **error);

void lexer_free_entry(struct entry *entry);

#endif
