// SPDX-License-Identifier: GPL-2.0
/*
 * vector.c - vector registers belong to their thread
 *
 * More threads than CPUs, each with its own pattern in every XMM (and YMM)
 * register, through sleeps, faults and signals.
 */
#include <cpuid.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <sched.h>

#define THREADS	6
#define ROUNDS	400

static int wrong;
static bool have_avx;

static void load(const unsigned char *p)
{
	asm volatile("movups (%0), %%xmm0\n\tmovups 16(%0), %%xmm5\n\t"
		     "movups 32(%0), %%xmm10\n\tmovups 48(%0), %%xmm15" :: "r" (p) : "memory");
}

static void on_signal(int sig)
{
	static const unsigned char junk[64] = { 0x55 };

	(void)sig;
	load(junk);
}

/*
 * Load a pattern, give the CPU away or fault, and look.  The system call is
 * inline, for the compiler may use the registers for a call.
 */
static bool survives(unsigned char byte, void *unmapped, int how)
{
	unsigned char in[128], out[128];
	long ret;

	memset(in, byte, sizeof(in));
	for (int i = 0; i < 128; i++)
		in[i] += i;
	memset(out, 0, sizeof(out));
	if (how & 1)
		madvise(unmapped, 4096, MADV_DONTNEED);
	if (have_avx) {
		asm volatile("vmovups (%1), %%ymm0\n\tvmovups 32(%1), %%ymm5\n\t"
			     "vmovups 64(%1), %%ymm10\n\tvmovups 96(%1), %%ymm15\n\t"
			     "mov $24, %%eax\n\tsyscall\n\tmovb $1, (%3)\n\t"
			     "mov $39, %%eax\n\tsyscall\n\t"
			     "vmovups %%ymm0, (%2)\n\tvmovups %%ymm5, 32(%2)\n\t"
			     "vmovups %%ymm10, 64(%2)\n\tvmovups %%ymm15, 96(%2)\n\tvzeroupper"
			     : "=&a" (ret) : "r" (in), "r" (out), "r" (unmapped)
			     : "rcx", "r11", "memory", "xmm0", "xmm5", "xmm10", "xmm15");
		return !memcmp(in, out, 128);
	}
	asm volatile("movups (%1), %%xmm0\n\tmovups 16(%1), %%xmm5\n\t"
		     "movups 32(%1), %%xmm10\n\tmovups 48(%1), %%xmm15\n\t"
		     "mov $24, %%eax\n\tsyscall\n\tmovb $1, (%3)\n\t"
		     "mov $39, %%eax\n\tsyscall\n\t"
		     "movups %%xmm0, (%2)\n\tmovups %%xmm5, 16(%2)\n\t"
		     "movups %%xmm10, 32(%2)\n\tmovups %%xmm15, 48(%2)"
		     : "=&a" (ret) : "r" (in), "r" (out), "r" (unmapped)
		     : "rcx", "r11", "memory", "xmm0", "xmm5", "xmm10", "xmm15");
	return !memcmp(in, out, 64);
}

static void *run(void *arg)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long id = (long)arg;

	for (int i = 0; i < ROUNDS; i++)
		if (!survives(id * 16 + i, page, i))
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned int a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (c & bit_OSXSAVE) {
		unsigned int lo, hi;

		asm volatile("xgetbv" : "=a" (lo), "=d" (hi) : "c" (0));
		have_avx = (lo & 6) == 6 && (c & bit_AVX);
	}
	signal(SIGUSR1, on_signal);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	for (int i = 0; i < 50; i++) {
		pthread_kill(threads[i % THREADS], SIGUSR1);
		usleep(2000);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("registers that changed under a thread: %d\n", wrong);
	return !!wrong;
}
