/* SPDX-License-Identifier: GPL-2.0 */
/* Small host programs that say what holds, in TAP. */
#ifndef RF_TAP_H
#define RF_TAP_H

#include <stdbool.h>
#include <stdio.h>

struct tap_case {
	const char *name;
	void (*run)(void);
};

#define TAP_CASE(_fn)	{ #_fn, _fn }

static bool tap_failed;

/* Say what does not hold, and go on. */
#define EXPECT(_cond)							\
	do {								\
		if (!(_cond)) {						\
			tap_failed = true;				\
			printf("# %s:%d: %s\n", __FILE__, __LINE__,	\
			       #_cond);					\
		}							\
	} while (0)

#define EXPECT_EQ(_a, _b)						\
	do {								\
		unsigned long long tap_a = (_a), tap_b = (_b);		\
									\
		if (tap_a != tap_b) {					\
			tap_failed = true;				\
			printf("# %s:%d: %s is %#llx, not %#llx\n",	\
			       __FILE__, __LINE__, #_a, tap_a, tap_b);	\
		}							\
	} while (0)

static inline int tap_run(const struct tap_case *cases, unsigned int nr)
{
	bool any = false;

	printf("KTAP version 1\n1..%u\n", nr);
	for (unsigned int i = 0; i < nr; i++) {
		tap_failed = false;
		cases[i].run();
		any |= tap_failed;
		printf("%s %u %s\n", tap_failed ? "not ok" : "ok", i + 1,
		       cases[i].name);
		fflush(stdout);
	}
	return any;
}

#define TAP_RUN(_cases)	tap_run(_cases, sizeof(_cases) / sizeof((_cases)[0]))

#endif /* RF_TAP_H */
