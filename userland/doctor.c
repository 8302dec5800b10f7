// SPDX-License-Identifier: GPL-2.0
/*
 * doctor.c - ringfence doctor: one function a check, one line a finding
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "doctor.h"
#include "json.h"
#include "rf_api.h"
#include "run_dir.h"

#define MODULE_DIR	"/sys/module/ringfence"
#define NEEDED_MEMORY	(128ULL << 20)

enum status {
	GOOD,
	NOTE,	/* works, but could be better */
	FIX,	/* does not work */
};

static const char *const status_names[] = { "ok", "note", "fix" };

struct doctor {
	cJSON *findings;
	bool json;
	bool sick;
};

/* @advice is what to do, or NULL. */
static void find(struct doctor *doctor, enum status status, const char *subject,
		 const char *advice, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void find(struct doctor *doctor, enum status status, const char *subject,
		 const char *advice, const char *fmt, ...)
{
	cJSON *finding = cJSON_CreateObject();
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	doctor->sick |= status == FIX;
	cJSON_AddStringToObject(finding, "subject", subject);
	cJSON_AddStringToObject(finding, "status", status_names[status]);
	cJSON_AddStringToObject(finding, "finding", text);
	if (advice)
		cJSON_AddStringToObject(finding, "advice", advice);
	cJSON_AddItemToArray(doctor->findings, finding);
	if (doctor->json)
		return;
	printf("%-5s %-12s %s\n", status_names[status], subject, text);
	if (advice)
		printf("      %-12s -> %s\n", "", advice);
}

/* First line of a file, without its end; empty if there is none. */
static void read_first_line(const char *path, char *line, size_t len)
{
	FILE *file = fopen(path, "re");

	line[0] = 0;
	if (!file)
		return;
	if (!fgets(line, len, file))
		line[0] = 0;
	line[strcspn(line, "\n")] = 0;
	fclose(file);
}

/* The line of /proc/cpuinfo that starts with "flags". */
static void read_cpu_flags(char *flags, size_t len)
{
	FILE *file = fopen("/proc/cpuinfo", "re");

	flags[0] = 0;
	if (!file)
		return;
	while (fgets(flags, len, file) && strncmp(flags, "flags", 5))
		flags[0] = 0;
	flags[strcspn(flags, "\n")] = 0;
	fclose(file);
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ' || at[-1] == '\t') &&
		    (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static void check_kernel(struct doctor *doctor)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	uname(&name);
	if (sscanf(name.release, "%u.%u", &major, &minor) != 2)
		major = 0;
	if (major < 6 || (major == 6 && minor < 1))
		find(doctor, FIX, "kernel", "boot Linux 6.1 or newer",
		     "%s is too old", name.release);
	else if (major > 6 || minor > 12)
		find(doctor, NOTE, "kernel",
		     "nothing, if the module builds and loads",
		     "%s is newer than the newest one tested, 6.12",
		     name.release);
	else
		find(doctor, GOOD, "kernel", NULL, "%s", name.release);
}

static void check_xen(struct doctor *doctor)
{
	char type[32], kind[32];

	read_first_line("/sys/hypervisor/type", type, sizeof(type));
	read_first_line("/sys/hypervisor/guest_type", kind, sizeof(kind));
	if (!strcmp(type, "xen") && !strcmp(kind, "PV"))
		find(doctor, FIX, "hypervisor",
		     "boot without Xen, or as a PVH or HVM domain",
		     "this host is itself a Xen PV domain: ring 0 is not its own");
}

static void check_cpu(struct doctor *doctor)
{
	char flags[8192];

	read_cpu_flags(flags, sizeof(flags));
	if (!*flags) {
		find(doctor, NOTE, "cpu", "mount /proc",
		     "/proc/cpuinfo cannot be read");
		return;
	}
	if (has_word(flags, "fred"))
		find(doctor, FIX, "fred", "boot with fred=off",
		     "FRED is on: it replaces the entry points the switcher "
		     "works with");
	if (!has_word(flags, "nx"))
		find(doctor, FIX, "nx", "switch it on in the firmware",
		     "the CPU does not offer no-execute pages");
	find(doctor, GOOD, "cpu", NULL, "%s%s%s%s%s%sx86-64",
	     has_word(flags, "fsgsbase") ? "fsgsbase " : "",
	     has_word(flags, "pcid") ? "pcid " : "",
	     has_word(flags, "smep") ? "smep " : "",
	     has_word(flags, "smap") ? "smap " : "",
	     has_word(flags, "la57") ? "la57 " : "",
	     has_word(flags, "pti") ? "pti " : "");
	if (!has_word(flags, "fsgsbase"))
		find(doctor, FIX, "fsgsbase",
		     "drop nofsgsbase from the kernel's command line, or use an Ivy Bridge or newer",
		     "the module does not load without FSGSBASE");
	if (!has_word(flags, "pcid"))
		find(doctor, NOTE, "pcid",
		     "drop nopcid from the kernel's command line, if it is there",
		     "every world switch flushes the TLB");
}

static void check_clock(struct doctor *doctor)
{
	char source[64];

	read_first_line("/sys/devices/system/clocksource/clocksource0/"
			"current_clocksource", source, sizeof(source));
	if (!strcmp(source, "tsc") || !*source)
		return;
	find(doctor, NOTE, "clock",
	     "boot with tsc=reliable if the TSC is known to be good",
	     "the clock is %s, not tsc: guests need a system call to read time",
	     source);
}

static void check_lockdown(struct doctor *doctor)
{
	char lockdown[128], enforce[8];

	read_first_line("/sys/kernel/security/lockdown", lockdown,
			sizeof(lockdown));
	read_first_line("/sys/module/module/parameters/sig_enforce", enforce,
			sizeof(enforce));
	if (*lockdown && !strstr(lockdown, "[none]"))
		find(doctor, FIX, "lockdown",
		     "switch Secure Boot off, or boot without lockdown=",
		     "the kernel is locked down: %s", lockdown);
	else if (*enforce == 'Y')
		find(doctor, NOTE, "signature",
		     "sign ringfence.ko with a key the kernel trusts",
		     "the kernel loads signed modules only");
	else
		find(doctor, GOOD, "lockdown", NULL, "none");
}

static void check_memory(struct doctor *doctor)
{
	unsigned long long kib = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	fclose(file);
	if (kib << 10 < NEEDED_MEMORY)
		find(doctor, FIX, "memory", "free some, or add some",
		     "%llu MiB are free; a guest wants at least %llu",
		     kib >> 10, NEEDED_MEMORY >> 20);
	else
		find(doctor, GOOD, "memory", NULL, "%llu MiB free", kib >> 10);
}

static void check_run_dir(struct doctor *doctor)
{
	char dir[RF_SOCKET_PATH];
	struct rf_error err;
	struct stat st;

	if (rf_run_dir_find(NULL, dir, &err))
		find(doctor, NOTE, "run dir", "use --run-dir with every verb",
		     "XDG_RUNTIME_DIR is not set");
	else if (!stat(dir, &st) && access(dir, W_OK))
		find(doctor, FIX, "run dir", "remove it, or use --run-dir",
		     "%s: %s", dir, strerror(errno));
	else
		find(doctor, GOOD, "run dir", NULL, "%s", dir);
}

static void check_answer(struct doctor *doctor, int fd)
{
	struct rf_info info;
	int ret = rf_api_get_info(fd, &info);

	if (ret < 0) {
		find(doctor, FIX, "module",
		     "unload it and load the one that came with this program",
		     "it does not answer as it should: %s", strerror(-ret));
		return;
	}
	if (strncmp(info.version, RF_VERSION, strlen(RF_VERSION)))
		find(doctor, NOTE, "module",
		     "install module and launcher of one version",
		     "version %.31s, this program is " RF_VERSION,
		     info.version);
	else
		find(doctor, GOOD, "module", NULL, "version %.31s",
		     info.version);
	if (info.nr_vms >= info.max_vms)
		find(doctor, FIX, "guests", "end one",
		     "%u run, and no more can", info.nr_vms);
	else
		find(doctor, GOOD, "guests", NULL, "%u of at most %u run",
		     info.nr_vms, info.max_vms);
	if (info.features & RF_FEATURE_CPUID_FAULT)
		find(doctor, GOOD, "cpuid", NULL, "programs of a guest see its CPUID policy");
	else
		find(doctor, NOTE, "cpuid",
		     "load the module with cpuid_fault=1, if /proc/cpuinfo has cpuid_fault",
		     "programs of a guest see the host's CPU by CPUID");
	if (info.features & RF_FEATURE_RING3_IRET_QUIRK)
		find(doctor, NOTE, "emulator", "use QEMU 9.1 or newer",
		     "this CPU is an emulator that gets IRETQ in ring 3 wrong; "
		     "the module works around it");
}

static void check_module(struct doctor *doctor)
{
	bool loaded = !access(MODULE_DIR, F_OK);
	int fd = rf_api_open();

	if (fd >= 0) {
		check_answer(doctor, fd);
		close(fd);
	} else if (fd == -EACCES || fd == -EPERM) {
		find(doctor, FIX, "device",
		     "run as root, or join the group that owns it",
		     "no permission to open " RF_DEVICE);
	} else if (loaded) {
		find(doctor, FIX, "device",
		     "in a container, pass it in; otherwise see that udev or devtmpfs runs",
		     "the module is loaded, but " RF_DEVICE ": %s",
		     strerror(-fd));
	} else {
		find(doctor, FIX, "module",
		     "modprobe ringfence; if that fails, the kernel's log says why",
		     "it is not loaded");
	}
}

enum rf_exit rf_doctor_main(const struct rf_config *config)
{
	struct doctor doctor = {
		.findings = cJSON_CreateArray(),
		.json = config->json,
	};
	cJSON *answer = cJSON_CreateObject();

	check_kernel(&doctor);
	check_xen(&doctor);
	check_cpu(&doctor);
	check_clock(&doctor);
	check_lockdown(&doctor);
	check_memory(&doctor);
	check_run_dir(&doctor);
	check_module(&doctor);

	cJSON_AddBoolToObject(answer, "ok", !doctor.sick);
	cJSON_AddItemToObject(answer, "findings", doctor.findings);
	if (config->json)
		rf_json_print(answer, true);
	else
		cJSON_Delete(answer);
	return doctor.sick ? RF_EXIT_ERROR : 0;
}

enum rf_exit rf_doctor_version(const struct rf_config *config)
{
	cJSON *answer = cJSON_CreateObject();
	struct rf_info info = { .version = "" };
	char version[33];
	int fd = rf_api_open();

	if (fd >= 0 && rf_api_get_info(fd, &info) >= 0)
		snprintf(version, sizeof(version), "%.32s", info.version);
	else
		read_first_line(MODULE_DIR "/version", version,
				sizeof(version));
	if (fd >= 0)
		close(fd);
	cJSON_AddStringToObject(answer, "ringfence", RF_VERSION);
	cJSON_AddStringToObject(answer, "module",
				*version ? version : "not loaded");
	rf_json_print(answer, config->json);
	return 0;
}
