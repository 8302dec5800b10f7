# How a one-file guest is built.  A test's Makefile names itself and includes
# this:
#
#	make -C tests/guest/hello B=/abs/build OUT=/abs/build/guest/hello.elf

LIB := $(dir $(lastword $(MAKEFILE_LIST)))
TOP := $(abspath $(LIB)/../../..)
B ?= $(TOP)/build
NAME := $(notdir $(CURDIR))
OUT ?= $(B)/guest/$(NAME).elf
OBJ := $(B)/guest/obj/$(NAME)

# The ABI's headers come with the kernel's: Debian splits those in two, side by side.
KDIR := $(TOP)/build/kernels/6.1/build
HEADERS := $(KDIR) $(wildcard $(dir $(realpath $(KDIR)))linux-headers-*-common)

VIRT_BASE := 0xffffffff80000000
CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wno-address-of-packed-member -ffreestanding -fno-builtin-printf -fno-pic -no-pie \
	-mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-fno-tree-vectorize -DVIRT_BASE=$(VIRT_BASE)UL
AFLAGS := -D__ASSEMBLY__ -DVIRT_BASE=$(VIRT_BASE)
CPPFLAGS := -I$(LIB) -I$(LIB)shim $(foreach d,$(HEADERS),-I$(d)/include -I$(d)/arch/x86/include)

LIB_SRC := $(notdir $(wildcard $(LIB)*.S) $(wildcard $(LIB)*.c))
LIB_OBJS := $(LIB_SRC:%=$(B)/guest/obj/lib/%.o)
OBJS := $(patsubst %,$(OBJ)/%.o,$(wildcard *.c *.S))
PARTS := $(wildcard $(LIB)*.h) $(LIB)guest.mk

all: $(OUT)

$(OUT): $(LIB_OBJS) $(OBJS) $(LIB)guest.lds
	@mkdir -p $(@D)
	@sed 's/VIRT_BASE/$(VIRT_BASE)/g' $(LIB)guest.lds >$(OBJ)/guest.lds
	@echo '  LD      $(notdir $@)'
	@$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
		--build-id=none -T $(OBJ)/guest.lds -o $@ $(LIB_OBJS) $(OBJS)

$(B)/guest/obj/lib/%.c.o: $(LIB)%.c $(PARTS)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/guest/obj/lib/%.S.o: $(LIB)%.S $(PARTS)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(AFLAGS) -c -o $@ $<
$(OBJ)/%.c.o: %.c $(PARTS)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

.PHONY: all
