# halfclose: see CONTRIBUTING.md for the house; `make help` for the targets.

VERSION = 0.1.0
BUILD   = $(if $(SAN),build-$(if $(findstring thread,$(SAN)),thread,san),build)
PREFIX  = /usr/local
DESTDIR =
BINDIR  = $(PREFIX)/bin
LIBDIR  = $(PREFIX)/lib
MANDIR  = $(PREFIX)/share/man
DOCDIR  = $(PREFIX)/share/doc/halfclose
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR  = $(PREFIX)/share/zsh/site-functions
SAN     =
SUITES  =
TIME    = 60

ROWS    =

CC       = gcc
CFLAGS   = -O2 -g
CPPFLAGS =
LDFLAGS  =
WARN     = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef
Q        = $(if $(V),,@)
ALL      = -std=gnu11 -D_GNU_SOURCE -Iinclude $(WARN) $(CPPFLAGS) $(CFLAGS) -MMD -MP

# Sanitizers have a runtime of their own in the programs of ours. The library
# lives in other people's: there undefined behaviour ends in a trap, and the
# address sanitizer stays out.
ifneq ($(SAN),)
SANITIZE     = -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
LIB_SANITIZE = $(if $(findstring undefined,$(SAN)),-fsanitize=undefined -fsanitize-undefined-trap-on-error)
endif

PRELOAD  := $(wildcard preload/*.c)
REVIEW   := $(wildcard review/*.c)
DRAIN    := $(wildcard drain/*.c) preload/verdict.c
EXAMPLES := $(filter-out examples/common.c,$(wildcard examples/*.c))
UNIT     := $(wildcard tests/unit/test_*.c)
HOSTS    := $(filter-out tests/fault/fault.c,$(wildcard $(foreach suite,hosts truth graceful fault endurance valgrind bench ps,tests/$(suite)/*.c)))
FUZZ     := $(wildcard tests/fuzz/fuzz_*.c)

LIBRARY  = $(BUILD)/libhalfclose.so
FAULTY   = $(BUILD)/fault/libhalfclose.so
PROGRAM  = $(BUILD)/halfclose
HELPER   = $(BUILD)/halfclose-drain
DERIVE   = $(BUILD)/packaging/derive/derive
DERIVED  = $(addprefix $(BUILD)/,$(patsubst packaging/%.in,%,$(wildcard packaging/man/*.in packaging/completion/*.in)))
PROGRAMS = $(EXAMPLES:examples/%.c=$(BUILD)/examples/%)
UNIT_REVIEW  = $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter tests/unit/test_review_%,$(UNIT)))
UNIT_PRELOAD = $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out tests/unit/test_review_%,$(UNIT)))
INTERPOSERS  = $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/suites/faulty/*.c))
HOST_TESTS   = $(HOSTS:tests/%.c=$(BUILD)/tests/%)
FUZZERS      = $(FUZZ:tests/%.c=$(BUILD)/tests/%)
TESTS    = $(UNIT_REVIEW) $(UNIT_PRELOAD) $(HOST_TESTS) $(FUZZERS) $(INTERPOSERS) $(BUILD)/tests/golden-compile

# A tree on a machine that has all it needs builds offline and without root.
all: deps-build $(LIBRARY) $(PROGRAM) $(HELPER) derived ## build the library and the command

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@printf '  with SAN=address,undefined: under sanitizers; V=1: the commands, too;\n  PREFIX, DESTDIR: where install puts it\n'

deps: ## install what Debian lacks to build, test and show it (asks apt-get, as root)
	@packaging/deps build demo check

deps-build:
	@packaging/deps build

demo: ## a server that loses its answers, recorded and judged
	@packaging/deps build demo
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@BUILD=$(BUILD) tests/demo/run.sh

check: ## all tests; closes with 'N passed, N failed'
	@packaging/deps build demo check
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@BUILD=$(BUILD) SAN=$(SAN) tests/run.sh $(SUITES)

derived: $(DERIVED)

# Those that want no other program than themselves.
tests-pure: $(UNIT_REVIEW) $(UNIT_PRELOAD) $(BUILD)/tests/golden-compile

tests: $(LIBRARY) $(FAULTY) $(PROGRAM) $(HELPER) $(PROGRAMS) $(TESTS)

bench: ## what it costs, side by side with bare runs
	@packaging/deps build check
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@BUILD=$(BUILD) tests/bench/run.sh

endurance: ## 1,000,000 descriptors, 100,000 connections, 10 million closes (5 minutes)
	@packaging/deps build check
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@BUILD=$(BUILD) tests/endurance/run.sh long

faults: ## each call of the library's own refused with each error (half an hour)
	@packaging/deps build check
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@BUILD=$(BUILD) tests/fault/run.sh all

race: ## a million closes while the peer sends: how many resets are seen
	@packaging/deps build check
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@BUILD=$(BUILD) tests/truth/race.sh

# Everything by clang, for this; the tests feed the same targets by gcc.
fuzz: ## feed what parses with what nobody writes, TIME=60 seconds for each parser
	@packaging/deps build fuzz
	@$(MAKE) --no-print-directory $(BUILD)/tests/golden-compile
	@$(MAKE) --no-print-directory -j$(shell nproc) BUILD=build-fuzz CC=clang SAN=fuzzer,address,undefined WARN= fuzzers
	@COMPILE=$(BUILD)/tests/golden-compile BUILD=build-fuzz tests/fuzz/fuzz.sh $(TIME)

fuzzers: $(FUZZERS)

suites: ## test suites of other projects, bare and preloaded; not one result different
	@packaging/deps build suites
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@BUILD=$(BUILD) tests/suites/run.sh --jobs $(shell nproc) $(SUITES)

victims: ## servers that lose their answers: how many come whole without and with it
	@packaging/deps build check
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@BUILD=$(BUILD) tests/victims/run.sh --table $(ROWS)

deb: ## Debian packages, into build/deb
	@packaging/deps build deb
	@BUILD=$(BUILD) packaging/deb $(VERSION)

lint: ## cppcheck and clang-tidy
	cppcheck --quiet --std=c11 --language=c --enable=warning,portability --inline-suppr --error-exitcode=1 \
	  -D_GNU_SOURCE '-DElfW(type)=Elf64_##type' -Iinclude --suppress=missingIncludeSystem \
	  --suppress=normalCheckLevelMaxBranches '-DG_GUINT64_FORMAT="lu"' '-DG_GINT64_MODIFIER="l"' '-DHC_VERSION_TEXT="$(VERSION)"' \
	  preload drain review examples packaging/derive
	clang-tidy --quiet --warnings-as-errors='*' $(PRELOAD) -- -std=gnu11 -D_GNU_SOURCE -Iinclude
	clang-tidy --quiet --warnings-as-errors='*' $(REVIEW) $(wildcard packaging/derive/*.c) -- -std=gnu11 -D_GNU_SOURCE -Iinclude $(REVIEW_CFLAGS) \
	  -DHC_VERSION_TEXT='"$(VERSION)"' -DHC_LIBDIR='"$(LIBDIR)"'

format: ## put the sources into the house's form
	clang-format -i $(PRELOAD) $(wildcard preload/*.h) $(REVIEW) $(wildcard review/*.h packaging/derive/*.[ch])

# What is installed: mode:from:to. Uninstall removes these, and directories of ours.
INSTALLED = 644:$(LIBRARY):$(LIBDIR)/libhalfclose.so 755:$(PROGRAM):$(BINDIR)/halfclose \
  755:$(HELPER):$(BINDIR)/halfclose-drain \
  $(foreach page,$(filter $(BUILD)/man/%,$(DERIVED)),644:$(page):$(MANDIR)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page))) \
  644:$(BUILD)/completion/halfclose.bash:$(BASHDIR)/halfclose 644:$(BUILD)/completion/halfclose.bash:$(BASHDIR)/halfclose-drain \
  644:$(BUILD)/completion/_halfclose:$(ZSHDIR)/_halfclose \
  $(foreach file,README.md CHANGELOG.md LICENSE,644:$(file):$(DOCDIR)/$(file)) 644:packaging/examples.mk:$(DOCDIR)/examples/Makefile \
  $(foreach file,$(wildcard examples/*),$(if $(filter %/pair,$(file)),755,644):$(file):$(DOCDIR)/$(file)) \
  $(foreach file,$(wildcard packaging/systemd/* packaging/container/*),644:$(file):$(DOCDIR)/$(file:packaging/%=%))
place = install -D -m $(word 1,$(1)) $(word 2,$(1)) $(DESTDIR)$(word 3,$(1))

install: $(LIBRARY) $(PROGRAM) $(HELPER) derived ## into PREFIX (default /usr/local)
	$(foreach row,$(INSTALLED),$(call place,$(subst :, ,$(row))) &&) :

uninstall: ## what install put there
	rm -f $(foreach row,$(INSTALLED),$(DESTDIR)$(word 3,$(subst :, ,$(row))))
	@rmdir $(addprefix $(DESTDIR)$(DOCDIR)/,examples systemd container) $(DESTDIR)$(DOCDIR) 2>/dev/null || :

clean: ## remove what was built
	rm -rf $(BUILD)

# The library: libc alone, the unwinder linked in and hidden, nothing exported
# but the rows of calls.def, started before any other. Never fortified, whatever
# CPPFLAGS say: musl lacks what that calls, and its loader would refuse the program.
LIB_CFLAGS  = $(ALL) -U_FORTIFY_SOURCE -fPIC -fvisibility=hidden -ftls-model=initial-exec -fexceptions -fasynchronous-unwind-tables \
              -fno-plt $(LIB_SANITIZE) -DHC_BINDIR='"$(BINDIR)"'
LIB_LDFLAGS = -shared -static-libgcc -Wl,--exclude-libs,ALL -Wl,--version-script=$(BUILD)/preload/exports \
              -Wl,-z,initfirst -Wl,-z,now -Wl,-z,relro -Wl,--no-undefined -Wl,-soname,libhalfclose.so $(UNWINDER)
# What the unwinder asks of an address, it asks preload/stack.c.
UNWINDER    = -Wl,--wrap=_Unwind_Find_FDE,--wrap=_dl_find_object

$(BUILD)/preload/exports: include/halfclose/calls.def Makefile
	@mkdir -p $(@D)
	@printf '%s\n' '#define CALL(r, n, p) n;' '#define END(r, n, p) n;' '#define ALIAS(n, of) n;' \
	  '{ global:' '#include <halfclose/calls.def>' 'local: *; };' | $(CC) -E -P -Iinclude -x c - > $@

$(BUILD)/preload/%.o: preload/%.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(LIB_CFLAGS) $(CFLAGS_$*) -c -o $@ $<

# Must leave by jumps (see the file); -O2 makes them, the check says if not.
CFLAGS_call_raw = -O2 -fno-sanitize=all

$(LIBRARY): $(PRELOAD:%.c=$(BUILD)/%.o) $(BUILD)/preload/exports
	@echo '  LINK $@'
	$(Q)$(CC) $(LDFLAGS) $(LIB_LDFLAGS) -o $@ $(PRELOAD:%.c=$(BUILD)/%.o)

# The same with faults: the calls that it makes for itself can be refused (see
# tests/fault/fault.c). Only tests load it.
$(BUILD)/fault/%.o: preload/%.c tests/fault/fault.h Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(LIB_CFLAGS) -include tests/fault/fault.h $(CFLAGS_$*) -c -o $@ $<

$(BUILD)/fault/fault.o: tests/fault/fault.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(LIB_CFLAGS) -Wno-missing-prototypes -c -o $@ $<

$(FAULTY): $(PRELOAD:preload/%.c=$(BUILD)/fault/%.o) $(BUILD)/fault/fault.o $(BUILD)/preload/exports tests/fault/calls.def
	@echo '  LINK $@'
	$(Q)$(CC) $(LDFLAGS) $(LIB_LDFLAGS) $$(sed -n 's/^LIBC(.[^,]*, \([a-z_0-9]*\),.*\|^LIBC_ERROR(\([a-z_]*\),.*/-Wl,--wrap=\1\2/p' tests/fault/calls.def) \
	  -o $@ $(filter %.o,$^)

# The command: glib, elfutils and jansson live here and only here. What it exports
# is nothing, so that no library calls a function of ours that is called as its own.
REVIEW_CFLAGS = $(shell pkg-config --cflags glib-2.0 jansson) -fvisibility=hidden
REVIEW_LIBS = $(shell pkg-config --libs glib-2.0 jansson libdw libelf libunwind-ptrace libunwind-generic) -lstdc++

$(BUILD)/review/%.o: review/%.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(ALL) $(SANITIZE) $(REVIEW_CFLAGS) -DHC_VERSION_TEXT='"$(VERSION)"' -DHC_LIBDIR='"$(LIBDIR)"' -c -o $@ $<

# The assembler puts these files into page.o.
$(BUILD)/review/page.o: $(wildcard review/page/*)

REVIEW_OBJECTS = $(REVIEW:%.c=$(BUILD)/%.o)
$(PROGRAM): $(REVIEW_OBJECTS)
	@echo '  LINK $@'
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(REVIEW_LIBS)

# Manual pages and completions, from the tables that all of these are made of.
$(BUILD)/packaging/derive/%.o: packaging/derive/%.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(ALL) $(SANITIZE) $(REVIEW_CFLAGS) -DHC_VERSION_TEXT='"$(VERSION)"' -c -o $@ $<

$(DERIVE): $(patsubst %.c,$(BUILD)/%.o,$(wildcard packaging/derive/*.c)) $(filter-out $(BUILD)/review/main.o,$(REVIEW_OBJECTS))
	@echo '  LINK $@'
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(REVIEW_LIBS)

$(DERIVED): $(BUILD)/%: packaging/%.in $(DERIVE)
	@mkdir -p $(@D)
	@echo '  TEXT $@'
	$(Q)$(DERIVE) $< > $@.new && mv $@.new $@

# What finishes graceful closes: libc alone, and the library's pure arithmetic.
$(HELPER): $(DRAIN) drain/drain.h drain/options.def include/halfclose/drain.h Makefile
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL)) $(SANITIZE) $(LDFLAGS) -DHC_VERSION_TEXT='"$(VERSION)"' -o $@ $(DRAIN)

# Examples and tests.
$(BUILD)/examples/%: examples/%.c examples/common.c examples/common.h Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O1 -g -o $@ $< examples/common.c

# A sanitizer's runtime calls what is in kernel.c before it can be called itself.
$(BUILD)/unit/preload/%.o: preload/%.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(ALL) $(if $(filter-out kernel,$*),$(SANITIZE)) -c -o $@ $<

# A unit test has the rooms that it names in its first lines: `uses: room room`.
uses = $(shell sed -n 's,^.*uses: \([a-z_ ]*\).*,\1,p' $(1) | head -1)
rooms = $(foreach r,$(call uses,$(1)),$(if $(wildcard preload/$(r).c),$(BUILD)/unit/preload/$(r).o,$(BUILD)/review/$(r).o))
.SECONDEXPANSION:
$(UNIT_REVIEW): $(BUILD)/tests/%: tests/%.c $(filter-out $(BUILD)/review/main.o,$(REVIEW_OBJECTS)) Makefile
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(ALL) -MF $@.d -Ireview $(SANITIZE) $(REVIEW_CFLAGS) -o $@ $< $(filter %.o,$^) $(REVIEW_LIBS) -lcmocka

$(UNIT_PRELOAD): $(BUILD)/tests/%: tests/%.c $$(call rooms,tests/$$*.c) Makefile
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(ALL) -MF $@.d -Ipreload $(SANITIZE) $(UNWINDER) -o $@ $< $(filter %.o,$^) -lcmocka -pthread

$(BUILD)/tests/golden-compile: tests/golden/compile.c tests/golden/values.c tests/golden/values.h $(BUILD)/review/events.o Makefile
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(ALL) -MF $@.d -Ireview $(SANITIZE) $(REVIEW_CFLAGS) -o $@ $(filter %.c %.o,$^) $(shell pkg-config --libs glib-2.0)

# A fuzz target: rooms as a unit test, or all of the command's.
fuzz_main = $(if $(findstring fuzzer,$(SAN)),$(wildcard tests/fuzz/mutate_$(1).c),tests/fuzz/replay.c)
fuzz_rooms = $(if $(call uses,$(1)),$(call rooms,$(1)),$(filter-out $(BUILD)/review/main.o,$(REVIEW_OBJECTS)))
$(FUZZERS): $(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $$(call fuzz_main,$$*) tests/fuzz/is_json.c $$(call fuzz_rooms,tests/fuzz/fuzz_$$*.c) Makefile
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(ALL) -MF $@.d -Ireview -Ipreload $(SANITIZE) $(REVIEW_CFLAGS) -o $@ $(filter %.c %.o,$^) $(REVIEW_LIBS)

$(HOST_TESTS): $(BUILD)/tests/%: tests/%.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	$(Q)$(CC) $(ALL) -MF $@.d -o $@ $< -pthread

# Libraries with mistakes, for the suites to find.
$(INTERPOSERS): $(BUILD)/%.so: %.c tests/suites/faulty/faulty.h Makefile
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -fPIC -shared -o $@ $< -pthread

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
.PHONY: all derived tests-pure deb help deps deps-build demo check tests bench endurance faults lint format install uninstall clean race fuzz fuzzers suites victims
