/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tiny_guest.h - memory in which a vCPU has something to run
 *
 * Frame 0 is the top-level table, 1 to 3 the tables below it, 4 a stack, 5 and
 * up code; frame n is mapped at TINY_BASE + n * 4096, all of it writable.
 */
#ifndef TINY_GUEST_H
#define TINY_GUEST_H

#include <stdint.h>
#include <string.h>

#define TINY_BASE	0xffffffff80000000ULL
#define TINY_STACK	(TINY_BASE + 5 * 4096)
#define TINY_CODE	(TINY_BASE + 5 * 4096)
#define TINY_TABLE	0x67ULL		/* present, writable, user, A, D */

/* Hypercalls for ever: sched_op(yield), vcpu_op(is_up), event_channel_op(). */
static const uint8_t tiny_calls[] = {
	0xb8, 29, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05,		/* mov; xor; syscall */
	0xb8, 24, 0, 0, 0, 0xbf, 3, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x05,
	0xb8, 32, 0, 0, 0, 0xbf, 4, 0, 0, 0, 0x48, 0x89, 0xe6, 0x0f, 0x05,
	0xeb, 0xd8,						/* jmp back */
};

static inline void tiny_guest_make(uint8_t *memory, uint64_t nr_pages, uint64_t random)
{
	uint64_t (*table)[512] = (void *)memory;
	uint8_t *code = memory + 5 * 4096;

	if (nr_pages < 6)
		return;
	table[0][511] = (1 << 12) | TINY_TABLE;
	table[1][510] = (2 << 12) | TINY_TABLE;
	table[2][0] = (3 << 12) | TINY_TABLE;
	for (uint64_t i = 0; i < 512 && i < nr_pages; i++)
		table[3][i] = i << 12 | TINY_TABLE;

	switch (random % 3) {
	case 0:
		memcpy(code, tiny_calls, sizeof(tiny_calls));
		break;
	case 1:
		memset(code, 0xf4, 64);		/* hlt */
		break;
	default:
		for (int i = 0; i < 512; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			memcpy(code + i * 8, &random, 8);
		}
	}
}

#endif /* TINY_GUEST_H */
