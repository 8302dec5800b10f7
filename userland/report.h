/* SPDX-License-Identifier: GPL-2.0 */
/* A running guest, described. */
#ifndef RF_REPORT_H
#define RF_REPORT_H

#include "vm.h"

struct cJSON;

/* The answer to "info". */
void rf_report_info(struct rf_vm *vm, struct cJSON *answer);

/* The answer to "stats". */
int rf_report_stats(struct rf_vm *vm, struct cJSON *answer,
		    struct rf_error *err);

/* The answer to "vcpus". */
int rf_report_vcpus(struct rf_vm *vm, struct cJSON *answer,
		    struct rf_error *err);

/* Where the vCPUs are, on stderr: for guests that the module killed. */
void rf_report_regs(struct rf_vm *vm);

#endif /* RF_REPORT_H */
