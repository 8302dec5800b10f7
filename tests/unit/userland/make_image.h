/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel files of our own making: ELF images, packed, in a bzImage. */
#ifndef RF_MAKE_IMAGE_H
#define RF_MAKE_IMAGE_H

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include "userland/xen_start_info.h"

struct blob {
	uint8_t *data;
	size_t len;
};

static inline void blob_add(struct blob *blob, const void *data, size_t len)
{
	blob->data = realloc(blob->data, blob->len + len + !len);
	if (data)
		memcpy(blob->data + blob->len, data, len);
	else
		memset(blob->data + blob->len, 0, len);
	blob->len += len;
}

static inline void blob_add_le32(struct blob *blob, uint32_t value)
{
	blob_add(blob, &value, 4);
}

static inline void blob_add_be32(struct blob *blob, uint32_t value)
{
	value = __builtin_bswap32(value);
	blob_add(blob, &value, 4);
}

static inline void blob_free(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){ NULL, 0 };
}

/* ---- notes */

static inline void note_add(struct blob *notes, uint32_t type, const void *desc,
			    uint32_t len)
{
	blob_add_le32(notes, 4);
	blob_add_le32(notes, len);
	blob_add_le32(notes, type);
	blob_add(notes, "Xen", 4);
	blob_add(notes, desc, len);
	blob_add(notes, NULL, -len & 3);
}

static inline void note_add_number(struct blob *notes, uint32_t type,
				   uint64_t value)
{
	note_add(notes, type, &value, 8);
}

static inline void note_add_text(struct blob *notes, uint32_t type,
				 const char *text)
{
	note_add(notes, type, text, strlen(text) + 1);
}

/* What Linux says. */
static inline struct blob notes_like_linux(void)
{
	static const uint32_t one = 1;
	struct blob notes = { NULL, 0 };

	note_add_text(&notes, XEN_ELFNOTE_GUEST_OS, "linux");
	note_add_text(&notes, XEN_ELFNOTE_GUEST_VERSION, "2.6");
	note_add_text(&notes, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	note_add_number(&notes, XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000);
	note_add_number(&notes, XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	note_add_number(&notes, XEN_ELFNOTE_ENTRY, 0xffffffff81000000);
	note_add_text(&notes, XEN_ELFNOTE_FEATURES, "!writable_page_tables");
	note_add_text(&notes, XEN_ELFNOTE_PAE_MODE, "yes");
	note_add(&notes, XEN_ELFNOTE_MOD_START_PFN, &one, 4);
	note_add_number(&notes, XEN_ELFNOTE_PADDR_OFFSET, 0);
	note_add_text(&notes, XEN_ELFNOTE_LOADER, "generic");
	return notes;
}

/* ---- ELF: header, program headers, notes, then one segment of @text */

static inline struct blob elf_make(const struct blob *notes, const void *text,
				   size_t text_len)
{
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = 1,
		.e_entry = 0x1000000,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	Elf64_Phdr ph[2] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0xffffffff81000000,
		  .p_paddr = 0x1000000, .p_filesz = text_len,
		  .p_memsz = text_len + 0x1000 },
		{ .p_type = PT_NOTE, .p_align = 4 },
	};
	struct blob elf = { NULL, 0 };

	ph[1].p_offset = sizeof(eh) + sizeof(ph);
	ph[1].p_filesz = notes->len;
	ph[0].p_offset = ph[1].p_offset + notes->len;
	blob_add(&elf, &eh, sizeof(eh));
	blob_add(&elf, ph, sizeof(ph));
	blob_add(&elf, notes->data, notes->len);
	blob_add(&elf, text, text_len);
	return elf;
}

static inline Elf64_Ehdr *elf_header(struct blob *elf)
{
	return (Elf64_Ehdr *)elf->data;
}

static inline Elf64_Phdr *elf_segment(struct blob *elf)
{
	return (Elf64_Phdr *)(elf->data + sizeof(Elf64_Ehdr));
}

/* ---- packing; each is followed by the unpacked size, as kernels have it */

static inline struct blob pack_gzip(const struct blob *in)
{
	struct blob out = { NULL, 0 };
	z_stream z = { .next_in = in->data, .avail_in = in->len };

	deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	blob_add(&out, NULL, deflateBound(&z, in->len));
	z.next_out = out.data;
	z.avail_out = out.len;
	deflate(&z, Z_FINISH);
	out.len -= z.avail_out;
	deflateEnd(&z);
	return out;
}

static inline struct blob pack_bzip2(const struct blob *in)
{
	unsigned int len = in->len + in->len / 100 + 600;
	struct blob out = { malloc(len + 4), 0 };

	BZ2_bzBuffToBuffCompress((char *)out.data, &len, (char *)in->data,
				 in->len, 9, 0, 0);
	out.len = len;
	blob_add_le32(&out, in->len);
	return out;
}

static inline struct blob pack_xz(const struct blob *in)
{
	size_t room = lzma_stream_buffer_bound(in->len);
	struct blob out = { malloc(room + 4), 0 };

	lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in->data, in->len,
				out.data, &out.len, room);
	blob_add_le32(&out, in->len);
	return out;
}

static inline struct blob pack_lzma(const struct blob *in)
{
	size_t room = lzma_stream_buffer_bound(in->len) + 64;
	struct blob out = { malloc(room), 0 };
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 6);
	if (lzma_alone_encoder(&s, &options) != LZMA_OK)
		abort();
	s.next_in = in->data;
	s.avail_in = in->len;
	s.next_out = out.data;
	s.avail_out = room;
	if (lzma_code(&s, LZMA_FINISH) != LZMA_STREAM_END)
		abort();
	out.len = s.total_out;
	lzma_end(&s);
	blob_add_le32(&out, in->len);
	return out;
}

static inline struct blob pack_zstd(const struct blob *in)
{
	size_t room = ZSTD_compressBound(in->len);
	struct blob out = { malloc(room + 4), 0 };

	out.len = ZSTD_compress(out.data, room, in->data, in->len, 1);
	blob_add_le32(&out, in->len);
	return out;
}

static inline struct blob pack_lz4(const struct blob *in)
{
	const size_t block = 8 << 20;
	struct blob out = { NULL, 0 };

	blob_add_le32(&out, 0x184c2102);
	for (size_t at = 0; at < in->len; at += block) {
		int len = in->len - at < block ? in->len - at : block;
		char *packed = malloc(LZ4_compressBound(len));
		int packed_len = LZ4_compress_default((char *)in->data + at,
						      packed, len,
						      LZ4_compressBound(len));

		blob_add_le32(&out, packed_len);
		blob_add(&out, packed, packed_len);
		free(packed);
	}
	blob_add_le32(&out, in->len);
	return out;
}

static inline void lzo_block(struct blob *out, const uint8_t *data,
			     uint32_t len)
{
	void *work = malloc(LZO1X_1_MEM_COMPRESS);
	uint8_t *packed = malloc(len + len / 16 + 67);
	lzo_uint packed_len;

	lzo1x_1_compress(data, len, packed, &packed_len, work);
	blob_add_be32(out, len);
	blob_add_be32(out, packed_len < len ? packed_len : len);
	blob_add_be32(out, adler32(1, data, len));
	if (packed_len < len)
		blob_add(out, packed, packed_len);
	else
		blob_add(out, data, len);
	free(packed);
	free(work);
}

static inline struct blob pack_lzo(const struct blob *in)
{
	static const uint8_t header[] = {
		0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n',
		0x10, 0x30, 0x20, 0x80, 0x09, 0x40,	/* versions */
		1, 5,					/* method, level */
		0x03, 0x00, 0x00, 0x01,			/* flags: ADLER32_D */
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,	/* mode, mtime */
		3, 'a', 'b', 'c',			/* name */
		0, 0, 0, 0,				/* checksum */
	};
	const size_t block = 256 << 10;
	struct blob out = { NULL, 0 };

	if (lzo_init() != LZO_E_OK)
		abort();
	blob_add(&out, header, sizeof(header));
	for (size_t at = 0; at < in->len; at += block)
		lzo_block(&out, in->data + at,
			  in->len - at < block ? in->len - at : block);
	blob_add_be32(&out, 0);
	blob_add_le32(&out, in->len);
	return out;
}

/* ---- bzImage: boot sector, one setup sector, payload at an offset */

static inline struct blob bzimage_make(const struct blob *payload)
{
	struct blob image = { NULL, 0 };
	uint32_t offset = 0x40, len = payload->len;
	uint16_t version = 0x020f;

	blob_add(&image, NULL, 1024 + offset);
	image.data[0x1f1] = 1;
	memcpy(image.data + 0x202, "HdrS", 4);
	memcpy(image.data + 0x206, &version, 2);
	memcpy(image.data + 0x248, &offset, 4);
	memcpy(image.data + 0x24c, &len, 4);
	blob_add(&image, payload->data, payload->len);
	blob_add(&image, NULL, 32);
	return image;
}

#endif /* RF_MAKE_IMAGE_H */
