/* SPDX-License-Identifier: GPL-2.0 */
/* A host program has no module information. */
#define MODULE_LICENSE(_license)	struct kunit_license
