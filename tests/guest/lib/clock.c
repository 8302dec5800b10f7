// SPDX-License-Identifier: GPL-2.0
/*
 * clock.c - time, and numbers that look like chance
 */
#include "guest.h"

u64 now_ns(void)
{
	const struct pvclock_vcpu_time_info *time = &this_cpu()->info->time;
	u64 ns, cycles;
	u32 version;

	do {
		version = READ_ONCE(time->version);
		barrier();
		cycles = rdtsc() - READ_ONCE(time->tsc_timestamp);
		if (time->tsc_shift < 0)
			cycles >>= -time->tsc_shift;
		else
			cycles <<= time->tsc_shift;
		ns = READ_ONCE(time->system_time) +
		     (u64)(((__uint128_t)cycles * READ_ONCE(time->tsc_to_system_mul)) >> 32);
		barrier();
	} while ((version & 1) || READ_ONCE(time->version) != version);
	return ns;
}

/* xorshift64* */
u64 random64(u64 *state)
{
	u64 x = *state ?: 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dUL;
}
