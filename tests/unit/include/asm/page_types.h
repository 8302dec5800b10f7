/* SPDX-License-Identifier: GPL-2.0 */
/* Pure files need nothing of it. */
