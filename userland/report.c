// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - what a launcher tells about its guest
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "counters.h"
#include "report.h"
#include "rf_api.h"

static const char *state_of(struct rf_vm *vm, const struct rf_vm_state *state)
{
	if (vm->paused)
		return "paused";
	return state->state == RF_STATE_RUNNING ? "running" : "ending";
}

static const char *console_of(const struct rf_config *config)
{
	switch (config->console) {
	case RF_CONSOLE_STDIO:
		return "stdio";
	case RF_CONSOLE_SOCKET:
		return "socket";
	case RF_CONSOLE_FILE:
		return config->console_path;
	default:
		return "none";
	}
}

static const char *shutdown_of(const struct rf_vm *vm)
{
	switch (rf_domain_shutdown(&vm->domain)) {
	case RF_SHUTDOWN_UNHEARD:
		return "unheard";
	case RF_SHUTDOWN_ASKED:
		return "asked";
	case RF_SHUTDOWN_TAKEN:
		return "taken";
	default:
		return "none";
	}
}

/* What the host has, of what a guest or its owner may notice. */
static struct cJSON *host_features(int system_fd)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} known[] = {
		{ RF_FEATURE_PCID, "pcid" },
		{ RF_FEATURE_LA57, "la57" },
		{ RF_FEATURE_KPTI, "kpti" },
		{ RF_FEATURE_SMAP, "smap" },
		{ RF_FEATURE_STABLE_TSC, "stable-tsc" },
		{ RF_FEATURE_RING3_IRET_QUIRK, "iret-quirk" },
		{ RF_FEATURE_CPUID_FAULT, "cpuid-fault" },
	};
	struct cJSON *names = cJSON_CreateArray();
	struct rf_info info;

	if (rf_api_get_info(system_fd, &info) < 0)
		return names;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (info.features & known[i].bit)
			cJSON_AddItemToArray(names, cJSON_CreateString(known[i].name));
	return names;
}

void rf_report_info(struct rf_vm *vm, struct cJSON *answer)
{
	const struct rf_config *config = vm->config;
	struct rf_vm_state state;

	rf_api_get_state(vm->vm_fd, &state);
	cJSON_AddStringToObject(answer, "name", vm->name);
	cJSON_AddStringToObject(answer, "state", state_of(vm, &state));
	cJSON_AddNumberToObject(answer, "pid", getpid());
	cJSON_AddNumberToObject(answer, "uid", geteuid());
	cJSON_AddNumberToObject(answer, "vcpus", vm->nr_vcpus);
	cJSON_AddNumberToObject(answer, "vcpus_online", state.nr_online);
	cJSON_AddNumberToObject(answer, "memory_bytes", config->memory);
	cJSON_AddStringToObject(answer, "kernel", config->kernel);
	if (config->initrd)
		cJSON_AddStringToObject(answer, "initrd", config->initrd);
	cJSON_AddStringToObject(answer, "cmdline", config->cmdline);
	cJSON_AddStringToObject(answer, "console", console_of(config));
	if (vm->nets.nr)
		rf_nets_report(&vm->nets, cJSON_AddArrayToObject(answer, "nets"));
	cJSON_AddBoolToObject(answer, "listens",
			      rf_domain_listens(&vm->domain));
	cJSON_AddStringToObject(answer, "shutdown", shutdown_of(vm));
	cJSON_AddNumberToObject(answer, "seconds",
				time(NULL) - vm->started_at);
	cJSON_AddNumberToObject(answer, "reboots", vm->nr_starts - 1);
	cJSON_AddItemToObject(answer, "host", host_features(vm->system_fd));
}

int rf_report_vcpus(struct rf_vm *vm, struct cJSON *answer,
		    struct rf_error *err)
{
	struct rf_vm_state state;
	int ret = rf_api_get_state(vm->vm_fd, &state);

	if (ret < 0)
		return rf_error_set(err, "the module does not say how many are up: %s",
				    strerror(-ret));
	cJSON_AddNumberToObject(answer, "vcpus", vm->nr_vcpus);
	cJSON_AddNumberToObject(answer, "wanted",
				vm->domain.wanted ?: vm->nr_vcpus);
	cJSON_AddNumberToObject(answer, "online", state.nr_online);
	cJSON_AddBoolToObject(answer, "listens",
			      rf_domain_hears_of_vcpus(&vm->domain));
	return 0;
}

static int add_stats(int fd, struct cJSON *object)
{
	/* Room for counters a newer module has. */
	uint64_t counters[RF_NR_COUNTERS + 32] = { 0 };
	const size_t room = sizeof(counters) / sizeof(counters[0]);
	struct rf_stats stats;
	int ret = rf_api_get_stats(fd, &stats, counters, room);

	if (ret < 0)
		return ret;
	cJSON_AddNumberToObject(object, "run_ns", stats.run_ns);
	for (size_t i = 0; i < stats.nr_counters && i < room; i++) {
		const char *name = rf_counter_name(i);
		char number[24];

		snprintf(number, sizeof(number), "counter_%zu", i);
		cJSON_AddNumberToObject(object, name ? name : number,
					counters[i]);
	}
	cJSON_AddNumberToObject(object, "shadow_pages", stats.shadow_pages);
	cJSON_AddNumberToObject(object, "mapped_pages", stats.mapped_pages);
	return 0;
}

int rf_report_stats(struct rf_vm *vm, struct cJSON *answer,
		    struct rf_error *err)
{
	int ret;

	cJSON_AddStringToObject(answer, "name", vm->name);
	ret = add_stats(vm->vm_fd, answer);
	if (ret < 0)
		return rf_error_set(err, "the module gives no counters: %s",
				    strerror(-ret));
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		cJSON *vcpu;
		char name[16];

		snprintf(name, sizeof(name), "vcpu%u", i);
		vcpu = cJSON_AddObjectToObject(answer, name);
		add_stats(vm->vcpus[i].fd, vcpu);
		/* Those two belong to the VM as a whole. */
		cJSON_DeleteItemFromObject(vcpu, "shadow_pages");
		cJSON_DeleteItemFromObject(vcpu, "mapped_pages");
	}
	return 0;
}

static void say_regs(unsigned int id, const struct rf_get_regs *regs)
{
	static const char *const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};
	char text[512];
	int len = 0;

	for (int i = 0; i < 16; i++)
		len += snprintf(text + len, sizeof(text) - len, " %s=%llx",
				names[i], (unsigned long long)regs->gpr[i]);
	rf_error_say("vCPU %u: %s rip=%llx rflags=%llx cs=%llx ss=%llx "
		     "cr2=%llx cr3=%llx,%llx fs=%llx gs=%llx%s", id,
		     regs->flags & RF_REGS_KERNEL ? "kernel" : "user",
		     (unsigned long long)regs->rip,
		     (unsigned long long)regs->rflags,
		     (unsigned long long)regs->cs,
		     (unsigned long long)regs->ss,
		     (unsigned long long)regs->cr2,
		     (unsigned long long)regs->kernel_cr3_pfn << 12,
		     (unsigned long long)regs->user_cr3_pfn << 12,
		     (unsigned long long)regs->fs_base,
		     (unsigned long long)regs->gs_base, text);
}

void rf_report_regs(struct rf_vm *vm)
{
	struct rf_get_regs regs;

	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		if (rf_api_get_regs(vm->vcpus[i].fd, &regs) >= 0 &&
		    regs.flags & RF_REGS_ONLINE)
			say_regs(i, &regs);
}
