// SPDX-License-Identifier: GPL-2.0
/*
 * config_test.c - command lines: understood, or refused with a reason
 *
 * Sources: userland/config.c userland/disk_spec.c userland/net_spec.c userland/error.c
 */
#include <string.h>

#include "tap.h"
#include "userland/config.h"

static struct rf_config config;
static struct rf_error err;

/* Split at spaces, as a shell would, and parse. */
static int parse(const char *line)
{
	static char words[512];
	char *argv[32];
	int argc = 0;

	err.text[0] = 0;
	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return rf_config_parse(&config, argc, argv, &err);
}

static bool refused(const char *line, const char *why)
{
	if (!parse(line)) {
		printf("# accepted: %s\n", line);
		return false;
	}
	if (!strstr(err.text, why)) {
		printf("# %s: said: %s\n", line, err.text);
		return false;
	}
	return true;
}

static void run_has_defaults(void)
{
	EXPECT(!parse("ringfence run -k vmlinuz"));
	EXPECT_EQ(config.verb, RF_VERB_RUN);
	EXPECT(!strcmp(config.kernel, "vmlinuz"));
	EXPECT(!config.initrd && !config.name && !config.user);
	EXPECT(!strcmp(config.cmdline, "console=hvc0"));
	EXPECT_EQ(config.memory, 512 << 20);
	EXPECT_EQ(config.nr_vcpus, 1);
	EXPECT_EQ(config.console, RF_CONSOLE_STDIO);
	EXPECT(config.seccomp && !config.no_reboot && !config.json);
}

static void run_takes_its_options(void)
{
	EXPECT(!parse("ringfence run --kernel=k -i initrd -p quiet -m 2G -c 4 "
		      "--name web-1.a --console file:/tmp/x --no-reboot "
		      "--seccomp off --user nobody --run-dir /r --json"));
	EXPECT(!strcmp(config.kernel, "k"));
	EXPECT(!strcmp(config.initrd, "initrd"));
	EXPECT(!strcmp(config.cmdline, "quiet"));
	EXPECT_EQ(config.memory, 2ULL << 30);
	EXPECT_EQ(config.nr_vcpus, 4);
	EXPECT(!strcmp(config.name, "web-1.a"));
	EXPECT_EQ(config.console, RF_CONSOLE_FILE);
	EXPECT(!strcmp(config.console_path, "/tmp/x"));
	EXPECT(config.no_reboot && !config.seccomp && config.json);
	EXPECT(!strcmp(config.user, "nobody"));
	EXPECT(!strcmp(config.run_dir, "/r"));
}

static void verbs_take_a_name(void)
{
	EXPECT(!parse("ringfence stop web"));
	EXPECT(config.timeout == 60 && !config.force);
	EXPECT(!parse("ringfence stop web --timeout 5 --force"));
	EXPECT(config.verb == RF_VERB_STOP && config.timeout == 5 && config.force);
	EXPECT(!parse("ringfence reboot web --timeout=0"));
	EXPECT(config.verb == RF_VERB_REBOOT && !config.timeout);
	EXPECT(!parse("ringfence stats web --json"));
	EXPECT_EQ(config.verb, RF_VERB_STATS);
	EXPECT(!strcmp(config.name, "web"));
	EXPECT(config.json);
	EXPECT(!parse("ringfence kill --run-dir /r web"));
	EXPECT_EQ(config.verb, RF_VERB_KILL);
	EXPECT(!strcmp(config.name, "web"));
	EXPECT(!parse("ringfence inspect vmlinuz"));
	EXPECT(!strcmp(config.kernel, "vmlinuz"));
	EXPECT(!parse("ringfence --version"));
	EXPECT_EQ(config.verb, RF_VERB_VERSION);
	EXPECT(!parse("ringfence --help"));
	EXPECT_EQ(config.verb, RF_VERB_HELP);
	EXPECT(!parse("ringfence run --help"));
	EXPECT_EQ(config.verb, RF_VERB_HELP);
}

static void mistakes_are_explained(void)
{
	EXPECT(refused("ringfence", "what shall be done"));
	EXPECT(refused("ringfence dance", "no verb 'dance'"));
	EXPECT(refused("ringfence run", "which kernel"));
	EXPECT(refused("ringfence run -k", "needs a value"));
	EXPECT(refused("ringfence run -k a b", "what is 'b' for"));
	EXPECT(refused("ringfence run -k a --frob", "no option --frob"));
	EXPECT(refused("ringfence run -k a -x", "no option -x"));
	EXPECT(refused("ringfence run -k a --extract x", "does not take"));
	EXPECT(refused("ringfence kill", "of which guest"));
	EXPECT(refused("ringfence kill a b", "what is 'b' for"));
	EXPECT(refused("ringfence list a", "what is 'a' for"));
	EXPECT(refused("ringfence list -c 2", "does not take"));
	EXPECT(refused("ringfence run -k a -c 0", "from 1 to 64"));
	EXPECT(refused("ringfence run -k a -c 65", "from 1 to 64"));
	EXPECT(refused("ringfence run -k a -c 2x", "from 1 to 64"));
	EXPECT(refused("ringfence run -k a -c -1", "from 1 to 64"));
	EXPECT(refused("ringfence run -k a -m 3M", "from 4M to 255G"));
	EXPECT(refused("ringfence run -k a -m 2T", "from 4M to 255G"));
	EXPECT(refused("ringfence run -k a -m 4097K", "from 4M to 255G"));
	EXPECT(refused("ringfence run -k a -m lots", "from 4M to 255G"));
	EXPECT(refused("ringfence stop a --timeout soon", "from 0 to 86400"));
	EXPECT(refused("ringfence stop a --timeout 86401", "from 0 to 86400"));
	EXPECT(refused("ringfence reboot a --force", "does not take"));
	EXPECT(refused("ringfence run -k a --seccomp yes", "on or off"));
	EXPECT(refused("ringfence run -k a --console tty", "say stdio"));
	EXPECT(refused("ringfence run -k a --console file:", "say stdio"));
	EXPECT(refused("ringfence run -k a --name ../x", "cannot be a name"));
	EXPECT(refused("ringfence run -k a --name .x", "cannot be a name"));
	EXPECT(refused("ringfence kill a/b", "cannot be a name"));
}

static void sizes_are_read(void)
{
	uint64_t bytes;

	EXPECT(!rf_config_parse_size("512", &bytes) && bytes == 512 << 20);
	EXPECT(!rf_config_parse_size("512M", &bytes) && bytes == 512 << 20);
	EXPECT(!rf_config_parse_size("512MiB", &bytes) && bytes == 512 << 20);
	EXPECT(!rf_config_parse_size("8k", &bytes) && bytes == 8192);
	EXPECT(!rf_config_parse_size("3g", &bytes) && bytes == 3ULL << 30);
	EXPECT(!rf_config_parse_size("1T", &bytes) && bytes == 1ULL << 40);
	EXPECT(rf_config_parse_size("", &bytes));
	EXPECT(rf_config_parse_size("M", &bytes));
	EXPECT(rf_config_parse_size("-1M", &bytes));
	EXPECT(rf_config_parse_size("+1M", &bytes));
	EXPECT(rf_config_parse_size(" 1M", &bytes));
	EXPECT(rf_config_parse_size("1X", &bytes));
	EXPECT(rf_config_parse_size("1MM", &bytes));
	EXPECT(rf_config_parse_size("1.5G", &bytes));
	EXPECT(rf_config_parse_size("99999999999999999999", &bytes));
	EXPECT(rf_config_parse_size("16777216T", &bytes));
}

static void devices_have_their_files(void)
{
	EXPECT(!parse("ringfence run -k k --serial socket:/s --ata a,b "
		      "--ata c,readonly --cdrom d"));
	EXPECT_EQ(config.serial, RF_SERIAL_SOCKET);
	EXPECT(!strcmp(config.serial_path, "/s"));
	EXPECT_EQ(config.nr_ata, 2);
	EXPECT(!strcmp(config.ata[0].path, "a,b") && !config.ata[0].read_only);
	EXPECT(!strcmp(config.ata[1].path, "c") && config.ata[1].read_only);
	EXPECT(!strcmp(config.cdrom, "d"));
	EXPECT(refused("ringfence run -k k --ata a --ata b --ata c", "room for 2"));
	EXPECT(refused("ringfence run -k k --ata ,readonly", "which file"));
	EXPECT(refused("ringfence run -k k --serial file:", "say stdio"));
	EXPECT(refused("ringfence stop a --cdrom d", "does not take"));
}

static void one_has_the_terminal(void)
{
	EXPECT(!parse("ringfence run -k k --serial stdio"));
	EXPECT_EQ(config.console, RF_CONSOLE_SOCKET);
	EXPECT(!parse("ringfence run -k k --serial stdio --console none"));
	EXPECT_EQ(config.console, RF_CONSOLE_NONE);
	EXPECT(!parse("ringfence run -k k --serial file:/s"));
	EXPECT_EQ(config.console, RF_CONSOLE_STDIO);
	EXPECT(refused("ringfence run -k k --serial stdio --console stdio", "another place"));
}

static void names_are_judged(void)
{
	EXPECT(rf_config_name_is_good("a"));
	EXPECT(rf_config_name_is_good("Web-1.example_x"));
	EXPECT(!rf_config_name_is_good(""));
	EXPECT(!rf_config_name_is_good("-a"));
	EXPECT(!rf_config_name_is_good("."));
	EXPECT(!rf_config_name_is_good("a b"));
	EXPECT(!rf_config_name_is_good("a/b"));
	EXPECT(!rf_config_name_is_good("caf\xc3\xa9"));
	EXPECT(rf_config_name_is_good("a23456789012345678901234567890123456789012345678"));
	EXPECT(!rf_config_name_is_good("a234567890123456789012345678901234567890123456789"));
}

static void disks_are_told_by_words(void)
{
	const struct rf_disk_spec *disk = config.disks;

	EXPECT(!parse("ringfence run -k k --disk a.img "
		      "--disk /dev/sdb,readonly,buffered,serial=s1,offset=1M,size=512,"
		      "iops=100,bps=10M,queues=4,blocksize=4096,discard,format=qcow2"));
	EXPECT_EQ(config.nr_disks, 2);
	EXPECT(!strcmp(disk[0].path, "a.img") && !strcmp(disk[0].format, "raw"));
	EXPECT(!disk[0].read_only && disk[0].cache == RF_DISK_BY_KIND);
	EXPECT(!strcmp(disk[1].path, "/dev/sdb") && !strcmp(disk[1].serial, "s1"));
	EXPECT(disk[1].read_only && disk[1].discard && disk[1].cache == RF_DISK_BUFFERED);
	EXPECT(disk[1].offset == 1 << 20 && disk[1].size == 512);
	EXPECT(disk[1].iops == 100 && disk[1].bps == 10 << 20);
	EXPECT(disk[1].nr_queues == 4 && disk[1].block_size == 4096);
	EXPECT(!strcmp(disk[1].format, "qcow2"));
	EXPECT(!parse("ringfence run -k k --disk a,,b,direct"));
	EXPECT(!strcmp(disk[0].path, "a,b") && disk[0].cache == RF_DISK_DIRECT);
}

static void disks_that_make_no_sense_are_refused(void)
{
	static const char *const bad[] = {
		"readwrite", "direct,buffered", "serial=", "serial=123456789012345678901",
		"offset=-1", "offset=1X", "size=99999999999999999999", "size=16777216T",
		"queues=0", "queues=65", "blocksize=256", "blocksize=1536", "blocksize=8192",
		"format=a/b", "format=", "iops", "", "serial",
	};
	char line[300];

	EXPECT(refused("ringfence run -k k --disk ,readonly", "path"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "ringfence run -k k --disk img,%s", bad[i]);
		EXPECT(refused(line, "disk img: "));
	}
	snprintf(line, sizeof(line), "ringfence run -k k --disk img,%0100d", 1);
	EXPECT(refused(line, "disk img: what is"));
}

static void networks_are_told_by_words(void)
{
	const struct rf_net_spec *net = config.nets;

	EXPECT(!parse("ringfence run -k k --net if=rf-web "
		      "--net mac=52:54:00:aB:cd:ef,queues=4,mtu=9000,lockmac,if=a.b,bridge=br0"));
	EXPECT_EQ(config.nr_nets, 2);
	EXPECT(!strcmp(net[0].name, "rf-web") && !net[0].bridge[0]);
	EXPECT(!net[0].lock_mac && !net[0].nr_pairs && !net[0].mtu && !net[0].mac[0]);
	EXPECT(!strcmp(net[1].name, "a.b") && !strcmp(net[1].bridge, "br0"));
	EXPECT(net[1].lock_mac && net[1].nr_pairs == 4 && net[1].mtu == 9000);
	EXPECT(!memcmp(net[1].mac, "\x52\x54\x00\xab\xcd\xef", 6));
}

static void networks_that_make_no_sense_are_refused(void)
{
	static const char *const bad[] = {
		"if=", "if=a/b", "if=..", "if=sixteen-letters-", "if=%d", "bridge=", "mac=1",
		"mac=52:54:00:ab:cd", "mac=52:54:00:ab:cd:ef:01", "mac=53:54:00:ab:cd:ef",
		"mac=00:00:00:00:00:00", "mac=5:54:00:ab:cd:ef", "mac=+1:54:00:ab:cd:ef",
		"queues=0", "queues=9", "queues=", "mtu=67", "mtu=65536", "mtu=1e3", "tap",
		"colour=red",
	};
	char line[160];

	EXPECT(refused("ringfence run -k k --net bridge=br0", "if=NAME"));
	EXPECT(refused("ringfence run -k k --net ,", "what is ''"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "ringfence run -k k --net if=rf0,%s", bad[i]);
		EXPECT(refused(line, "--net: what is"));
	}
}

static void disks_come_and_go_by_name(void)
{
	EXPECT(!parse("ringfence attach-disk web a.img,readonly"));
	EXPECT(config.verb == RF_VERB_ATTACH_DISK);
	EXPECT(!strcmp(config.name, "web") && !strcmp(config.disk, "a.img,readonly"));
	EXPECT(!parse("ringfence detach-disk web 3 --force"));
	EXPECT(config.verb == RF_VERB_DETACH_DISK && config.force);
	EXPECT(!strcmp(config.disk, "3"));
	EXPECT(!parse("ringfence disks web --json"));
	EXPECT(refused("ringfence attach-disk web", "which disk"));
	EXPECT(refused("ringfence attach-disk", "of which guest"));
	EXPECT(refused("ringfence disks web 3", "what is '3' for"));
}

static const struct tap_case cases[] = {
	TAP_CASE(run_has_defaults),
	TAP_CASE(run_takes_its_options),
	TAP_CASE(verbs_take_a_name),
	TAP_CASE(mistakes_are_explained),
	TAP_CASE(sizes_are_read),
	TAP_CASE(devices_have_their_files),
	TAP_CASE(one_has_the_terminal),
	TAP_CASE(names_are_judged),
	TAP_CASE(disks_are_told_by_words),
	TAP_CASE(disks_that_make_no_sense_are_refused),
	TAP_CASE(networks_are_told_by_words),
	TAP_CASE(networks_that_make_no_sense_are_refused),
	TAP_CASE(disks_come_and_go_by_name),
};

int main(void)
{
	return TAP_RUN(cases);
}
