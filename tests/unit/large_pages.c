/* table/large_pages.c: mappings are sound whether or not the kernel has large pages for them. */
#include "table/large_pages.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

static int make_file(size_t length)
{
    int fd = memfd_create("large-pages-test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)length), 0);
    return fd;
}

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + at / 4096);
}

/* Is the page mapped that `at` is in? */
static bool is_mapped(const uint8_t *at)
{
    uintptr_t page = (uintptr_t)at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);

    return msync((void *)page, 1, MS_ASYNC) == 0;
}

static void mappings_have_their_length_and_place(void **state)
{
    (void)state;
    static const size_t lengths[] = {
        1, 4096, LARGE_PAGE - 1, LARGE_PAGE, LARGE_PAGE + 1, 3 * LARGE_PAGE + 5000,
    };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t length = lengths[i];
        int fd = make_file(length);
        uint8_t *mapping = large_pages_map(fd, length, PROT_READ | PROT_WRITE);
        assert_true((void *)mapping != MAP_FAILED);
        if (length >= LARGE_PAGE)
            assert_int_equal((uintptr_t)mapping % LARGE_PAGE, 0);
        mapping[0] = 1;
        mapping[length - 1] = 2;
        uint8_t last;
        assert_int_equal(pread(fd, &last, 1, (off_t)length - 1), 1);
        assert_int_equal(last, 2);
        munmap(mapping, length);
        if (length >= LARGE_PAGE)
            assert_false(is_mapped(mapping) || is_mapped(mapping + length - 1));
        close(fd);
    }
}

static void what_cannot_be_mapped_is_refused(void **state)
{
    (void)state;
    assert_true(large_pages_map(-1, 3 * LARGE_PAGE, PROT_READ) == MAP_FAILED);
    assert_int_equal(errno, EBADF);
}

/* Whatever the kernel does, nothing that was written may change; and what it says it did it did. */
static void contents_stay(void **state)
{
    (void)state;
    enum { PIECES = 3 };
    const size_t length = PIECES * (size_t)LARGE_PAGE + 5000, whole = PIECES * (size_t)LARGE_PAGE;
    int fd = make_file(length);
    uint8_t *mapping = large_pages_map(fd, length, PROT_READ | PROT_WRITE);

    assert_true((void *)mapping != MAP_FAILED);
    for (size_t i = 0; i < LARGE_PAGE / 2; i++)
        mapping[i] = pattern(i);
    size_t provided = large_pages_provide(mapping, 0, whole);
    assert_true(provided <= whole);
    assert_int_equal(provided % LARGE_PAGE, 0);
    for (size_t i = LARGE_PAGE / 2; i < length; i++)
        mapping[i] = pattern(i);

    uint8_t *second = large_pages_map(fd, length, PROT_READ);
    assert_true((void *)second != MAP_FAILED);
    for (size_t i = 0; i < length; i++)
        if (second[i] != pattern(i))
            fail_msg("octet %zu has changed", i);
    size_t used = large_pages_used(second);
    assert_int_equal(used % LARGE_PAGE, 0);
    assert_in_range(used, provided == whole ? LARGE_PAGE : 0, whole);
    munmap(mapping, length);
    munmap(second, length);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mappings_have_their_length_and_place),
        cmocka_unit_test(what_cannot_be_mapped_is_refused),
        cmocka_unit_test(contents_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
