#include "server/host/landlock.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * From linux/landlock.h, all of it: C libraries of kernels before 6.12 name only a part, and the
 * kernel that counts is the one the program runs on.
 */
enum {
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1,

    ACCESS_WRITE_FILE = 1 << 1,
    ACCESS_READ_FILE = 1 << 2,
    ACCESS_READ_DIR = 1 << 3,
    ACCESS_REMOVE_FILE = 1 << 5,
    ACCESS_MAKE_REG = 1 << 8,
    ACCESS_TRUNCATE = 1 << 14,

    READING = ACCESS_READ_FILE | ACCESS_READ_DIR,
    WRITING = ACCESS_WRITE_FILE | ACCESS_MAKE_REG | ACCESS_REMOVE_FILE | ACCESS_READ_DIR |
              ACCESS_TRUNCATE,
};

struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

/* Everything that a version can forbid. A kernel refuses bits, and sizes, that it does not know. */
struct version {
    struct ruleset_attr forbidden;
    size_t size; /* of ruleset_attr, then */
};

enum { FS_1 = 0x1fff, FS_2 = 0x3fff, FS_3 = 0x7fff, FS_5 = 0xffff, NET_4 = 3, SCOPE_6 = 3 };

static const struct version versions[] = {
    {{FS_1, 0, 0}, 8},      {{FS_2, 0, 0}, 8},      {{FS_3, 0, 0}, 8},
    {{FS_3, NET_4, 0}, 16}, {{FS_5, NET_4, 0}, 16}, {{FS_5, NET_4, SCOPE_6}, 24},
};

enum { NEWEST = sizeof versions / sizeof versions[0] };

int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

    return version > 0 ? (int)version : 0;
}

static void allow(int ruleset, uint64_t access, const char *folder)
{
    struct path_beneath_attr beneath = {
        .allowed_access = access,
        .parent_fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY),
    };

    if (beneath.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath, 0);
    close(beneath.parent_fd);
}

bool landlock_confine(const char *const *folders, size_t count, const char *written)
{
    int newest = landlock_version();

    if (newest == 0)
        return false;
    const struct version *version = &versions[(newest < NEWEST ? newest : NEWEST) - 1];
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &version->forbidden, version->size, 0);
    if (ruleset < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        allow(ruleset, READING, folders[i]);
    /* What is not forbidden need not, and cannot, be allowed. */
    if (written != NULL)
        allow(ruleset, WRITING & version->forbidden.handled_access_fs, written);
    long refused = syscall(SYS_landlock_restrict_self, ruleset, 0);
    close(ruleset);
    return refused == 0;
}
