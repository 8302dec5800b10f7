// SPDX-License-Identifier: GPL-2.0
/*
 * What is put into the console ring, and its event sent, comes out on the other
 * side, and the guest hears when there is room again.
 *
 * It may not: the indices are shared memory, and the guest may set them to
 * anything.
 */
#include "guest.h"

static struct xencons_interface *ring;
static u32 port;

static bool wait_for_room(u32 prod)
{
	u64 limit = now_ns() + 5000000000;

	while (READ_ONCE(ring->out_cons) != prod && now_ns() < limit)
		relax();
	return READ_ONCE(ring->out_cons) == prod;
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		while (ring->out_prod - READ_ONCE(ring->out_cons) >= sizeof(ring->out))
			relax();
		ring->out[ring->out_prod % sizeof(ring->out)] = *text;
		__atomic_store_n(&ring->out_prod, ring->out_prod + 1, __ATOMIC_RELEASE);
	}
	port_send(port);
}

static void a_line_is_taken(void)
{
	ring = (void *)va_of(start_info->console.domU.mfn);
	port = start_info->console.domU.evtchn;
	put_text("# by the ring\n");
	EXPECT(wait_for_room(ring->out_prod));
}

static void more_than_the_ring_holds_is_taken(void)
{
	u32 i;

	for (i = 0; i < 40; i++)
		put_text("# sixty-four bytes of text, one line of forty in the ring.....\n");
	EXPECT(wait_for_room(ring->out_prod));
}

static void room_is_told(void)
{
	u64 limit = now_ns() + 5000000000;

	port_unmask(port);
	event_forget();
	put_text("# again\n");
	events_on();
	while (!READ_ONCE(event_log.count[port]) && now_ns() < limit)
		relax();
	events_off();
	EXPECT(event_log.count[port]);
}

/* The launcher may give the ring up; the guest goes on, and has the other way. */
static void bent_indices_are_survived(void)
{
	static const u32 bent[] = { 0x80000000, 0xffffffff, 2049, 0x7fffffff };
	u32 start = ring->out_prod, i;

	for (i = 0; i < ARRAY_SIZE(bent); i++) {
		WRITE_ONCE(ring->out_prod, start + bent[i]);
		WRITE_ONCE(ring->in_cons, start + bent[i]);
		port_send(port);
		relax();
	}
	EXPECT_EQ(console_io(CONSOLEIO_write, 13, "# still here\n"), 0);
}

GUEST_TEST(CASE(a_line_is_taken), CASE(more_than_the_ring_holds_is_taken), CASE(room_is_told),
	   CASE(bent_indices_are_survived));
