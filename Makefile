# SPDX-License-Identifier: GPL-2.0-or-later
# A front for Meson, and the two commands of the README: make demo, make check.
PREFIX ?= /usr/local
BUILD ?= build
CHECK ?= build-check
export PATH := $(PATH):/usr/sbin:/sbin

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) program

$(BUILD)/build.ninja:
	@tools/setup
	@meson setup $(BUILD) --prefix $(PREFIX) --native-file presets/release.ini

install: $(BUILD)/build.ninja
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@ninja -C $(BUILD) program
	@meson install -C $(BUILD) --no-rebuild

# A Debian kernel in a virtual machine, its MPTCP selftests, a page of results.
demo: all
	@tools/setup
	@tools/demo $(BUILD)

# Every test, with the address and undefined behaviour sanitizers.
check:
	@tools/setup --tests
	@test -e $(CHECK)/build.ninja || meson setup $(CHECK) --native-file presets/dev.ini
	@ninja -C $(CHECK)
	@tools/check $(CHECK)

# How fast logs are read, and how rightly, beside the other readers that are installed
# (tools/setup --bench). A release build.
bench: $(BUILD)/build.ninja
	@ninja -C $(BUILD) bench
	@bench/run $(BUILD)
	@bench/constructs $(BUILD)

clean:
	@rm -rf $(BUILD) $(CHECK)

.PHONY: all install demo check bench clean
