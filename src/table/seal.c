#include "table/seal.h"

#include "table/large_pages.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3; older C libraries do not name it */
#endif

enum { ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

const char *seal_error(int reason)
{
    return reason == EFBIG ? "File too large; raise LimitFSIZE= (ulimit -f)" : strerror(reason);
}

static int create_memory_file(void)
{
    static const char name[] = "sorrel-zone-table";
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

    /* Linux before 6.3 does not know the flag; nobody executes a table there either. */
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, flags);
    return fd;
}

int seal_create(size_t length)
{
    int fd = create_memory_file();

    if (fd >= 0 && ftruncate(fd, (off_t)length) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

void seal_sum(void *base, size_t length)
{
    const size_t checked_from = offsetof(struct table_header, checksum) + sizeof(uint64_t);
    struct table_header *header = base;

    header->length = length;
    header->checksum = XXH3_64bits((const uint8_t *)base + checked_from, length - checked_from);
}

int seal_close(int fd)
{
    return fcntl(fd, F_ADD_SEALS, ALL_SEALS);
}

static const char *map(struct sealed_table *sealed, int fd)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || fstat(fd, &status) != 0)
        return "the table is not in a memory file";
    if ((seals & ALL_SEALS) != ALL_SEALS)
        return "the table's memory file is not sealed";
    if ((size_t)status.st_size < sizeof(struct table_header))
        return "the table is shorter than its header";
    sealed->length = (size_t)status.st_size;
    sealed->base = large_pages_map(fd, sealed->length, PROT_READ);
    if (sealed->base == MAP_FAILED)
        return "the table cannot be mapped: no room in the address space";
    return NULL;
}

const char *seal_map(struct sealed_table *sealed, int fd)
{
    const char *reason = map(sealed, fd);

    if (reason != NULL)
        return reason;
    reason = table_open(&sealed->table, sealed->base, sealed->length);
    if (reason != NULL)
        seal_unmap(sealed);
    return reason;
}

const char *seal_map_trusted(struct sealed_table *sealed, int fd)
{
    const char *reason = map(sealed, fd);

    if (reason == NULL)
        table_attach(&sealed->table, sealed->base);
    return reason;
}

void seal_unmap(struct sealed_table *sealed)
{
    munmap(sealed->base, sealed->length);
}
