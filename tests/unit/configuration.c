#include "unit.h"

#include "server/configuration/config_text.h"
#include "server/configuration/configuration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 8192 };

static const char path[] = "sorrel.conf";

/* --- files in a directory of the test's own, which is the working directory ------------------- */

static char directory[] = "/tmp/sorrel-configuration-XXXXXX";

static int enter_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static int leave_directory(void **state)
{
    static const char *const files[] = {path, "other.conf", "d/one.conf", "d/two.conf"};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
    rmdir("d");
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static void write_octets(const char *file, const char *octets, size_t length)
{
    FILE *stream = fopen(file, "w");

    assert_non_null(stream);
    assert_int_equal(fwrite(octets, 1, length, stream), length);
    assert_int_equal(fclose(stream), 0);
}

static void write_text(const char *file, const char *text)
{
    write_octets(file, text, strlen(text));
}

static void append(void *closure, const char *sentence)
{
    char *faults = closure;
    size_t length = strlen(faults);

    snprintf(faults + length, TEXT_MAX - length, "%s\n", sentence);
}

static bool read_file(struct options *options, char faults[TEXT_MAX])
{
    *faults = '\0';
    options_init(options);
    return configuration_read(options, path, append, faults);
}

/* --- faults --------------------------------------------------------------------------------------
 */

static const struct {
    const char *text;
    const char *faults; /* each with a newline */
} cases[] = {
    /* names */
    {"lissen = ::1\n", "sorrel.conf:1: there is no option lissen: is listen meant?\n"},
    {"\n\nworker = 1\nstearing = hash\n",
     "sorrel.conf:3: there is no option worker: is workers meant?\n"
     "sorrel.conf:4: there is no option stearing: is steering meant?\n"},
    {"interface = ::1\n", "sorrel.conf:1: there is no option interface: see sorrel.conf(5)\n"},
    {"zne a { file = x }\n", "sorrel.conf:1: there is no section zne: is zone meant?\n"},
    {"server { workers = 1 }\n", "sorrel.conf:1: there is no section server: see sorrel.conf(5)\n"},
    {"log { levle = info }\n",
     "sorrel.conf:1: there is no option levle in log { }: is level meant?\n"},
    {"log { colour = red }\n",
     "sorrel.conf:1: there is no option colour in log { }: see sorrel.conf(5)\n"},
    {"level = info\n", "sorrel.conf:1: level belongs in log { }\n"},
    {"log { workers = 1 }\n",
     "sorrel.conf:1: workers does not belong in log { }: put it outside\n"},
    {"log = info\n", "sorrel.conf:1: log is a section: write log { ... }\n"},
    {"zone = x\n", "sorrel.conf:1: zone is a section: write zone NAME { ... }\n"},
    {"user { name = x }\n", "sorrel.conf:1: user is no section: write user = VALUE\n"},
    {"zone x { file = y log { level = info } }\n",
     "sorrel.conf:1: a section cannot be in another: close zone { first\n"},
    /* values */
    {"workers = 0\n",
     "sorrel.conf:1: workers = 0: give a number of workers from 1 to 512, or auto\n"},
    {"stall = 5s\n",
     "sorrel.conf:1: stall = 5s: give a number of seconds from 0.5 to 3600, or 0\n"},
    {"log { target = \"\" }\n", "sorrel.conf:1: target = \"\": give stderr or syslog\n"},
    {"user = ''\n", "sorrel.conf:1: user = \"\": give USER, or leave the option out\n"},
    {"log { target = \"\\e[31m\\nsyslog\" }\n",
     "sorrel.conf:1: target = \\x1b[31m\\x0asyslog: give stderr or syslog\n"},
    {"zones = ''\n", "sorrel.conf:1: zones = \"\": give a DIRECTORY\n"},
    {"listen = { ::1,\n  127.0.0.1@0 }\n",
     "sorrel.conf:2: listen = 127.0.0.1@0: 127.0.0.1@0: what follows @ is not a port, a number "
     "from 1 to 65535\n"},
    {"listen = ::1\nlisten = ::1@53\n",
     "sorrel.conf:2: listen = ::1@53: the address is given twice: once is enough\n"},
    {"log { level = notise\ntimestamps = maybe }\n",
     "sorrel.conf:1: level = notise: give error, warning, notice, info or debug\n"
     "sorrel.conf:2: timestamps = maybe: give yes or no\n"},
    {"workers = 1\n\nworkers = 2\n",
     "sorrel.conf:3: workers = 2: line 1 of sorrel.conf has it already\n"},
    {"workers = { 1, 2 }\n",
     "sorrel.conf:1: unexpected {: this option has one value, not a list\n"},
    {"workers += 1\n", "sorrel.conf:1: workers has one value: write = without +\n"},
    {"user = \"\\999\"\n", "sorrel.conf:1: bad escape sequence '\\999'\n"},
    /* sections with titles */
    {"zone a { }\n",
     "sorrel.conf:1: zone \"a\": names no file: write zone \"a\" { file = FILE }\n"},
    {"zone a {\n file = x\n file = y }\n",
     "sorrel.conf:3: file = y: line 2 of sorrel.conf has it already\n"},
    {"zone a { file = x }\nzone A. { file = y }\n",
     "sorrel.conf:2: zone \"A.\": zone a. is given twice: x and y\n"},
    {"zone a..b { file = x }\n",
     "sorrel.conf:1: zone \"a..b\": the origin a..b has an empty label\n"},
    {"zone { file = x }\n", "sorrel.conf:1: zone wants a name in front of its brace\n"},
    {"log x { }\n", "sorrel.conf:1: log has no name: put the brace behind it\n"},
    /* who may ask */
    {"acl a { }\n", "sorrel.conf:1: acl \"a\": has no addresses: write acl \"a\" { addresses = { "
                    "ADDR, ADDR/BITS } }\n"},
    {"acl a { addresses = ::1 }\nacl a { addresses = ::2 }\n",
     "sorrel.conf:2: acl \"a\": there is another of that name: put all in one\n"},
    {"acl a { addresses = 192.0.2.0/x }\n",
     "sorrel.conf:1: addresses = 192.0.2.0/x: give a number of bits from 0 to 32 behind the /\n"
     "sorrel.conf:1: acl \"a\": has no addresses: write acl \"a\" { addresses = { ADDR, ADDR/BITS "
     "} "
     "}\n"},
    {"zone a { file = x\n allow-query = internl }\nacl internal { addresses = ::1 }\n",
     "sorrel.conf:2: allow-query = internl: there is no acl of that name: is internal meant? Or "
     "give "
     "an IPv4 or IPv6 address, or ADDR/BITS\n"},
    {"allow-query = { ::1,\n outside }\n", "sorrel.conf:2: allow-query = outside: give an IPv4 or "
                                           "IPv6 address, or ADDR/BITS, or the name "
                                           "of an acl\n"},
    /* who may transfer, and keys */
    {"zone a { file = x\n allow-transfer = nobody }\n",
     "sorrel.conf:2: allow-transfer = nobody: give an IPv4 or IPv6 address, or ADDR/BITS, or the "
     "name of an acl\n"},
    {"allow-query = \"key:k\"\n", "sorrel.conf:1: allow-query = key:k: give an IPv4 or IPv6 "
                                  "address, or ADDR/BITS, or the name of an acl\n"},
    {"key k { }\n", "sorrel.conf:1: key \"k\": give either its secret or its secret-file\n"},
    {"key k { secret = \"c2Vj\" secret-file = x }\n",
     "sorrel.conf:1: key \"k\": give either its secret or its secret-file\n"},
    {"key k { secret = \"!\" }\n", "sorrel.conf:1: key \"k\": its secret is not base64: make one "
                                   "with openssl rand -base64 32\n"},
    {"key k { secret = \"c2Vj\" }\nkey K. { secret = \"c2Vj\" }\n",
     "sorrel.conf:2: key \"K.\": there is another of that name\n"},
    {"key k { algorithm = hmac-md5 secret = \"c2Vj\" }\n",
     "sorrel.conf:1: algorithm = hmac-md5: give hmac-sha256, hmac-sha384 or hmac-sha512\n"},
    /* grammar */
    {"workers 4\nlisten = ::1\n", "sorrel.conf:1: workers has no value: write workers = VALUE\n"},
    {"workers =\nlisten = ::1\n", "sorrel.conf:1: workers has no value: write workers = VALUE\n"},
    {"workers", "sorrel.conf:1: workers has no value: write workers = VALUE\n"},
    /* that hides nothing of what is behind */
    {"workers 4\nstall = x\nlog {\n level\n timestamps = maybe }\nlissen = ::1\n",
     "sorrel.conf:1: workers has no value: write workers = VALUE\n"
     "sorrel.conf:2: stall = x: give a number of seconds from 0.5 to 3600, or 0\n"
     "sorrel.conf:4: level has no value: write level = VALUE\n"
     "sorrel.conf:5: timestamps = maybe: give yes or no\n"
     "sorrel.conf:6: there is no option lissen: is listen meant?\n"},
    {"zone a b {\n file = x\n}\nworkers = x\n",
     "sorrel.conf:1: zone has no value: write zone = VALUE\n"
     "sorrel.conf:4: workers = x: give a number of workers from 1 to 512, or auto\n"},
    {"workers = 4;\n", "sorrel.conf:1: there are no semicolons here: a line's end is enough\n"},
    {"zones = z/*.zone\n",
     "sorrel.conf:1: unexpected *: a word with it belongs in quotation marks\n"},
    {"user = ${USER}\n",
     "sorrel.conf:1: unexpected $: a word with it belongs in quotation marks\n"},
    {"user = \"${USER}\"\n",
     "sorrel.conf:1: ${...} is not replaced by anything: put it in single quotes if it is meant as "
     "it stands\n"},
    {"= 4\n", "sorrel.conf:1: unexpected =: an option is NAME = VALUE, a section NAME { ... }\n"},
    {"listen = { ::1 ::2 }\n",
     "sorrel.conf:1: a comma belongs before ::2: a list is { VALUE, VALUE }\n"},
    {"listen = {\n ::1,\n\nworkers = 1\n",
     "sorrel.conf:4: unexpected = in the list that begins in line 1: a list is { VALUE, VALUE }\n"},
    {"listen = { ::1, , ::2 }\n",
     "sorrel.conf:1: unexpected , in the list that begins in line 1: a list is { VALUE, VALUE }\n"},
    {"\nlog {\n level = info\n\n\n",
     "sorrel.conf:2: the brace that opens in this line is never closed\n"},
    {"\nlisten = { ::1\n\n\n",
     "sorrel.conf:2: the brace that opens in this line is never closed\n"},
    {"log { }\n}\n", "sorrel.conf:2: this closing brace closes nothing\n"},
    {"workers = 1\nuser = \"abc\nlisten = ::1\n",
     "sorrel.conf:2: the quotation mark that opens in this line does not close in it\n"},
    {"user = 'abc", "sorrel.conf:1: the quotation mark that opens in this line does not close in "
                    "it\n"},
    {"\n\n/* never\nends\n", "sorrel.conf:3: the comment that begins here with /* has no */\n"},
    /* lines are counted over comments of all kinds */
    {"# a\n// b\n/* c\nd */ workers = 0\n",
     "sorrel.conf:4: workers = 0: give a number of workers from 1 to 512, or auto\n"},
    {"/* a */ # b\n/**/workers = 0\n",
     "sorrel.conf:2: workers = 0: give a number of workers from 1 to 512, or auto\n"},
    /* files */
    {"include = nothing.conf\n",
     "sorrel.conf:1: nothing.conf cannot be read: No such file or directory\n"},
    {"\ninclude = sorrel.conf\n", "sorrel.conf:2: the file it includes is read already: it "
                                  "includes itself, or is named twice\n"},
    {"include = other.conf\n",
     "other.conf:3: the file it includes is read already: it includes itself, or is named twice\n"},
    {"include = d\n", "sorrel.conf:1: d is a directory: name a configuration file\n"},
    {"include = /dev/zero\n",
     "sorrel.conf:1: /dev/zero is no regular file: name a configuration file\n"},
    {"include = ''\n", "sorrel.conf:1: include = \"\": give FILE\n"},
    {"workers = 1\ninclude = 'd/*.conf'\n",
     "d/one.conf:1: workers = 2: line 1 of sorrel.conf has it already\n"
     "d/two.conf:2: there is no option oops: see sorrel.conf(5)\n"},
};

static void write_others(void)
{
    write_text("other.conf", "# it goes round\n\ninclude = sorrel.conf\n");
    assert_true(mkdir("d", 0700) == 0 || access("d", W_OK) == 0);
    write_text("d/one.conf", "workers = 2\n");
    write_text("d/two.conf", "\noops = 2\n");
}

static void faults_are_told(void **state)
{
    struct options options;
    char faults[TEXT_MAX];

    (void)state;
    write_others();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_text(path, cases[i].text);
        assert_false(read_file(&options, faults));
        assert_string_equal(faults, cases[i].faults);
        options_free(&options);
    }
}

static void expect_fault(const char *octets, size_t length, const char *expected)
{
    struct options options;
    char faults[TEXT_MAX];

    write_octets(path, octets, length);
    assert_false(read_file(&options, faults));
    assert_string_equal(faults, expected);
    options_free(&options);
}

static void files_are_text(void **state)
{
    static const char binary[] = "\177ELF\2\1";
    static const char zero[] = "workers = 1\nuser = a\0b\n";
    char line[CONFIG_LINE_MAX + 2];

    (void)state;
    expect_fault(binary, sizeof binary,
                 "sorrel.conf:1: has an octet 0x7f, which no text has: is this a configuration "
                 "file?\n");
    expect_fault(zero, sizeof zero,
                 "sorrel.conf:2: has an octet 0x00, which no text has: is this a configuration "
                 "file?\n");
    memset(line, 'a', sizeof line);
    expect_fault(line, sizeof line,
                 "sorrel.conf:1: has more than 4096 characters: break the line\n");
    unlink(path);
    struct options options;
    char faults[TEXT_MAX];
    assert_false(read_file(&options, faults));
    assert_string_equal(faults, "sorrel.conf: cannot be read: No such file or directory\n");
    options_free(&options);
}

/* Whatever is wrong with a key, none of its secret is told: `s3cr` begins each of its parts here.
 */
static void secrets_are_not_told(void **state)
{
    static const struct {
        const char *text;
        const char *part; /* of a sentence */
    } keys[] = {
        {"secret = s3crEt\nsecret = s3crAb\n", ":2: secret: line 1 of sorrel.conf has it already"},
        {"secret = ''\n", ":1: secret: give BASE64, or leave the option out"},
        {"secret = s3crEt s3crAb\n", ":1: what is behind the secret is no option"},
        {"secret = s3crEt s3crAb s3crYs s3crUi\n", ":1: what is behind the secret is no option"},
        {"secret = s3crEt s3crAb=\n", ":1: what is behind the secret is no option"},
        {"secret = s3crEt s3crAb = s3crYs\n", ":1: what is behind the secret is no option"},
        {"secret = s3crEt s3crAb { s3crYs = s3crUi }\n", ":1: what is behind the secret"},
        {"secret = s3crEt\n s3crAb\n s3crYs", ":2: what is behind the secret is no option"},
        {"secret =\n s3crAb=\n", ":1: secret has no value"},
        {"secret = s3crEt+s3crAb==\n", ":1: unexpected +: a word with it belongs in"},
        {"secret = s3crEt/s3crAb==\n",
         ":1: unexpected =: a value with it belongs in quotation marks"},
        {"secret = \"s3crEt\" \"s3crAb\"\n", ":1: what is behind the secret is no option"},
        {"secret = \"s3crEt\ns3crAb\n", ":1: the quotation mark that opens in this line"},
        {"secret = \"s3crEt\\9s3crAb\"\n", ":1: a backslash is where none may be"},
        {"secret = \"s3crEt\\777\"\n", ":1: a backslash is where none may be"},
        {"secret = { s3crEt s3crAb }\n", ":1: a comma belongs before the second value"},
        {"secret = { s3crEt, s3crAb }\n", "unexpected {: this option has one value"},
        {"secret { s3crEt s3crAb }\n", ":1: a section cannot be in another"},
        {"secret s3crEt\n", ":1: secret has no value"},
        {"secret: s3crEt\n", ":1: secret: has no value"},
        {"secret += s3crEt\n", ":1: secret has one value"},
        {"secrt = s3crEt s3crAb\n", ":1: there is no option secrt in key { }: is secret meant?"},
        {"secret = s3crEt\nalgoritm = hmac-sha256\n", ":2: there is no option algoritm in key { }"},
        {"secret = s3crEt%\n", "its secret is not base64"},
        {"} secret = s3crEt s3crAb key b {\n", ":1: secret belongs in key { }"},
        {"} log { secret = s3crEt s3crAb } key b {\n", ":1: secret belongs in key { }"},
        {"} kye c { secret = s3crEt s3crAb } key b {\n", ":1: there is no section kye"},
        {"} secrte = s3crEt s3crAb key b {\n", ":1: there is no option secrte"},
    };
    struct options options;
    char text[512], faults[TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        snprintf(text, sizeof text, "key a { %s }\n", keys[i].text);
        write_text(path, text);
        assert_false(read_file(&options, faults));
        if (strstr(faults, "s3cr") != NULL || strstr(faults, keys[i].part) == NULL)
            fail_msg("%s says %s", text, faults);
        options_free(&options);
    }
}

static void too_many_faults_are_counted(void **state)
{
    char text[TEXT_MAX] = "", faults[TEXT_MAX];
    struct options options;
    unsigned lines = 0;

    (void)state;
    for (unsigned i = 0; i < CONFIGURATION_FAULTS_MAX + 3; i++)
        strcat(text, "workers = x\n");
    write_text(path, text);
    assert_false(read_file(&options, faults));
    for (const char *i = faults; *i != '\0'; i++)
        lines += *i == '\n';
    assert_int_equal(lines, CONFIGURATION_FAULTS_MAX + 1);
    assert_non_null(strstr(faults, "\nsorrel.conf: and 3 more faults\n"));
    options_free(&options);
}

/* --- what is right
 * --------------------------------------------------------------------------------- */

static void values_arrive(void **state)
{
    static const char text[] = "listen = { 127.0.0.1@5300, \"::1\" } listen = 192.0.2.1\r\n"
                               "workers=4 // four\n"
                               "steering\t= query user = 'some one'\n"
                               "stall = 0.5\n"
                               "zones = { z, /abs }\n"
                               "zone \"example.com\" { file = x }\n"
                               "zone 'a.example' {\n\n file = \"/y \\\"z\\\"\" }\n"
                               "log { level = error } log { target = syslog timestamps = yes }\n";
    struct options options;
    char faults[TEXT_MAX];

    (void)state;
    write_text(path, text);
    if (!read_file(&options, faults))
        fail_msg("%s", faults);
    assert_int_equal(options.settings.listener_count, 3);
    assert_int_equal(options.settings.workers, 4);
    assert_int_equal(options.settings.steering, STEERING_QUERY);
    assert_string_equal(options.user, "some one");
    assert_true(options.settings.stall == 0.5);
    assert_int_equal(options.log.level, LOG_LEVEL_ERROR);
    assert_int_equal(options.log.target, LOG_TARGET_SYSLOG);
    assert_true(options.log.timestamps);
    const struct source_argument *zones = options.settings.zones;
    assert_int_equal(options.settings.zone_count, 4);
    assert_string_equal(zones[0].text, "z");
    assert_null(zones[0].origin);
    assert_string_equal(zones[1].text, "/abs");
    assert_string_equal(zones[2].text, "x");
    assert_string_equal(zones[2].origin, "example.com");
    assert_string_equal(zones[2].file, path);
    assert_int_equal(zones[2].line, 6);
    assert_string_equal(zones[3].text, "/y \"z\"");
    assert_int_equal(zones[3].line, 7);
    options_free(&options);
}

enum { NO_RULE = 1000 };

/* How many networks may ask about the zone, or with NULL about zones that have no rule. */
static size_t count_allowed(const struct access_rules *rules, const char *zone)
{
    char text[NAME_TEXT_MAX];

    for (size_t i = 0; i < rules->count; i++) {
        const struct access_rule *rule = &rules->rules[i];
        if (zone == NULL ? rule->others
                         : !rule->others && strcmp(name_to_text(&rule->apex, text), zone) == 0)
            return rule->allowed.networks.count + rule->allowed.key_count;
    }
    return NO_RULE;
}

static void lists_stand_for_their_addresses(void **state)
{
    static const char text[] = "zone a { file = x allow-query = { internal, 192.0.2.1 } }\n"
                               "acl internal { addresses = { ::1, 10.0.0.0/8 } }\n"
                               "allow-query = internal\n"
                               "zone b { file = y }\n"
                               "zone c { file = y allow-query = none }\n";
    struct options options;
    const struct access_rules *rules = &options.settings.protection.access;
    char faults[TEXT_MAX];

    (void)state;
    write_text(path, text);
    if (!read_file(&options, faults))
        fail_msg("%s", faults);
    assert_int_equal(rules->count, 3);
    assert_int_equal(count_allowed(rules, "a."), 3);
    assert_int_equal(count_allowed(rules, NULL), 2);
    assert_int_equal(count_allowed(rules, "b."), NO_RULE);
    assert_int_equal(count_allowed(rules, "c."), 0);
    options_free(&options);
}

static void transfers_have_rules_and_keys_of_their_own(void **state)
{
    static const char text[] = "zone a { file = x allow-query = ::1\n"
                               " allow-transfer = { internal, \"key:K.test\" } }\n"
                               "acl internal { addresses = { ::1, 10.0.0.0/8 } }\n"
                               "allow-transfer = \"b=key:k.test\"\n"
                               "key k.test { secret = \"c2VjcmV0\" algorithm = hmac-sha384 }\n";
    struct options options;
    const struct protection *protection = &options.settings.protection;
    char faults[TEXT_MAX];

    (void)state;
    write_text(path, text);
    if (!read_file(&options, faults))
        fail_msg("%s", faults);
    assert_int_equal(protection->access.count, 1);
    assert_int_equal(count_allowed(&protection->transfers, "a."), 3);
    assert_int_equal(count_allowed(&protection->transfers, "b."), 1);
    assert_int_equal(protection->keys.ready.count, 1);
    assert_int_equal(protection->keys.ready.keys->hmac.hash, HMAC_SHA384);
    options_free(&options);
}

static void paths_are_as_of_their_file(void **state)
{
    struct options options;
    char faults[TEXT_MAX], full[sizeof directory + 32];

    (void)state;
    write_others();
    write_text("d/one.conf", "zones = z\ninclude = two.conf\n");
    write_text("d/two.conf", "control = c\n");
    write_text(path, "include = d/one.conf\nzones = z\n");
    snprintf(full, sizeof full, "%s/%s", directory, path);
    *faults = '\0';
    options_init(&options);
    if (!configuration_read(&options, full, append, faults))
        fail_msg("%s", faults);
    assert_int_equal(options.file_count, 3);
    snprintf(full, sizeof full, "%s/z", directory);
    assert_string_equal(options.settings.zones[0].text, full);
    snprintf(full, sizeof full, "%s/d/z", directory);
    assert_string_equal(options.settings.zones[1].text, full);
    snprintf(full, sizeof full, "%s/d/c", directory);
    assert_string_equal(options.control, full);
    options_free(&options);
}

static void nothing_is_enough(void **state)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "# only this",
                                        "/* and this */",
                                        "include = 'd/*.none'\n",
                                        "log { }\n",
                                        "listen = { }\n"};
    struct options options;
    char faults[TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_text(path, texts[i]);
        if (!read_file(&options, faults))
            fail_msg("%s", faults);
        options_free(&options);
    }
}

static void the_command_line_is_preferred(void **state)
{
    struct options options;
    char faults[TEXT_MAX] = "", error[OPTION_ERROR_MAX];
    const struct option_row *workers = options_find(NULL, "workers", OPTION_BOTH);

    (void)state;
    assert_non_null(workers);
    write_text(path, "workers = 3\nstall = 4\n");
    options_init(&options);
    options_state(&options, workers)->is_commanded = true;
    assert_true(workers->take(&options, workers, "2", error));
    if (!configuration_read(&options, path, append, faults))
        fail_msg("%s", faults);
    assert_int_equal(options.settings.workers, 2);
    assert_true(options.settings.stall == 4);
    options_free(&options);

    /* What is not used is looked at all the same. */
    write_text(path, "workers = 0\n");
    options_init(&options);
    options_state(&options, workers)->is_commanded = true;
    assert_false(configuration_read(&options, path, append, faults));
    options_free(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(files_are_text),
        cmocka_unit_test(secrets_are_not_told),
        cmocka_unit_test(too_many_faults_are_counted),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(lists_stand_for_their_addresses),
        cmocka_unit_test(transfers_have_rules_and_keys_of_their_own),
        cmocka_unit_test(paths_are_as_of_their_file),
        cmocka_unit_test(nothing_is_enough),
        cmocka_unit_test(the_command_line_is_preferred),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
