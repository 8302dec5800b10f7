// SPDX-License-Identifier: GPL-2.0
/*
 * A guest kernel says where it wants to be entered: set_trap_table, callback_op,
 * set_callbacks, nmi_op.  What cannot be an address of its own is refused.
 *
 * It may not be, and then the address is only found out when it is loaded, in
 * ring 0.
 */
#include "guest.h"

#define IN_HOLE		0xffff830000001000UL
#define NOT_CANONICAL	0x8000000000000000UL
#define UNMAPPED	((void *)0x123456789000UL)

static struct trap_info table[300];

static void trap_table_is_taken_up_to_its_end(void)
{
	trap_table_init(table);
	table[0x85].flags = 3;
	EXPECT_EQ(set_trap_table(table), 0);
	EXPECT_EQ(TRY("int $0x85"), 0x85);
	/* What is behind the end is not read. */
	table[0].address = 0;
	table[1] = (struct trap_info){ .vector = 0x85, .address = NOT_CANONICAL };
	EXPECT_EQ(set_trap_table(table), 0);
	EXPECT_EQ(TRY("int $0x85"), 0x85);
}

static void trap_table_is_refused(void)
{
	u32 i;

	trap_table_init(table);
	EXPECT_EQ(set_trap_table(UNMAPPED), -EFAULT);
	table[3].address = NOT_CANONICAL;
	EXPECT_EQ(set_trap_table(table), -EINVAL);
	/* A table without an end. */
	for (i = 0; i < ARRAY_SIZE(table); i++)
		table[i] = (struct trap_info){
			.vector = 6, .cs = FLAT_KERNEL_CS, .address = (u64)(trap_stubs + 6 * 16),
		};
	EXPECT(set_trap_table(table) < 0);
	trap_table_init(table);
	EXPECT_EQ(set_trap_table(table), 0);
	EXPECT_EQ(TRY("ud2"), 6);
}

static void a_gate_can_mask_events(void)
{
	trap_table_init(table);
	table[6].flags |= 4;
	set_trap_table(table);
	this_cpu()->info->evtchn_upcall_mask = 0;
	EXPECT_EQ(TRY("ud2"), 6);
	/* It was masked in the handler; the return made it as before. */
	EXPECT_EQ(this_cpu()->last.cs >> 32, 0);
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 0);
	trap_table_init(table);
	set_trap_table(table);
}

static u8 mask_in_handler;

static bool look_at_mask(struct regs *regs)
{
	mask_in_handler = this_cpu()->info->evtchn_upcall_mask;
	return false;
}

static void it_is_masked_in_the_handler(void)
{
	trap_hook = look_at_mask;
	trap_table_init(table);
	table[6].flags |= 4;
	set_trap_table(table);
	this_cpu()->info->evtchn_upcall_mask = 0;
	EXPECT_EQ(TRY("ud2"), 6);
	EXPECT_EQ(mask_in_handler, 1);
	EXPECT_EQ(TRY("int3"), 3);
	EXPECT_EQ(mask_in_handler, 0);
	trap_table_init(table);
	set_trap_table(table);
}

static long unregister(u16 type)
{
	struct callback_unregister op = { .type = type };

	return callback_op(CALLBACKOP_unregister, &op);
}

static void callbacks_are_checked(void)
{
	u16 type;

	for (type = 0; type < 16; type++) {
		bool known = type == CALLBACKTYPE_event || type == CALLBACKTYPE_failsafe ||
			     type == CALLBACKTYPE_syscall || type == CALLBACKTYPE_nmi ||
			     type == CALLBACKTYPE_sysenter || type == CALLBACKTYPE_syscall32;

		EXPECT_EQ(callback_register(type, 0, (void *)NOT_CANONICAL), -EINVAL);
		EXPECT_EQ(unregister(type), !known ? -ENOSYS :
					    type == CALLBACKTYPE_nmi ? 0 : -EINVAL);
		if (!known)
			EXPECT_EQ(callback_register(type, 0, entry_event), -ENOSYS);
	}
	EXPECT_EQ(callback_register(0xffff, 0, entry_event), -ENOSYS);
	EXPECT_EQ(callback_register(CALLBACKTYPE_event, 0, (void *)IN_HOLE), -EINVAL);
	EXPECT_EQ(callback_op(CALLBACKOP_register, UNMAPPED), -EFAULT);
	EXPECT_EQ(callback_op(CALLBACKOP_unregister, UNMAPPED), -EFAULT);
	EXPECT_EQ(callback_op(2, UNMAPPED), -ENOSYS);
}

static void the_old_way_registers_three(void)
{
	u32 port = bind_ipi(0);

	EXPECT_EQ(HYPERCALL3(set_callbacks, NOT_CANONICAL, entry_failsafe, entry_syscall),
		  -EINVAL);
	EXPECT_EQ(HYPERCALL3(set_callbacks, entry_event, NOT_CANONICAL, entry_syscall), -EINVAL);
	EXPECT_EQ(HYPERCALL3(set_callbacks, entry_event, entry_failsafe, NOT_CANONICAL),
		  -EINVAL);
	EXPECT_EQ(HYPERCALL3(set_callbacks, entry_event, entry_failsafe, entry_syscall), 0);
	event_forget();
	port_send(port);
	events_on();
	EXPECT_EQ(event_log.count[port], 1);
	port_close(port);
}

static u32 nmis;

static bool count_nmis(struct regs *regs)
{
	nmis += regs->vector == VEC_NMI;
	return regs->vector == VEC_NMI;
}

static void an_nmi_comes_though_events_are_masked(void)
{
	struct xennmi_callback op = { .handler_address = (u64)entry_nmi };

	trap_hook = count_nmis;
	EXPECT_EQ(HYPERCALL2(nmi_op, XENNMI_register_callback, &op), 0);
	EXPECT_EQ(vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
	xen_version(XENVER_extraversion, NULL);
	EXPECT_EQ(nmis, 1);
	EXPECT_EQ(HYPERCALL2(nmi_op, XENNMI_unregister_callback, 0), 0);
	EXPECT_EQ(vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
	xen_version(XENVER_extraversion, NULL);
	EXPECT_EQ(nmis, 1);
	EXPECT_EQ(HYPERCALL2(nmi_op, 99, &op), -ENOSYS);
}

GUEST_TEST(CASE(trap_table_is_taken_up_to_its_end), CASE(trap_table_is_refused),
	   CASE(a_gate_can_mask_events), CASE(it_is_masked_in_the_handler),
	   CASE(callbacks_are_checked), CASE(the_old_way_registers_three),
	   CASE(an_nmi_comes_though_events_are_masked));
