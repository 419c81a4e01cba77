#include "zone/lexer.h"

#include "zone/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum octet_kind { ORDINARY, BLANK, NEWLINE, COMMENT, OPEN, CLOSE, QUOTE, ESCAPE };

static const uint8_t kinds[256] = {
    ['\t'] = BLANK, [' '] = BLANK, ['\r'] = BLANK, ['\n'] = NEWLINE, [';'] = COMMENT,
    ['('] = OPEN,   [')'] = CLOSE, ['"'] = QUOTE,  ['\\'] = ESCAPE,
};

static enum octet_kind kind_of(char octet)
{
    return (enum octet_kind)kinds[(uint8_t)octet];
}

void lexer_start(struct lexer *lexer, const char *text, size_t length)
{
    *lexer = (struct lexer){.at = text, .end = text + length, .line = 1};
}

static struct token *add_token(struct lexer *lexer, struct entry *entry, const char *text)
{
    memory_grow(&entry->tokens, entry->count, &entry->room, sizeof *entry->tokens);
    struct token *token = &entry->tokens[entry->count++];
    *token = (struct token){.text = text, .line = lexer->line};
    return token;
}

static const char *read_word(struct lexer *lexer, struct entry *entry)
{
    const char *start = lexer->at;
    const char *at = start;

    for (;;) {
        enum octet_kind kind = kind_of(*at);
        if (kind == ORDINARY) {
            at++;
        } else if (kind == ESCAPE) {
            if (kind_of(at[1]) == NEWLINE) {
                lexer->at = at + 1;
                return "a backslash ends the line";
            }
            at += 2;
        } else {
            break;
        }
    }
    struct token *token = add_token(lexer, entry, start);
    token->length = (unsigned)(at - start);
    lexer->at = at;
    return NULL;
}

static const char *read_quoted(struct lexer *lexer, struct entry *entry)
{
    const char *start = lexer->at + 1;
    const char *at = start;

    while (kind_of(*at) != QUOTE) {
        if (kind_of(*at) == ESCAPE && kind_of(at[1]) != NEWLINE)
            at++;
        if (kind_of(*at) == NEWLINE) {
            lexer->at = at;
            return "a quotation mark is missing at the end of the line";
        }
        at++;
    }
    struct token *token = add_token(lexer, entry, start);
    token->length = (unsigned)(at - start);
    token->quoted = true;
    lexer->at = at + 1;
    return NULL;
}

/* The newline is left for the caller. */
static void skip_line(struct lexer *lexer)
{
    lexer->at = memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at) + 1);
}

struct nesting {
    unsigned depth;
    unsigned line; /* of the outermost open parenthesis */
};

static const char *close_parenthesis(struct nesting *nesting)
{
    if (nesting->depth == 0)
        return "a closing parenthesis without an opening one";
    nesting->depth--;
    return NULL;
}

static void open_parenthesis(struct lexer *lexer, struct nesting *nesting)
{
    if (nesting->depth++ == 0)
        nesting->line = lexer->line;
}

/* Reads one entry, which may be empty, to the newline that ends it, and past that. */
static const char *read_entry(struct lexer *lexer, struct entry *entry)
{
    struct nesting nesting = {0, 0};
    const char *error = NULL;
    const char *token_end = NULL;

    entry->line = lexer->line;
    entry->count = 0;
    entry->owner_omitted = kind_of(*lexer->at) == BLANK;
    while (error == NULL) {
        size_t before = entry->count;
        const char *start = lexer->at;
        switch (kind_of(*start)) {
        case BLANK:
            lexer->at++;
            break;
        case COMMENT:
            skip_line(lexer);
            break;
        case NEWLINE:
            if (nesting.depth > 0 && start == lexer->end) {
                entry->line = nesting.line;
                return "a parenthesis is opened here and never closed";
            }
            lexer->at++;
            lexer->line++;
            if (nesting.depth == 0)
                return NULL;
            break;
        case OPEN:
            open_parenthesis(lexer, &nesting);
            lexer->at++;
            break;
        case CLOSE:
            error = close_parenthesis(&nesting);
            lexer->at++;
            break;
        case QUOTE:
            error = read_quoted(lexer, entry);
            break;
        default:
            error = read_word(lexer, entry);
        }
        if (error == NULL && entry->count > before) {
            entry->tokens[before].adjacent = start == token_end;
            token_end = lexer->at;
        }
    }
    entry->line = lexer->line;
    skip_line(lexer);
    return error;
}

enum lexer_result lexer_next(struct lexer *lexer, struct entry *entry, const char **error)
{
    while (lexer->at < lexer->end) {
        *error = read_entry(lexer, entry);
        if (*error != NULL)
            return LEXER_ERROR;
        if (entry->count > 0)
            return LEXER_ENTRY;
    }
    return LEXER_END;
}

void lexer_free_entry(struct entry *entry)
{
    free(entry->tokens);
    *entry = (struct entry){0};
}
