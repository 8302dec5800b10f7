// SPDX-License-Identifier: GPL-2.0
/*
 * entry_test.c - the KUnit suite of the same name, under ASan and UBSan
 *
 * Flags: -Itests/unit/include
 */
#include "../../kunit/mmu/entry_test.c"
