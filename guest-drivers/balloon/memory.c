// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c - pieces of memory for the balloon
 */
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "memory.h"

/* Only what is free or easily made so: the guest is to be left in peace. */
#define PIECE_GFP	(GFP_HIGHUSER | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

struct page *rf_piece_take(u64 pages)
{
	int order = min_t(int, ilog2(pages), RF_PIECE_ORDER);
	struct page *piece;

	for (; order >= 0; order--) {
		/* Reclaim for single pages only. */
		piece = alloc_pages(order ? PIECE_GFP & ~__GFP_DIRECT_RECLAIM : PIECE_GFP, order);
		if (!piece)
			continue;
		set_page_private(piece, order);
		adjust_managed_page_count(piece, -(1L << order));
		return piece;
	}
	return NULL;
}

void rf_piece_give_back(struct page *piece)
{
	unsigned int order = page_private(piece);

	set_page_private(piece, 0);
	adjust_managed_page_count(piece, 1L << order);
	__free_pages(piece, order);
}
