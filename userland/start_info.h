/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory as the ABI says a guest finds it when it starts. */
#ifndef RF_START_INFO_H
#define RF_START_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "image.h"

/* Frames after the guest's own memory: shared_info. */
#define RF_NR_SPECIAL_FRAMES	1

/**
 * struct rf_build - what a guest is made of
 * @kernel: From rf_image_parse()
 * @initrd: Initial RAM disk, or NULL
 * @initrd_len: Its length
 * @cmdline: Kernel command line
 * @memory: Zeroed; @nr_pages + RF_NR_SPECIAL_FRAMES frames
 * @nr_pages: Frames the guest is given
 * @store_port: Event channel of the store's ring
 * @console_port: Event channel of the console ring
 */
struct rf_build {
	const struct rf_kernel *kernel;
	const void *initrd;
	size_t initrd_len;
	const char *cmdline;
	uint8_t *memory;
	uint64_t nr_pages;
	uint32_t store_port;
	uint32_t console_port;
};

/**
 * struct rf_layout - where everything went
 * @virt_base: Virtual address of frame 0
 * @virt_end: End of the initial mapping
 * @kernel_end_pfn: First frame after the kernel
 * @initrd_pfn: First frame of the initrd, 0 if there is none
 * @p2m_pfn: First frame of the frame list
 * @p2m_va: Where the list is mapped
 * @nr_p2m_frames: Frames of the list, with its own tables if @p2m_apart
 * @p2m_apart: The list is mapped outside the initial mapping
 * @start_info_pfn: Frame of start_info
 * @store_pfn: Frame of the store's ring
 * @console_pfn: Frame of the console ring
 * @tables_pfn: First page table, the top level one
 * @nr_tables: Page tables of the initial mapping
 * @stack_pfn: Frame of the first stack
 * @shared_info_pfn: Frame of shared_info
 * @end_pfn: First frame that nothing is in
 */
struct rf_layout {
	uint64_t virt_base;
	uint64_t virt_end;
	uint64_t kernel_end_pfn;
	uint64_t initrd_pfn;
	uint64_t p2m_pfn;
	uint64_t p2m_va;
	uint64_t nr_p2m_frames;
	bool p2m_apart;
	uint64_t start_info_pfn;
	uint64_t store_pfn;
	uint64_t console_pfn;
	uint64_t tables_pfn;
	uint64_t nr_tables;
	uint64_t stack_pfn;
	uint64_t shared_info_pfn;
	uint64_t end_pfn;
};

/* The first vCPU's registers, for the layout. */
struct rf_entry {
	uint64_t rip;
	uint64_t rsp;
	uint64_t rsi;
	uint64_t cr3_pfn;
};

/* Say where everything goes, and that it fits; @build->memory is not used. */
int rf_start_info_plan(const struct rf_build *build, struct rf_layout *layout,
		       struct rf_error *err);

/* Put it there. */
void rf_start_info_fill(const struct rf_build *build,
			const struct rf_layout *layout, struct rf_entry *entry);

#endif /* RF_START_INFO_H */
