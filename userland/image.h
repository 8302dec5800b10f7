/* SPDX-License-Identifier: GPL-2.0 */
/* A kernel file: what is in it, where it wants to be, what it expects. */
#ifndef RF_IMAGE_H
#define RF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define RF_MAX_SEGMENTS		32
#define RF_NOTE_UNSET		UINT64_MAX

/**
 * struct rf_segment - one PT_LOAD of the kernel
 * @paddr: Its p_paddr, as the file has it
 * @mem_size: Bytes in memory
 * @file_size: Bytes in the file, at most @mem_size; the rest is zeroes
 * @offset: Where in the ELF image
 */
struct rf_segment {
	uint64_t paddr;
	uint64_t mem_size;
	uint64_t file_size;
	uint64_t offset;
};

/**
 * struct rf_kernel - an ELF image that can run on the Xen PV ABI
 * @elf: The image
 * @elf_len: Its length
 * @segments: What to load
 * @nr_segments: How many
 * @entry: XEN_ELFNOTE_ENTRY, or the ELF entry point
 * @virt_base: Virtual address of guest frame 0
 * @paddr_offset: What p_paddr is to be lessened by
 * @hypercall_page: Where hypercall stubs go, or RF_NOTE_UNSET
 * @init_p2m: Where the frame list is to be mapped, or RF_NOTE_UNSET
 * @mod_start_pfn: The initrd is told as a frame and needs no mapping
 * @guest_os: "linux"
 * @guest_version: "2.6"
 */
struct rf_kernel {
	const uint8_t *elf;
	size_t elf_len;
	struct rf_segment segments[RF_MAX_SEGMENTS];
	unsigned int nr_segments;
	uint64_t entry;
	uint64_t virt_base;
	uint64_t paddr_offset;
	uint64_t hypercall_page;
	uint64_t init_p2m;
	bool mod_start_pfn;
	char guest_os[32];
	char guest_version[32];
};

/**
 * struct rf_payload - where the ELF image is in a kernel file
 * @data: First byte, in the file
 * @len: Bytes in the file
 * @elf_len: Bytes once unpacked; @len if it is not packed
 * @format: "xz", ..., "none"
 */
struct rf_payload {
	const uint8_t *data;
	size_t len;
	size_t elf_len;
	const char *format;
};

/* Find the payload of a bzImage, or see that @file is an ELF image itself. */
int rf_image_find(const uint8_t *file, size_t len, struct rf_payload *payload,
		  struct rf_error *err);

/* Unpack into @elf, which has room for @payload->elf_len bytes. */
int rf_image_unpack(const struct rf_payload *payload, uint8_t *elf,
		    struct rf_error *err);

/* Read segments and notes; @elf must outlive @kernel. */
int rf_image_parse(const uint8_t *elf, size_t len, struct rf_kernel *kernel,
		   struct rf_error *err);

#endif /* RF_IMAGE_H */
