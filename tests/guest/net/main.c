// SPDX-License-Identifier: GPL-2.0
/*
 * A network device driven by hand.  Its other end is a host that has the address
 * 10.9.0.1 and answers when it is asked for by ARP, which is all there is of a
 * network here.  Frames that are right arrive; those that lie are dropped;
 * what breaks the rules of the device ends it until it is reset.  The host
 * looks at its own log afterwards: tests/boot/host/nets.sh.
 */
#include "device.h"

#define DEVICE_NET	1
#define NUM		64

#define F_CSUM		(1UL << 0)
#define F_GUEST_CSUM	(1UL << 1)
#define F_MTU		(1UL << 3)
#define F_MAC		(1UL << 5)
#define F_GUEST_TSO4	(1UL << 7)
#define F_GUEST_TSO6	(1UL << 8)
#define F_HOST_TSO4	(1UL << 11)
#define F_HOST_TSO6	(1UL << 12)
#define F_MERGE		(1UL << 15)
#define F_STATUS	(1UL << 16)
#define F_CONTROL	(1UL << 17)
#define F_MQ		(1UL << 22)
#define F_WANTED	(F_CSUM | F_GUEST_CSUM | F_MAC | F_STATUS | F_HOST_TSO4 | F_HOST_TSO6 | \
			 F_GUEST_TSO4 | F_GUEST_TSO6 | F_EVENT_IDX | F_INDIRECT)

#define NEEDS_CSUM	1
#define GSO_TCPV4	1
#define GSO_UDP		3
#define GSO_TCPV6	4
#define GSO_UDP_L4	5
#define GSO_ECN		0x80

#define HEADER		12
#define ARP_LEN		42
#define RECEIVED	2048	/* bytes of a buffer */

#define SOON		100000000UL	/* ns */
#define TRIES		200

struct header {
	u8 flags;
	u8 gso_type;
	u16 hdr_len;
	u16 gso_size;
	u16 csum_start;
	u16 csum_offset;
	u16 num_buffers;
};

static const u8 mac[6] = { 2, 0, 0, 0, 0, 1 }, stranger[6] = { 2, 0, 0, 0, 0, 2 };

static int net = -1;
static u64 offered;
static struct ring rx, tx, control;
static struct header *header;	/* a page: header, frame */
static u8 *frame, *long_frame, *buffers[NUM];
static u16 seen;

static bool is_there(void)
{
	bool deaf = cmdline_number("deaf=", 0);

	if (net < 0)
		test_skip("no network");
	else if (deaf)
		test_skip("it is deaf");
	return net >= 0 && !deaf;
}

static void fill(struct ring *ring, u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	ring->desc[i] = (struct vring_desc) {
		.addr = addr, .len = len, .flags = flags, .next = next,
	};
}

static void begin(u64 features)
{
	device_begin(net, features & offered);
	ring_set(&rx, net, 0, NUM);
	ring_set(&tx, net, 1, NUM);
	device_ready(net);
	seen = 0;
}

static void end(void)
{
	EXPECT_EQ(set_status(net, 0), 0);
	EXPECT_EQ(port_close(rx.port), 0);
	EXPECT_EQ(port_close(tx.port), 0);
}

static bool is_ended(void)
{
	doorbell(net, 0);
	doorbell(net, 1);
	return get_status(net) & STATUS_NEEDS_RESET;
}

/* Buffers [@first, @first + @nr) of @len bytes each. */
static void post(u32 first, u32 nr, u32 len)
{
	u32 i;

	for (i = first; i < first + nr; i++) {
		fill(&rx, i, gpa_of(buffers[i]), len, DESC_WRITE, 0);
		ring_offer(&rx, i);
	}
	EXPECT_EQ(doorbell(net, 0), 0);
}

/* Who has 10.9.0.1?  Tell @from at 10.9.0.@last. */
static void ask(u8 *to, const u8 *from, u8 last)
{
	static const u8 arp[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	const u8 me[] = { 10, 9, 0, last }, host[] = { 10, 9, 0, 1 };

	memset(to, 0xff, 6);
	memcpy(to + 6, from, 6);
	memcpy(to + 12, arp, sizeof(arp));
	memcpy(to + 22, from, 6);
	memcpy(to + 28, me, 4);
	memset(to + 32, 0, 6);
	memcpy(to + 38, host, 4);
}

/* One chain of one piece; true if it is back, as it has to be at once. */
static bool send(u64 gpa, u32 len)
{
	u16 idx = tx.used->idx;

	fill(&tx, 0, gpa, len, 0, 0);
	ring_offer(&tx, 0);
	EXPECT_EQ(doorbell(net, 1), 0);
	return READ_ONCE(tx.used->idx) == (u16)(idx + 1);
}

static bool send_question(const u8 *from, u8 last)
{
	memset(header, 0, HEADER);
	ask(frame, from, last);
	return send(gpa_of(header), HEADER + ARP_LEN);
}

/* The host has a network of its own; is this an answer, to 10.9.0.@last? */
static bool is_answer(const u8 *p, u8 last)
{
	static const u8 answer[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 2 };
	const u8 me[] = { 10, 9, 0, last };

	return !memcmp(p, mac, 6) && !memcmp(p + 12, answer, sizeof(answer)) &&
	       !memcmp(p + 38, me, 4);
}

/* Which buffer has the answer, each in one piece; -1: none has come soon. */
static int answer_in(u8 last)
{
	u64 until = now_ns() + SOON;
	int found = -1;
	u32 id;

	while (found < 0 && now_ns() < until) {
		for (; seen != READ_ONCE(rx.used->idx); seen++) {
			id = rx.used->ring[seen & (NUM - 1)].id;
			if (is_answer(buffers[id] + HEADER, last))
				found = id;
		}
		if (found < 0)
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	}
	return found;
}

/*
 * A bridge does not hear of a link that has come back before a second has gone by,
 * and loses frames until then: so one asks again.
 */
static int ask_until_answered(u8 last)
{
	int id = -1;
	u32 i;

	for (i = 0; i < TRIES && id < 0; i++) {
		if (!send_question(mac, last))
			break;
		id = answer_in(last);
	}
	return id;
}

/* It works: from nothing, or after whatever has been done to it. */
static bool works(void)
{
	bool came;

	begin(F_WANTED | F_MERGE);
	post(0, 32, RECEIVED);
	came = ask_until_answered(2) >= 0;
	end();
	return came;
}

static void it_says_what_it_is(void)
{
	struct rf_guest_device_info info = {};
	struct rf_guest_config config = { .len = 12 };
	u32 i;

	header = page_alloc();
	frame = (u8 *)header + HEADER;
	for (i = 0; i < NUM; i++)
		buffers[i] = page_alloc();
	/* Frames of the guest's memory, one after the other. */
	long_frame = page_alloc();
	for (i = 1; i < 20; i++)
		EXPECT_EQ((u64)page_alloc(), (u64)long_frame + i * PAGE_SIZE);

	net = device_find(DEVICE_NET);
	if (!is_there())
		return;
	info.slot = net;
	config.slot = net;
	EXPECT_EQ(device_op(RF_GUEST_DEVICE_INFO, &info), 0);
	offered = info.features;
	EXPECT_EQ(offered & (F_WANTED | F_MTU | F_MERGE), F_WANTED | F_MTU | F_MERGE);
	EXPECT_EQ(device_op(RF_GUEST_READ_CONFIG, &config), 0);
	EXPECT(!memcmp(config.data, mac, 6));
	EXPECT_EQ(*(u16 *)(config.data + 6), 1);
	EXPECT_EQ(*(u16 *)(config.data + 10), 1500);
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), -EINVAL);
}

static void a_question_is_answered(void)
{
	static const u64 features[] = { 0, F_MERGE, F_WANTED, F_WANTED | F_MERGE };
	u32 i;
	int id;

	if (!is_there())
		return;
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		begin(features[i]);
		post(0, 32, RECEIVED);
		id = ask_until_answered(2);
		EXPECT(id >= 0);
		if (id >= 0) {
			const struct header *came = (void *)buffers[id];

			EXPECT_EQ(came->num_buffers, 1);
			EXPECT_EQ(came->gso_type, 0);
		}
		EXPECT(!is_ended());
		end();
	}
}

/* A frame in pieces, and an answer into pieces of one chain. */
static void pieces_of_any_size(void)
{
	int id = -1;
	u32 i, try;

	if (!is_there())
		return;
	begin(F_WANTED);
	for (i = 0; i < 8; i++)
		fill(&rx, i, gpa_of(buffers[0]) + 7 * i, i < 7 ? 7 : RECEIVED,
		     DESC_WRITE | (i < 7 ? DESC_NEXT : 0), i + 1);
	ring_offer(&rx, 0);
	EXPECT_EQ(doorbell(net, 0), 0);
	memset(header, 0, HEADER);
	ask(frame, mac, 3);
	for (i = 0; i < HEADER + ARP_LEN; i++)
		fill(&tx, i, gpa_of(header) + i, 1, i + 1 < HEADER + ARP_LEN ? DESC_NEXT : 0,
		     i + 1);
	for (try = 1; try <= TRIES && id < 0; try++) {
		ring_offer(&tx, 0);
		EXPECT_EQ(doorbell(net, 1), 0);
		EXPECT_EQ(tx.used->idx, (u16)try);
		id = answer_in(3);
	}
	EXPECT_EQ(id, 0);
	end();
}

/* Where buffers are small and may be merged, an answer takes several. */
static void small_buffers_are_merged(void)
{
	u8 all[HEADER + 64];
	u32 first, i;
	bool found = false;

	if (!is_there())
		return;
	begin(F_WANTED | F_MERGE);
	post(0, NUM, 16);
	for (i = 0; i < TRIES && !READ_ONCE(rx.used->idx); i++) {
		u64 until = now_ns() + SOON;

		EXPECT(send_question(mac, 4));
		while (now_ns() < until && !READ_ONCE(rx.used->idx))
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	}
	for (first = 0; first < rx.used->idx && first < NUM && !found; first += i) {
		const struct header *came = (void *)buffers[rx.used->ring[first].id];
		u32 nr = came->num_buffers;

		EXPECT(nr && nr <= NUM);
		for (i = 0; i < nr && i < 4; i++)
			memcpy(all + 16 * i, buffers[rx.used->ring[first + i].id], 16);
		found = nr == 4 && is_answer(all + HEADER, 4);
		i = nr ? nr : NUM;
	}
	EXPECT(found);
	EXPECT(!is_ended());
	end();
}

/* A frame that fits into none is dropped, and nothing is written. */
static void small_buffers_get_nothing(void)
{
	if (!is_there())
		return;
	begin(F_WANTED);
	memset(buffers[0], 0x5a, PAGE_SIZE);
	fill(&rx, 0, gpa_of(buffers[0]), HEADER + ARP_LEN - 1, DESC_WRITE, 0);
	ring_offer(&rx, 0);
	EXPECT_EQ(doorbell(net, 0), 0);
	EXPECT(send_question(mac, 2));
	EXPECT_EQ(rx.used->idx, 0);
	EXPECT_EQ(buffers[0][0], 0x5a);
	EXPECT(!is_ended());
	end();
	EXPECT(works());
}

static void strangers_are_not_let_through(void)
{
	if (!is_there())
		return;
	begin(F_WANTED | F_MERGE);
	post(0, 32, RECEIVED);
	EXPECT(ask_until_answered(4) >= 0);
	EXPECT(send_question(stranger, 66));
	/* What was asked first would have been answered first. */
	EXPECT(ask_until_answered(5) >= 0);
	for (seen = 0; seen != rx.used->idx; seen++)
		EXPECT(memcmp(buffers[rx.used->ring[seen & (NUM - 1)].id] + HEADER, stranger, 6));
	end();
}

static void headers_that_lie(void)
{
	static const struct header bad[] = {
		{ .flags = NEEDS_CSUM, .csum_start = 0xffff, .csum_offset = 0xffff },
		{ .flags = NEEDS_CSUM, .csum_start = ARP_LEN, .csum_offset = 0 },
		{ .flags = NEEDS_CSUM, .csum_start = ARP_LEN - 1, .csum_offset = 0 },
		{ .flags = NEEDS_CSUM, .csum_start = 14, .csum_offset = 0xfffe },
		{ .flags = NEEDS_CSUM },
		{ .flags = 0xff, .gso_type = 0xff, .hdr_len = 0xffff, .gso_size = 0xffff,
		  .csum_start = 0xffff, .csum_offset = 0xffff, .num_buffers = 0xffff },
		{ .flags = 0xfe },
		{ .flags = NEEDS_CSUM, .gso_type = GSO_TCPV4, .csum_start = 34, .csum_offset = 16 },
		{ .flags = NEEDS_CSUM, .gso_type = GSO_TCPV4, .gso_size = 1, .csum_start = 14,
		  .csum_offset = 16, .hdr_len = 0xffff },
		{ .flags = NEEDS_CSUM, .gso_type = GSO_TCPV4, .gso_size = 0xffff, .csum_start = 34,
		  .csum_offset = 16 },
		{ .flags = NEEDS_CSUM, .gso_type = GSO_TCPV4, .gso_size = 1000, .csum_start = 0,
		  .csum_offset = 0 },
		{ .flags = NEEDS_CSUM, .gso_type = GSO_TCPV6, .gso_size = 8, .csum_start = 54,
		  .csum_offset = 16 },
		{ .gso_type = GSO_TCPV4, .gso_size = 1000 },
		{ .gso_type = GSO_UDP, .gso_size = 1000 },
		{ .flags = NEEDS_CSUM, .gso_type = GSO_UDP_L4, .gso_size = 8, .csum_start = 34,
		  .csum_offset = 6 },
		{ .flags = NEEDS_CSUM, .gso_type = GSO_TCPV4 | GSO_ECN, .gso_size = 8,
		  .csum_start = 34, .csum_offset = 16 },
		{ .hdr_len = 0xffff, .num_buffers = 0xffff },
	};
	u32 len, i;

	if (!is_there())
		return;
	begin(F_WANTED | F_MERGE);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(header, &bad[i], HEADER);
		ask(frame, mac, 2);
		EXPECT(send(gpa_of(header), HEADER + ARP_LEN));
		/* The same over something long that says it is IPv4, IPv6 or nothing. */
		for (len = 1500; len < 70000; len += len) {
			memcpy(long_frame, &bad[i], HEADER);
			ask(long_frame + HEADER, mac, 2);
			long_frame[HEADER + 12] = len & 2 ? 0x86 : 8;
			long_frame[HEADER + 13] = len & 2 ? 0xdd : 0;
			long_frame[HEADER + 14] = 0x45;
			long_frame[HEADER + 23] = 6;
			EXPECT(send(gpa_of(long_frame), len));
		}
	}
	EXPECT(!is_ended());
	end();
	EXPECT(works());
}

static void lengths_that_lie(void)
{
	const u64 wild[] = { 1UL << 45, 1UL << 63, -512UL, (u64)start_info->nr_pages << 13 };
	u32 i;

	if (!is_there())
		return;
	begin(F_WANTED | F_MERGE);
	memset(header, 0, HEADER);
	ask(frame, mac, 2);
	for (i = 0; i < HEADER + 14; i++)
		EXPECT(send(gpa_of(header), i));
	EXPECT(send(gpa_of(long_frame), 70000));
	EXPECT(send(gpa_of(header), 0xffffffff));
	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		u16 idx = tx.used->idx;

		EXPECT(send(wild[i], HEADER + ARP_LEN));
		fill(&tx, 1, gpa_of(header), HEADER, DESC_NEXT, 2);
		fill(&tx, 2, wild[i], 1514, 0, 0);
		ring_offer(&tx, 1);
		EXPECT_EQ(doorbell(net, 1), 0);
		EXPECT_EQ(tx.used->idx, (u16)(idx + 2));
	}
	/* Nothing that is there to be read at all. */
	fill(&tx, 1, gpa_of(header), PAGE_SIZE, DESC_WRITE, 0);
	ring_offer(&tx, 1);
	EXPECT_EQ(doorbell(net, 1), 0);
	EXPECT(!is_ended());
	end();
	EXPECT(works());
}

static void buffers_that_are_none_end_it(void)
{
	const struct {
		u64 gpa;
		u32 len;
		u16 flags;
	} bad[] = {
		{ gpa_of(buffers[0]), HEADER - 1, DESC_WRITE },
		{ gpa_of(buffers[0]), 0, DESC_WRITE },
		{ gpa_of(buffers[0]), RECEIVED, 0 }, { 1UL << 45, RECEIVED, DESC_WRITE },
		{ -2048UL, RECEIVED, DESC_WRITE },
		{ (u64)start_info->nr_pages << 13, RECEIVED, DESC_WRITE },
	};
	u32 i;

	if (!is_there())
		return;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(F_WANTED | F_MERGE);
		fill(&rx, 0, bad[i].gpa, bad[i].len, bad[i].flags, 0);
		ring_offer(&rx, 0);
		EXPECT(is_ended());
		/* Nobody answers, and nothing comes in any more. */
		EXPECT_EQ(doorbell(net, 1), 0);
		end();
	}
	EXPECT(works());
}

static void rings_that_lie_end_it(void)
{
	u32 i;

	if (!is_there())
		return;
	for (i = 0; i < 2; i++) {
		struct ring *ring = i ? &tx : &rx;

		begin(F_WANTED | F_MERGE);
		fill(ring, 0, gpa_of(buffers[0]), 64, i ? 0 : DESC_WRITE, 0);
		WRITE_ONCE(ring->avail->idx, NUM + 1);
		EXPECT(is_ended());
		end();

		begin(F_WANTED | F_MERGE);
		ring_offer(ring, NUM);
		EXPECT(is_ended());
		end();

		begin(F_WANTED | F_MERGE);
		fill(ring, 0, gpa_of(buffers[0]), 64, DESC_NEXT | (i ? 0 : DESC_WRITE), 1);
		fill(ring, 1, gpa_of(buffers[0]), 64, DESC_NEXT | (i ? 0 : DESC_WRITE), 0);
		ring_offer(ring, 0);
		EXPECT(is_ended());
		end();
	}
	EXPECT(works());
}

/* All answers wait for room, then are lost; the host is none the worse for it. */
static void no_room(void)
{
	bool answered = false;
	u32 i;

	if (!is_there())
		return;
	begin(F_WANTED | F_MERGE);
	for (i = 0; i < 3000; i++)
		if (!send_question(mac, 2))
			break;
	EXPECT_EQ(i, 3000);
	EXPECT_EQ(rx.used->idx, 0);
	/* With room again, all that has been kept comes, and more is answered. */
	for (i = 0; i < 4 * TRIES && !answered; i++) {
		if (rx.avail->idx == seen)
			post(0, NUM / 2, RECEIVED);
		EXPECT(send_question(mac, 7));
		answered = answer_in(7) >= 0;
	}
	EXPECT(answered);
	end();
	EXPECT(works());
}

/* Of these the device holds no more than 1024 pages; the rest has its turn later. */
static void long_buffers_are_taken_later(void)
{
	u32 i;

	if (!is_there())
		return;
	begin(F_WANTED);
	for (i = 0; i < NUM; i++) {
		fill(&rx, i, gpa_of(long_frame), 18 * PAGE_SIZE, DESC_WRITE, 0);
		ring_offer(&rx, i);
	}
	EXPECT_EQ(doorbell(net, 0), 0);
	/* Nobody rings again. */
	for (i = 0; i < NUM * 20 && READ_ONCE(rx.used->idx) < NUM; i++) {
		u64 until = now_ns() + SOON / 10;
		u16 idx = READ_ONCE(rx.used->idx);

		EXPECT(send_question(mac, 2));
		while (now_ns() < until && READ_ONCE(rx.used->idx) == idx)
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	}
	EXPECT_EQ(rx.used->idx, NUM);
	EXPECT(!is_ended());
	end();
	EXPECT(works());
}

/* With deaf=MS: there is a driver, and no room for anything. */
static void deaf(void)
{
	u64 until = now_ns() + cmdline_number("deaf=", 0) * 1000000UL;

	if (net < 0 || !cmdline_number("deaf=", 0)) {
		test_skip("it is not");
		return;
	}
	begin(F_WANTED | F_MERGE);
	while (now_ns() < until)
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	EXPECT_EQ(rx.used->idx, 0);
	end();
}

static void a_reset_gives_everything_back(void)
{
	u32 round, i;
	u16 idx;

	if (!is_there())
		return;
	for (round = 0; round < 50; round++) {
		begin(F_WANTED | F_MERGE);
		post(0, NUM, RECEIVED);
		for (i = 0; i < 4; i++)
			send_question(mac, 2);
		EXPECT_EQ(set_status(net, 0), 0);
		idx = READ_ONCE(rx.used->idx);
		for (i = 0; i < NUM; i++)
			memset(buffers[i], 0x5a, 64);
		for (i = 0; i < 10; i++)
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
		EXPECT_EQ(READ_ONCE(rx.used->idx), idx);
		for (i = 0; i < NUM && buffers[i][0] == 0x5a; i++)
			;
		EXPECT_EQ(i, NUM);
		EXPECT_EQ(port_close(rx.port), 0);
		EXPECT_EQ(port_close(tx.port), 0);
	}
	EXPECT(works());
}

/* Return: the answer of the control queue, or 0xaa if none was written. */
static u8 ask_control(u8 class, u8 command, u16 pairs, u32 len, u64 ack)
{
	u8 *p = buffers[0];
	u16 idx = control.used->idx;

	p[0] = class;
	p[1] = command;
	p[2] = pairs;
	p[3] = pairs >> 8;
	p[64] = 0xaa;
	fill(&control, 0, gpa_of(p), len, DESC_NEXT, 1);
	fill(&control, 1, ack, 1, DESC_WRITE, 0);
	ring_offer(&control, 0);
	EXPECT_EQ(doorbell(net, 4), 0);
	EXPECT_EQ(READ_ONCE(control.used->idx), (u16)(idx + 1));
	return READ_ONCE(p[64]);
}

static void the_control_queue(void)
{
	u64 ack = gpa_of(buffers[0]) + 64;
	struct ring other[2] = {};
	u32 i;

	if (!is_there())
		return;
	if (!(offered & F_MQ)) {
		test_skip("one pair of queues");
		return;
	}
	device_begin(net, (F_WANTED | F_MERGE | F_MQ | F_CONTROL) & offered);
	ring_set(&rx, net, 0, NUM);
	ring_set(&tx, net, 1, NUM);
	for (i = 0; i < 2; i++)
		ring_set(&other[i], net, 2 + i, NUM);
	ring_set(&control, net, 4, NUM);
	device_ready(net);
	EXPECT_EQ(ask_control(4, 0, 2, 4, ack), 0);
	EXPECT_EQ(ask_control(4, 0, 1, 4, ack), 0);
	EXPECT_EQ(ask_control(4, 0, 0, 4, ack), 1);
	EXPECT_EQ(ask_control(4, 0, 3, 4, ack), 1);
	EXPECT_EQ(ask_control(4, 0, 0xffff, 4, ack), 1);
	EXPECT_EQ(ask_control(4, 1, 2, 4, ack), 1);
	EXPECT_EQ(ask_control(0, 0, 1, 4, ack), 1);
	EXPECT_EQ(ask_control(0xff, 0xff, 2, 4, ack), 1);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(ask_control(4, 0, 2, i, ack), 1);
	EXPECT_EQ(ask_control(4, 0, 2, 5, ack), 1);
	EXPECT_EQ(ask_control(4, 0, 2, 4, 1UL << 45), 0xaa);
	EXPECT(!is_ended());
	EXPECT_EQ(port_close(control.port), 0);
	end();
	for (i = 0; i < 2; i++)
		EXPECT_EQ(port_close(other[i].port), 0);
	EXPECT(works());
}

static u32 storm_stop;

static void storm(void)
{
	while (!READ_ONCE(storm_stop)) {
		doorbell(net, 0);
		doorbell(net, 1);
		get_status(net);
	}
}

static void doorbells_storm(void)
{
	u32 i, try;

	if (!is_there())
		return;
	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	EXPECT(cpu_run(1, storm));
	for (i = 0; i < 50; i++) {
		begin(F_WANTED | F_MERGE);
		post(0, NUM, RECEIVED);
		memset(header, 0, HEADER);
		ask(frame, mac, 2);
		fill(&tx, 0, gpa_of(header), HEADER + ARP_LEN, 0, 0);
		for (try = 0; try < TRIES; try++) {
			ring_offer(&tx, 0);
			EXPECT_EQ(doorbell(net, 1), 0);
			if (answer_in(2) >= 0)
				break;
		}
		EXPECT(try < TRIES);
		end();
	}
	WRITE_ONCE(storm_stop, 1);
	cpu_wait(1);
	EXPECT(works());
}

GUEST_TEST(CASE(it_says_what_it_is), CASE(a_question_is_answered), CASE(pieces_of_any_size),
	   CASE(small_buffers_are_merged), CASE(small_buffers_get_nothing),
	   CASE(strangers_are_not_let_through), CASE(headers_that_lie), CASE(lengths_that_lie),
	   CASE(buffers_that_are_none_end_it), CASE(rings_that_lie_end_it), CASE(no_room),
	   CASE(deaf), CASE(long_buffers_are_taken_later), CASE(a_reset_gives_everything_back),
	   CASE(the_control_queue), CASE(doorbells_storm));
