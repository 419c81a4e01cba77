/*
 * Reads a JSON document from standard input and prints what is at each PATH: members and indices
 * between slashes, a list's length as `#`. Exits with 1 if it is no JSON, or has nothing there.
 * Without PATH it only looks whether it is JSON.
 *
 * usage: json [PATH]...
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *step(const json_t *at, const char *name)
{
    if (json_is_object(at))
        return json_object_get(at, name);
    return json_array_get(at, strtoul(name, NULL, 10));
}

static int print(const json_t *at)
{
    if (at == NULL)
        return EXIT_FAILURE;
    if (json_is_string(at))
        puts(json_string_value(at));
    else if (json_dumpf(at, stdout, JSON_ENCODE_ANY | JSON_COMPACT) == 0)
        putchar('\n');
    return EXIT_SUCCESS;
}

static int print_at(const json_t *document, char *path)
{
    const json_t *at = document;

    for (char *name = strtok(path, "/"); name != NULL; name = strtok(NULL, "/")) {
        if (strcmp(name, "#") == 0)
            return printf("%zu\n", json_array_size(at)) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        at = step(at, name);
    }
    return print(at);
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *document = json_loadf(stdin, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    int status = EXIT_SUCCESS;

    if (document == NULL) {
        fprintf(stderr, "json: line %d: %s\n", error.line, error.text);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++)
        status |= print_at(document, argv[i]);
    json_decref(document);
    return status;
}
