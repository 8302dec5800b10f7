/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest.h - a guest kernel in miniature: what the tests are written with
 *
 *	static void two_and_two_are_four(void)
 *	{
 *		EXPECT_EQ(2 + 2, 4);
 *	}
 *
 *	GUEST_TEST(CASE(two_and_two_are_four));
 *
 * The guest says in KTAP what holds, and powers off.  It runs in the mapping
 * the domain builder made, from VIRT_BASE up; events are masked.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "hypercall.h"
#include "regs.h"
#include "xen.h"

#define ARRAY_SIZE(_a)		(sizeof(_a) / sizeof((_a)[0]))
#define READ_ONCE(_x)		(*(const volatile typeof(_x) *)&(_x))
#define WRITE_ONCE(_x, _v)	(*(volatile typeof(_x) *)&(_x) = (_v))
#define PAGE_SIZE		4096UL

#define FLAGS_CF		(1UL << 0)
#define FLAGS_TF		(1UL << 8)
#define FLAGS_IF		(1UL << 9)
#define FLAGS_DF		(1UL << 10)
#define FLAGS_IOPL		(3UL << 12)
#define FLAGS_NT		(1UL << 14)
#define FLAGS_AC		(1UL << 18)
#define FLAGS_ID		(1UL << 21)

#define MAX_CPUS		32

static inline void barrier(void)
{
	asm volatile("" : : : "memory");
}

/* print.c */
__attribute__((format(printf, 1, 2))) void print(const char *fmt, ...);
void *memset(void *dst, int c, size_t len);
void *memcpy(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);

/* test.c */
struct test_case {
	const char *name;
	void (*run)(void);
};

#define CASE(_fn)	{ #_fn, _fn }
#define GUEST_TEST(...)							\
	const struct test_case guest_cases[] = { __VA_ARGS__, { } }

extern const struct test_case guest_cases[];
/* rax rbx rcx rdx rsi rdi rbp rsp r8 to r15, as vCPU 0 was started with. */
extern u64 start_regs[16];

extern struct start_info *start_info;
extern struct shared_info *shared_info;

bool test_has_failed(void);	/* this case, so far */
void test_fail(const char *file, int line, const char *what);
void test_fail_eq(const char *file, int line, const char *what, u64 is, u64 should);
__attribute__((format(printf, 1, 2))) void test_skip(const char *fmt, ...);
__attribute__((noreturn)) void shut_down(u32 reason);

#define EXPECT(_cond)							\
	do {								\
		if (!(_cond))						\
			test_fail(__FILE__, __LINE__, #_cond);		\
	} while (0)

#define EXPECT_EQ(_is, _should)						\
	do {								\
		u64 is_ = (u64)(_is), should_ = (u64)(_should);		\
									\
		if (is_ != should_)					\
			test_fail_eq(__FILE__, __LINE__, #_is, is_, should_); \
	} while (0)

/* The number behind @name, "seed=" say, on the command line; or @otherwise. */
u64 cmdline_number(const char *name, u64 otherwise);

/* trap.c */

/**
 * struct cpu - a vCPU's own; %gs points to it in the guest kernel
 * @user_sp: Kernel stack while user_run() is under way
 * @kernel_sp: Stack for what comes from user mode; 0: the one user_run() is on
 * @iret_offset: Added to %rsp right before iret: the frame's other address
 * @user: Where user_run() wants the user's state; NULL if it does not run
 * @last: The last trap that TRY() caught
 * @info: Its vcpu_info
 */
struct cpu {
	struct cpu *self;
	u64 user_sp;
	u64 kernel_sp;
	u64 iret_offset;
	struct regs *user;
	u32 id;
	bool running;
	struct vcpu_info *info;
	struct regs last;
	void (*fn)(void);
};

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm volatile("movq %%gs:0, %0" : "=r" (cpu));
	return cpu;
}

extern u8 trap_stubs[], entry_syscall[], entry_syscall32[], entry_sysenter[];
extern u8 entry_event[], entry_failsafe[], entry_nmi[];

/* What the failsafe callback found below its frame: rcx r11 ds es fs gs. */
extern u64 failsafe_frame[6];

/* Asked first about every trap; true if it has seen to it. */
extern bool (*trap_hook)(struct regs *regs);

void trap_init(struct cpu *cpu);
void trap_table_init(struct trap_info *table);
long callback_register(u16 type, u16 flags, void *address);

/**
 * TRY() - Do one instruction that may trap
 *
 * TRY("movq (%0), %%rax", : : "r" (p) : "rax"): operands as for asm.
 *
 * Return: the vector, or VEC_NONE; this_cpu()->last tells the rest.
 */
#define TRY(_insn, ...)							\
	({								\
		this_cpu()->last.vector = VEC_NONE;			\
		asm volatile("771: " _insn "\n772:\n"			\
			     ".pushsection .ex_table, \"a\"\n"		\
			     ".quad 771b, 772b\n.popsection\n"		\
			     __VA_ARGS__);				\
		this_cpu()->last.vector;				\
	})

/* Read or write memory at an address that may be bad; the vector as above. */
static inline u64 try_read(u64 va, u64 *value)
{
	u64 v = 0;
	u64 vector = TRY("movq (%1), %0", : "+r" (v) : "r" (va) : "memory");

	if (value)
		*value = v;
	return vector;
}

static inline u64 try_write(u64 va, u64 value)
{
	return TRY("movq %1, (%0)", : : "r" (va), "r" (value) : "memory");
}

/* Jump there and come back, if there is a RET. */
u64 try_call(u64 va);

/* memory.c */
#define PTE_P		(1UL << 0)
#define PTE_W		(1UL << 1)
#define PTE_U		(1UL << 2)
#define PTE_A		(1UL << 5)
#define PTE_D		(1UL << 6)
#define PTE_PS		(1UL << 7)
#define PTE_NX		(1UL << 63)
#define PTE_MFN		0x000ffffffffff000UL
#define PTE_RW		(PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define PTE_RO		(PTE_P | PTE_U | PTE_A)

#define PF_P		1
#define PF_W		2
#define PF_U		4
#define PF_RSVD		8
#define PF_FETCH	16

/* A range of kernel addresses that nothing is mapped at yet. */
#define FREE_VA		0xffffc90000000000UL

static inline u64 va_of(u64 mfn)
{
	return VIRT_BASE + (mfn << 12);
}

/* Frame of something in the initial mapping. */
static inline u64 mfn_of(const void *p)
{
	return ((u64)p - VIRT_BASE) >> 12;
}

static inline u64 mkpte(u64 mfn, u64 flags)
{
	return (mfn << 12) | flags;
}

void memory_init(void);

/* A zeroed page of the initial mapping; never NULL, never given back. */
void *page_alloc(void);

/* A zeroed frame that is mapped read-only, for a page table. */
u64 table_alloc(void);

/* vCPU 0's first root. */
u64 kernel_root(void);

/* Entry for @va in the table of @level under @root; NULL if there is none. */
u64 *pte_find(u64 root, u64 va, int level);

/* Machine address of an entry found there. */
static inline u64 pte_ma(const u64 *entry)
{
	return (u64)entry - VIRT_BASE;
}

/* Write one entry by hypercall. */
long pte_write(const u64 *entry, u64 val);

/* Map, making the tables in between. */
void map(u64 root, u64 va, u64 pte);

/* user.c */
#define USER_CODE	0x400000UL
#define USER_DATA	0x600000UL
#define USER_STACK	0x800000UL	/* one page, below */

extern u64 user_root;
extern u64 *user_data;			/* kernel address of USER_DATA's page */

void user_init(void);

/* Put code for user mode next to the others: USER_ASM(name, "..."). */
#define USER_ASM(_name, _text)						\
	asm(".pushsection .user, \"ax\"\n" #_name ": " _text		\
	    "\n.popsection");						\
	extern const u8 _name[]

/* Where user mode finds it. */
u64 user_va(const u8 *code);

/* Registers to begin with: at @code, on the stack, 64 bits, events unmasked. */
struct regs user_regs(const u8 *code);

/* Run user mode until it traps; @regs says how and where.  Returns the vector. */
u64 user_run(struct regs *regs);
void user_enter(const struct regs *regs, u64 iret_flags);
__attribute__((noreturn)) void user_leave(void);

/* event.c */
struct event_log {
	u32 count[1024];	/* of each port */
	u32 order[64];		/* the first so many ports, in order */
	u32 nr;
	u32 upcalls;
};

extern struct event_log event_log;

void event_init(void);
void event_upcall(void);
void event_forget(void);
long port_send(u32 port);
long port_close(u32 port);
void port_mask(u32 port);
void port_unmask(u32 port);
bool port_is_pending(u32 port);
u32 bind_virq(u32 virq, u32 cpu);
u32 bind_ipi(u32 cpu);
u32 alloc_unbound(void);

static inline void events_off(void)
{
	WRITE_ONCE(this_cpu()->info->evtchn_upcall_mask, 1);
	barrier();
}

/* Unmask, and have what is pending delivered. */
void events_on(void);

/* store.c */
extern struct xenstore_domain_interface *store_page;

void store_init(void);

/* Send a message to the xenstore; false if it is not taken. */
bool store_send(u32 type, const void *payload, u32 len);

/* The next message: its type, or -1 if none comes.  @payload has room for all. */
int store_hear(char *payload, u32 *len);

/* smp.c */
u32 cpu_count(void);

/* Have vCPU @id run @fn, from its beginning; false if there is none. */
bool cpu_run(u32 id, void (*fn)(void));
void cpu_wait(u32 id);
void cpu_init_context(struct vcpu_guest_context *ctxt, struct cpu *cpu, void *stack);

/* Let another vCPU have the CPU, while waiting for it. */
static inline void relax(void)
{
	sched_op(SCHEDOP_yield, NULL);
}

/* clock.c */
u64 now_ns(void);
static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a" (lo), "=d" (hi));
	return (u64)hi << 32 | lo;
}

/* A repeatable random number. */
u64 random64(u64 *state);

#endif /* GUEST_GUEST_H */
