// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - ringfence: argv to config to verb to exit status
 */
#include "balloon_client.h"
#include "client.h"
#include "config.h"
#include "disk_client.h"
#include "doctor.h"
#include "error.h"
#include "inspect.h"
#include "run.h"
#include "stop.h"
#include "vcpus_client.h"

int main(int argc, char **argv)
{
	struct rf_config config;
	struct rf_error err;

	if (rf_config_parse(&config, argc, argv, &err)) {
		rf_error_say("%s", err.text);
		return RF_EXIT_USAGE;
	}
	switch (config.verb) {
	case RF_VERB_HELP:
		rf_config_print_help();
		return 0;
	case RF_VERB_VERSION:
		return rf_doctor_version(&config);
	case RF_VERB_RUN:
		return rf_run_main(&config);
	case RF_VERB_INSPECT:
		return rf_inspect_main(&config);
	case RF_VERB_DOCTOR:
		return rf_doctor_main(&config);
	case RF_VERB_LIST:
		return rf_client_list(&config);
	case RF_VERB_CONSOLE:
		return rf_client_console(&config);
	case RF_VERB_DISKS:
		return rf_disk_client_list(&config);
	case RF_VERB_ATTACH_DISK:
		return rf_disk_client_attach(&config);
	case RF_VERB_DETACH_DISK:
		return rf_disk_client_detach(&config);
	case RF_VERB_BALLOON:
		return rf_balloon_client(&config);
	case RF_VERB_VCPUS:
		return rf_vcpus_client(&config);
	case RF_VERB_STOP:
	case RF_VERB_REBOOT:
		return rf_stop_main(&config);
	default:
		return rf_client_ask(&config);
	}
}
