// SPDX-License-Identifier: GPL-2.0
/*
 * image_fuzz.c - a kernel file from an enemy, all the way to guest memory
 *
 * Sources: userland/image.c userland/decompress.c userland/start_info.c
 * Sources: userland/error.c
 * Libs: -lelf -llzma -lzstd -lz -llz4 -lbz2 -llzo2
 */
#include <stdint.h>
#include <stdlib.h>

#include "userland/image.h"
#include "userland/start_info.h"

/* Small, so that a run is quick; what wants more has been looked at enough. */
#define MAX_ELF		(1 << 20)
#define NR_PAGES	8192

static void build(const struct rf_kernel *kernel)
{
	struct rf_build build = {
		.kernel = kernel,
		.initrd = "initrd",
		.initrd_len = 6,
		.cmdline = "quiet",
		.nr_pages = NR_PAGES,
		.store_port = 1,
		.console_port = 2,
	};
	struct rf_layout layout;
	struct rf_entry entry;
	struct rf_error err;

	if (rf_start_info_plan(&build, &layout, &err))
		return;
	build.memory = calloc(NR_PAGES + RF_NR_SPECIAL_FRAMES, 4096);
	if (!build.memory)
		return;
	rf_start_info_fill(&build, &layout, &entry);
	free(build.memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rf_payload payload;
	struct rf_kernel kernel;
	struct rf_error err;
	uint8_t *elf;

	if (rf_image_find(data, size, &payload, &err) ||
	    payload.elf_len > MAX_ELF)
		return 0;
	elf = malloc(payload.elf_len);
	if (elf && !rf_image_unpack(&payload, elf, &err) &&
	    !rf_image_parse(elf, payload.elf_len, &kernel, &err))
		build(&kernel);
	free(elf);
	return 0;
}
