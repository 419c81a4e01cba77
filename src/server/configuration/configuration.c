#include "server/configuration/configuration.h"

#include "server/configuration/config_text.h"

#include <assert.h>
#include <confuse.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SECTIONS_MAX = 8 };

static const char include[] = "include";

/* A file to read, and who asked for it. */
struct file {
    const char *path;
    size_t includer; /* the number of the file that names it */
    unsigned line;   /* where; 0: this is the first */
    dev_t device;
    ino_t inode;
    bool is_read;
};

struct fault {
    size_t file; /* its number */
    unsigned line;
    char sentence[CONFIGURATION_SENTENCE_MAX];
};

struct reading {
    struct options *options;
    struct fault faults[CONFIGURATION_FAULTS_MAX];
    unsigned fault_count; /* of which as many are kept as there is room for */
    struct file *files;   /* read one behind the other, as they are named */
    size_t file_count;
    size_t current;
    unsigned *section_lines; /* of the current file, in its order */
    size_t section_count;
    size_t next_section;
};

/* libconfuse's callbacks have nothing else to go by. */
static struct reading *reading;

/* --- faults --------------------------------------------------------------------------- */

static void tell(size_t file, unsigned line, const char *sentence)
{
    const char *path = reading->files[file].path;
    char text[CONFIGURATION_SENTENCE_MAX];

    if (reading->fault_count++ >= CONFIGURATION_FAULTS_MAX)
        return;
    struct fault *fault = &reading->faults[reading->fault_count - 1];
    fault->file = file;
    fault->line = line;
    if (line > 0)
        snprintf(text, sizeof text, "%s:%u: %s", path, line, sentence);
    else
        snprintf(text, sizeof text, "%s: %s", path, sentence);
    /* It goes to terminals as well. */
    log_escape(fault->sentence, sizeof fault->sentence, text);
}

__attribute__((format(printf, 2, 3))) static void fault(unsigned line, const char *format, ...)
{
    char sentence[CONFIGURATION_SENTENCE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    tell(reading->current, line, sentence);
}

/* What cannot be read at all is the trouble of the line that names it. */
static void text_fault(void *closure, unsigned line, const char *sentence)
{
    const struct file *file = closure;
    char text[CONFIGURATION_SENTENCE_MAX];

    if (line > 0 || file->line == 0) {
        tell(reading->current, line, sentence);
        return;
    }
    snprintf(text, sizeof text, "%s %s", file->path, sentence);
    tell(file->includer, file->line, text);
}

static int compare_faults(const void *a, const void *b)
{
    const struct fault *left = a, *right = b;

    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    return (left->line > right->line) - (left->line < right->line);
}

/* In the order of lines: names are looked at before values. */
static void pass_on_faults(struct reading *state, configuration_sink *sink, void *closure)
{
    unsigned kept = state->fault_count;
    char text[CONFIGURATION_SENTENCE_MAX];

    if (kept > CONFIGURATION_FAULTS_MAX)
        kept = CONFIGURATION_FAULTS_MAX;
    qsort(state->faults, kept, sizeof *state->faults, compare_faults);
    for (unsigned i = 0; i < kept; i++)
        sink(closure, state->faults[i].sentence);
    if (state->fault_count == kept)
        return;
    snprintf(text, sizeof text, "%s: and %u more faults", state->files[0].path,
             state->fault_count - kept);
    sink(closure, text);
}

/* --- names ------------------------------------------------------------------------------ */

/* The option of that name, in whatever section; NULL: there is none. */
static const struct option_row *find_anywhere(const char *name)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & OPTION_FILE) != 0 && strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* In which section, or outside all, is there an option of that name? NULL: nowhere. */
static const char *find_home(const char *name)
{
    const struct option_row *row = find_anywhere(name);

    if (row == NULL)
        return NULL;
    return row->section != NULL ? row->section : "";
}

static void tell_unknown(unsigned line, const char *section, const char *name, bool is_section)
{
    const char *what = is_section ? "section" : "option";
    const char *home = is_section ? NULL : find_home(name);
    const char *nearest =
        is_section ? options_nearest_section(name) : options_nearest(section, name, OPTION_FILE);

    if (home != NULL && *home != '\0')
        fault(line, "%s belongs in %s { }", name, home);
    else if (home != NULL)
        fault(line, "%s does not belong in %s { }: put it outside", name, section);
    else if (nearest != NULL)
        fault(line, "there is no %s %s%s%s%s: is %s meant?", what, name,
              section != NULL ? " in " : "", section != NULL ? section : "",
              section != NULL ? " { }" : "", nearest);
    else
        fault(line, "there is no %s %s%s%s%s: see sorrel.conf(5)", what, name,
              section != NULL ? " in " : "", section != NULL ? section : "",
              section != NULL ? " { }" : "");
}

static bool note_section(unsigned line)
{
    unsigned *grown = reallocarray(reading->section_lines, reading->section_count + 1,
                                   sizeof *reading->section_lines);

    if (grown == NULL)
        return false;
    reading->section_lines = grown;
    reading->section_lines[reading->section_count++] = line;
    return true;
}

static bool check_section(unsigned line, const char *section, const char *name)
{
    if (section != NULL)
        fault(line, "a section cannot be in another: close %s { first", section);
    else if (options_find_section(name) != NULL)
        return note_section(line);
    else if (options_find(NULL, name, OPTION_FILE) != NULL || strcmp(name, include) == 0)
        fault(line, "%s is no section: write %s = VALUE", name, name);
    else
        tell_unknown(line, NULL, name, true);
    return false;
}

static bool check_name(void *closure, unsigned line, const char *section, const char *name,
                       bool is_section)
{
    (void)closure;
    if (section != NULL && *section == '\0') /* it has been told that there is no such section */
        return true;
    if (is_section)
        return check_section(line, section, name);
    if (options_find(section, name, OPTION_FILE) != NULL ||
        (section == NULL && strcmp(name, include) == 0))
        return true;
    if (section == NULL && options_find_section(name) != NULL)
        fault(line, "%s is a section: write %s %s{ ... }", name, name,
              options_find_section(name)->title != NULL ? "NAME " : "");
    else
        tell_unknown(line, section, name, false);
    return false;
}

static bool has_secrets(const char *section)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if (row->secret && section != NULL && strcmp(row->section, section) == 0)
            return true;
    return false;
}

/* Is a secret what `name` was meant for? */
static bool is_nearly_secret(const char *name)
{
    for (const struct option_row *row = options_table; row->name != NULL; row++) {
        const char *nearest = row->secret ? options_nearest(row->section, name, OPTION_FILE) : NULL;
        if (nearest != NULL && strcmp(nearest, row->name) == 0)
            return true;
    }
    return false;
}

static enum config_text_words judge(const char *section, const char *name, bool is_behind_secret)
{
    enum { LEAST = 4 }; /* fewer letters are near to some name by chance */
    const struct option_row *row = find_anywhere(name);

    if (row != NULL)
        return row->secret ? CONFIG_TEXT_SECRET : CONFIG_TEXT_SHOWN;
    if (options_find_section(name) != NULL || strcmp(name, include) == 0)
        return CONFIG_TEXT_SHOWN;
    if (is_behind_secret &&
        (strlen(name) < LEAST || options_nearest(section, name, OPTION_FILE) == NULL))
        return CONFIG_TEXT_HIDDEN;
    return is_behind_secret || has_secrets(section) || is_nearly_secret(name) ? CONFIG_TEXT_SECRET
                                                                              : CONFIG_TEXT_SHOWN;
}

/* --- files ------------------------------------------------------------------------------- */

static bool add_file(const char *path)
{
    struct options *options = reading->options;
    struct file *grown =
        reallocarray(reading->files, reading->file_count + 1, sizeof *reading->files);

    if (grown == NULL)
        return false;
    reading->files = grown;
    const char **paths =
        reallocarray(options->files, reading->file_count + 1, sizeof *options->files);
    if (paths == NULL)
        return false;
    options->files = paths;
    const char *kept = options_keep(options, path);
    if (kept == NULL)
        return false;
    paths[reading->file_count] = kept;
    grown[reading->file_count++] =
        (struct file){.path = kept, .includer = reading->current, .line = options->origin.line};
    options->file_count = reading->file_count;
    return true;
}

/* `include`: a path, or a pattern as of glob(7). */
static void take_include(unsigned line, const char *value)
{
    const char *path = options_resolve(reading->options, value);
    glob_t found;

    if (path == NULL || *value == '\0') {
        fault(line, "include = \"\": give FILE");
        return;
    }
    int outcome = glob(path, GLOB_NOCHECK, NULL, &found);
    if (outcome != 0) {
        fault(line, "include = %s: %s", value,
              outcome == GLOB_NOSPACE ? "out of memory" : "the directory cannot be read");
        return;
    }
    /* A pattern may find nothing; a file that is named has to be there. */
    bool is_empty =
        found.gl_pathc == 1 && strpbrk(path, "*?[") != NULL && strcmp(found.gl_pathv[0], path) == 0;
    for (size_t i = 0; i < found.gl_pathc && !is_empty; i++)
        if (!add_file(found.gl_pathv[i]))
            fault(line, "out of memory");
    globfree(&found);
}

/* True if another of the files is the same. */
static bool has_been_read(struct file *file)
{
    struct stat status;

    if (stat(file->path, &status) != 0)
        return false;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->is_read = true;
    for (const struct file *i = reading->files; i < file; i++)
        if (i->is_read && i->device == file->device && i->inode == file->inode)
            return true;
    return false;
}

/* --- libconfuse's callbacks ---------------------------------------------------------------- */

static bool is_root(const cfg_t *cfg)
{
    return strcmp(cfg->name, "root") == 0;
}

/* libconfuse keeps what is put into `result`; nobody asks it for that. */
static int take_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
    const struct option_row *row =
        options_find(is_root(cfg) ? NULL : cfg->name, option->name, OPTION_FILE);
    unsigned line = (unsigned)cfg->line;
    char error[OPTION_ERROR_MAX];

    *(const char **)result = "";
    reading->options->origin.line = line;
    if (row == NULL) {
        take_include(line, value);
        return 0;
    }
    if (options_take(reading->options, row, value, error))
        return 0;
    if (row->secret)
        fault(line, "%s: %s", row->name, error);
    else
        fault(line, "%s = %.200s: %s", row->name, *value != '\0' ? value : "\"\"", error);
    return 0;
}

/* A section has been read to its end. */
static int end_section(cfg_t *cfg, cfg_opt_t *option)
{
    const struct option_section *section = options_find_section(option->name);
    cfg_t *read = cfg_opt_getnsec(option, cfg_opt_size(option) - 1);
    char error[OPTION_ERROR_MAX];

    (void)cfg;
    if (section == NULL || reading->next_section >= reading->section_count)
        return 0;
    unsigned line = reading->section_lines[reading->next_section++];
    reading->options->origin.line = line;
    if (!options_end_section(reading->options, section, read->title, error))
        fault(line, "%s \"%.200s\": %s", section->name, read->title, error);
    /* Or libconfuse would compare each title with all before. */
    cfg_free_value(option);
    return 0;
}

/* The faults of grammar that config_text.h leaves. */
__attribute__((format(printf, 2, 0))) static void confuse_fault(cfg_t *cfg, const char *format,
                                                                va_list arguments)
{
    static const struct {
        const char *format, *before, *behind;
    } sentences[] = {
        /* For lists are whole by now: one where there can be none. */
        {"unexpected token '%s'", "unexpected ", ": this option has one value, not a list"},
        {"missing title for section '%s'", "", " wants a name in front of its brace"},
        {"missing opening brace for section '%s'", "", " has no name: put the brace behind it"},
        {"attempt to append to non-list option '%s'", "", " has one value: write = without +"},
    };
    char sentence[CONFIGURATION_SENTENCE_MAX];

    /* What it shows of a text in quotation marks may be a secret's. */
    if (has_secrets(cfg->name) &&
        (strstr(format, "escape") != NULL || strstr(format, "octal") != NULL)) {
        fault((unsigned)cfg->line, "a backslash is where none may be: base64 has none");
        return;
    }
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (strcmp(format, sentences[i].format) == 0) {
            fault((unsigned)cfg->line, "%s%s%s", sentences[i].before,
                  va_arg(arguments, const char *), sentences[i].behind);
            return;
        }
    vsnprintf(sentence, sizeof sentence, format, arguments);
    fault((unsigned)cfg->line, "%s", sentence);
}

/* --- libconfuse's tables ------------------------------------------------------------------- */

struct grammar {
    cfg_opt_t top[OPTIONS_MAX];
    cfg_opt_t sections[SECTIONS_MAX][OPTIONS_MAX];
};

/* Writes what may be in `section`, or outside all. Returns how many. */
static size_t write_options(cfg_opt_t *to, const char *section)
{
    size_t count = 0;

    for (const struct option_row *row = options_table; row->name != NULL; row++)
        if ((row->place & OPTION_FILE) != 0 && options_find(section, row->name, OPTION_FILE) == row)
            to[count++] =
                row->repeats
                    ? (cfg_opt_t)CFG_STR_LIST_CB(row->name, NULL, CFGF_NODEFAULT, take_value)
                    : (cfg_opt_t)CFG_STR_CB(row->name, NULL, CFGF_NODEFAULT, take_value);
    to[count] = (cfg_opt_t)CFG_END();
    return count;
}

static void write_grammar(struct grammar *grammar)
{
    size_t count = write_options(grammar->top, NULL), number = 0;

    grammar->top[count++] = (cfg_opt_t)CFG_STR_LIST_CB(include, NULL, CFGF_NODEFAULT, take_value);
    for (const struct option_section *i = options_sections; i->name != NULL; i++, number++) {
        cfg_flag_t flags = i->title != NULL ? CFGF_MULTI | CFGF_TITLE : CFGF_MULTI;
        assert(number < SECTIONS_MAX);
        write_options(grammar->sections[number], i->name);
        grammar->top[count++] = (cfg_opt_t)CFG_SEC(i->name, grammar->sections[number], flags);
    }
    grammar->top[count] = (cfg_opt_t)CFG_END();
}

static cfg_t *open_grammar(const char *path)
{
    static struct grammar grammar;

    write_grammar(&grammar);
    cfg_t *cfg = cfg_init(grammar.top, CFGF_NONE);
    if (cfg == NULL)
        return NULL;
    cfg_set_error_function(cfg, confuse_fault);
    for (const struct option_section *i = options_sections; i->name != NULL; i++)
        cfg_set_validate_func(cfg, i->name, end_section);
    cfg->filename = strdup(path);
    return cfg;
}

/* --- reading --------------------------------------------------------------------------------- */

static void parse(struct config_text *text, const char *path)
{
    cfg_t *cfg = open_grammar(path);
    FILE *stream = fmemopen(text->octets, text->length, "r");
    unsigned faults = reading->fault_count;

    /* A buffer would be left in the heap, with the secrets of keys in it. */
    if (stream != NULL)
        setvbuf(stream, NULL, _IONBF, 0);
    if (cfg == NULL || stream == NULL)
        fault(0, "out of memory");
    else if (cfg_parse_fp(cfg, stream) != CFG_SUCCESS && reading->fault_count == faults)
        fault((unsigned)cfg->line, "is not understood");
    if (stream != NULL)
        fclose(stream);
    if (cfg != NULL)
        cfg_free(cfg);
}

static void read_file(struct file *file)
{
    struct config_text text;

    if (has_been_read(file)) {
        tell(file->includer, file->line,
             "the file it includes is read already: it includes itself, or is named twice");
        return;
    }
    if (!config_text_read(&text, file->path, text_fault, file))
        return;
    reading->options->origin.file = file->path;
    reading->section_count = reading->next_section = 0;
    if (config_text_prepare(&text, check_name, judge, text_fault, file) && text.length > 0)
        parse(&text, file->path);
    config_text_free(&text);
}

/* `closure`: the option's name. */
static void tell_of_entry(void *closure, const struct acl_entry *entry, const char *sentence)
{
    char text[CONFIGURATION_SENTENCE_MAX];
    const char *name = closure;

    snprintf(text, sizeof text, "%s = %.200s: %s", name, entry->who, sentence);
    for (size_t i = 0; i < reading->file_count; i++)
        if (reading->files[i].path == entry->file)
            tell(i, entry->line, text);
}

static void resolve_acl(struct options *options)
{
    static char query[] = "allow-query", transfer[] = "allow-transfer";
    struct protection *protection = &options->settings.protection;
    const struct acl *acl = &options->acl;

    acl_resolve(&acl->queries, &acl->lists, &protection->access, tell_of_entry, query);
    acl_resolve(&acl->transfers, &acl->lists, &protection->transfers, tell_of_entry, transfer);
}

bool configuration_read(struct options *options, const char *path, configuration_sink *sink,
                        void *closure)
{
    static struct reading state; /* with room for the faults */

    state = (struct reading){.options = options};
    reading = &state;
    options->origin = (struct option_origin){0};
    if (!add_file(path)) {
        sink(closure, "out of memory");
        return false;
    }
    /* The list grows while it is read. */
    for (; state.current < state.file_count; state.current++)
        read_file(&state.files[state.current]);
    options->origin = (struct option_origin){0};
    resolve_acl(options);
    pass_on_faults(&state, sink, closure);
    free(state.files);
    free(state.section_lines);
    reading = NULL;
    return state.fault_count == 0;
}
