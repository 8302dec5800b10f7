// SPDX-License-Identifier: GPL-2.0
/*
 * store_tree_test.c - names and values, who may write them, and how many
 *
 * Sources: userland/store_tree.c
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "userland/store_tree.h"

#define HOST	RF_STORE_HOST
#define GUEST	RF_STORE_GUEST

static struct rf_store_tree tree;

/* A tree in which /mine is the guest's and /theirs is not. */
static void start(void)
{
	rf_store_tree_free(&tree);
	EXPECT_EQ(rf_store_tree_init(&tree), 0);
	EXPECT_EQ(rf_store_tree_make(&tree, HOST, "/mine"), 1);
	EXPECT_EQ(rf_store_tree_give(&tree, "/mine"), 0);
	EXPECT_EQ(rf_store_tree_make(&tree, HOST, "/theirs"), 1);
}

static int put(unsigned int who, const char *path, const char *value)
{
	return rf_store_tree_write(&tree, who, path, value, strlen(value));
}

static bool says(const char *path, const char *value)
{
	const struct rf_store_node *node = rf_store_tree_find(&tree, path);

	return node && node->len == strlen(value) &&
	       (!node->len || !memcmp(node->value, value, node->len));
}

static void paths_are_looked_at(void)
{
	static const char *const bad[] = {
		"", "//", "/a/", "a/", "/a//b", "a b", "/a\n", "/\xff", "a//b",
	};
	char full[RF_STORE_PATH], longest[RF_STORE_PATH + 1];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(rf_store_path_resolve(bad[i], full), -EINVAL);
	EXPECT_EQ(rf_store_path_resolve("/", full), 0);
	EXPECT_EQ(rf_store_path_resolve("a/b-c_d@0", full), 0);
	EXPECT(!strcmp(full, RF_STORE_HOME "/a/b-c_d@0"));

	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[RF_STORE_PATH] = 0;
	EXPECT_EQ(rf_store_path_resolve(longest, full), -EINVAL);
	longest[RF_STORE_PATH - 1] = 0;
	EXPECT_EQ(rf_store_path_resolve(longest, full), 0);
	/* From home, it would be too long. */
	EXPECT_EQ(rf_store_path_resolve(longest + 1, full), -EINVAL);
}

static void below_is_by_whole_names(void)
{
	EXPECT(rf_store_path_is_in("/a/b", "/a"));
	EXPECT(rf_store_path_is_in("/a", "/a"));
	EXPECT(rf_store_path_is_in("/a", "/"));
	EXPECT(!rf_store_path_is_in("/ab", "/a"));
	EXPECT(!rf_store_path_is_in("/", "/a"));
}

static void a_write_makes_what_is_above(void)
{
	start();
	EXPECT_EQ(put(GUEST, "/mine/a/b/c", "x"), 0);
	EXPECT(says("/mine/a/b/c", "x"));
	EXPECT(says("/mine/a/b", ""));
	EXPECT(says("/mine/a", ""));
	EXPECT_EQ(put(GUEST, "/mine/a/b/c", ""), 0);
	EXPECT(says("/mine/a/b/c", ""));
}

static void a_directory_lists_its_own(void)
{
	char names[64];

	start();
	put(GUEST, "/mine/a/deep", "x");
	put(GUEST, "/mine/b", "x");
	EXPECT_EQ(rf_store_tree_list(&tree, "/mine", names, sizeof(names)), 4);
	EXPECT(!memcmp(names, "a\0b", 4));
	EXPECT_EQ(rf_store_tree_list(&tree, "/mine", names, 3), -E2BIG);
	EXPECT_EQ(rf_store_tree_list(&tree, "/mine/b", names, 0), 0);
	EXPECT_EQ(rf_store_tree_list(&tree, "/", names, sizeof(names)), 12);
	EXPECT_EQ(rf_store_tree_list(&tree, "/no", names, sizeof(names)), -ENOENT);
}

static void a_removal_takes_all_that_is_below(void)
{
	size_t bytes;

	start();
	bytes = tree.nr_bytes;
	put(GUEST, "/mine/a/b", "x");
	put(GUEST, "/mine/a/c", "x");
	put(GUEST, "/mine/ab", "x");
	EXPECT_EQ(rf_store_tree_remove(&tree, GUEST, "/mine/a"), 1);
	EXPECT(!rf_store_tree_find(&tree, "/mine/a/b"));
	EXPECT(!rf_store_tree_find(&tree, "/mine/a"));
	EXPECT(says("/mine/ab", "x"));
	EXPECT_EQ(rf_store_tree_remove(&tree, GUEST, "/mine/a"), 0);
	EXPECT_EQ(rf_store_tree_remove(&tree, GUEST, "/mine/a/b"), -ENOENT);
	EXPECT_EQ(rf_store_tree_remove(&tree, GUEST, "/mine/ab"), 1);
	EXPECT_EQ(tree.nr_bytes, bytes);
	EXPECT_EQ(rf_store_tree_remove(&tree, HOST, "/"), -EINVAL);
}

static void the_guest_writes_to_its_own_only(void)
{
	start();
	EXPECT_EQ(put(HOST, "/theirs/a", "x"), 0);
	EXPECT_EQ(put(GUEST, "/theirs/a", "y"), -EACCES);
	EXPECT_EQ(put(GUEST, "/theirs/b", "y"), -EACCES);
	EXPECT_EQ(put(GUEST, "/new", "y"), -EACCES);
	EXPECT_EQ(rf_store_tree_make(&tree, GUEST, "/theirs/b"), -EACCES);
	EXPECT_EQ(rf_store_tree_remove(&tree, GUEST, "/theirs/a"), -EACCES);
	EXPECT(says("/theirs/a", "x"));
	/* What the host makes below the guest's is the guest's. */
	EXPECT_EQ(put(HOST, "/mine/a", "x"), 0);
	EXPECT_EQ(put(GUEST, "/mine/a", "y"), 0);
}

static void permissions_are_kept_but_give_nothing_away(void)
{
	start();
	EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/mine", "n1\0r0", 6), 0);
	EXPECT_EQ(rf_store_tree_find(&tree, "/mine")->perms_len, 6);
	EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/mine", "b0", 3),
		  -EACCES);
	EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/theirs", "b1", 3),
		  -EACCES);
	EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/no", "b1", 3), -ENOENT);
	/* A child has its parent's. */
	put(GUEST, "/mine/a", "x");
	EXPECT(!memcmp(rf_store_tree_find(&tree, "/mine/a")->perms, "n1\0r0", 6));
}

static void permissions_that_are_none_are_refused(void)
{
	static const char *const bad[] = {
		"", "n", "x1", "n1x", "n-1", "n123456", "1", " n1",
	};
	char many[RF_STORE_PERMS / 3 * 3 + 3];

	start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/mine", bad[i],
						  strlen(bad[i]) + 1), -EINVAL);
	EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/mine", "n1", 2), -EINVAL);
	EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/mine", "", 0), -EINVAL);
	for (size_t i = 0; i < sizeof(many); i += 3)
		memcpy(many + i, "n1", 3);
	EXPECT_EQ(rf_store_tree_set_perms(&tree, GUEST, "/mine", many,
					  sizeof(many)), -ENOSPC);
}

/* However much the guest makes, the host can still speak to it. */
static void the_guest_cannot_have_it_all(void)
{
	char path[32], value[4000];
	int ret = 0;

	start();
	for (unsigned int i = 0; !ret; i++) {
		EXPECT(i < RF_STORE_NODES);
		snprintf(path, sizeof(path), "/mine/%u", i);
		ret = put(GUEST, path, "");
	}
	EXPECT_EQ(ret, -ENOSPC);
	EXPECT_EQ(put(HOST, "/theirs/word", "poweroff"), 0);

	start();
	memset(value, 'x', sizeof(value));
	for (unsigned int i = 0, last = 0; !last; i++) {
		snprintf(path, sizeof(path), "/mine/%u", i);
		last = rf_store_tree_write(&tree, GUEST, path, value,
					   sizeof(value));
		EXPECT(i < RF_STORE_BYTES / sizeof(value));
		EXPECT(!last || last == (unsigned int)-ENOSPC);
	}
	EXPECT(tree.nr_bytes <= RF_STORE_BYTES);
	EXPECT_EQ(put(HOST, "/theirs/word", "poweroff"), 0);
	/* A shorter value may replace a longer one, full or not. */
	EXPECT_EQ(put(GUEST, "/mine/0", "short"), 0);
}

static void a_copy_is_a_tree_of_its_own(void)
{
	static struct rf_store_tree copy;

	start();
	put(GUEST, "/mine/a", "x");
	EXPECT_EQ(rf_store_tree_copy(&copy, &tree), 0);
	EXPECT_EQ(rf_store_tree_write(&copy, GUEST, "/mine/a", "y", 1), 0);
	EXPECT_EQ(rf_store_tree_remove(&copy, HOST, "/theirs"), 1);
	EXPECT(says("/mine/a", "x"));
	EXPECT(says("/theirs", ""));
	rf_store_tree_free(&copy);
}

static const struct tap_case cases[] = {
	TAP_CASE(paths_are_looked_at),
	TAP_CASE(below_is_by_whole_names),
	TAP_CASE(a_write_makes_what_is_above),
	TAP_CASE(a_directory_lists_its_own),
	TAP_CASE(a_removal_takes_all_that_is_below),
	TAP_CASE(the_guest_writes_to_its_own_only),
	TAP_CASE(permissions_are_kept_but_give_nothing_away),
	TAP_CASE(permissions_that_are_none_are_refused),
	TAP_CASE(the_guest_cannot_have_it_all),
	TAP_CASE(a_copy_is_a_tree_of_its_own),
};

int main(void)
{
	int ret = TAP_RUN(cases);

	rf_store_tree_free(&tree);
	return ret;
}
