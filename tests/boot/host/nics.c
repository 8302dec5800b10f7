// SPDX-License-Identifier: GPL-2.0
/*
 * nics.c - interfaces of the host's for guests, by ioctl alone
 *
 * Who owns one: the descriptor and the VM that has it, its namespace, and whoever
 * may delete it.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../unit/userland/tap.h"
#include "tiny_vm.h"

static struct tiny_vm vm, other;

static struct rf_create_nic nic(const char *name)
{
	struct rf_create_nic create = { .size = sizeof(create) };

	snprintf(create.name, sizeof(create.name), "%s", name);
	return create;
}

/* Return: what the call does, or -errno. */
static int make(struct rf_create_nic create)
{
	int ret = ioctl(vm.system_fd, RF_CREATE_NIC, &create);

	return ret < 0 ? -errno : ret;
}

static int add(int vm_fd, int fd, uint32_t queue_num)
{
	struct rf_add_net net = { .size = sizeof(net), .fd = fd, .queue_num = queue_num };

	return ioctl(vm_fd, RF_ADD_NET, &net) ? -errno : (int)net.slot;
}

static int take_away(int vm_fd, uint32_t slot)
{
	struct rf_remove_device remove = {
		.size = sizeof(remove), .slot = slot, .flags = RF_REMOVE_FORCE,
	};

	return ioctl(vm_fd, RF_REMOVE_DEVICE, &remove) ? -errno : 0;
}

static void what_is_not_said_is_made_up(void)
{
	struct rf_create_nic create = nic("");
	int fd = ioctl(vm.system_fd, RF_CREATE_NIC, &create);

	EXPECT(fd >= 0);
	EXPECT(!strncmp(create.name, "rf", 2));
	EXPECT(create.ifindex && create.ifindex == if_nametoindex(create.name));
	EXPECT((create.mac[0] & 3) == 2);
	close(fd);
	EXPECT(!if_nametoindex(create.name));
}

static void what_makes_no_sense_is_refused(void)
{
	static const char *const names[] = { "a/b", "a b", "..", "%s", "rf%d%d", "a:b" };
	struct rf_create_nic create = nic("rft0");
	uint8_t longer[sizeof(create) + 8] = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT_EQ(make(nic(names[i])), -EINVAL);
	memset(create.name, 'x', sizeof(create.name));
	EXPECT_EQ(make(create), -EINVAL);
	create = nic("rft0");
	create.flags = 2;
	EXPECT_EQ(make(create), -EOPNOTSUPP);
	create = nic("rft0");
	create.reserved = 1;
	EXPECT_EQ(make(create), -EINVAL);
	create = nic("rft0");
	create.nr_pairs = RF_MAX_NIC_PAIRS + 1;
	EXPECT_EQ(make(create), -EINVAL);
	create = nic("rft0");
	create.mtu = 67;
	EXPECT_EQ(make(create), -EINVAL);
	create.mtu = 65536;
	EXPECT_EQ(make(create), -EINVAL);
	create = nic("rft0");
	create.mac[0] = 1;
	EXPECT_EQ(make(create), -EINVAL);
	create = nic("rft0");
	create.size = 8;
	EXPECT_EQ(make(create), -EINVAL);
	create.size = sizeof(longer);
	memcpy(longer, &create, sizeof(create));
	longer[sizeof(longer) - 1] = 1;
	EXPECT(ioctl(vm.system_fd, RF_CREATE_NIC, longer) < 0 && errno == E2BIG);
	EXPECT_EQ(make(nic("lo")), -EEXIST);
	EXPECT(!if_nametoindex("rft0"));
}

static void one_vm_has_it_at_a_time(void)
{
	int fd = make(nic("rft1")), null = open("/dev/null", O_RDWR), slot;

	EXPECT(fd >= 0);
	EXPECT_EQ(add(vm.vm_fd, -1, 0), -EBADF);
	EXPECT_EQ(add(vm.vm_fd, null, 0), -EBADF);
	EXPECT_EQ(add(vm.vm_fd, vm.vm_fd, 0), -EBADF);
	EXPECT_EQ(add(vm.vm_fd, fd, 8), -EINVAL);
	EXPECT_EQ(add(vm.vm_fd, fd, 100), -EINVAL);
	EXPECT_EQ(add(vm.vm_fd, fd, 2048), -EINVAL);
	slot = add(vm.vm_fd, fd, 1024);
	EXPECT(slot >= 0);
	EXPECT_EQ(add(vm.vm_fd, fd, 0), -EBUSY);
	EXPECT_EQ(add(other.vm_fd, fd, 0), -EBUSY);
	EXPECT_EQ(take_away(vm.vm_fd, slot), 0);
	slot = add(other.vm_fd, fd, 0);
	EXPECT(slot >= 0);
	EXPECT_EQ(take_away(other.vm_fd, slot), 0);
	close(null);
	close(fd);
	EXPECT(!if_nametoindex("rft1"));
}

/* The last of the two that go takes it along. */
static void a_vm_keeps_it(void)
{
	int fd = make(nic("rft2")), slot = add(vm.vm_fd, fd, 0);

	EXPECT(slot >= 0);
	close(fd);
	EXPECT(if_nametoindex("rft2"));
	EXPECT_EQ(take_away(vm.vm_fd, slot), 0);
	EXPECT(!if_nametoindex("rft2"));
}

/* The bus has room for so many: what did not fit may be given to another one. */
static void a_full_bus(void)
{
	int fds[40], slots[40], nr = 0;

	while (nr < 40) {
		fds[nr] = make(nic("rft%d"));
		EXPECT(fds[nr] >= 0);
		slots[nr] = add(vm.vm_fd, fds[nr], 0);
		if (slots[nr++] < 0)
			break;
	}
	EXPECT_EQ(nr, 33);
	EXPECT_EQ(slots[nr - 1], -ENOSPC);
	slots[nr - 1] = add(other.vm_fd, fds[nr - 1], 0);
	EXPECT(slots[nr - 1] >= 0);
	EXPECT_EQ(take_away(other.vm_fd, slots[nr - 1]), 0);
	while (nr-- > 0) {
		if (nr < 32)
			EXPECT_EQ(take_away(vm.vm_fd, slots[nr]), 0);
		close(fds[nr]);
	}
}

/* Its namespace ends: the descriptor and the VM are left with nothing. */
static void a_namespace_ends(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd, slot, i;

	if (home < 0) {
		printf("# this host has no network namespaces\n");
		return;
	}
	for (i = 0; i < 10; i++) {
		EXPECT(!unshare(CLONE_NEWNET));
		fd = make(nic("rft3"));
		EXPECT(fd >= 0 && if_nametoindex("rft3"));
		EXPECT(!setns(home, CLONE_NEWNET));
		EXPECT(!if_nametoindex("rft3"));
		slot = add(vm.vm_fd, fd, 0);
		EXPECT(slot >= 0);
		/* At once, or after the host has come round to it. */
		if (i & 1)
			usleep(300000);
		if (i & 2)
			close(fd);
		EXPECT_EQ(take_away(vm.vm_fd, slot), 0);
		if (!(i & 2))
			close(fd);
	}
	close(home);
}

int main(void)
{
	static const struct tap_case cases[] = {
		TAP_CASE(what_is_not_said_is_made_up),
		TAP_CASE(what_makes_no_sense_is_refused),
		TAP_CASE(one_vm_has_it_at_a_time),
		TAP_CASE(a_vm_keeps_it),
		TAP_CASE(a_full_bus),
		TAP_CASE(a_namespace_ends),
	};

	if (!tiny_vm_make(&vm, tiny_spin, sizeof(tiny_spin)) ||
	    !tiny_vm_make(&other, tiny_spin, sizeof(tiny_spin))) {
		perror("nics");
		return 1;
	}
	return TAP_RUN(cases);
}
