// SPDX-License-Identifier: GPL-2.0
/*
 * insn_fuzz.c - any bytes where the guest's instruction pointer is
 *
 * Sources: host-module/emul/insn.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host-module/emul/insn.h"

#define REQUIRE(_cond)	do { if (!(_cond)) abort(); } while (0)

static bool is_gpr(u8 reg)
{
	return reg < 16;
}

static void check_operand(const struct rf_insn_operand *op)
{
	if (!op->is_mem) {
		REQUIRE(is_gpr(op->base));
		return;
	}
	REQUIRE(is_gpr(op->base) || op->base == RF_INSN_RIP || op->base == RF_INSN_NO_REG);
	REQUIRE(is_gpr(op->index) || op->index == RF_INSN_NO_REG);
	REQUIRE(op->shift <= 3);
	REQUIRE(op->seg <= RF_SEG_GS);
	REQUIRE(op->addr_size == 2 || op->addr_size == 4 || op->addr_size == 8);
}

static void check(const struct rf_insn *insn, size_t len)
{
	REQUIRE(insn->op != RF_INSN_UNKNOWN && insn->op <= RF_INSN_OUTS);
	REQUIRE(insn->len >= 1 && insn->len <= RF_INSN_MAX_LEN && insn->len <= len);
	REQUIRE(insn->reg < 16 && is_gpr(insn->gpr));

	switch (insn->op) {
	case RF_INSN_IN:
	case RF_INSN_OUT:
		REQUIRE(insn->size == 1 || insn->size == 2 || insn->size == 4);
		break;
	case RF_INSN_INS:
	case RF_INSN_OUTS:
		REQUIRE(insn->size == 1 || insn->size == 2 || insn->size == 4);
		REQUIRE(insn->port_dx && insn->operand.is_mem);
		check_operand(&insn->operand);
		break;
	case RF_INSN_SGDT:
	case RF_INSN_SIDT:
	case RF_INSN_INVLPG:
		REQUIRE(insn->operand.is_mem);
		check_operand(&insn->operand);
		break;
	case RF_INSN_SMSW:
	case RF_INSN_LMSW:
	case RF_INSN_SLDT:
	case RF_INSN_STR:
		check_operand(&insn->operand);
		break;
	}
}

/* Neither what follows nor how much of it there is changes an instruction. */
static void check_stable(const struct rf_insn *insn, const u8 *code, int bits)
{
	u8 *copy = malloc(insn->len);
	struct rf_insn again;

	memcpy(copy, code, insn->len);
	REQUIRE(rf_insn_decode(&again, copy, insn->len, bits));
	REQUIRE(again.op == insn->op && again.len == insn->len);
	REQUIRE(!rf_insn_decode(&again, copy, insn->len - 1, bits));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int modes[] = { 64, 32, 16 };
	struct rf_insn insn;
	size_t i;

	for (i = 0; i < 3; i++) {
		if (!rf_insn_decode(&insn, data, size, modes[i])) {
			REQUIRE(insn.op == RF_INSN_UNKNOWN && !insn.len);
			continue;
		}
		check(&insn, size);
		check_stable(&insn, data, modes[i]);
	}
	return 0;
}
