# Builds the examples where they were installed, into BUILD/examples:
#   make -f /usr/share/doc/halfclose/examples/Makefile BUILD=/tmp/build
HERE    := $(dir $(lastword $(MAKEFILE_LIST)))
BUILD    = build
SOURCES := $(filter-out %/common.c,$(wildcard $(HERE)*.c))

all: $(SOURCES:$(HERE)%.c=$(BUILD)/examples/%)

$(BUILD)/examples/%: $(HERE)%.c $(HERE)common.c $(HERE)common.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -o $@ $< $(HERE)common.c
