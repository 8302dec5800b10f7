# ringfence: the targets people type.  "make help" lists them.
#
# A kernel module can be built for several kernels side by side: the sources
# are copied to build/modules/HOST/src and built there.

VERSION := 0.1

# Where everything goes; another directory keeps two builds apart.
RF_BUILD ?= build
export RF_BUILD := $(abspath $(RF_BUILD))
B := $(RF_BUILD)

# Kernel to build the module for: running, or a name under build/kernels.
HOST ?= running
KDIR ?= $(if $(filter running,$(HOST)),/lib/modules/$(shell uname -r)/build,$(CURDIR)/build/kernels/$(HOST)/build)

DESTDIR ?=
PREFIX ?= /usr/local

MODULE_DIR := $(B)/modules/$(HOST)

# Kernel of the guest to build its drivers for, likewise.
GUEST ?= 6.1-cloud
GUEST_KDIR ?= $(if $(filter running,$(GUEST)),/lib/modules/$(shell uname -r)/build,$(CURDIR)/build/kernels/$(GUEST)/build)
GUEST_DIR := $(B)/guest-drivers/$(GUEST)
SOURCES := Kbuild host-module uapi $(wildcard tests/kunit)

.PHONY: all
all: module launcher

.PHONY: help
help:
	@echo 'make                the module for the running kernel, and the launcher'
	@echo 'make demo           install what is needed, build, boot a guest and look at it'
	@echo 'make check          the chosen core of the tests (40 minutes on 2 cores)'
	@echo 'make check-all      the whole matrix (hours)'
	@echo 'make bench          the CPU and memory table, build/bench/cpu.json'
	@echo 'make bench-io       what disk requests cost, build/bench/io.json and io.html'
	@echo 'make lint           before each commit: layers, headers, docs, style, unit'
	@echo 'make sparse         slower static checks: sparse, W=1, gcc and clang'
	@echo 'make unit kunit guest boot fuzz   one layer of the tests each'
	@echo 'make module HOST=6.1|6.12|debug   the module for a kernel of the test bench'
	@echo 'make guest-drivers GUEST=6.1-cloud  the drivers of guests with that kernel'
	@echo 'make guest-drivers-deb  a package with them to install in a guest'
	@echo 'make launcher       build/ringfence'
	@echo 'make legacy-ata GUEST=6.1-cloud   what a guest needs for --ata and --cdrom'
	@echo 'make guest-tests    build/guest/*.elf'
	@echo 'make debian-disk GUEST=6.1-cloud  Debian on a disk, and what it takes to boot it'
	@echo 'make debug-kernel   the kernel the debug host boots (once, 15 minutes)'
	@echo 'make sizes          what is longer than usual'
	@echo 'make install        module (by DKMS if that is there), launcher, manual page'
	@echo 'make uninstall      take all of that away again'
	@echo 'make clean          forget what was built; distclean: kernels too'

# ---- Building

.PHONY: module
module:
	@[ -e $(KDIR)/Makefile ] || { \
		echo "No headers for this kernel ($(KDIR))." >&2; \
		echo "Install linux-headers-$$(uname -r), or build for a kernel of the test bench:" >&2; \
		echo "  tests/setup.sh && make module HOST=6.1" >&2; exit 1; }
	@mkdir -p $(MODULE_DIR)/src
	+@exec 9>$(MODULE_DIR)/lock && flock 9 && \
	rsync -a --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*.cmd' --exclude='.*.d' \
		--exclude='asm-offsets.[hs]' --exclude='Module.symvers' \
		--exclude='modules.order' -R $(SOURCES) $(MODULE_DIR)/src/ && \
	$(MAKE) -C $(KDIR) M=$(MODULE_DIR)/src RF_TESTS=$(RF_TESTS) $(KFLAGS) modules && \
	cp $(MODULE_DIR)/src/host-module/ringfence.ko $(MODULE_DIR)/ringfence.ko && \
	if [ -n "$(RF_TESTS)" ] && [ -d tests/kunit ]; then \
		rm -rf $(MODULE_DIR)/kunit && mkdir -p $(MODULE_DIR)/kunit && \
		find $(MODULE_DIR)/src/tests/kunit -name '*.ko' -exec cp -t $(MODULE_DIR)/kunit {} + ; \
	fi

# Each guest kernel has its own, next to each other: build/guest-drivers/GUEST.
.PHONY: guest-drivers
guest-drivers:
	@[ -e $(GUEST_KDIR)/Makefile ] || { \
		echo "No headers for the guest's kernel ($(GUEST_KDIR))." >&2; exit 1; }
	@mkdir -p $(GUEST_DIR)/src
	+@exec 9>$(GUEST_DIR)/lock && flock 9 && \
	rsync -a --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*.cmd' --exclude='.*.d' \
		--exclude='Module.symvers' --exclude='modules.order' \
		-R guest-drivers uapi $(GUEST_DIR)/src/ && \
	$(MAKE) -C $(GUEST_KDIR) M=$(GUEST_DIR)/src/guest-drivers $(KFLAGS) modules && \
	cp $(GUEST_DIR)/src/guest-drivers/*/rf_*.ko $(GUEST_DIR)/

# What a guest installs to have them, for each kernel it ever gets.
.PHONY: guest-drivers-deb
guest-drivers-deb:
	@guest-drivers/package/build.sh $(VERSION) $(B)/ringfence-guest-dkms_$(VERSION)_all.deb

.PHONY: launcher
launcher:
	+$(MAKE) -C userland O=$(B)

# What guests run: one-file guests, and programs for guests of Linux.
.PHONY: guest-tests guest-programs
guest-programs:
	+@$(MAKE) -s -C tests/boot/progs B=$(B)
	@mkdir -p $(B)/bench
	@gcc -O2 -Wall -Wextra -static -o $(B)/bench/ops tests/bench/ops.c
guest-tests:
	+@mkdir -p $(B)/guest
	+@for d in $(patsubst %/Makefile,%,$(wildcard tests/guest/*/Makefile)); do \
		$(MAKE) -C $$d B=$(B) OUT=$(B)/guest/$$(basename $$d).elf || exit 1; \
	done
	+@$(MAKE) -s -C tests/boot/host B=$(B)

# A launcher without privileges that does anything.
.PHONY: ioctl-storm
ioctl-storm:
	+@$(MAKE) -s -C tests/fuzz/ioctl B=$(B)

# Programs that save and load guests: of the launcher's own parts.
.PHONY: state-tests
state-tests: launcher guest-tests
	+@$(MAKE) -s -C tests/state B=$(B)

# What tells a guest's own libata of --ata and --cdrom, for each guest kernel:
# build/legacy-ata/GUEST/rf_legacy_ata.ko.
LEGACY_ATA_DIR := $(B)/legacy-ata/$(GUEST)
.PHONY: legacy-ata
legacy-ata:
	@mkdir -p $(LEGACY_ATA_DIR)/src
	+@exec 9>$(LEGACY_ATA_DIR)/lock && flock 9 && \
	cp -u guest-drivers/legacy-ata/* $(LEGACY_ATA_DIR)/src/ && \
	$(MAKE) -s -C $(CURDIR)/build/kernels/$(GUEST)/build M=$(LEGACY_ATA_DIR)/src $(KFLAGS) modules && \
	cp $(LEGACY_ATA_DIR)/src/rf_legacy_ata.ko $(LEGACY_ATA_DIR)/

.PHONY: kernels
kernels:
	@tests/setup.sh

# Debian as one initramfs, for guests that boot all of it.
.PHONY: debian
debian:
	@tests/boot/debian.sh

# The same on a disk, for a guest kernel, with the initial RAM disk it made and
# that with our drivers, put in and packaged: build/debian-disk/GUEST*.
.PHONY: debian-disk
debian-disk: guest-drivers
	@tests/boot/debian-disk.sh $(GUEST)
	@userland/ringfence-drivers --kernel $$(cat build/kernels/$(GUEST)/version) \
		--drivers $(GUEST_DIR) --modules build/kernels/$(GUEST)/modules \
		-o $(B)/debian-disk/$(GUEST).initrd $(B)/debian-disk/$(GUEST)/initrd.img
	@tests/boot/packaged-initrd.sh $(GUEST)

.PHONY: debug-kernel
debug-kernel:
	@tests/boot/debug-kernel.sh

# ---- Testing

CHECK := tests/harness/check

.PHONY: check check-all
check: kernels
	@$(CHECK) core
check-all: kernels
	@$(CHECK) all

.PHONY: lint unit kunit guest boot fuzz sparse
lint unit kunit guest boot fuzz sparse:
	@$(CHECK) $@

.PHONY: bench bench-io
bench: kernels
	@tests/bench/bench
bench-io: kernels
	@tests/bench/bench-io

.PHONY: sizes
sizes:
	@tests/lint/sizes.sh

.PHONY: demo
demo:
	@tests/harness/demo

# ---- Installing

# With DKMS, the module is built anew for each kernel that is installed later.
# DKMS= installs it for this kernel alone, as for packages (DESTDIR).

DKMS ?= $(if $(DESTDIR),,$(shell command -v dkms))
KVER = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
DKMS_SOURCE := $(DESTDIR)/usr/src/ringfence-$(VERSION)

.PHONY: install install-dkms install-module uninstall
install: all
	+$(MAKE) -C userland O=$(B) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install
	rm -rf $(DKMS_SOURCE)
	install -d $(DKMS_SOURCE)
	cp -R --parents Kbuild host-module uapi $(DKMS_SOURCE)/
	sed 's/@VERSION@/$(VERSION)/' dkms.conf.in >$(DKMS_SOURCE)/dkms.conf
	+$(MAKE) $(if $(DKMS),install-dkms,install-module)

# What an older source was built to is of no use.
install-dkms:
	[ -z "$$($(DKMS) status ringfence/$(VERSION) -k $(KVER))" ] || \
		$(DKMS) remove ringfence/$(VERSION) -k $(KVER)
	$(DKMS) install ringfence/$(VERSION) -k $(KVER)

install-module:
	$(MAKE) -C $(KDIR) M=$(MODULE_DIR)/src $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
	$(if $(DESTDIR),,depmod $(KVER))

uninstall:
	$(if $(DKMS),[ -z "$$($(DKMS) status ringfence/$(VERSION))" ] || $(DKMS) remove ringfence/$(VERSION) --all)
	rm -rf $(DKMS_SOURCE)
	for dir in $(DESTDIR)/lib/modules/*/extra $(DESTDIR)/lib/modules/*/updates; do \
		[ -d $$dir/host-module ] || continue; \
		rm -f $$dir/host-module/ringfence.ko*; \
		rmdir --ignore-fail-on-non-empty $$dir/host-module $$dir; \
		$(if $(DESTDIR),,depmod $$(basename $$(dirname $$dir));) \
	done
	+$(MAKE) -C userland DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) uninstall

.PHONY: clean distclean
clean:
	rm -rf $(B)/modules $(B)/guest-drivers $(B)/*.deb $(B)/ringfence $(B)/userland $(B)/guest $(B)/unit \
		$(B)/fuzz $(B)/host $(B)/debian-disk $(B)/legacy-ata $(B)/bench $(B)/logs $(B)/vm $(B)/vm.*
distclean: clean
	rm -rf $(B)
