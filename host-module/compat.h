/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - what differs between the kernels ringfence builds for
 *
 * The only mention of LINUX_VERSION_CODE.
 */
#ifndef RF_COMPAT_H
#define RF_COMPAT_H

#include <linux/version.h>
#include <linux/class.h>
#include <linux/shrinker.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define rf_class_create(name)	class_create(THIS_MODULE, name)
#else
#define rf_class_create(name)	class_create(name)
#endif

#endif /* RF_COMPAT_H */
