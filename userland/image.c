// SPDX-License-Identifier: GPL-2.0
/*
 * image.c - kernel files: bzImage -> payload -> ELF -> segments, Xen notes  (pure)
 *
 * Nothing in a file is trusted: each offset is checked against the length of
 * the buffer before it is used, and a damaged file costs one line of text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gelf.h>
#include <libelf.h>

#include "decompress.h"
#include "image.h"
#include "xen_start_info.h"

/* Documentation/x86/boot.rst: the real-mode header. */
#define SETUP_SECTS		0x1f1
#define SETUP_MAGIC		0x202	/* "HdrS" */
#define SETUP_VERSION		0x206
#define SETUP_PAYLOAD_OFFSET	0x248
#define SETUP_PAYLOAD_LENGTH	0x24c
#define SETUP_HEADER_END	0x250
#define SECTOR_SIZE		512
#define VERSION_WITH_PAYLOAD	0x0208

/* Far above any kernel; keeps a damaged size from becoming an allocation. */
#define MAX_ELF_SIZE		(1UL << 30)

static uint16_t le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static bool is_elf(const uint8_t *data, size_t len)
{
	return len >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

static bool is_bzimage(const uint8_t *file, size_t len)
{
	return len >= SETUP_HEADER_END && !memcmp(file + SETUP_MAGIC, "HdrS", 4);
}

int rf_image_find(const uint8_t *file, size_t len, struct rf_payload *payload,
		  struct rf_error *err)
{
	size_t setup, offset;

	if (is_elf(file, len)) {
		*payload = (struct rf_payload){ file, len, len, "none" };
		return 0;
	}
	if (!is_bzimage(file, len))
		return rf_error_set(err, "neither a bzImage nor an ELF file");
	if (le16(file + SETUP_VERSION) < VERSION_WITH_PAYLOAD)
		return rf_error_set(err, "boot protocol older than 2.08");

	/* 0 means 4, for a reason of the last century. */
	setup = file[SETUP_SECTS] ? file[SETUP_SECTS] : 4;
	offset = (setup + 1) * SECTOR_SIZE;
	offset += le32(file + SETUP_PAYLOAD_OFFSET);
	payload->len = le32(file + SETUP_PAYLOAD_LENGTH);
	if (offset > len || payload->len > len - offset)
		return rf_error_set(err, "file is cut short: it has %zu bytes, "
					 "its header speaks of %zu",
				    len, offset + payload->len);
	payload->data = file + offset;

	if (is_elf(payload->data, payload->len)) {
		payload->elf_len = payload->len;
		payload->format = "none";
		return 0;
	}
	payload->format = rf_decompress_name(payload->data, payload->len);
	if (!payload->format)
		return rf_error_set(err, "its payload is compressed in a format unknown here");
	if (payload->len < 8)
		return rf_error_set(err, "its payload is empty");
	payload->len -= 4;
	payload->elf_len = le32(payload->data + payload->len);
	/* gzip ends in the size of its own accord. */
	if (!strcmp(payload->format, "gzip"))
		payload->len += 4;
	if (!payload->elf_len || payload->elf_len > MAX_ELF_SIZE)
		return rf_error_set(err, "damaged: it claims to unpack to %zu bytes",
				    payload->elf_len);
	return 0;
}

int rf_image_unpack(const struct rf_payload *payload, uint8_t *elf,
		    struct rf_error *err)
{
	if (!strcmp(payload->format, "none")) {
		memcpy(elf, payload->data, payload->elf_len);
		return 0;
	}
	return rf_decompress(payload->data, payload->len, elf,
			     payload->elf_len, err);
}

/* Notes as the file has them, before they are judged. */
struct notes {
	uint64_t number[XEN_ELFNOTE_MAX + 1];
	char text[XEN_ELFNOTE_MAX + 1][128];
	unsigned int nr;
};

static bool note_is_text(unsigned int type)
{
	switch (type) {
	case XEN_ELFNOTE_XEN_VERSION:
	case XEN_ELFNOTE_GUEST_OS:
	case XEN_ELFNOTE_GUEST_VERSION:
	case XEN_ELFNOTE_LOADER:
	case XEN_ELFNOTE_PAE_MODE:
	case XEN_ELFNOTE_FEATURES:
	case XEN_ELFNOTE_BSD_SYMTAB:
		return true;
	default:
		return false;
	}
}

static void notes_add(struct notes *notes, unsigned int type,
		      const uint8_t *desc, size_t len)
{
	if (type > XEN_ELFNOTE_MAX)
		return;
	notes->nr++;
	if (note_is_text(type)) {
		if (len > sizeof(notes->text[type]) - 1)
			len = sizeof(notes->text[type]) - 1;
		memcpy(notes->text[type], desc, len);
		notes->text[type][len] = 0;
	} else if (len >= 8) {
		notes->number[type] = le32(desc) | (uint64_t)le32(desc + 4) << 32;
	} else if (len >= 4) {
		notes->number[type] = le32(desc);
	}
}

/* One block of notes: a PT_NOTE segment or an SHT_NOTE section. */
static void notes_read(struct notes *notes, Elf *elf, uint64_t offset,
		       uint64_t size, uint64_t align)
{
	size_t at = 0, next, name, desc;
	GElf_Nhdr nhdr;
	Elf_Data *data;

	data = elf_getdata_rawchunk(elf, offset, size,
				    align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	if (!data)
		return;
	while ((next = gelf_getnote(data, at, &nhdr, &name, &desc)) > 0) {
		const uint8_t *buf = data->d_buf;

		if (nhdr.n_namesz == 4 && !memcmp(buf + name, "Xen", 4))
			notes_add(notes, nhdr.n_type, buf + desc, nhdr.n_descsz);
		at = next;
	}
}

static void notes_read_sections(struct notes *notes, Elf *elf, size_t len)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_NOTE)
			continue;
		if (shdr.sh_offset <= len && shdr.sh_size <= len - shdr.sh_offset)
			notes_read(notes, elf, shdr.sh_offset, shdr.sh_size,
				   shdr.sh_addralign);
	}
}

static int segment_add(struct rf_kernel *kernel, const GElf_Phdr *ph,
		       struct rf_error *err)
{
	struct rf_segment *segment;

	if (!ph->p_memsz)
		return 0;
	if (ph->p_filesz > ph->p_memsz || ph->p_offset > kernel->elf_len ||
	    ph->p_filesz > kernel->elf_len - ph->p_offset)
		return rf_error_set(err, "damaged: a segment lies outside the file");
	if (ph->p_paddr + ph->p_memsz < ph->p_paddr)
		return rf_error_set(err, "damaged: a segment wraps around the address space");
	if (kernel->nr_segments == RF_MAX_SEGMENTS)
		return rf_error_set(err, "more than %d segments",
				    RF_MAX_SEGMENTS);

	segment = &kernel->segments[kernel->nr_segments++];
	segment->paddr = ph->p_paddr;
	segment->mem_size = ph->p_memsz;
	segment->file_size = ph->p_filesz;
	segment->offset = ph->p_offset;
	return 0;
}

static int headers_read(Elf *elf, struct rf_kernel *kernel,
			struct notes *notes, struct rf_error *err)
{
	size_t nr_headers;
	GElf_Ehdr eh;
	GElf_Phdr ph;

	if (!gelf_getehdr(elf, &eh))
		return rf_error_set(err, "damaged: no ELF header");
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != EM_X86_64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return rf_error_set(err, "not a 64-bit x86 kernel");
	if (elf_getphdrnum(elf, &nr_headers))
		return rf_error_set(err, "damaged: no program headers");

	kernel->entry = eh.e_entry;
	for (size_t i = 0; i < nr_headers; i++) {
		if (!gelf_getphdr(elf, i, &ph))
			return rf_error_set(err, "damaged: program header %zu cannot be read",
					    i);
		if (ph.p_type == PT_LOAD && segment_add(kernel, &ph, err))
			return -1;
		if (ph.p_type == PT_NOTE && ph.p_offset <= kernel->elf_len &&
		    ph.p_filesz <= kernel->elf_len - ph.p_offset)
			notes_read(notes, elf, ph.p_offset, ph.p_filesz,
				   ph.p_align);
	}
	if (!notes->nr)
		notes_read_sections(notes, elf, kernel->elf_len);
	if (!kernel->nr_segments)
		return rf_error_set(err, "nothing to load in it");
	return 0;
}

/* What a guest may insist on ("!name") and gets. */
static const char *const features_given[] = {
	"writable_page_tables",
	"pae_pgdir_above_4gb",
	"mmu_pt_update_preserve_ad",
};

static bool feature_given(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(features_given) / sizeof(char *); i++)
		if (strlen(features_given[i]) == len &&
		    !memcmp(features_given[i], name, len))
			return true;
	return false;
}

static int features_check(const char *text, struct rf_error *err)
{
	while (*text) {
		size_t len = strcspn(text, "|");

		if (*text == '!' && !feature_given(text + 1, len - 1))
			return rf_error_set(err, "it insists on the Xen "
						 "feature %.*s, which "
						 "ringfence does not have",
					    (int)len - 1, text + 1);
		text += len;
		text += *text == '|';
	}
	return 0;
}

static int notes_judge(const struct notes *notes, struct rf_kernel *kernel,
		       struct rf_error *err)
{
	const uint64_t *number = notes->number;
	const char *version = notes->text[XEN_ELFNOTE_XEN_VERSION];

	if (!notes->nr)
		return rf_error_set(err, "it has no Xen notes: it was built without CONFIG_XEN_PV");
	if (number[XEN_ELFNOTE_ENTRY] == RF_NOTE_UNSET &&
	    number[XEN_ELFNOTE_PHYS32_ENTRY] != RF_NOTE_UNSET)
		return rf_error_set(err, "it was built with CONFIG_XEN_PVH but "
					 "without CONFIG_XEN_PV");
	if (*version && strcmp(version, "xen-3.0"))
		return rf_error_set(err, "it is for Xen version \"%s\", not \"xen-3.0\"",
				    version);
	if (features_check(notes->text[XEN_ELFNOTE_FEATURES], err))
		return -1;
	if (number[XEN_ELFNOTE_PADDR_OFFSET] != RF_NOTE_UNSET &&
	    number[XEN_ELFNOTE_VIRT_BASE] == RF_NOTE_UNSET)
		return rf_error_set(err, "it has a PADDR_OFFSET note but no VIRT_BASE");

	if (number[XEN_ELFNOTE_ENTRY] != RF_NOTE_UNSET)
		kernel->entry = number[XEN_ELFNOTE_ENTRY];
	if (number[XEN_ELFNOTE_VIRT_BASE] != RF_NOTE_UNSET)
		kernel->virt_base = number[XEN_ELFNOTE_VIRT_BASE];
	if (number[XEN_ELFNOTE_PADDR_OFFSET] != RF_NOTE_UNSET)
		kernel->paddr_offset = number[XEN_ELFNOTE_PADDR_OFFSET];
	kernel->hypercall_page = number[XEN_ELFNOTE_HYPERCALL_PAGE];
	kernel->init_p2m = number[XEN_ELFNOTE_INIT_P2M];
	kernel->mod_start_pfn = number[XEN_ELFNOTE_MOD_START_PFN] == 1;
	snprintf(kernel->guest_os, sizeof(kernel->guest_os), "%.31s",
		 notes->text[XEN_ELFNOTE_GUEST_OS]);
	snprintf(kernel->guest_version, sizeof(kernel->guest_version), "%.31s",
		 notes->text[XEN_ELFNOTE_GUEST_VERSION]);
	return 0;
}

int rf_image_parse(const uint8_t *image, size_t len, struct rf_kernel *kernel,
		   struct rf_error *err)
{
	struct notes *notes = calloc(1, sizeof(*notes));
	Elf *elf;
	int ret;

	memset(kernel, 0, sizeof(*kernel));
	kernel->elf = image;
	kernel->elf_len = len;
	if (!notes || elf_version(EV_CURRENT) == EV_NONE) {
		free(notes);
		return rf_error_set(err, "libelf does not work here");
	}
	memset(notes->number, 0xff, sizeof(notes->number));

	/* libelf takes a char *, but does not write to an image it reads. */
	elf = elf_memory((char *)image, len);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		ret = rf_error_set(err, "damaged: not an ELF image");
	else
		ret = headers_read(elf, kernel, notes, err);
	if (!ret)
		ret = notes_judge(notes, kernel, err);
	elf_end(elf);
	free(notes);
	return ret;
}
