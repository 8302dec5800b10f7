/* SPDX-License-Identifier: GPL-2.0 */
/* Can this host run guests, and if not, what is to be done? */
#ifndef RF_DOCTOR_H
#define RF_DOCTOR_H

#include "config.h"

/* ringfence doctor.  Return: 0, or RF_EXIT_ERROR if something must be fixed. */
enum rf_exit rf_doctor_main(const struct rf_config *config);

/* ringfence version */
enum rf_exit rf_doctor_version(const struct rf_config *config);

#endif /* RF_DOCTOR_H */
