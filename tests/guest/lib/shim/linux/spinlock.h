/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's <xen/interface/memory.h> asks for it and uses none of it. */
