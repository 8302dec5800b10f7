// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl.c - ioctl tables; the only copy_{from,to}_user of ioctl arguments
 */
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/cpufeature.h>

#include "backend/backend.h"
#include "dev.h"
#include "emul/emul.h"
#include "event/event.h"
#include "ioctl.h"
#include "state.h"
#include "switcher/switcher.h"
#include "vcpu.h"
#include "vm.h"

/* Large enough for every argument. */
union rf_arg {
	u32 size;
	struct rf_info info;
	struct rf_cpuid cpuid;
	struct rf_create_vm create_vm;
	struct rf_set_memory set_memory;
	struct rf_set_domain set_domain;
	struct rf_create_vcpu create_vcpu;
	struct rf_bind_port bind_port;
	struct rf_vm_state vm_state;
	struct rf_stats stats;
	struct rf_kill kill;
	struct rf_state_buffer state;
	struct rf_set_regs set_regs;
	struct rf_get_regs get_regs;
	struct rf_run run;
	struct rf_create_nic create_nic;
	struct rf_add_block add_block;
	struct rf_add_net add_net;
	struct rf_add_device add_device;
	struct rf_remove_device remove_device;
	struct rf_device_state device_state;
	struct rf_balloon balloon;
};

/**
 * struct rf_ioctl - a row of a table
 * @cmd: RF_*
 * @fn: Sees kernel memory only
 * @min_size: Up to the last field of the first version
 * @known_size: sizeof the struct today
 * @copy_back: The struct has fields that come out
 */
struct rf_ioctl {
	unsigned int cmd;
	int (*fn)(void *object, union rf_arg *arg);
	u32 min_size;
	u32 known_size;
	bool copy_back;
};

#define RF_IOCTL(_cmd, _fn, _struct, _last, _back)			\
	{								\
		.cmd = (_cmd), .fn = (_fn),				\
		.min_size = offsetofend(struct _struct, _last),		\
		.known_size = sizeof(struct _struct),			\
		.copy_back = (_back),					\
	}

/* --- system ------------------------------------------------------------------ */

static u64 host_features(void)
{
	u64 features = RF_FEATURE_FSGSBASE;

	if (cpu_feature_enabled(X86_FEATURE_PCID))
		features |= RF_FEATURE_PCID;
	if (pgtable_l5_enabled())
		features |= RF_FEATURE_LA57;
	if (boot_cpu_has(X86_FEATURE_PTI))
		features |= RF_FEATURE_KPTI;
	if (boot_cpu_has(X86_FEATURE_SMAP))
		features |= RF_FEATURE_SMAP;
	if (boot_cpu_has(X86_FEATURE_CONSTANT_TSC) && boot_cpu_has(X86_FEATURE_NONSTOP_TSC))
		features |= RF_FEATURE_STABLE_TSC;
	if (rf_emul_iret_quirk())
		features |= RF_FEATURE_RING3_IRET_QUIRK;
	if (rf_switcher_cpuid_faults())
		features |= RF_FEATURE_CPUID_FAULT;
	return features;
}

static int ioctl_get_info(void *object, union rf_arg *arg)
{
	struct rf_info *info = &arg->info;

	info->nr_vms = rf_vm_count();
	info->features = host_features();
	info->max_vcpus = RF_MAX_VCPUS;
	info->max_vms = RF_MAX_VMS;
	info->max_pages = RF_MAX_PAGES;
	strscpy(info->version, THIS_MODULE->version ?: "", sizeof(info->version));
	return 0;
}

static int ioctl_get_cpuid(void *object, union rf_arg *arg)
{
	struct rf_cpuid *get = &arg->cpuid;
	struct rf_cpuid_policy *policy;
	int err;

	policy = kzalloc(sizeof(*policy), GFP_KERNEL);
	if (!policy)
		return -ENOMEM;
	err = rf_cpuid_host_policy(policy);
	if (!err && policy->nr > get->nr_entries)
		err = -ENOSPC;
	if (!err && copy_to_user(u64_to_user_ptr(get->entries), policy->entries,
				 policy->nr * sizeof(policy->entries[0])))
		err = -EFAULT;
	get->nr_entries = policy->nr;
	kfree(policy);
	return err;
}

static int ioctl_create_vm(void *object, union rf_arg *arg)
{
	struct rf_vm *vm = rf_vm_create(&arg->create_vm);

	return IS_ERR(vm) ? PTR_ERR(vm) : rf_dev_vm_fd(vm);
}

static int ioctl_create_nic(void *object, union rf_arg *arg)
{
	return rf_nic_create(&arg->create_nic);
}

/* --- VM ------------------------------------------------------------------------ */

static int ioctl_set_memory(void *object, union rf_arg *arg)
{
	const struct rf_set_memory *set = &arg->set_memory;

	if (set->flags)
		return -EOPNOTSUPP;
	return rf_vm_set_memory(object, set);
}

static int ioctl_set_domain(void *object, union rf_arg *arg)
{
	const struct rf_set_domain *set = &arg->set_domain;

	if (set->flags)
		return -EOPNOTSUPP;
	return rf_vm_set_domain(object, set);
}

static int ioctl_set_cpuid(void *object, union rf_arg *arg)
{
	const struct rf_cpuid *set = &arg->cpuid;
	struct rf_cpuid_policy *policy;
	int err = -EFAULT;

	if (!set->nr_entries || set->nr_entries > RF_MAX_CPUID_ENTRIES)
		return -EINVAL;
	policy = kzalloc(sizeof(*policy), GFP_KERNEL);
	if (!policy)
		return -ENOMEM;
	policy->nr = set->nr_entries;
	if (!copy_from_user(policy->entries, u64_to_user_ptr(set->entries),
			    policy->nr * sizeof(policy->entries[0])))
		err = rf_vm_set_cpuid(object, policy);
	kfree(policy);
	return err;
}

static int ioctl_create_vcpu(void *object, union rf_arg *arg)
{
	struct rf_vm *vm = object;
	u32 id = arg->create_vcpu.vcpu_id;
	struct rf_vcpu *vcpu;
	int err;

	if (id >= vm->max_vcpus)
		return -EINVAL;

	mutex_lock(&vm->config_lock);
	err = -EINVAL;
	if (!vm->shared)
		goto out;
	err = -EEXIST;
	if (vm->vcpus[id])
		goto out;
	vcpu = rf_vcpu_create(vm, id);
	err = PTR_ERR_OR_ZERO(vcpu);
	if (err)
		goto out;
	/* From here on the VM owns it; it is destroyed with the VM. */
	smp_store_release(&vm->vcpus[id], vcpu);
	vm->nr_vcpus++;
out:
	mutex_unlock(&vm->config_lock);
	if (err)
		return err;
	rf_vm_get(vm);
	return rf_dev_vcpu_fd(vcpu);
}

static int ioctl_bind_port(void *object, union rf_arg *arg)
{
	struct rf_bind_port *bind = &arg->bind_port;
	struct rf_vm *vm = object;
	struct eventfd_ctx *to_launcher = NULL;
	int port;

	if (bind->flags & ~RF_BIND_RESTORED)
		return -EOPNOTSUPP;
	if (!vm->shared || (!bind->port && (bind->flags & RF_BIND_RESTORED)))
		return -EINVAL;
	if (bind->to_launcher >= 0) {
		to_launcher = eventfd_ctx_fdget(bind->to_launcher);
		if (IS_ERR(to_launcher))
			return PTR_ERR(to_launcher);
	}
	port = rf_evtchn_bind_eventfd(vm, to_launcher, bind->from_launcher,
				      bind->remote_domid,
				      bind->flags & RF_BIND_RESTORED ? bind->port : 0);
	if (port < 0) {
		if (to_launcher)
			eventfd_ctx_put(to_launcher);
		return port;
	}
	bind->port = port;
	return 0;
}

static int ioctl_get_state(void *object, union rf_arg *arg)
{
	struct rf_vm_state *state = &arg->vm_state;
	struct rf_vm *vm = object;
	struct rf_vcpu *vcpu;
	unsigned int i;

	spin_lock_irq(&vm->state_lock);
	state->state = vm->state;
	state->reason = vm->reason;
	memcpy(state->text, vm->text, sizeof(state->text));
	spin_unlock_irq(&vm->state_lock);

	state->nr_online = 0;
	rf_for_each_vcpu(vm, vcpu, i)
		state->nr_online += READ_ONCE(vcpu->online);
	return 0;
}

static int copy_counters(struct rf_stats *stats, const u64 *counters)
{
	u32 nr = min_t(u32, stats->nr_counters, RF_NR_COUNTERS);

	if (copy_to_user(u64_to_user_ptr(stats->counters), counters, nr * sizeof(u64)))
		return -EFAULT;
	stats->nr_counters = nr;
	return 0;
}

static int ioctl_vm_stats(void *object, union rf_arg *arg)
{
	u64 sum[RF_NR_COUNTERS] = {}, one[RF_NR_COUNTERS];
	struct rf_stats *stats = &arg->stats;
	struct rf_vm *vm = object;
	struct rf_vcpu *vcpu;
	unsigned int i, c;

	stats->run_ns = 0;
	rf_for_each_vcpu(vm, vcpu, i) {
		rf_vcpu_read_counters(vcpu, one);
		for (c = 0; c < RF_NR_COUNTERS; c++)
			sum[c] += one[c];
		stats->run_ns += rf_vcpu_run_ns(vcpu);
	}
	stats->shadow_pages = READ_ONCE(vm->mmu.nr_shadows);
	stats->mapped_pages = atomic64_read(&vm->mmu.nr_mapped);
	return copy_counters(stats, sum);
}

static int ioctl_kill(void *object, union rf_arg *arg)
{
	if (arg->kill.flags)
		return -EOPNOTSUPP;
	rf_vm_kill(object, "killed by its owner");
	return 0;
}

static int ioctl_save_state(void *object, union rf_arg *arg)
{
	if (arg->state.flags)
		return -EOPNOTSUPP;
	return rf_state_save(object, &arg->state);
}

static int ioctl_load_state(void *object, union rf_arg *arg)
{
	if (arg->state.flags)
		return -EOPNOTSUPP;
	return rf_state_load(object, &arg->state);
}

static int ioctl_add_block(void *object, union rf_arg *arg)
{
	return rf_block_add(object, &arg->add_block);
}

static int ioctl_add_net(void *object, union rf_arg *arg)
{
	return rf_net_add(object, &arg->add_net);
}

static int ioctl_add_device(void *object, union rf_arg *arg)
{
	struct rf_add_device *add = &arg->add_device;

	if (add->flags)
		return -EOPNOTSUPP;
	switch (add->device_id) {
	case RF_DEVICE_ENTROPY:
		return rf_entropy_add(object, add);
	case RF_DEVICE_BALLOON:
		return rf_balloon_add(object, add);
	default:
		return -EOPNOTSUPP;
	}
}

static int ioctl_balloon(void *object, union rf_arg *arg)
{
	if (arg->balloon.flags & ~RF_BALLOON_SET)
		return -EOPNOTSUPP;
	return rf_balloon_control(object, &arg->balloon);
}

static int ioctl_remove_device(void *object, union rf_arg *arg)
{
	const struct rf_remove_device *remove = &arg->remove_device;

	if (remove->flags & ~RF_REMOVE_FORCE)
		return -EOPNOTSUPP;
	if (remove->reserved)
		return -EINVAL;
	return rf_bus_remove(object, remove->slot, remove->flags & RF_REMOVE_FORCE);
}

static int ioctl_get_device(void *object, union rf_arg *arg)
{
	return rf_bus_get_state(object, &arg->device_state);
}

/* --- vCPU ------------------------------------------------------------------------ */

static int ioctl_set_regs(void *object, union rf_arg *arg)
{
	return rf_vcpu_set_regs(object, &arg->set_regs);
}

static int ioctl_get_regs(void *object, union rf_arg *arg)
{
	return rf_vcpu_get_regs(object, &arg->get_regs);
}

static int ioctl_vcpu_run(void *object, union rf_arg *arg)
{
	struct rf_run *run = &arg->run;

	if (run->reserved)
		return -EINVAL;
	return rf_vcpu_run(object, run);
}

static int ioctl_vcpu_stats(void *object, union rf_arg *arg)
{
	u64 counters[RF_NR_COUNTERS];
	struct rf_vcpu *vcpu = object;

	rf_vcpu_read_counters(vcpu, counters);
	arg->stats.run_ns = rf_vcpu_run_ns(vcpu);
	return copy_counters(&arg->stats, counters);
}

/* --- tables ------------------------------------------------------------------------ */

static const struct rf_ioctl system_ioctls[] = {
	RF_IOCTL(RF_GET_INFO, ioctl_get_info, rf_info, version, true),
	RF_IOCTL(RF_GET_CPUID, ioctl_get_cpuid, rf_cpuid, entries, true),
	RF_IOCTL(RF_CREATE_VM, ioctl_create_vm, rf_create_vm, max_shadow_pages, false),
	RF_IOCTL(RF_CREATE_NIC, ioctl_create_nic, rf_create_nic, ifindex, true),
};

static const struct rf_ioctl vm_ioctls[] = {
	RF_IOCTL(RF_SET_MEMORY, ioctl_set_memory, rf_set_memory, user_va, false),
	RF_IOCTL(RF_SET_DOMAIN, ioctl_set_domain, rf_set_domain, nr_p2m_pages, false),
	RF_IOCTL(RF_SET_CPUID, ioctl_set_cpuid, rf_cpuid, entries, false),
	RF_IOCTL(RF_CREATE_VCPU, ioctl_create_vcpu, rf_create_vcpu, vcpu_id, false),
	RF_IOCTL(RF_BIND_PORT, ioctl_bind_port, rf_bind_port, remote_domid, true),
	RF_IOCTL(RF_GET_STATE, ioctl_get_state, rf_vm_state, text, true),
	RF_IOCTL(RF_GET_STATS, ioctl_vm_stats, rf_stats, run_ns, true),
	RF_IOCTL(RF_KILL, ioctl_kill, rf_kill, flags, false),
	RF_IOCTL(RF_SAVE_STATE, ioctl_save_state, rf_state_buffer, len, true),
	RF_IOCTL(RF_LOAD_STATE, ioctl_load_state, rf_state_buffer, len, false),
	RF_IOCTL(RF_ADD_BLOCK, ioctl_add_block, rf_add_block, bytes_burst, true),
	RF_IOCTL(RF_ADD_NET, ioctl_add_net, rf_add_net, reserved, true),
	RF_IOCTL(RF_ADD_DEVICE, ioctl_add_device, rf_add_device, slot, true),
	RF_IOCTL(RF_BALLOON, ioctl_balloon, rf_balloon, stats, true),
	RF_IOCTL(RF_REMOVE_DEVICE, ioctl_remove_device, rf_remove_device, reserved, false),
	RF_IOCTL(RF_GET_DEVICE, ioctl_get_device, rf_device_state, errors, true),
};

static const struct rf_ioctl vcpu_ioctls[] = {
	RF_IOCTL(RF_SET_REGS, ioctl_set_regs, rf_set_regs, rflags, false),
	RF_IOCTL(RF_VCPU_RUN, ioctl_vcpu_run, rf_run, data, true),
	RF_IOCTL(RF_GET_REGS, ioctl_get_regs, rf_get_regs, gs_base, true),
	RF_IOCTL(RF_GET_STATS, ioctl_vcpu_stats, rf_stats, run_ns, true),
};

static const struct rf_ioctl *find_ioctl(enum rf_fd_kind kind, unsigned int cmd)
{
	static const struct {
		const struct rf_ioctl *rows;
		size_t nr;
	} tables[] = {
		[RF_FD_SYSTEM]	= { system_ioctls, ARRAY_SIZE(system_ioctls) },
		[RF_FD_VM]	= { vm_ioctls, ARRAY_SIZE(vm_ioctls) },
		[RF_FD_VCPU]	= { vcpu_ioctls, ARRAY_SIZE(vcpu_ioctls) },
	};
	size_t i;

	for (i = 0; i < tables[kind].nr; i++)
		if (tables[kind].rows[i].cmd == cmd)
			return &tables[kind].rows[i];
	return NULL;
}

/* The address space a descriptor works in; NULL where any will do. */
static struct mm_struct *object_mm(enum rf_fd_kind kind, void *object)
{
	switch (kind) {
	case RF_FD_VM:
		return ((struct rf_vm *)object)->mm;
	case RF_FD_VCPU:
		return ((struct rf_vcpu *)object)->vm->mm;
	default:
		return NULL;
	}
}

long rf_ioctl_dispatch(enum rf_fd_kind kind, void *object, unsigned int cmd,
		       unsigned long arg)
{
	void __user *user = (void __user *)arg;
	const struct rf_ioctl *row = find_ioctl(kind, cmd);
	struct mm_struct *mm = object_mm(kind, object);
	union rf_arg *kernel;
	u32 size;
	long ret;

	if (!row)
		return -ENOTTY;
	if (mm && mm != current->mm)
		return -EPERM;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < row->min_size || size > PAGE_SIZE)
		return -EINVAL;

	kernel = kzalloc(sizeof(*kernel), GFP_KERNEL);
	if (!kernel)
		return -ENOMEM;
	ret = copy_struct_from_user(kernel, row->known_size, user, size);
	if (ret)
		goto out;

	ret = row->fn(object, kernel);
	kernel->size = size;
	if (ret >= 0 && row->copy_back &&
	    copy_to_user(user, kernel, min(size, row->known_size)))
		ret = -EFAULT;
out:
	kfree(kernel);
	return ret;
}
