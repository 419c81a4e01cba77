/* Coverage of child processes, which libFuzzer sees in the parent only. Does nothing in other
 * builds. */
#ifndef SORREL_TESTS_COVERAGE_H
#define SORREL_TESTS_COVERAGE_H

/* By the parent, once. */
void coverage_share(void);

/* By a child that is about to end. */
void coverage_give(void);

/* By the parent, once the child has ended. */
void coverage_take(void);

#endif
