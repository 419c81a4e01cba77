/* table/seal.c: a table once sealed is what it was, for everybody and for ever. */
#include "table/hash.h"
#include "table/seal.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The smallest table there is: no zones, one empty slot in the directory. */
struct empty_table {
    struct table_header header;
    struct table_zone directory[1];
};

static struct empty_table empty_table(void)
{
    struct empty_table table = {
        .header = {.magic = TABLE_MAGIC,
                   .byte_order = TABLE_BYTE_ORDER,
                   .version = TABLE_VERSION,
                   .length = sizeof table,
                   .seed = 7,
                   .generation = 3,
                   .directory = sizeof table.header,
                   .directory_slots = 1},
    };
    size_t from = offsetof(struct table_header, seed);

    table.header.checksum = XXH3_64bits((const uint8_t *)&table + from, sizeof table - from);
    return table;
}

/* A memory file that holds `length` octets of a table without zones, not sealed yet. */
static int unsealed_table(size_t length)
{
    struct empty_table table = empty_table();
    int fd = seal_create(length);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, &table, length), length);
    return fd;
}

static int sealed_table(size_t length)
{
    int fd = unsealed_table(length);

    assert_int_equal(seal_close(fd), 0);
    return fd;
}

static void a_sealed_table_can_be_mapped_and_read(void **state)
{
    (void)state;
    static const char *(*const maps[])(struct sealed_table *, int) = {seal_map, seal_map_trusted};
    int fd = sealed_table(sizeof(struct empty_table));

    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        struct sealed_table sealed;
        assert_null(maps[i](&sealed, fd));
        assert_int_equal(sealed.length, sizeof(struct empty_table));
        assert_ptr_equal(sealed.table.base, sealed.base);
        assert_int_equal(sealed.table.header->generation, 3);
        seal_unmap(&sealed);
    }
    close(fd);
}

static void a_mapping_outlives_the_descriptor(void **state)
{
    (void)state;
    struct sealed_table sealed;
    int fd = sealed_table(sizeof(struct empty_table));

    assert_null(seal_map(&sealed, fd));
    close(fd);
    assert_int_equal(sealed.table.header->seed, 7);
    seal_unmap(&sealed);
}

static void the_descriptor_is_closed_on_exec(void **state)
{
    (void)state;
    int fd = unsealed_table(sizeof(struct empty_table));

    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
}

static void nobody_can_change_what_is_sealed(void **state)
{
    (void)state;
    size_t length = sizeof(struct empty_table);
    int fd = sealed_table(length);

    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, (off_t)length + 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, (off_t)length - 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_ptr_equal(mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    close(fd);
}

static void what_is_mapped_writable_cannot_be_sealed(void **state)
{
    (void)state;
    size_t length = sizeof(struct empty_table);
    int fd = unsealed_table(length);
    void *writable = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    assert_ptr_not_equal(writable, MAP_FAILED);
    assert_int_equal(seal_close(fd), -1);
    assert_int_equal(errno, EBUSY);
    munmap(writable, length);
    assert_int_equal(seal_close(fd), 0);
    close(fd);
}

static void all_four_seals_are_demanded(void **state)
{
    (void)state;
    static const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    static const int seals[] = {0, F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_SEAL};

    for (size_t i = 0; i < sizeof seals / sizeof seals[0]; i++) {
        struct sealed_table sealed;
        int fd = unsealed_table(sizeof(struct empty_table));
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i] == 0 ? 0 : all & ~seals[i]), 0);
        assert_string_equal(seal_map(&sealed, fd), "the table's memory file is not sealed");
        assert_string_equal(seal_map_trusted(&sealed, fd),
                            "the table's memory file is not sealed");
        close(fd);
    }
}

static void what_is_no_sealed_table_is_refused(void **state)
{
    (void)state;
    struct sealed_table sealed;
    int device = open("/dev/null", O_RDWR | O_CLOEXEC);
    int empty = seal_create(0);
    int cut = sealed_table(sizeof(struct empty_table) - 1);

    assert_true(device >= 0);
    assert_string_equal(seal_map(&sealed, device), "the table is not in a memory file");
    close(device);
    assert_string_equal(seal_map(&sealed, -1), "the table is not in a memory file");
    assert_int_equal(seal_close(empty), 0);
    assert_string_equal(seal_map(&sealed, empty), "the table is shorter than its header");
    assert_string_equal(seal_map_trusted(&sealed, empty), "the table is shorter than its header");
    close(empty);
    assert_string_equal(seal_map(&sealed, cut), "it has another length than it says");
    close(cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_table_can_be_mapped_and_read),
        cmocka_unit_test(a_mapping_outlives_the_descriptor),
        cmocka_unit_test(the_descriptor_is_closed_on_exec),
        cmocka_unit_test(nobody_can_change_what_is_sealed),
        cmocka_unit_test(what_is_mapped_writable_cannot_be_sealed),
        cmocka_unit_test(all_four_seals_are_demanded),
        cmocka_unit_test(what_is_no_sealed_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
