// SPDX-License-Identifier: GPL-2.0
/*
 * walk_test.c - the KUnit suite of the same name, under ASan and UBSan
 *
 * Flags: -Itests/unit/include
 */
#include "../../kunit/mmu/walk_test.c"
