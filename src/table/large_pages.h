/*
 * A table in large pages: a million names are in 14,000 pages of 4 kB, of which the processor
 * remembers some 2,000, but in 28 of 2 MB.
 *
 * Memory files get large pages by themselves only where the administrator says so (shmem_enabled
 * of transparent huge pages, which is `never` by default). They can be asked for, though, with
 * MADV_COLLAPSE (Linux 6.1), and then whoever maps the file at an address that is a multiple of
 * their size has them too. Where the kernel declines, all this works as if it were not there.
 */
#ifndef SORREL_TABLE_LARGE_PAGES_H
#define SORREL_TABLE_LARGE_PAGES_H

#include <stddef.h>

enum { LARGE_PAGE = 2 << 20 };

/* mmap(2) of `length` octets of the memory file `fd`, shared, at an address that large pages can
 * have. */
void *large_pages_map(int fd, size_t length, int protection);

/*
 * Has large pages put behind octets [from, to) of such a mapping, which is writable, starting and
 * ending at multiples of LARGE_PAGE. Best before anything is written there: then nothing has to be
 * copied, and filling the memory takes a third of the time, for it faults 512 times less often.
 * Returns how far that went: `to`, or less if the kernel declined.
 */
size_t large_pages_provide(void *mapping, size_t from, size_t to);

/* How much of such a mapping, all of which has been touched, is in large pages now. */
size_t large_pages_used(const void *mapping);

#endif
