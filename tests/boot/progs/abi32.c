// SPDX-License-Identifier: GPL-2.0
/*
 * abi32.c - the three ways a 32-bit program enters a 64-bit kernel
 *
 * No C library: the system calls are the test.  Prints what it sees, to be
 * compared with what the bare machine prints.
 */
#define SYS_EXIT	1
#define SYS_FORK	2
#define SYS_WRITE	4
#define SYS_WAITPID	7
#define SYS_ALARM	27
#define SYS_GETUID	24
#define SYS_MMAP2	192
#define SYS_SET_THREAD_AREA	243

#define AT_SYSINFO	32

static unsigned int vsyscall;

static int call_int80(int nr, int a, int b, int c)
{
	int ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (nr), "b" (a), "c" (b), "d" (c) : "memory");
	return ret;
}

static int call_vdso(int nr, int a, int b, int c)
{
	int ret;

	asm volatile("call *%1" : "=a" (ret)
		     : "m" (vsyscall), "a" (nr), "b" (a), "c" (b), "d" (c) : "memory");
	return ret;
}

static unsigned int length(const char *s)
{
	unsigned int n = 0;

	while (s[n])
		n++;
	return n;
}

static void say(const char *s)
{
	call_int80(SYS_WRITE, 1, (int)s, length(s));
}

static void say_hex(const char *name, unsigned int value)
{
	char text[12] = "0x00000000\n";

	for (int i = 9; i > 1; i--, value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
	say(name);
	say(text);
}

/* With the direction flag set the kernel must still copy forwards. */
static int int80_with_df(void)
{
	int ret;

	asm volatile("std\n\tint $0x80\n\tcld" : "=a" (ret)
		     : "a" (SYS_WRITE), "b" (1), "c" ("df by int80\n"), "d" (12) : "memory");
	return ret;
}

static int vdso_with_df(void)
{
	int ret;

	asm volatile("std\n\tcall *%1\n\tcld" : "=a" (ret)
		     : "m" (vsyscall), "a" (SYS_WRITE), "b" (1), "c" ("df by vdso\n"), "d" (11)
		     : "memory");
	return ret;
}

/* Run FN in a child and say how it ended. */
static void in_child(const char *name, void (*fn)(void))
{
	int status = 0;
	int pid = call_int80(SYS_FORK, 0, 0, 0);

	if (!pid) {
		fn();
		call_int80(SYS_EXIT, 0, 0, 0);
	}
	call_int80(SYS_WAITPID, pid, (int)&status, 0);
	say_hex(name, status);
}

/*
 * SYSENTER with a stack that is not there: the sixth argument cannot be read.
 * The kernel returns to the vDSO's landing pad, which pops from that stack.
 */
static void sysenter_bad_stack(void)
{
	asm volatile("mov $16, %%ebp\n\tmov $16, %%esp\n\tsysenter"
		     :: "a" (SYS_GETUID) : "memory");
}

/* A compat SYSCALL, or an illegal instruction where the CPU has none. */
static void compat_syscall(void)
{
	asm volatile("mov %%esp, %%ebp\n\tsyscall"
		     :: "a" (SYS_GETUID) : "ecx", "memory");
}

static void divide(void)
{
	asm volatile("xor %%edx, %%edx\n\tdivl %0" :: "r" (0), "a" (1) : "edx");
}

static void null_pointer(void)
{
	asm volatile("movl $0, 0");
}

static void far_to_64(void)
{
	/* To 64-bit code and back; both instructions there read the same. */
	unsigned int ok = 0;

	asm volatile("lcall $0x33, $1f\n\tjmp 2f\n"
		     "1:\tmov $1, %0\n\tlret\n"
		     "2:" : "+r" (ok));
	say_hex("code switched: ", ok);
}

struct user_desc {
	unsigned int entry, base, limit, flags;
};

static void thread_area(void)
{
	static unsigned int word = 0x600df00d;
	struct user_desc d = { -1, (unsigned int)&word, 0xfffff, 0x51 };
	int ret = call_int80(SYS_SET_THREAD_AREA, (int)&d, 0, 0);
	unsigned int seen;

	say_hex("set_thread_area: ", ret);
	asm volatile("mov %w1, %%gs\n\tmov %%gs:0, %0"
		     : "=r" (seen) : "r" (d.entry * 8 + 3));
	say_hex("through gs: ", seen);
	/* It survives another process running. */
	in_child("child: ", (void (*)(void))divide);
	asm volatile("mov %%gs:0, %0" : "=r" (seen));
	say_hex("through gs: ", seen);
}

static void find_vsyscall(unsigned int *stack)
{
	unsigned int *p = stack + 1 + stack[0] + 1;

	while (*p++)
		;
	for (; p[0]; p += 2)
		if (p[0] == AT_SYSINFO)
			vsyscall = p[1];
}

__attribute__((used)) void abi32_main(unsigned int *stack)
{
	unsigned short cs, ss;

	find_vsyscall(stack);
	asm("mov %%cs, %0" : "=r" (cs));
	asm("mov %%ss, %0" : "=r" (ss));
	say_hex("cs: ", cs);
	say_hex("ss: ", ss);
	say_hex("int80: ", call_int80(SYS_GETUID, 0, 0, 0));
	say_hex("bad number: ", call_int80(9999, 0, 0, 0));
	say_hex("int80 df: ", int80_with_df());
	if (vsyscall) {
		say_hex("vdso: ", call_vdso(SYS_GETUID, 0, 0, 0));
		call_vdso(SYS_WRITE, 1, (int)"by vdso\n", 8);
		say_hex("vdso df: ", vdso_with_df());
	} else {
		say("no vsyscall\n");
	}
	in_child("divide: ", divide);
	in_child("null: ", null_pointer);
	in_child("sysenter, bad stack: ", sysenter_bad_stack);
	in_child("syscall: ", compat_syscall);
	far_to_64();
	thread_area();
	for (int i = 0; i < 20000; i++)
		if (vsyscall && call_vdso(SYS_GETUID, 0, 0, 0))
			say("wrong uid\n");
	call_int80(SYS_EXIT, 0, 0, 0);
}

asm(".globl _start\n_start:\n\tmov %esp, %eax\n\tand $-16, %esp\n\tsub $12, %esp\n\tpush %eax\n\tcall abi32_main\n\thlt");
