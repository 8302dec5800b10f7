// SPDX-License-Identifier: GPL-2.0
/*
 * faults.c - what a program sees of each exception
 *
 * Prints the signal, its code, the trap number and the error code for every
 * kind of fault.  A guest must print what the bare machine prints.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf again;

/* The page of the case: readable, then protected, then nothing. */
static char *volatile page;

static void on_fault(int sig, siginfo_t *si, void *context)
{
	const ucontext_t *uc = context;
	const greg_t *regs = uc->uc_mcontext.gregs;
	uintptr_t addr = (uintptr_t)si->si_addr;
	char where[40];

	/* The kernel leaves the alignment check on, which printf() fails. */
	asm volatile("pushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq" ::: "memory", "cc");
	/* Addresses differ between runs; what they point at does not. */
	if (addr == (uintptr_t)regs[REG_RIP])
		strcpy(where, "rip");
	else if (addr >= (uintptr_t)page && addr < (uintptr_t)page + 0x3000)
		snprintf(where, sizeof(where), "page+%#lx", addr - (uintptr_t)page);
	else
		snprintf(where, sizeof(where), "%#lx", addr);
	printf("sig %d code %d trap %lld error %#llx addr %s df %d tf %d\n", sig,
	       si->si_code, regs[REG_TRAPNO], regs[REG_ERR], where,
	       !!(regs[REG_EFL] & 0x400), !!(regs[REG_EFL] & 0x100));
	siglongjmp(again, 1);
}

#define CASE(_name, ...) do {						\
	printf("%s: ", _name);						\
	fflush(stdout);							\
	if (!sigsetjmp(again, 1)) {					\
		__VA_ARGS__;						\
		printf("nothing happened\n");				\
	}								\
} while (0)

static void handle_all(void)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGFPE, &sa, NULL);
	sigaction(SIGTRAP, &sa, NULL);
	sigaction(SIGSYS, &sa, NULL);
}

static void arithmetic(void)
{
	CASE("divide", asm volatile("xor %%edx, %%edx\n\tdivl %0" :: "r" (0), "a" (1) : "edx"));
	CASE("divide overflow", asm volatile("idivl %0" :: "r" (-1), "a" (0x80000000), "d" (-1)));
	CASE("x87", {
		unsigned short cw = 0x360;

		asm volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" :: "m" (cw));
	});
	asm volatile("fninit");
	CASE("sse", {
		unsigned int mxcsr = 0x1d80;

		asm volatile("ldmxcsr %0\n\txorps %%xmm1, %%xmm1\n\tcvtsi2ss %1, %%xmm0\n\t"
			     "divss %%xmm1, %%xmm0" :: "m" (mxcsr), "r" (1) : "xmm0", "xmm1");
	});
	{
		unsigned int mxcsr = 0x1f80;

		asm volatile("ldmxcsr %0" :: "m" (mxcsr));
	}
}

static void instructions(void)
{
	CASE("ud2", asm volatile("ud2"));
	CASE("int3", asm volatile("int3"));
	CASE("int $3", asm volatile(".byte 0xcd, 3"));
	CASE("int1", asm volatile(".byte 0xf1"));
	CASE("int $4", asm volatile("int $4"));
	CASE("int $0x20", asm volatile("int $0x20"));
	CASE("int $0x82", asm volatile("int $0x82"));
	CASE("int $14", asm volatile("int $14"));
	CASE("hlt", asm volatile("hlt"));
	CASE("cli", asm volatile("cli"));
	CASE("sti", asm volatile("sti"));
	CASE("in", asm volatile("in $0x80, %%al" ::: "al"));
	CASE("out", asm volatile("out %%al, $0x80" :: "a" (0)));
	CASE("rdmsr", asm volatile("rdmsr" :: "c" (0xc0000080) : "eax", "edx"));
	CASE("wrmsr", asm volatile("wrmsr" :: "c" (0xc0000080), "a" (0), "d" (0)));
	CASE("mov cr0", asm volatile("mov %%cr0, %%rax" ::: "rax"));
	CASE("mov to cr3", asm volatile("mov %%rax, %%cr3" :: "a" (0UL)));
	CASE("mov dr7", asm volatile("mov %%dr7, %%rax" ::: "rax"));
	CASE("lgdt", asm volatile("lgdt (%%rsp)" :: ));
	CASE("lldt", asm volatile("lldt %%ax" :: "a" (0)));
	CASE("ltr", asm volatile("ltr %%ax" :: "a" (0x40)));
	CASE("clts", asm volatile("clts"));
	CASE("invlpg", asm volatile("invlpg (%%rsp)" :: ));
	CASE("wbinvd", asm volatile("wbinvd"));
	CASE("swapgs", asm volatile("swapgs"));
	CASE("sysret", asm volatile("sysretq"));
	CASE("sysexit", asm volatile("sysexitl"));
	CASE("xsetbv", asm volatile("xsetbv" :: "c" (0), "a" (3), "d" (0)));
	CASE("vmcall", asm volatile("vmcall"));
	CASE("lmsw", asm volatile("lmsw %%ax" :: "a" (0)));
}

static void memory(void)
{
	CASE("null read", asm volatile("mov 0, %%eax" ::: "eax"));
	CASE("null write", asm volatile("movl $0, 0"));
	CASE("null call", ((void (*)(void))0)());
	CASE("kernel read", asm volatile("mov (%0), %%eax" :: "r" (0xffffffff81000000UL) : "eax"));
	CASE("kernel write", asm volatile("movl $0, (%0)" :: "r" (0xffff888000000000UL)));
	CASE("hole read", asm volatile("mov (%0), %%eax" :: "r" (0xffff800000000000UL) : "eax"));
	CASE("hole write", asm volatile("movl $0, (%0)" :: "r" (0xffff840000000000UL)));
	CASE("non-canonical", asm volatile("mov (%0), %%eax" :: "r" (1UL << 63) : "eax"));
	mprotect(page, 4096, PROT_READ);
	CASE("read only", *(volatile int *)(page + 8) = 1);
	CASE("not executable", ((void (*)(void))page)());
	mprotect(page, 4096, PROT_NONE);
	CASE("no access", (void)*(volatile int *)(page + 16));
	munmap(page + 4096, 4096);
	CASE("nothing mapped", (void)*(volatile int *)(page + 4096 + 24));
	CASE("lcall", asm volatile("lcall *(%%rsp)" :: ));
	CASE("bad ss", asm volatile("mov %%ax, %%ss" :: "a" (0x1234)));
	CASE("bad ds", asm volatile("mov %%ax, %%ds" :: "a" (0x1237)));
	CASE("null ss", asm volatile("mov %%ax, %%ss" :: "a" (0)));
}

/* Past the end of a file: SIGBUS. */
static void bus(void)
{
	int fd = memfd_create("short", 0);
	char *p;

	if (ftruncate(fd, 4096))
		exit(1);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CASE("end of file", {
		uintptr_t keep = (uintptr_t)page;

		page = p;
		p[4096] = 1;
		page = (char *)keep;
	});
}

static volatile sig_atomic_t steps;

static void on_step(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)si;
	(void)context;
	steps++;
}

/* Single stepping by the trap flag, over plain code and a system call. */
static void single_step(void)
{
	struct sigaction sa = {
		.sa_sigaction = on_step,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	sigaction(SIGTRAP, &sa, NULL);
	asm volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
		     "nop\n\tnop\n\tmov $39, %%eax\n\tsyscall\n\tnop\n\t"
		     "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\t"
		     ::: "rax", "rcx", "r11", "memory", "cc");
	printf("single steps: %d\n", steps);
}

/* A system call with odd flags comes back with them. */
static void odd_flags(void)
{
	unsigned long flags;

	asm volatile("std\n\tmov $39, %%eax\n\tsyscall\n\tpushfq\n\tpop %0\n\tcld"
		     : "=r" (flags) :: "rax", "rcx", "r11", "memory");
	printf("flags after a system call with DF: %#lx\n", flags & 0x400);
	asm volatile("pushfq\n\torq $0x40000, (%%rsp)\n\tpopfq\n\tmov $39, %%eax\n\tsyscall\n\t"
		     "pushfq\n\tpop %0\n\tpushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq"
		     : "=r" (flags) :: "rax", "rcx", "r11", "memory");
	printf("flags after a system call with AC: %#lx\n", flags & 0x40000);
	asm volatile("mov $3, %%eax\n\tpushfq\n\torq $0x3000, (%%rsp)\n\tpopfq\n\tpushfq\n\tpop %0"
		     : "=r" (flags) :: "rax", "memory");
	printf("IOPL a program can set: %#lx\n", flags & 0x3000);
}

static void alignment(void)
{
	CASE("alignment", {
		static char room[16];

		asm volatile("pushfq\n\torq $0x40000, (%%rsp)\n\tpopfq\n\t"
			     "movl %1, (%0)" :: "r" (room + 1), "r" (1) : "memory");
	});
	asm volatile("pushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq" ::: "memory", "cc");
}

/* How a program dies when it does not handle its fault. */
static void deaths(void)
{
	static const struct {
		const char *name;
		int sig;
	} ways[] = {
		{ "stack overflow", SIGSEGV }, { "ud2", SIGILL }, { "hlt", SIGSEGV },
	};

	for (unsigned int i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int status;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid) {
			signal(SIGSEGV, SIG_DFL);
			signal(SIGILL, SIG_DFL);
			if (i == 0)
				asm volatile("1: push %rax\n\tjmp 1b");
			else if (i == 1)
				asm volatile("ud2");
			else
				asm volatile("hlt");
			_exit(0);
		}
		waitpid(pid, &status, 0);
		printf("death by %s: signal %d\n", ways[i].name,
		       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
}

int main(void)
{
	page = mmap(NULL, 0x3000, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(page, 0x90, 0x3000);
	handle_all();
	arithmetic();
	instructions();
	memory();
	bus();
	alignment();
	odd_flags();
	single_step();
	deaths();
	return 0;
}
