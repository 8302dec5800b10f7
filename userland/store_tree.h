/* SPDX-License-Identifier: GPL-2.0 */
/* Names and values: what a guest's xenstore holds. */
#ifndef RF_STORE_TREE_H
#define RF_STORE_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* The guest has a store to itself, so there are two who use it. */
#define RF_STORE_HOST		0	/* domain ids */
#define RF_STORE_GUEST		1
#define RF_STORE_HOME		"/local/domain/1"

enum rf_store_tree_limits {
	RF_STORE_PATH = 256,		/* bytes of a path, its 0 included */
	RF_STORE_PERMS = 64,		/* bytes of a node's permissions */
	RF_STORE_NODES = 256,
	RF_STORE_BYTES = 64 << 10,	/* paths and values, all together */
	/* Of these only the host can take the last. */
	RF_STORE_KEPT_NODES = 16,
	RF_STORE_KEPT_BYTES = 4 << 10,
};

/**
 * struct rf_store_node - one name
 * @path: From the root
 * @value: @len bytes, not a string
 * @len: Of @value
 * @perms: Strings as GET_PERMS has them, one after the other; owner first
 * @perms_len: Of @perms
 * @owner: RF_STORE_HOST or RF_STORE_GUEST; nobody but owner and host may write
 */
struct rf_store_node {
	char *path;
	char *value;
	size_t len;
	char perms[RF_STORE_PERMS];
	size_t perms_len;
	unsigned int owner;
};

/**
 * struct rf_store_tree - nodes, in the order they were made in
 * @nodes: The nodes; a node's parent is one of them
 * @nr_nodes: How many
 * @nr_bytes: Of paths and values
 */
struct rf_store_tree {
	struct rf_store_node nodes[RF_STORE_NODES];
	unsigned int nr_nodes;
	size_t nr_bytes;
};

/*
 * Write @path into @full as a path from the root; a path without / at its
 * beginning is below RF_STORE_HOME.  Return: 0, or -EINVAL.
 */
int rf_store_path_resolve(const char *path, char full[static RF_STORE_PATH]);

/* Is @path @top, or below it? */
bool rf_store_path_is_in(const char *path, const char *top);

/* A root and nothing else.  Return: 0 or -ENOMEM. */
int rf_store_tree_init(struct rf_store_tree *tree);
int rf_store_tree_copy(struct rf_store_tree *to,
		       const struct rf_store_tree *from);
void rf_store_tree_free(struct rf_store_tree *tree);

/* All paths below are from the root.  Return: NULL if there is none. */
const struct rf_store_node *
rf_store_tree_find(const struct rf_store_tree *tree, const char *path);

/*
 * Make @path and what is missing above it.
 *
 * Return: 1, or 0 if it was there, -EACCES, -ENOSPC or -ENOMEM.
 */
int rf_store_tree_make(struct rf_store_tree *tree, unsigned int who,
		       const char *path);

/* Give @path a value; it is made if need be.  Return: 0 or as above. */
int rf_store_tree_write(struct rf_store_tree *tree, unsigned int who,
			const char *path, const void *value, size_t len);

/*
 * Remove @path and what is below.
 *
 * Return: 1, or 0 if it was not there, -ENOENT if what is above is not there
 * either, -EACCES or -EINVAL.
 */
int rf_store_tree_remove(struct rf_store_tree *tree, unsigned int who,
			 const char *path);

/*
 * Set permissions, strings one after the other.
 *
 * Return: 0, -ENOENT, -EACCES (also for a change of owner), -EINVAL, -ENOSPC.
 */
int rf_store_tree_set_perms(struct rf_store_tree *tree, unsigned int who,
			    const char *path, const char *perms, size_t len);

/* Hand @path over to the guest.  Return: 0 or -ENOENT. */
int rf_store_tree_give(struct rf_store_tree *tree, const char *path);

/*
 * Write the names of the children, one string after the other, into @buf.
 *
 * Return: bytes, -ENOENT, or -E2BIG if there is too little room.
 */
int rf_store_tree_list(const struct rf_store_tree *tree, const char *path,
		       char *buf, size_t room);

#endif /* RF_STORE_TREE_H */
