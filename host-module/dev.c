// SPDX-License-Identifier: GPL-2.0
/*
 * dev.c - /dev/ringfence and its three kinds of fd: system, VM, vCPU
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "dev.h"
#include "ioctl.h"
#include "vcpu.h"
#include "vm.h"

static long system_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return rf_ioctl_dispatch(RF_FD_SYSTEM, NULL, cmd, arg);
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return rf_ioctl_dispatch(RF_FD_VM, file->private_data, cmd, arg);
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return rf_ioctl_dispatch(RF_FD_VCPU, file->private_data, cmd, arg);
}

/* The owner's descriptor goes: whatever still runs has to stop. */
static int vm_release(struct inode *inode, struct file *file)
{
	struct rf_vm *vm = file->private_data;

	rf_vm_kill(vm, "the launcher closed the VM");
	rf_vm_put(vm);
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct rf_vcpu *vcpu = file->private_data;

	rf_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations system_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= system_ioctl,
	.llseek		= noop_llseek,
};

static const struct file_operations vm_fops = {
	.owner		= THIS_MODULE,
	.release	= vm_release,
	.unlocked_ioctl	= vm_ioctl,
	.llseek		= noop_llseek,
};

static const struct file_operations vcpu_fops = {
	.owner		= THIS_MODULE,
	.release	= vcpu_release,
	.unlocked_ioctl	= vcpu_ioctl,
	.llseek		= noop_llseek,
};

int rf_dev_vm_fd(struct rf_vm *vm)
{
	int fd = anon_inode_getfd("ringfence-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		rf_vm_put(vm);
	return fd;
}

int rf_dev_vcpu_fd(struct rf_vcpu *vcpu)
{
	int fd = anon_inode_getfd("ringfence-vcpu", &vcpu_fops, vcpu, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		rf_vm_put(vcpu->vm);
	return fd;
}

/* Who may start guests is the administrator's to say, by the node's mode. */
static struct miscdevice rf_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "ringfence",
	.fops	= &system_fops,
	.mode	= 0660,
};

int rf_dev_init(void)
{
	return misc_register(&rf_misc);
}

void rf_dev_exit(void)
{
	misc_deregister(&rf_misc);
}
