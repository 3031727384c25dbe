#include "unwind.h"

#include <errno.h>
#include <libunwind-ptrace.h>
#include <string.h>

#include "memory.h"

/* The finder of unwind tables gets an argument of its own kind (struct UPT_info), with
 * which it also reads memory: what is being walked stands here. */
static const struct stopped *walked;

struct unwinder {
	unw_addr_space_t space;
	void *finder; /* struct UPT_info, which knows the process's files */
};

static int read_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write, void *finder)
{
	(void)space;
	(void)finder;
	if (write || stopped_read(walked, address, value, sizeof(*value)) != sizeof(*value))
		return -UNW_EINVAL;
	return 0;
}

#if defined __x86_64__
static const struct {
	unw_regnum_t number;
	size_t offset;
} places[] = {
#define REGISTER(number, name) \
	{ \
		UNW_X86_64_##number, offsetof(struct user_regs_struct, name) \
	}
	REGISTER(RAX, rax), REGISTER(RDX, rdx), REGISTER(RCX, rcx), REGISTER(RBX, rbx), REGISTER(RSI, rsi),
	REGISTER(RDI, rdi), REGISTER(RBP, rbp), REGISTER(RSP, rsp), REGISTER(R8, r8),   REGISTER(R9, r9),
	REGISTER(R10, r10), REGISTER(R11, r11), REGISTER(R12, r12), REGISTER(R13, r13), REGISTER(R14, r14),
	REGISTER(R15, r15), REGISTER(RIP, rip),
#undef REGISTER
};

static bool register_of(unw_regnum_t number, unw_word_t *value)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		if (places[i].number == number) {
			memcpy(value, (const char *)&walked->registers + places[i].offset, sizeof(*value));
			return true;
		}
	}
	return false;
}
#elif defined __aarch64__
static bool register_of(unw_regnum_t number, unw_word_t *value)
{
	if (number >= UNW_AARCH64_X0 && number <= UNW_AARCH64_X30)
		*value = walked->registers.regs[number - UNW_AARCH64_X0];
	else if (number == UNW_AARCH64_SP)
		*value = walked->registers.sp;
	else if (number == UNW_AARCH64_PC)
		*value = walked->registers.pc;
	else
		return false;
	return true;
}
#endif

static int read_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write, void *finder)
{
	(void)space;
	(void)finder;
	return !write && register_of(number, value) ? 0 : -UNW_EBADREG;
}

static int no_float(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int write, void *finder)
{
	(void)space;
	(void)number;
	(void)value;
	(void)write;
	(void)finder;
	return -UNW_EBADREG;
}

static int no_list(unw_addr_space_t space, unw_word_t *address, void *finder)
{
	(void)space;
	(void)address;
	(void)finder;
	return -UNW_ENOINFO;
}

static int no_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *finder)
{
	(void)space;
	(void)cursor;
	(void)finder;
	return -UNW_EUNSPEC;
}

static int no_name(unw_addr_space_t space, unw_word_t address, char *name, size_t size, unw_word_t *offset,
                   void *finder)
{
	(void)space;
	(void)address;
	(void)name;
	(void)size;
	(void)offset;
	(void)finder;
	return -UNW_EUNSPEC;
}

struct unwinder *unwinder_new(pid_t pid)
{
	static unw_accessors_t accessors = {
		.find_proc_info = _UPT_find_proc_info,
		.put_unwind_info = _UPT_put_unwind_info,
		.get_dyn_info_list_addr = no_list,
		.access_mem = read_memory,
		.access_reg = read_register,
		.access_fpreg = no_float,
		.resume = no_resume,
		.get_proc_name = no_name,
	};
	struct unwinder *unwinder = g_new0(struct unwinder, 1);

	unwinder->space = unw_create_addr_space(&accessors, 0);
	unwinder->finder = _UPT_create(pid);
	return unwinder;
}

void unwinder_free(struct unwinder *unwinder)
{
	if (unwinder->finder)
		_UPT_destroy(unwinder->finder);
	if (unwinder->space)
		unw_destroy_addr_space(unwinder->space);
	g_free(unwinder);
}

void unwinder_walk(struct unwinder *unwinder, const struct stopped *stopped, GArray *addresses)
{
	unw_word_t ip, sp, last = 0;
	unw_cursor_t cursor;
	bool at_call = false;

	walked = stopped;
	if (!unwinder->space || !unwinder->finder || unw_init_remote(&cursor, unwinder->space, unwinder->finder) < 0)
		return;
	do {
		uint64_t address;

		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) < 0 || unw_get_reg(&cursor, UNW_REG_SP, &sp) < 0 || !ip ||
		    (addresses->len && sp < last))
			break;
		last = sp;
		address = ip + (at_call ? 0 : 1);
		g_array_append_val(addresses, address);
		at_call = unw_is_signal_frame(&cursor) <= 0;
	} while (addresses->len < UNWIND_MOST && unw_step(&cursor) > 0);
}
