/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal in raw mode, and out of it on every way out. */
#ifndef RF_TTY_H
#define RF_TTY_H

#include <stdbool.h>

/* Is @fd a terminal that this process may use now (not in the background)? */
bool rf_tty_is_ours(int fd);

/* Raw until rf_tty_restore(), exit() or a fatal signal.  Return: 0 or -1. */
int rf_tty_raw(int fd);
void rf_tty_restore(void);

#endif /* RF_TTY_H */
