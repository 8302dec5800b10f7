/* SPDX-License-Identifier: GPL-2.0 */
/* Pages that are in the balloon. */
#ifndef RF_BALLOON_MEMORY_H
#define RF_BALLOON_MEMORY_H

#include <linux/list.h>
#include <linux/types.h>

/* Largest piece: what the host can back by one huge page. */
#define RF_PIECE_ORDER	9

/**
 * struct rf_pieces - memory in the balloon
 * @list: Pieces, by their first page; its private field is the order
 * @pages: Sum of their pages
 *
 * Large pieces leave the guest's other memory in one piece as well, and the
 * host gives back what it has as huge pages without splitting them.
 */
struct rf_pieces {
	struct list_head list;
	u64 pages;
};

/* A piece of at most @pages, as large as there is; NULL if memory is short. */
struct page *rf_piece_take(u64 pages);
void rf_piece_give_back(struct page *piece);

static inline u64 rf_piece_pages(struct page *piece)
{
	return 1ULL << page_private(piece);
}

#endif /* RF_BALLOON_MEMORY_H */
