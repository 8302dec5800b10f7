/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a KUnit suite of a pure file needs, for host programs: the same cases,
 * said in TAP.
 */
#ifndef RF_UNIT_KUNIT_TEST_H
#define RF_UNIT_KUNIT_TEST_H

#include <stdio.h>
#include <string.h>

#include <linux/types.h>

struct kunit {
	void *priv;
	bool failed;
};

struct kunit_case {
	const char *name;
	void (*run)(struct kunit *test);
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(_fn)	{ #_fn, _fn }

#define KUNIT_EXPECT_TRUE(_test, _cond)					\
	do {								\
		if (!(_cond)) {						\
			(_test)->failed = true;				\
			printf("# %s:%d: not so: %s\n", __FILE__, __LINE__, #_cond); \
		}							\
	} while (0)
#define KUNIT_EXPECT_FALSE(_test, _cond)	KUNIT_EXPECT_TRUE(_test, !(_cond))
#define KUNIT_EXPECT_EQ(_test, _a, _b)		KUNIT_EXPECT_TRUE(_test, (_a) == (_b))
#define KUNIT_EXPECT_LE(_test, _a, _b)		KUNIT_EXPECT_TRUE(_test, (_a) <= (_b))

static inline int kunit_run(const struct kunit_suite *suite)
{
	struct kunit_case *c;
	int failed = 0, n = 0;

	printf("KTAP version 1\n");
	for (c = suite->test_cases; c->name; c++) {
		struct kunit test = { .failed = false };

		if (suite->init && suite->init(&test))
			test.failed = true;
		else
			c->run(&test);
		printf("%s %d %s\n", test.failed ? "not ok" : "ok", ++n, c->name);
		failed |= test.failed;
	}
	printf("1..%d\n", n);
	return failed;
}

#define kunit_test_suite(_suite) \
	const struct kunit_suite *const kunit_the_suite = &(_suite)

extern const struct kunit_suite *const kunit_the_suite;

int main(void)
{
	return kunit_run(kunit_the_suite);
}

#endif /* RF_UNIT_KUNIT_TEST_H */
