// SPDX-License-Identifier: GPL-2.0
/*
 * image_test.c - kernel files: good ones are read, damaged ones are refused
 *
 * Sources: userland/image.c userland/decompress.c userland/error.c
 * Libs: -lelf -llzma -lzstd -lz -llz4 -lbz2 -llzo2
 */
#include <elf.h>

#include "make_image.h"
#include "tap.h"
#include "userland/image.h"

#define TEXT_LEN	(300 << 10)

typedef struct blob (*packer)(const struct blob *);

static const packer packers[] = {
	pack_gzip, pack_bzip2, pack_xz, pack_lzma, pack_zstd, pack_lz4,
	pack_lzo,
};

static const char *const packer_names[] = {
	"gzip", "bzip2", "xz", "lzma", "zstd", "lz4", "lzo",
};

#define NR_PACKERS	(sizeof(packers) / sizeof(packers[0]))

/* Half of it packs well, half of it does not. */
static struct blob some_elf(size_t text_len)
{
	struct blob notes = notes_like_linux();
	uint8_t *text = calloc(1, text_len);
	struct blob elf;
	uint32_t x = 1;

	for (size_t i = text_len / 2; i < text_len; i++) {
		x = x * 1664525 + 1013904223;
		text[i] = x >> 24;
	}
	elf = elf_make(&notes, text, text_len);
	free(text);
	blob_free(&notes);
	return elf;
}

/* As the launcher reads a file; on success *elf is the unpacked image. */
static int read_image(const struct blob *file, struct blob *elf,
		      struct rf_kernel *kernel, struct rf_error *err)
{
	struct rf_payload payload;

	*elf = (struct blob){ NULL, 0 };
	if (rf_image_find(file->data, file->len, &payload, err))
		return -1;
	blob_add(elf, NULL, payload.elf_len);
	if (!rf_image_unpack(&payload, elf->data, err) &&
	    !rf_image_parse(elf->data, elf->len, kernel, err))
		return 0;
	blob_free(elf);
	return -1;
}

/* Is @file refused, with a word of @why in the one line said about it? */
static bool refused(const struct blob *file, const char *why)
{
	struct rf_error err = { "" };
	struct rf_kernel kernel;
	struct blob elf;

	if (!read_image(file, &elf, &kernel, &err)) {
		printf("# accepted, should be refused: %s\n", why);
		blob_free(&elf);
		return false;
	}
	if (!strstr(err.text, why) || strchr(err.text, '\n')) {
		printf("# said: %s\n", err.text);
		return false;
	}
	return true;
}

static void expect_refused_elf(struct blob *elf, const char *why)
{
	EXPECT(refused(elf, why));
	blob_free(elf);
}

static void every_format_gives_the_same_elf(void)
{
	struct blob elf = some_elf(TEXT_LEN);

	for (size_t i = 0; i < NR_PACKERS; i++) {
		struct blob payload = packers[i](&elf);
		struct blob file = bzimage_make(&payload);
		struct rf_payload found;
		struct rf_kernel kernel;
		struct rf_error err;
		struct blob got;

		EXPECT(!rf_image_find(file.data, file.len, &found, &err));
		EXPECT(!strcmp(found.format, packer_names[i]));
		EXPECT_EQ(found.elf_len, elf.len);
		if (read_image(&file, &got, &kernel, &err)) {
			printf("# %s: %s\n", packer_names[i], err.text);
			EXPECT(!"it is read");
		} else {
			EXPECT(!memcmp(got.data, elf.data, elf.len));
			blob_free(&got);
		}
		blob_free(&file);
		blob_free(&payload);
	}
	blob_free(&elf);
}

/* lz4 has blocks of 8 MiB. */
static void a_large_lz4_kernel_is_read(void)
{
	struct blob elf = some_elf(17 << 20);
	struct blob payload = pack_lz4(&elf);
	struct blob file = bzimage_make(&payload);
	struct rf_kernel kernel;
	struct rf_error err;
	struct blob got;

	EXPECT(!read_image(&file, &got, &kernel, &err));
	EXPECT(got.len == elf.len && !memcmp(got.data, elf.data, elf.len));
	blob_free(&got);
	blob_free(&file);
	blob_free(&payload);
	blob_free(&elf);
}

static void linux_notes_are_understood(void)
{
	struct blob elf = some_elf(4096);
	struct rf_kernel kernel;
	struct rf_error err;

	EXPECT(!rf_image_parse(elf.data, elf.len, &kernel, &err));
	EXPECT_EQ(kernel.entry, 0xffffffff81000000);
	EXPECT_EQ(kernel.virt_base, 0xffffffff80000000);
	EXPECT_EQ(kernel.paddr_offset, 0);
	EXPECT_EQ(kernel.init_p2m, 0x8000000000);
	EXPECT_EQ(kernel.hypercall_page, RF_NOTE_UNSET);
	EXPECT(kernel.mod_start_pfn);
	EXPECT(!strcmp(kernel.guest_os, "linux"));
	EXPECT(!strcmp(kernel.guest_version, "2.6"));
	EXPECT_EQ(kernel.nr_segments, 1);
	EXPECT_EQ(kernel.segments[0].paddr, 0x1000000);
	EXPECT_EQ(kernel.segments[0].file_size, 4096);
	EXPECT_EQ(kernel.segments[0].mem_size, 8192);
	blob_free(&elf);
}

/* What a test guest of one file has: an entry, a hypercall page, no more. */
static void few_notes_are_enough(void)
{
	struct blob notes = { NULL, 0 };
	struct rf_kernel kernel;
	struct rf_error err;
	struct blob elf;

	note_add_number(&notes, XEN_ELFNOTE_HYPERCALL_PAGE, 0x1001000);
	elf = elf_make(&notes, "text", 4);
	EXPECT(!rf_image_parse(elf.data, elf.len, &kernel, &err));
	EXPECT_EQ(kernel.entry, 0x1000000);
	EXPECT_EQ(kernel.virt_base, 0);
	EXPECT_EQ(kernel.hypercall_page, 0x1001000);
	EXPECT_EQ(kernel.init_p2m, RF_NOTE_UNSET);
	EXPECT(!kernel.mod_start_pfn);
	blob_free(&elf);
	blob_free(&notes);
}

static void notes_may_be_in_a_section_only(void)
{
	struct blob notes = notes_like_linux();
	struct blob elf = elf_make(&notes, "text", 4);
	Elf64_Shdr sh[3] = {
		[1] = { .sh_type = SHT_NOTE, .sh_size = notes.len,
			.sh_offset = elf_segment(&elf)[1].p_offset,
			.sh_addralign = 4 },
		[2] = { .sh_type = SHT_NOTE, .sh_size = 1ULL << 60,
			.sh_offset = 64, .sh_addralign = 4 },
	};
	struct rf_kernel kernel;
	struct rf_error err;

	elf_header(&elf)->e_phnum = 1;
	elf_header(&elf)->e_shentsize = sizeof(sh[0]);
	elf_header(&elf)->e_shnum = 3;
	blob_add(&elf, NULL, -elf.len & 7);
	elf_header(&elf)->e_shoff = elf.len;
	blob_add(&elf, sh, sizeof(sh));
	EXPECT(!rf_image_parse(elf.data, elf.len, &kernel, &err));
	EXPECT_EQ(kernel.entry, 0xffffffff81000000);
	blob_free(&elf);
	blob_free(&notes);
}

static struct blob elf_with_text_note(uint32_t type, const char *text)
{
	struct blob notes = notes_like_linux();
	struct blob elf;

	note_add(&notes, type, text, strlen(text));
	elf = elf_make(&notes, "text", 4);
	blob_free(&notes);
	return elf;
}

static void wrong_notes_are_refused(void)
{
	struct blob none = { NULL, 0 };
	struct blob elf;

	elf = elf_make(&none, "text", 4);
	expect_refused_elf(&elf, "CONFIG_XEN_PV");
	elf = elf_with_text_note(XEN_ELFNOTE_XEN_VERSION, "xen-4.0");
	expect_refused_elf(&elf, "xen-4.0");
	elf = elf_with_text_note(XEN_ELFNOTE_FEATURES,
				 "a|!pae_pgdir_above_4gb|!dom0");
	expect_refused_elf(&elf, "Xen feature dom0");

	note_add_number(&none, XEN_ELFNOTE_PHYS32_ENTRY, 0x1000000);
	elf = elf_make(&none, "text", 4);
	expect_refused_elf(&elf, "CONFIG_XEN_PVH");
	note_add_number(&none, XEN_ELFNOTE_ENTRY, 0x1000000);
	note_add_number(&none, XEN_ELFNOTE_PADDR_OFFSET, 0x1000000);
	elf = elf_make(&none, "text", 4);
	expect_refused_elf(&elf, "VIRT_BASE");
	blob_free(&none);
}

static void a_long_text_note_is_cut(void)
{
	char text[1000];
	struct rf_kernel kernel;
	struct rf_error err;
	struct blob elf;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	elf = elf_with_text_note(XEN_ELFNOTE_GUEST_OS, text);
	EXPECT(!rf_image_parse(elf.data, elf.len, &kernel, &err));
	EXPECT_EQ(strlen(kernel.guest_os), sizeof(kernel.guest_os) - 1);
	blob_free(&elf);
}

static void damaged_segments_are_refused(void)
{
	struct blob elf;

	elf = some_elf(4096);
	elf_segment(&elf)->p_offset = elf.len + 1;
	expect_refused_elf(&elf, "outside the file");
	elf = some_elf(4096);
	elf_segment(&elf)->p_filesz++;
	expect_refused_elf(&elf, "outside the file");
	elf = some_elf(4096);
	elf_segment(&elf)->p_offset = -8ULL;
	expect_refused_elf(&elf, "outside the file");
	elf = some_elf(4096);
	elf_segment(&elf)->p_memsz = 4095;
	expect_refused_elf(&elf, "outside the file");
	elf = some_elf(4096);
	elf_segment(&elf)->p_memsz = -4096ULL;
	elf_segment(&elf)->p_paddr = 8192;
	expect_refused_elf(&elf, "wraps");
	elf = some_elf(4096);
	elf_segment(&elf)->p_type = PT_NULL;
	expect_refused_elf(&elf, "nothing to load");
}

static void other_machines_are_refused(void)
{
	struct blob elf;

	elf = some_elf(4096);
	elf_header(&elf)->e_machine = EM_AARCH64;
	expect_refused_elf(&elf, "64-bit x86");
	elf = some_elf(4096);
	elf_header(&elf)->e_ident[EI_CLASS] = ELFCLASS32;
	expect_refused_elf(&elf, "64-bit x86");
}

static void too_many_segments_are_refused(void)
{
	struct blob notes = notes_like_linux();
	struct blob elf = elf_make(&notes, "text", 4);
	Elf64_Phdr ph = *elf_segment(&elf);

	elf_header(&elf)->e_phoff = elf.len;
	elf_header(&elf)->e_phnum = RF_MAX_SEGMENTS + 1;
	for (int i = 0; i <= RF_MAX_SEGMENTS; i++)
		blob_add(&elf, &ph, sizeof(ph));
	expect_refused_elf(&elf, "more than 32 segments");
	blob_free(&notes);
}

static void what_is_no_kernel_is_refused(void)
{
	static const char *const texts[] = {
		"", "\x7f", "#!/bin/sh\n", "\177ELF", "\x1f\x8b",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct blob file = { NULL, 0 };

		blob_add(&file, texts[i], strlen(texts[i]));
		EXPECT(refused(&file, i == 3 ? "ELF" : "neither a bzImage"));
		blob_free(&file);
	}
}

static void broken_boot_headers_are_refused(void)
{
	struct blob elf = some_elf(4096);
	struct blob payload = pack_xz(&elf);
	struct blob file = bzimage_make(&payload);
	uint32_t huge = 0xfffffff0;
	struct blob cut = file;

	file.data[0x207] = 1;
	EXPECT(refused(&file, "2.08"));
	file.data[0x207] = 2;
	memcpy(file.data + 0x248, &huge, 4);
	EXPECT(refused(&file, "cut short"));
	memset(file.data + 0x248, 0, 4);
	EXPECT(refused(&file, "format unknown"));
	file.data[0x248] = 0x40;
	memcpy(file.data + 0x24c, &huge, 4);
	EXPECT(refused(&file, "cut short"));
	memset(file.data + 0x24c, 0, 4);
	EXPECT(refused(&file, "format unknown"));
	file.data[0x24c] = 6;
	EXPECT(refused(&file, "empty"));
	memcpy(file.data + 0x24c, &payload.len, 4);
	cut.len = 0x24f;
	EXPECT(refused(&cut, "neither"));
	cut.len = 0x250;
	EXPECT(refused(&cut, "cut short"));
	cut.len = file.len - 40;
	EXPECT(refused(&cut, "cut short"));
	blob_free(&file);
	blob_free(&payload);
	blob_free(&elf);
}

/* The size at the end of a payload is where a reader could be led astray. */
static void a_wrong_size_is_refused(void)
{
	static const int32_t lies[] = { -1, 1, 4096, 100 << 20 };
	struct blob elf = some_elf(4096);

	for (size_t i = 0; i < NR_PACKERS; i++) {
		for (size_t j = 0; j < sizeof(lies) / sizeof(lies[0]); j++) {
			struct blob payload = packers[i](&elf);
			uint32_t size = elf.len + lies[j];
			struct blob file;

			memcpy(payload.data + payload.len - 4, &size, 4);
			file = bzimage_make(&payload);
			EXPECT(refused(&file, packer_names[i]));
			blob_free(&file);
			blob_free(&payload);
		}
	}
	blob_free(&elf);
}

static void an_absurd_size_is_refused(void)
{
	struct blob elf = some_elf(4096);
	struct blob payload = pack_xz(&elf);
	struct blob file;

	memset(payload.data + payload.len - 4, 0xff, 4);
	file = bzimage_make(&payload);
	EXPECT(refused(&file, "claims"));
	blob_free(&file);
	memset(payload.data + payload.len - 4, 0, 4);
	file = bzimage_make(&payload);
	EXPECT(refused(&file, "claims"));
	blob_free(&file);
	blob_free(&payload);
	blob_free(&elf);
}

static void cut_streams_are_refused(void)
{
	struct blob elf = some_elf(TEXT_LEN);

	for (size_t i = 0; i < NR_PACKERS; i++) {
		struct blob whole = packers[i](&elf);

		for (unsigned int part = 1; part < 16; part++) {
			struct blob payload = { NULL, 0 };
			struct blob file;

			blob_add(&payload, whole.data, whole.len * part / 16);
			blob_add_le32(&payload, elf.len);
			file = bzimage_make(&payload);
			EXPECT(refused(&file, packer_names[i]));
			blob_free(&file);
			blob_free(&payload);
		}
		blob_free(&whole);
	}
	blob_free(&elf);
}

/* Not every flip can be seen, but none may be more than a wrong kernel. */
static void flipped_bits_do_no_harm(void)
{
	struct blob elf = some_elf(4096);
	uint32_t x = 1;

	for (size_t i = 0; i < NR_PACKERS; i++) {
		struct blob payload = packers[i](&elf);
		struct blob file = bzimage_make(&payload);

		for (int round = 0; round < 300; round++) {
			struct rf_kernel kernel;
			struct rf_error err;
			struct blob got;
			size_t at;

			x = x * 1664525 + 1013904223;
			at = x % file.len;
			file.data[at] ^= 1 << (x >> 29);
			if (!read_image(&file, &got, &kernel, &err))
				blob_free(&got);
			file.data[at] ^= 1 << (x >> 29);
		}
		blob_free(&file);
		blob_free(&payload);
	}
	blob_free(&elf);
}

static void flipped_bits_in_elf_do_no_harm(void)
{
	struct blob elf = some_elf(256);
	uint32_t x = 7;

	for (int round = 0; round < 20000; round++) {
		struct rf_kernel kernel;
		struct rf_error err;
		size_t at;

		x = x * 1664525 + 1013904223;
		at = (x >> 8) % elf.len;
		elf.data[at] ^= 1 << (x >> 29);
		rf_image_parse(elf.data, elf.len, &kernel, &err);
		elf.data[at] ^= 1 << (x >> 29);
	}
	blob_free(&elf);
}

static const struct tap_case cases[] = {
	TAP_CASE(every_format_gives_the_same_elf),
	TAP_CASE(a_large_lz4_kernel_is_read),
	TAP_CASE(linux_notes_are_understood),
	TAP_CASE(few_notes_are_enough),
	TAP_CASE(notes_may_be_in_a_section_only),
	TAP_CASE(wrong_notes_are_refused),
	TAP_CASE(a_long_text_note_is_cut),
	TAP_CASE(damaged_segments_are_refused),
	TAP_CASE(other_machines_are_refused),
	TAP_CASE(too_many_segments_are_refused),
	TAP_CASE(what_is_no_kernel_is_refused),
	TAP_CASE(broken_boot_headers_are_refused),
	TAP_CASE(a_wrong_size_is_refused),
	TAP_CASE(an_absurd_size_is_refused),
	TAP_CASE(cut_streams_are_refused),
	TAP_CASE(flipped_bits_do_no_harm),
	TAP_CASE(flipped_bits_in_elf_do_no_harm),
};

int main(void)
{
	return TAP_RUN(cases);
}
