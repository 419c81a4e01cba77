#include "server/configuration/config_text.h"

#include "server/host/account.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SENTENCE_MAX = 512, DEPTH_MAX = 4 };

struct teller {
    config_text_sink *sink;
    void *closure;
};

__attribute__((format(printf, 3, 4))) static bool tell(const struct teller *teller, unsigned line,
                                                       const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    teller->sink(teller->closure, line, sentence);
    return false;
}

/* --- the file -------------------------------------------------------------------- */

static bool read_whole(struct config_text *text, int fd, size_t size)
{
    text->octets = malloc(size + 1);
    if (text->octets == NULL)
        return false;
    while (text->length < size) {
        ssize_t got = read(fd, text->octets + text->length, size - text->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        text->length += (size_t)got;
    }
    text->octets[text->length] = '\0';
    return true;
}

static bool read_file(struct config_text *text, int fd, const struct teller *teller)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return tell(teller, 0, "cannot be read: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return tell(teller, 0, "is a directory: name a configuration file");
    if (!S_ISREG(status.st_mode))
        return tell(teller, 0, "is no regular file: name a configuration file");
    if (status.st_size > CONFIG_TEXT_MAX)
        return tell(teller, 0, "has more than %d MiB: that is no configuration file",
                    CONFIG_TEXT_MAX >> 20);
    if (!read_whole(text, fd, (size_t)status.st_size))
        return tell(teller, 0, "cannot be read: %s", strerror(errno));
    return true;
}

/* Looks at what no place in a text file may have. */
static bool check_octets(const struct config_text *text, const struct teller *teller)
{
    unsigned line = 1;
    size_t begin = 0;

    for (size_t i = 0; i < text->length; i++) {
        unsigned char octet = (unsigned char)text->octets[i];
        if (octet == '\n') {
            line++;
            begin = i + 1;
        } else if ((octet < ' ' && octet != '\t' && octet != '\r') || octet == 0x7f) {
            return tell(teller, line,
                        "has an octet 0x%02x, which no text has: is this a "
                        "configuration file?",
                        octet);
        } else if (i - begin >= CONFIG_LINE_MAX) {
            return tell(teller, line, "has more than %d characters: break the line",
                        CONFIG_LINE_MAX);
        }
    }
    return true;
}

bool config_text_read(struct config_text *text, const char *path, config_text_sink *sink,
                      void *closure)
{
    const struct teller teller = {sink, closure};
    char user[ACCOUNT_NAME_MAX];

    *text = (struct config_text){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == EACCES)
        return tell(&teller, 0, "cannot be read: %s, as user %s", strerror(EACCES),
                    account_name(geteuid(), user));
    if (fd < 0)
        return tell(&teller, 0, "cannot be read: %s", strerror(errno));
    bool is_read = read_file(text, fd, &teller) && check_octets(text, &teller);
    close(fd);
    if (!is_read)
        config_text_free(text);
    return is_read;
}

void config_text_free(struct config_text *text)
{
    if (text->octets != NULL)
        sodium_memzero(text->octets, text->length); /* there may be secrets of keys in it */
    free(text->octets);
    *text = (struct config_text){0};
}

/* --- words and signs ---------------------------------------------------------------- */

enum token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_EQUALS, /* = or += */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_WRONG, /* has been told */
};

struct scan {
    char *at; /* behind the token */
    unsigned line;
    struct teller teller;
    config_text_check *check;
    config_text_judge *judge;
    enum config_text_words words; /* as judged of the last statement */
    enum token token;
    char *begin;  /* of the token */
    bool adjoins; /* there is nothing between it and the one before */
    unsigned token_line;
    char word[CONFIG_WORD_MAX]; /* without quotes; cut off if it is longer */
};

static void blank(char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != '\n')
            *from = ' ';
}

/* Blanks the comment that begins here, if one does. False if it has no end. */
static bool skip_comment(struct scan *scan, bool *skipped)
{
    char *at = scan->at;

    *skipped = *at == '#' || (at[0] == '/' && (at[1] == '/' || at[1] == '*'));
    if (!*skipped)
        return true;
    if (at[0] != '/' || at[1] != '*') {
        scan->at += strcspn(at, "\n");
        blank(at, scan->at);
        return true;
    }
    const char *end = strstr(at + 2, "*/");
    if (end == NULL)
        return tell(&scan->teller, scan->line, "the comment that begins here with /* has no */");
    for (; scan->at < end + 2; scan->at++)
        scan->line += *scan->at == '\n';
    blank(at, scan->at);
    return true;
}

static bool skip_blanks(struct scan *scan)
{
    bool skipped = true;

    while (skipped) {
        for (; *scan->at != '\0' && strchr(" \t\r\n", *scan->at) != NULL; scan->at++)
            scan->line += *scan->at == '\n';
        if (!skip_comment(scan, &skipped))
            return false;
    }
    return true;
}

static enum token wrong(struct scan *scan, const char *sentence)
{
    tell(&scan->teller, scan->line, "%s", sentence);
    return TOKEN_WRONG;
}

static enum token scan_quoted(struct scan *scan)
{
    char quote = *scan->at++;
    size_t length = 0;

    for (; *scan->at != quote; scan->at++) {
        if (*scan->at == '\0' || *scan->at == '\n')
            return wrong(scan, "the quotation mark that opens in this line does not close in it");
        if (quote == '"' && scan->at[0] == '$' && scan->at[1] == '{')
            return wrong(scan, "${...} is not replaced by anything: put it in single quotes if it "
                               "is meant as it stands");
        if (*scan->at == '\\' && scan->at[1] != '\0' && scan->at[1] != '\n')
            scan->at++;
        if (length < CONFIG_WORD_MAX - 1)
            scan->word[length++] = *scan->at;
    }
    scan->at++;
    scan->word[length] = '\0';
    return TOKEN_WORD;
}

static enum token scan_word(struct scan *scan)
{
    static const char ends[] = " \t\r\n#\"'{}=,+*();$";
    size_t length = strcspn(scan->at, ends);

    if (length == 0 && *scan->at == ';')
        return wrong(scan, "there are no semicolons here: a line's end is enough");
    if (length == 0) {
        tell(&scan->teller, scan->line, "unexpected %c: a word with it belongs in quotation marks",
             *scan->at);
        return TOKEN_WRONG;
    }
    snprintf(scan->word, sizeof scan->word, "%.*s", (int)length, scan->at);
    scan->at += length;
    return TOKEN_WORD;
}

static enum token scan_token(struct scan *scan)
{
    static const char signs[] = "={},";
    static const enum token tokens[] = {TOKEN_EQUALS, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA};
    const bool is_first = scan->begin == NULL;
    const char *behind = scan->at;

    if (!skip_blanks(scan))
        return TOKEN_WRONG;
    scan->adjoins = !is_first && scan->at == behind;
    scan->begin = scan->at;
    scan->token_line = scan->line;
    if (*scan->at == '\0')
        return TOKEN_END;
    if (*scan->at == '"' || *scan->at == '\'')
        return scan_quoted(scan);
    scan->at += scan->at[0] == '+' && scan->at[1] == '=';
    const char *sign = strchr(signs, *scan->at);
    if (sign == NULL)
        return scan_word(scan);
    scan->at++;
    return tokens[sign - signs];
}

static enum token next(struct scan *scan)
{
    return scan->token = scan_token(scan);
}

/* --- options and sections ----------------------------------------------------------- */

static bool scan_options(struct scan *scan, const char *section, unsigned depth);

static bool is_unclosed(const struct scan *scan, unsigned line)
{
    if (scan->token == TOKEN_END)
        tell(&scan->teller, line, "the brace that opens in this line is never closed");
    return scan->token == TOKEN_END;
}

/* A list up to the brace that closes it; the one that opens it is the token. */
static bool scan_list(struct scan *scan)
{
    unsigned line = scan->token_line;

    next(scan);
    while (scan->token == TOKEN_WORD) {
        if (next(scan) == TOKEN_COMMA)
            next(scan);
        else if (scan->token == TOKEN_WORD)
            return tell(&scan->teller, scan->token_line,
                        "a comma belongs before %s: a list is { VALUE, VALUE }",
                        scan->words == CONFIG_TEXT_SHOWN ? scan->word : "the second value");
    }
    if (is_unclosed(scan, line) || scan->token == TOKEN_WRONG)
        return false;
    if (scan->token != TOKEN_CLOSE)
        return tell(&scan->teller, scan->token_line,
                    "unexpected %c in the list that begins in line %u: a list is { VALUE, VALUE }",
                    *scan->begin, line);
    return true;
}

/* NAME { ... } or NAME TITLE { ... }; the brace is the token. */
static bool scan_section(struct scan *scan, const char *section, unsigned depth)
{
    unsigned line = scan->token_line;

    if (depth == DEPTH_MAX)
        return tell(&scan->teller, line, "there are no sections within sections within sections");
    if (!scan_options(scan, section, depth + 1) || is_unclosed(scan, line))
        return false;
    next(scan);
    return true;
}

/* The statement from `begin` on is no option: goes on behind its line, or what opens in that. False
 * if there is nothing to go on with. */
static bool skip_statement(struct scan *scan, char *begin, unsigned line)
{
    unsigned depth = 0;

    while (scan->token != TOKEN_END && scan->token != TOKEN_WRONG &&
           (depth > 0 || (scan->token_line == line && scan->token != TOKEN_CLOSE))) {
        depth += scan->token == TOKEN_OPEN;
        depth -= scan->token == TOKEN_CLOSE;
        next(scan);
    }
    blank(begin, scan->begin);
    return scan->token != TOKEN_WRONG;
}

static bool has_no_value(struct scan *scan, char *begin, unsigned line, const char *name)
{
    tell(&scan->teller, line, "%s has no value: write %s = VALUE", name, name);
    return skip_statement(scan, begin, line);
}

static bool is_hidden(struct scan *scan, char *begin, unsigned line)
{
    tell(&scan->teller, line,
         "what is behind the secret is no option, and not shown here: a value with blanks, = or + "
         "belongs in quotation marks, on one line");
    return skip_statement(scan, begin, line);
}

/* VALUE or a list; the token is the equals sign before it. */
static bool scan_value(struct scan *scan, char *begin, const char *name)
{
    unsigned line = scan->token_line;

    next(scan);
    if (scan->token == TOKEN_WRONG)
        return false;
    if (scan->token == TOKEN_OPEN) {
        if (!scan_list(scan))
            return false;
    } else if (scan->token != TOKEN_WORD || scan->token_line != line) {
        return has_no_value(scan, begin, line, name);
    }
    next(scan);
    return true;
}

/* The option or section whose NAME is the token; then the token is the one behind it. */
static bool scan_statement(struct scan *scan, const char *section, unsigned depth)
{
    char name[CONFIG_WORD_MAX];
    char *begin = scan->begin;
    unsigned line = scan->token_line;

    memcpy(name, scan->word, sizeof name);
    scan->words = scan->judge(section, name, scan->words != CONFIG_TEXT_SHOWN);
    next(scan);
    const struct scan behind_name = *scan;
    bool has_title = scan->token == TOKEN_WORD;
    if (has_title)
        next(scan);
    if (scan->token == TOKEN_WRONG)
        return false;
    bool is_section = scan->token == TOKEN_OPEN;
    bool is_whole = is_section || (!has_title && scan->token == TOKEN_EQUALS);
    if (!is_whole)
        *scan = behind_name; /* what seems to be a title may begin the next statement */
    if (scan->words == CONFIG_TEXT_HIDDEN)
        return is_hidden(scan, begin, line);
    if (!is_whole)
        return has_no_value(scan, begin, line, name);
    bool is_known = scan->check(scan->teller.closure, line, section, name, is_section);
    if (is_section ? !scan_section(scan, is_known ? name : "", depth)
                   : !scan_value(scan, begin, name))
        return false;
    if (!is_known)
        blank(begin, scan->begin);
    return scan->token != TOKEN_WRONG;
}

static bool scan_options(struct scan *scan, const char *section, unsigned depth)
{
    next(scan);
    while (scan->token == TOKEN_WORD)
        if (!scan_statement(scan, section, depth))
            return false;
    if (scan->token == TOKEN_WRONG || scan->token == TOKEN_END)
        return scan->token == TOKEN_END;
    if (scan->token == TOKEN_CLOSE)
        return depth > 0 ||
               tell(&scan->teller, scan->token_line, "this closing brace closes nothing");
    /* Secrets in base64 often end so. */
    if (scan->token == TOKEN_EQUALS && scan->adjoins)
        return tell(&scan->teller, scan->token_line,
                    "unexpected =: a value with it belongs in quotation marks");
    return tell(&scan->teller, scan->token_line,
                "unexpected %c: an option is NAME = VALUE, a section NAME { ... }", *scan->begin);
}

bool config_text_prepare(struct config_text *text, config_text_check *check,
                         config_text_judge *judge, config_text_sink *sink, void *closure)
{
    struct scan scan = {
        .at = text->octets, .line = 1, .teller = {sink, closure}, .check = check, .judge = judge};

    return scan_options(&scan, NULL, 0);
}
