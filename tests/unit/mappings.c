/* host/mappings.c: what a child keeps of the memory that is noted. */
#include "server/host/mappings.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COUNT = 20, LENGTH = 4096 };

static void *map(void)
{
    void *base = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(base != MAP_FAILED);
    return mappings_add(base, LENGTH);
}

/* msync(2) is for memory that is there. */
static bool is_mapped(void *base)
{
    return msync(base, LENGTH, MS_ASYNC) == 0;
}

static void only_what_is_kept_stays(void **state)
{
    void *bases[COUNT];

    (void)state;
    for (unsigned i = 0; i < COUNT; i++)
        bases[i] = map();
    const void *const kept[] = {bases[COUNT - 1], NULL, bases[3]};
    mappings_keep_only(kept, 3);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(is_mapped(bases[i]), i == 3 || i == COUNT - 1);
    mappings_keep_only(NULL, 0);
    assert_false(is_mapped(bases[3]));
    assert_false(is_mapped(bases[COUNT - 1]));
}

static void what_is_removed_is_forgotten(void **state)
{
    (void)state;
    void *first = map(), *second = map();
    mappings_remove(first);
    assert_false(is_mapped(first));
    assert_true(is_mapped(second));
    mappings_remove(NULL);
    assert_true(is_mapped(second));
    mappings_remove(second);
    assert_false(is_mapped(second));
}

static void a_failure_is_passed_on(void **state)
{
    (void)state;
    errno = ENOMEM;
    assert_true(mappings_add(MAP_FAILED, LENGTH) == MAP_FAILED);
    assert_int_equal(errno, ENOMEM);
    mappings_keep_only(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_kept_stays),
        cmocka_unit_test(what_is_removed_is_forgotten),
        cmocka_unit_test(a_failure_is_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
