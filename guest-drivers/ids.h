/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ids.h - by what ids the bus presents devices to drivers of our own
 *
 * They are otherwise those of the virtio specification, so the kernel's own
 * drivers do not take them.  See rf_bus_presented_id().
 */
#ifndef RF_GUEST_IDS_H
#define RF_GUEST_IDS_H

#define RF_ID_BLOCK	0x52f2
#define RF_ID_BALLOON	0x52f5
#define RF_ID_VENDOR	0x5246

#endif /* RF_GUEST_IDS_H */
