// SPDX-License-Identifier: GPL-2.0
/*
 * store_tree.c - a tree of names and values, within bounds  (pure)
 *
 * So few nodes may be in it that an array and plain searches do: a tree of
 * pointers would be quicker, and harder to copy for a transaction.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_tree.h"

static const char host_perms[] = "n0\0r1";
static const char guest_perms[] = "n1";

static bool path_char_is_good(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-/_@", c));
}

static bool path_is_good(const char *path)
{
	if (!strcmp(path, "/"))
		return true;
	if (*path != '/' || path[strlen(path) - 1] == '/' || strstr(path, "//"))
		return false;
	for (; *path; path++)
		if (!path_char_is_good(*path))
			return false;
	return true;
}

int rf_store_path_resolve(const char *path, char full[static RF_STORE_PATH])
{
	const char *home = *path == '/' ? "" : RF_STORE_HOME "/";
	size_t len = strlen(home) + strlen(path);

	if (!*path || len >= RF_STORE_PATH)
		return -EINVAL;
	strcpy(full, home);
	strcat(full, path);
	return path_is_good(full) ? 0 : -EINVAL;
}

bool rf_store_path_is_in(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (!strcmp(top, "/"))
		return *path == '/';
	return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

/* The name of @path in directory @top, or NULL if it is not right there. */
static const char *name_in(const char *path, const char *top)
{
	const char *name;

	if (!rf_store_path_is_in(path, top) || !strcmp(path, top))
		return NULL;
	name = path + (strcmp(top, "/") ? strlen(top) : 0) + 1;
	return strchr(name, '/') ? NULL : name;
}

static struct rf_store_node *node_find(const struct rf_store_tree *tree,
				       const char *path)
{
	for (unsigned int i = 0; i < tree->nr_nodes; i++)
		if (!strcmp(tree->nodes[i].path, path))
			return (struct rf_store_node *)&tree->nodes[i];
	return NULL;
}

const struct rf_store_node *
rf_store_tree_find(const struct rf_store_tree *tree, const char *path)
{
	return node_find(tree, path);
}

/* May @who have @nodes more nodes and @bytes more bytes? */
static bool there_is_room(const struct rf_store_tree *tree, unsigned int who,
			  unsigned int nodes, size_t bytes)
{
	bool is_host = who == RF_STORE_HOST;

	return tree->nr_nodes + nodes <=
		       RF_STORE_NODES - (is_host ? 0 : RF_STORE_KEPT_NODES) &&
	       tree->nr_bytes + bytes <=
		       RF_STORE_BYTES - (is_host ? 0 : RF_STORE_KEPT_BYTES);
}

static bool may_write(unsigned int who, const struct rf_store_node *node)
{
	return who == RF_STORE_HOST || node->owner == who;
}

/* A new node is its parent's owner's, with the parent's permissions. */
static int node_add(struct rf_store_tree *tree, unsigned int who,
		    const char *path, const struct rf_store_node *parent)
{
	struct rf_store_node *node = &tree->nodes[tree->nr_nodes];

	if (!there_is_room(tree, who, 1, strlen(path)))
		return -ENOSPC;
	*node = (struct rf_store_node){ .path = strdup(path) };
	if (!node->path)
		return -ENOMEM;
	memcpy(node->perms, parent->perms, parent->perms_len);
	node->perms_len = parent->perms_len;
	node->owner = parent->owner;
	tree->nr_bytes += strlen(path);
	tree->nr_nodes++;
	return 0;
}

static void node_drop(struct rf_store_tree *tree, unsigned int i)
{
	struct rf_store_node *node = &tree->nodes[i];

	tree->nr_bytes -= strlen(node->path) + node->len;
	free(node->path);
	free(node->value);
	memmove(node, node + 1, (--tree->nr_nodes - i) * sizeof(*node));
}

int rf_store_tree_init(struct rf_store_tree *tree)
{
	struct rf_store_node above = { .perms_len = sizeof(host_perms) };

	memcpy(above.perms, host_perms, sizeof(host_perms));
	tree->nr_nodes = 0;
	tree->nr_bytes = 0;
	return node_add(tree, RF_STORE_HOST, "/", &above);
}

void rf_store_tree_free(struct rf_store_tree *tree)
{
	while (tree->nr_nodes)
		node_drop(tree, tree->nr_nodes - 1);
}

int rf_store_tree_copy(struct rf_store_tree *to,
		       const struct rf_store_tree *from)
{
	to->nr_nodes = 0;
	to->nr_bytes = from->nr_bytes;
	for (unsigned int i = 0; i < from->nr_nodes; i++) {
		struct rf_store_node *node = &to->nodes[to->nr_nodes++];

		*node = from->nodes[i];
		node->path = strdup(from->nodes[i].path);
		node->value = malloc(node->len + 1);
		if (node->path && node->value) {
			if (node->len)
				memcpy(node->value, from->nodes[i].value,
				       node->len);
			continue;
		}
		free(node->path);
		free(node->value);
		to->nr_nodes--;
		rf_store_tree_free(to);
		return -ENOMEM;
	}
	return 0;
}

/* @path without its last name. */
static void parent_of(const char *path, char parent[static RF_STORE_PATH])
{
	char *slash;

	strcpy(parent, path);
	slash = strrchr(parent, '/');
	slash[slash == parent] = 0;
}

int rf_store_tree_make(struct rf_store_tree *tree, unsigned int who,
		       const char *path)
{
	char above[RF_STORE_PATH], missing[RF_STORE_PATH];
	const struct rf_store_node *parent;
	int ret;

	if (node_find(tree, path))
		return 0;
	/* The root is always there, so this ends. */
	do {
		strcpy(missing, path);
		parent_of(path, above);
		while (!(parent = node_find(tree, above))) {
			strcpy(missing, above);
			parent_of(missing, above);
		}
		if (!may_write(who, parent))
			return -EACCES;
		ret = node_add(tree, who, missing, parent);
		if (ret)
			return ret;
	} while (strcmp(missing, path));
	return 1;
}

int rf_store_tree_write(struct rf_store_tree *tree, unsigned int who,
			const char *path, const void *value, size_t len)
{
	struct rf_store_node *node;
	char *copy;
	int ret = rf_store_tree_make(tree, who, path);

	if (ret < 0)
		return ret;
	node = node_find(tree, path);
	if (!may_write(who, node))
		return -EACCES;
	if (len > node->len && !there_is_room(tree, who, 0, len - node->len))
		return -ENOSPC;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, value, len);
	tree->nr_bytes += len - node->len;
	free(node->value);
	node->value = copy;
	node->len = len;
	return 0;
}

int rf_store_tree_remove(struct rf_store_tree *tree, unsigned int who,
			 const char *path)
{
	struct rf_store_node *node = node_find(tree, path);
	char above[RF_STORE_PATH];

	if (!strcmp(path, "/"))
		return -EINVAL;
	if (!node) {
		parent_of(path, above);
		return node_find(tree, above) ? 0 : -ENOENT;
	}
	if (!may_write(who, node))
		return -EACCES;
	for (unsigned int i = tree->nr_nodes; i--;)
		if (rf_store_path_is_in(tree->nodes[i].path, path))
			node_drop(tree, i);
	return 1;
}

/* "r12": a letter and a domain. */
static bool perm_is_good(const char *perm)
{
	size_t digits;

	if (!*perm || !strchr("nrwb", *perm))
		return false;
	digits = strspn(perm + 1, "0123456789");
	return digits && digits <= 5 && !perm[1 + digits];
}

int rf_store_tree_set_perms(struct rf_store_tree *tree, unsigned int who,
			    const char *path, const char *perms, size_t len)
{
	struct rf_store_node *node = node_find(tree, path);

	if (!node)
		return -ENOENT;
	if (!may_write(who, node))
		return -EACCES;
	if (!len || perms[len - 1])
		return -EINVAL;
	if (len > sizeof(node->perms))
		return -ENOSPC;
	for (size_t at = 0; at < len; at += strlen(perms + at) + 1)
		if (!perm_is_good(perms + at))
			return -EINVAL;
	if ((unsigned int)atoi(perms + 1) != node->owner)
		return -EACCES;
	memcpy(node->perms, perms, len);
	node->perms_len = len;
	return 0;
}

int rf_store_tree_give(struct rf_store_tree *tree, const char *path)
{
	struct rf_store_node *node = node_find(tree, path);

	if (!node)
		return -ENOENT;
	memcpy(node->perms, guest_perms, sizeof(guest_perms));
	node->perms_len = sizeof(guest_perms);
	node->owner = RF_STORE_GUEST;
	return 0;
}

int rf_store_tree_list(const struct rf_store_tree *tree, const char *path,
		       char *buf, size_t room)
{
	size_t done = 0;

	if (!node_find(tree, path))
		return -ENOENT;
	for (unsigned int i = 0; i < tree->nr_nodes; i++) {
		const char *name = name_in(tree->nodes[i].path, path);
		size_t len = name ? strlen(name) + 1 : 0;

		if (done + len > room)
			return -E2BIG;
		if (len)
			memcpy(buf + done, name, len);
		done += len;
	}
	return done;
}
