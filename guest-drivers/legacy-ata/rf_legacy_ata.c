// SPDX-License-Identifier: GPL-2.0
/*
 * rf_legacy_ata.c - tell a guest's libata of the ATA channels at the old ports
 *
 * Everything a channel is driven with is the kernel's own: libata, sd, sr.  This
 * only says where it is, as pata_platform does where kernels have it: without an
 * interrupt, so that libata polls.  pata_legacy, which they all have, wants
 * interrupts 14 and 15, and in a Xen PV guest there are none of these.
 */
#include <linux/async.h>
#include <linux/ata.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/libata.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <scsi/scsi_host.h>

#define DRV_NAME	"rf_legacy_ata"

#define CONTROL_OFFSET	0x206	/* of the control register, from the others */
#define EMPTY_BUS	0xff

/* A channel: its ports, and what is there of it. */
struct channel {
	unsigned long port;
	struct platform_device *pdev;
	struct ata_host *host;
};

static struct channel channels[] = {
	{ .port = 0x1f0 },
	{ .port = 0x170 },
};

/* No cable is too slow for an emulated drive, and all modes are the same to it. */
static int legacy_set_mode(struct ata_link *link, struct ata_device **failed)
{
	struct ata_device *dev;

	ata_for_each_dev(dev, link, ENABLED) {
		dev->pio_mode = XFER_PIO_0;
		dev->xfer_mode = XFER_PIO_0;
		dev->xfer_shift = ATA_SHIFT_PIO;
		dev->flags |= ATA_DFLAG_PIO;
		ata_dev_info(dev, "configured for PIO\n");
	}
	return 0;
}

static struct ata_port_operations legacy_ops = {
	.inherits	= &ata_sff_port_ops,
	.cable_detect	= ata_cable_unknown,
	.set_mode	= legacy_set_mode,
};

static struct scsi_host_template legacy_template = {
	ATA_PIO_SHT(DRV_NAME),
};

static int channel_map(struct channel *channel, struct ata_port *ap)
{
	struct device *dev = &channel->pdev->dev;
	unsigned long control = channel->port + CONTROL_OFFSET;

	if (!devm_request_region(dev, channel->port, 8, DRV_NAME) ||
	    !devm_request_region(dev, control, 1, DRV_NAME))
		return -EBUSY;
	ap->ioaddr.cmd_addr = devm_ioport_map(dev, channel->port, 8);
	ap->ioaddr.ctl_addr = devm_ioport_map(dev, control, 1);
	if (!ap->ioaddr.cmd_addr || !ap->ioaddr.ctl_addr)
		return -ENOMEM;
	ap->ioaddr.altstatus_addr = ap->ioaddr.ctl_addr;
	ata_sff_std_ports(&ap->ioaddr);
	ata_port_desc(ap, "cmd 0x%lx ctl 0x%lx, polled", channel->port, control);
	return 0;
}

static int channel_activate(struct channel *channel)
{
	struct ata_host *host = ata_host_alloc(&channel->pdev->dev, 1);
	struct ata_port *ap;
	int err;

	if (!host)
		return -ENOMEM;
	ap = host->ports[0];
	ap->ops = &legacy_ops;
	ap->pio_mask = ATA_PIO4;
	ap->flags |= ATA_FLAG_SLAVE_POSS | ATA_FLAG_PIO_POLLING;
	err = channel_map(channel, ap);
	if (!err)
		err = ata_host_activate(host, 0, NULL, 0, &legacy_template);
	if (!err)
		channel->host = host;
	return err;
}

static int channel_add(struct channel *channel)
{
	struct platform_device *pdev;
	int err;

	if (inb(channel->port + ATA_REG_STATUS) == EMPTY_BUS)
		return -ENODEV;
	pdev = platform_device_register_simple(DRV_NAME, channel - channels, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	channel->pdev = pdev;
	err = channel_activate(channel);
	if (err) {
		platform_device_unregister(pdev);
		channel->pdev = NULL;
	}
	return err;
}

static void channel_remove(struct channel *channel)
{
	if (!channel->pdev)
		return;
	ata_host_detach(channel->host);
	platform_device_unregister(channel->pdev);
}

static int __init legacy_init(void)
{
	int i, nr = 0, err = -ENODEV;

	for (i = 0; i < ARRAY_SIZE(channels); i++) {
		int ret = channel_add(&channels[i]);

		if (!ret)
			nr++;
		else if (ret != -ENODEV)
			err = ret;
	}
	/* Whoever has loaded this finds the disks there. */
	async_synchronize_full();
	return nr ? 0 : err;
}

static void __exit legacy_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(channels); i++)
		channel_remove(&channels[i]);
}

module_init(legacy_init);
module_exit(legacy_exit);

MODULE_DESCRIPTION("ATA channels at their old ports, polled");
MODULE_LICENSE("GPL");
