/* Descriptors that are sent, and whether any was left open. */
#ifndef SORREL_TESTS_DESCRIPTORS_H
#define SORREL_TESTS_DESCRIPTORS_H

#include <stddef.h>

enum { DESCRIPTORS_MAX = 253 /* SCM_MAX_FD: the kernel sends no more at once */ };

/* `count` descriptors, at most DESCRIPTORS_MAX, that go on being open: to be sent along. */
const int *descriptors_get(size_t count);

/* How many this process has. */
size_t descriptors_count(void);

#endif
