// SPDX-License-Identifier: GPL-2.0
/*
 * start_info_test.c - the guest finds what the ABI promises it
 *
 * Sources: userland/start_info.c userland/error.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "userland/start_info.h"
#include "userland/xen_start_info.h"

#define PAGE_SIZE	4096ULL
#define MIB		256ULL			/* in pages */

#define PRESENT		1ULL
#define WRITABLE	2ULL
#define ALL_FLAGS	0x67ULL			/* P, RW, US, A, D */

/* A guest under construction. */
struct guest {
	uint8_t elf[3 * PAGE_SIZE];
	struct rf_kernel kernel;
	struct rf_build build;
	struct rf_layout layout;
	struct rf_entry entry;
	struct rf_error err;
};

/* Text at 16 MiB with a page of bss, as Linux has it. */
static struct guest *guest_like_linux(uint64_t nr_pages)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	memset(guest->elf, 0xab, sizeof(guest->elf));
	guest->kernel = (struct rf_kernel){
		.elf = guest->elf,
		.elf_len = sizeof(guest->elf),
		.segments = {
			{ 0x1000000, 2 * PAGE_SIZE, PAGE_SIZE + 5, 0 },
			{ 0x1003000, PAGE_SIZE, PAGE_SIZE, 2 * PAGE_SIZE },
		},
		.nr_segments = 2,
		.entry = 0xffffffff81000010,
		.virt_base = 0xffffffff80000000,
		.hypercall_page = RF_NOTE_UNSET,
		.init_p2m = 0x8000000000,
		.mod_start_pfn = true,
	};
	guest->build = (struct rf_build){
		.kernel = &guest->kernel,
		.cmdline = "console=hvc0",
		.nr_pages = nr_pages,
		.store_port = 2,
		.console_port = 3,
	};
	return guest;
}

/* What one-file guests are: mapped at 0, hypercall page, list inside. */
static struct guest *guest_of_one_file(uint64_t nr_pages)
{
	struct guest *guest = guest_like_linux(nr_pages);

	guest->kernel.virt_base = 0;
	guest->kernel.entry = 0x1000000;
	guest->kernel.hypercall_page = 0x1001000;
	guest->kernel.init_p2m = RF_NOTE_UNSET;
	guest->kernel.mod_start_pfn = false;
	return guest;
}

static void guest_free(struct guest *guest)
{
	free(guest->build.memory);
	free(guest);
}

static bool guest_build(struct guest *guest)
{
	struct rf_build *build = &guest->build;

	if (rf_start_info_plan(build, &guest->layout, &guest->err)) {
		printf("# %s\n", guest->err.text);
		return false;
	}
	build->memory = calloc(build->nr_pages + RF_NR_SPECIAL_FRAMES,
			       PAGE_SIZE);
	rf_start_info_fill(build, &guest->layout, &guest->entry);
	return true;
}

static void expect_refused(struct guest *guest, const char *why)
{
	EXPECT(rf_start_info_plan(&guest->build, &guest->layout, &guest->err));
	if (!strstr(guest->err.text, why)) {
		printf("# said: %s\n", guest->err.text);
		EXPECT(!"the reason is given");
	}
	guest_free(guest);
}

static void *at_pfn(struct guest *guest, uint64_t pfn)
{
	return guest->build.memory + pfn * PAGE_SIZE;
}

/* The leaf that maps @va, or 0; follows only what a CPU would. */
static uint64_t walk(struct guest *guest, uint64_t va)
{
	uint64_t pfn = guest->entry.cr3_pfn, entry = 0;

	for (int shift = 39; shift >= 12; shift -= 9) {
		if (pfn >= guest->build.nr_pages)
			return 0;
		entry = ((uint64_t *)at_pfn(guest, pfn))[va >> shift & 511];
		if (!(entry & PRESENT))
			return 0;
		pfn = entry >> 12;
	}
	return entry;
}

static void *at_va(struct guest *guest, uint64_t va)
{
	uint64_t entry = walk(guest, va);

	if (!entry || entry >> 12 >= guest->build.nr_pages)
		return NULL;
	return (uint8_t *)at_pfn(guest, entry >> 12) + va % PAGE_SIZE;
}

static struct start_info *start_info(struct guest *guest)
{
	return at_va(guest, guest->entry.rsi);
}

static bool is_table(struct guest *guest, uint64_t pfn)
{
	const struct rf_layout *layout = &guest->layout;

	return pfn >= layout->tables_pfn &&
	       pfn < layout->tables_pfn + layout->nr_tables;
}

/* Present leaves below @pfn's table, all of them, wherever they are. */
static uint64_t count_leaves(struct guest *guest, uint64_t pfn, int level)
{
	uint64_t *table = at_pfn(guest, pfn), nr = 0;

	for (int i = 0; i < 512; i++) {
		if (!(table[i] & PRESENT))
			continue;
		nr += level ? count_leaves(guest, table[i] >> 12, level - 1) : 1;
	}
	return nr;
}

/* What holds for every guest, whatever its kernel asks for. */
static void expect_sound(struct guest *guest)
{
	const struct rf_layout *layout = &guest->layout;
	struct start_info *si = start_info(guest);
	uint64_t nr_pages = guest->build.nr_pages, nr_mapped, list_pages, va;
	unsigned int bad = 0;

	EXPECT(si && !strcmp(si->magic, "xen-3.0-x86_64"));
	if (!si)
		return;
	EXPECT_EQ(si->nr_pages, nr_pages);
	EXPECT_EQ(si->shared_info, nr_pages * PAGE_SIZE);
	EXPECT_EQ(si->store_evtchn, 2);
	EXPECT_EQ(si->store_mfn, layout->store_pfn);
	EXPECT(si->store_mfn && si->store_mfn < nr_pages);
	EXPECT(si->store_mfn != si->console.mfn);
	EXPECT_EQ(si->console.evtchn, 3);
	EXPECT(si->console.mfn && si->console.mfn < nr_pages);
	EXPECT_EQ(walk(guest, si->pt_base) >> 12, guest->entry.cr3_pfn);
	EXPECT_EQ(si->nr_pt_frames, layout->nr_tables);
	EXPECT(!strcmp((char *)si->cmd_line, guest->build.cmdline));
	EXPECT(at_va(guest, guest->entry.rip));

	/* The initial mapping is frame 0 on; tables, and only they, are RO. */
	nr_mapped = (layout->virt_end - layout->virt_base) / PAGE_SIZE;
	for (uint64_t pfn = 0; pfn < nr_mapped; pfn++) {
		uint64_t flags = ALL_FLAGS;

		if (is_table(guest, pfn))
			flags &= ~WRITABLE;
		va = layout->virt_base + pfn * PAGE_SIZE;
		bad += walk(guest, va) != (pfn << 12 | flags);
	}
	EXPECT_EQ(bad, 0);
	EXPECT(nr_mapped <= nr_pages);
	EXPECT_EQ(layout->virt_end % (4 << 20), 0);

	/* The stack is the last thing, and 512 KiB follow it. */
	EXPECT_EQ(guest->entry.rsp, layout->virt_base +
				    (layout->stack_pfn + 1) * PAGE_SIZE);
	EXPECT(layout->virt_end - guest->entry.rsp >= 512 << 10);
	EXPECT_EQ(layout->stack_pfn, layout->tables_pfn + layout->nr_tables);

	/* The frame list is the identity. */
	bad = 0;
	for (uint64_t pfn = 0; pfn < nr_pages; pfn++) {
		uint64_t *mfn = at_va(guest, si->mfn_list + pfn * 8);

		bad += !mfn || *mfn != pfn;
	}
	EXPECT_EQ(bad, 0);

	/* Nothing else is mapped. */
	list_pages = (nr_pages * 8 + PAGE_SIZE - 1) / PAGE_SIZE;
	EXPECT_EQ(count_leaves(guest, guest->entry.cr3_pfn, 3),
		  nr_mapped + (layout->p2m_apart ? list_pages : 0));
}

static void a_guest_like_linux_is_sound(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);
	struct start_info *si;

	EXPECT(guest_build(guest));
	expect_sound(guest);
	si = start_info(guest);
	EXPECT_EQ(si->mfn_list, 0x8000000000);
	EXPECT_EQ(si->first_p2m_pfn, guest->layout.p2m_pfn);
	/* 32 pages of list; one table of each of three levels. */
	EXPECT_EQ(si->nr_p2m_frames, 32 + 3);
	EXPECT(si->first_p2m_pfn * PAGE_SIZE >=
	       guest->layout.virt_end - guest->layout.virt_base);
	EXPECT_EQ(si->mod_start, 0);
	EXPECT_EQ(si->mod_len, 0);
	EXPECT(!(si->flags & SIF_MOD_START_PFN));
	guest_free(guest);
}

static void the_kernel_is_where_it_wants_to_be(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);
	uint8_t *text;

	EXPECT(guest_build(guest));
	text = at_va(guest, 0xffffffff81000000);
	EXPECT_EQ(text[0], 0xab);
	EXPECT_EQ(text[PAGE_SIZE + 4], 0xab);
	EXPECT_EQ(text[PAGE_SIZE + 5], 0);
	EXPECT_EQ(text[2 * PAGE_SIZE], 0);
	EXPECT_EQ(text[3 * PAGE_SIZE], 0xab);
	EXPECT_EQ(guest->entry.rip, 0xffffffff81000010);
	guest_free(guest);
}

/* An old kernel's p_paddr has the kernel's base in it. */
static void paddr_offset_is_taken_off(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);
	struct guest *low = guest_like_linux(64 * MIB);

	guest->kernel.paddr_offset = 0xffffffff80000000;
	guest->kernel.segments[0].paddr += 0xffffffff80000000;
	guest->kernel.segments[1].paddr += 0xffffffff80000000;
	EXPECT(guest_build(guest));
	expect_sound(guest);
	EXPECT_EQ(*(uint8_t *)at_va(guest, 0xffffffff81000000), 0xab);
	guest_free(guest);

	low->kernel.paddr_offset = 0x2000000;
	expect_refused(low, "cannot be loaded");
}

static void an_initrd_told_as_a_frame_is_not_mapped(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);
	struct start_info *si;

	guest->build.initrd = "initrd";
	guest->build.initrd_len = 6;
	EXPECT(guest_build(guest));
	expect_sound(guest);
	si = start_info(guest);
	EXPECT(si->flags & SIF_MOD_START_PFN);
	EXPECT_EQ(si->mod_len, 6);
	EXPECT(!memcmp(at_pfn(guest, si->mod_start), "initrd", 7));
	EXPECT(si->mod_start * PAGE_SIZE >=
	       guest->layout.virt_end - guest->layout.virt_base);
	EXPECT(si->mod_start < si->first_p2m_pfn);
	guest_free(guest);
}

static void an_initrd_told_as_an_address_is_mapped(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);
	struct start_info *si;

	guest->kernel.mod_start_pfn = false;
	guest->build.initrd = "initrd";
	guest->build.initrd_len = 6;
	EXPECT(guest_build(guest));
	expect_sound(guest);
	si = start_info(guest);
	EXPECT(!(si->flags & SIF_MOD_START_PFN));
	EXPECT(!memcmp(at_va(guest, si->mod_start), "initrd", 7));
	guest_free(guest);
}

static void a_guest_of_one_file_is_sound(void)
{
	struct guest *guest = guest_of_one_file(32 * MIB);
	struct start_info *si;

	EXPECT(guest_build(guest));
	expect_sound(guest);
	si = start_info(guest);
	EXPECT(!guest->layout.p2m_apart);
	EXPECT_EQ(si->first_p2m_pfn, 0);
	EXPECT_EQ(si->nr_p2m_frames, 0);
	EXPECT(si->mfn_list < guest->layout.virt_end);
	guest_free(guest);
}

static void hypercall_stubs_are_as_xen_has_them(void)
{
	static const uint8_t stub[] = {
		0x51, 0x41, 0x53, 0xb8, 29, 0, 0, 0, 0x0f, 0x05,
		0x41, 0x5b, 0x59, 0xc3, 0xcc,
	};
	static const uint8_t iret[] = {
		0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05, 0xcc,
	};
	struct guest *guest = guest_of_one_file(32 * MIB);
	uint8_t *page;

	EXPECT(guest_build(guest));
	page = at_va(guest, 0x1001000);
	EXPECT(!memcmp(page + 29 * 32, stub, sizeof(stub)));
	EXPECT(!memcmp(page + 23 * 32, iret, sizeof(iret)));
	EXPECT_EQ(page[127 * 32 + 4], 127);
	EXPECT_EQ(page[PAGE_SIZE - 1], 0xcc);
	EXPECT_EQ(page[PAGE_SIZE], 0);
	guest_free(guest);
}

static void a_hypercall_page_outside_is_refused(void)
{
	static const uint64_t pages[] = {
		0x1004000, 0x1000800, -4096ULL, 0x80000000,
	};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct guest *guest = guest_of_one_file(32 * MIB);

		guest->kernel.hypercall_page = pages[i];
		expect_refused(guest, "hypercall page");
	}
}

static void an_entry_outside_is_refused(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);

	guest->kernel.entry = 0x1000;
	expect_refused(guest, "entry point");
}

static void too_little_memory_is_refused_with_the_right_size(void)
{
	struct guest *guest = guest_like_linux(16 * MIB);
	unsigned int need = 0;
	char *at;

	guest->build.initrd_len = 10 << 20;
	EXPECT(rf_start_info_plan(&guest->build, &guest->layout, &guest->err));
	at = strstr(guest->err.text, "need ");
	EXPECT(at && sscanf(at, "need %u MiB", &need) == 1);
	/* The kernel alone was in the way first: ask again with that much. */
	guest->build.nr_pages = need * MIB;
	if (rf_start_info_plan(&guest->build, &guest->layout, &guest->err)) {
		at = strstr(guest->err.text, "need ");
		EXPECT(at && sscanf(at, "need %u MiB", &need) == 1);
		guest->build.nr_pages = need * MIB;
	}
	EXPECT(!rf_start_info_plan(&guest->build, &guest->layout, &guest->err));
	EXPECT(guest->layout.end_pfn > (need - 1) * MIB - MIB);
	guest_free(guest);
}

static void a_segment_beyond_everything_is_refused(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);

	guest->kernel.segments[1].paddr = 64 << 20;
	expect_refused(guest, "too few");
	guest = guest_like_linux(64 * MIB);
	guest->kernel.segments[1].paddr = -8192ULL;
	expect_refused(guest, "cannot be loaded");
	guest = guest_like_linux(64 * MIB);
	guest->kernel.segments[1].mem_size = -8192ULL;
	expect_refused(guest, "cannot be loaded");
}

static void a_base_nobody_can_map_is_refused(void)
{
	static const uint64_t bases[] = {
		0xffff800000000000,	/* the hypervisor's */
		0xffff87ffff000000,	/* its end is */
		0x00007fffff000000,	/* runs out of the lower half */
		0x0000900000000000,	/* not canonical */
		0xffffffffff000000,	/* runs off the end */
	};

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct guest *guest = guest_like_linux(64 * MIB);

		guest->kernel.virt_base = bases[i];
		guest->kernel.entry = bases[i];
		expect_refused(guest, "cannot be mapped");
	}
}

static void a_crooked_base_is_refused(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);

	guest->kernel.virt_base += 8;
	expect_refused(guest, "VIRT_BASE");
}

/* INIT_P2M is a wish: where it cannot be met, the list is in the mapping. */
static void an_impossible_init_p2m_is_not_met(void)
{
	static const uint64_t wishes[] = {
		0xffff800000000000,	/* the hypervisor's */
		0x00007fffffff0000,	/* runs out of the lower half */
		0x0000800000000000,	/* not canonical */
		0xffffff8000000000,	/* shares the kernel's top-level slot */
		0xffffffff90000000,	/* above the kernel */
		0x8000000800,		/* not a page */
	};

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct guest *guest = guest_like_linux(64 * MIB);

		guest->kernel.init_p2m = wishes[i];
		EXPECT(guest_build(guest));
		expect_sound(guest);
		EXPECT(!guest->layout.p2m_apart);
		guest_free(guest);
	}
}

/* Crosses every kind of boundary between tables. */
static void an_odd_init_p2m_is_met(void)
{
	static const uint64_t wishes[] = {
		0x80001ff000, 0x803ffff000, 0xfffffff000, 0x1000,
	};

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct guest *guest = guest_like_linux(64 * MIB);

		guest->kernel.init_p2m = wishes[i];
		EXPECT(guest_build(guest));
		expect_sound(guest);
		EXPECT(guest->layout.p2m_apart);
		EXPECT_EQ(start_info(guest)->mfn_list, wishes[i]);
		guest_free(guest);
	}
}

static void an_odd_virt_base_is_met(void)
{
	static const uint64_t bases[] = {
		0x1000, 0x7ffff000, 0x7fffffe000, 0xffffff7ffff00000,
	};

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct guest *guest = guest_of_one_file(64 * MIB);

		guest->kernel.virt_base = bases[i];
		guest->kernel.entry = bases[i] + 0x1000000;
		guest->kernel.hypercall_page = bases[i] + 0x1001000;
		EXPECT(guest_build(guest));
		expect_sound(guest);
		guest_free(guest);
	}
}

static void a_command_line_has_1023_bytes(void)
{
	struct guest *guest = guest_like_linux(64 * MIB);
	char line[MAX_GUEST_CMDLINE + 1];

	memset(line, 'x', sizeof(line));
	line[MAX_GUEST_CMDLINE - 1] = 0;
	guest->build.cmdline = line;
	EXPECT(guest_build(guest));
	EXPECT(!strcmp((char *)start_info(guest)->cmd_line, line));
	EXPECT_EQ(start_info(guest)->first_p2m_pfn, guest->layout.p2m_pfn);
	line[MAX_GUEST_CMDLINE - 1] = 'x';
	line[MAX_GUEST_CMDLINE] = 0;
	free(guest->build.memory);
	guest->build.memory = NULL;
	expect_refused(guest, "command line");
}

/* Sizes at which the number of tables, or the last page of the list, turns. */
static void every_size_is_sound(void)
{
	static const uint64_t sizes[] = {
		24 * MIB, 24 * MIB + 1, 25 * MIB - 1, 27 * MIB, 32 * MIB + 511,
		64 * MIB + 512, 64 * MIB + 513, 1100 * MIB,
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct guest *guest = guest_like_linux(sizes[i]);

		guest->build.initrd = "initrd";
		guest->build.initrd_len = 6;
		guest->kernel.mod_start_pfn = i & 1;
		if (i & 2)
			guest->kernel.init_p2m = RF_NOTE_UNSET;
		EXPECT(guest_build(guest));
		expect_sound(guest);
		guest_free(guest);
	}
}

static const struct tap_case cases[] = {
	TAP_CASE(a_guest_like_linux_is_sound),
	TAP_CASE(the_kernel_is_where_it_wants_to_be),
	TAP_CASE(paddr_offset_is_taken_off),
	TAP_CASE(an_initrd_told_as_a_frame_is_not_mapped),
	TAP_CASE(an_initrd_told_as_an_address_is_mapped),
	TAP_CASE(a_guest_of_one_file_is_sound),
	TAP_CASE(hypercall_stubs_are_as_xen_has_them),
	TAP_CASE(a_hypercall_page_outside_is_refused),
	TAP_CASE(an_entry_outside_is_refused),
	TAP_CASE(too_little_memory_is_refused_with_the_right_size),
	TAP_CASE(a_segment_beyond_everything_is_refused),
	TAP_CASE(a_base_nobody_can_map_is_refused),
	TAP_CASE(a_crooked_base_is_refused),
	TAP_CASE(an_impossible_init_p2m_is_not_met),
	TAP_CASE(an_odd_init_p2m_is_met),
	TAP_CASE(an_odd_virt_base_is_met),
	TAP_CASE(a_command_line_has_1023_bytes),
	TAP_CASE(every_size_is_sound),
};

int main(void)
{
	return TAP_RUN(cases);
}
