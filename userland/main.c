// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - ringfence: argv to config to verb to exit status
 */
#include <stdio.h>

#include "config.h"
#include "error.h"
#include "inspect.h"
#include "run.h"

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
	case RF_VERB_RUN:
		return rf_run_main(&config);
	case RF_VERB_INSPECT:
		return rf_inspect_main(&config);
	default:
		rf_error_say("not there yet");
		return RF_EXIT_ERROR;
	}
}
