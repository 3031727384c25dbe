/*
 * Runs a host again and again under the faulty build of the library, each time
 * with another of the library's own calls refused, and compares with the bare
 * run: what it says, how it ends, what stands on standard error. The recording,
 * if there is one, must be readable, and may claim no reset that the kernel did
 * not count, nor any end more often than the run without a fault does.
 *
 *   inject [-l] [-n RUNS] [-s SEED] [-f FAULT] [-r RULE]… [-e SETTING]… [-v] HOST [ARGUMENT…]
 *
 *   -l         loosely: the ends of this host are others each time
 *   RUNS       at most so many, spread over all; default: all of them
 *   FAULT      only this one: AT:ERROR[:on][:NAME], as a failure is reported
 *   SETTING    NAME=VALUE, for the library
 *   RULE       no faults: the ordinary library, where the kernel refuses some
 *              calls (refuse.h) to the host too; compared with a bare run there
 *
 * In a network namespace whose counters are nobody else's, in a directory for
 * its files; BUILD is where the programs are.
 */
#include "runs.h"

#include <stdarg.h>
#include <sys/mman.h>

static const int errors[] = { EPERM, ENOSYS, ENOMEM, EINTR, EIO, ENOSPC, EMFILE, EAGAIN, EFAULT, EINVAL, EACCES,
	                      EAFNOSUPPORT };
static const char *const names[] = {
#define OWN(name) #name,
#define LIBC(returns, name, parameters, arguments, failed) #name,
#define LIBC_ERROR(name, parameters, arguments) #name,
#include "calls.def"
};
enum {
	ERRORS = sizeof errors / sizeof *errors,
	NAMES = sizeof names / sizeof *names,
	CLAIMS = 6,    /* the first of the outcomes */
	SHOWN = 25,
	STARTING = 64, /* the calls of a constructor, and a few more */
};

static bool wordy, loosely;
static unsigned failures;

static void describe(const struct fault *fault, const struct result *result)
{
	if (failures >= SHOWN && !wordy)
		return;
	if (fault->rule)
		printf("  '%s': ", fault->rule);
	else
		printf("  %u:%s%s%s%s (%s): ", fault->at, strerrorname_np(fault->error), fault->on ? ":on" : "",
		       fault->only ? ":" : "", fault->only ? fault->only : "", result->name);
}

static __attribute__((format(printf, 3, 4))) bool wrong(const struct fault *fault, const struct result *result,
                                                        const char *form, ...)
{
	va_list arguments;
	va_start(arguments, form);
	describe(fault, result);
	if (failures < SHOWN || wordy) {
		vprintf(form, arguments);
		printf("\n");
	}
	va_end(arguments);
	failures++;
	return false;
}

/* The first line in which two texts differ. */
static const char *difference(const char *a, const char *b, char *line)
{
	size_t at = 0;
	while (a[at] && a[at] == b[at])
		at++;
	while (at && b[at - 1] != '\n')
		at--;
	size_t length = strcspn(b + at, "\n");
	snprintf(line, 200, "%.*s", (int)(length < 199 ? length : 199), b + at);
	return line;
}

/* Standard error without the library's lines and ours. */
static void strip(const char *text, char *into, unsigned *maps)
{
	*maps = 0;
	while (*text) {
		size_t length = strcspn(text, "\n") + (strchr(text, '\n') != NULL);
		unsigned lines;
		if (sscanf(text, "== %u maps", &lines) == 1)
			*maps = lines > *maps ? lines : *maps;
		else if (strncmp(text, "halfclose: ", 11) || text[length - 1] != '\n') {
			memcpy(into, text, length);
			into += length;
		}
		text += length;
	}
	*into = '\0';
}

static bool check_recording(const struct fault *fault, struct result *is, const struct result *whole)
{
	bool none_said = strstr(is->errors, "no recording: ") || strstr(is->errors, "standing aside: ");
	if (access("hc", F_OK)) /* who can't open it may be unable to say so */
		return none_said || fault->on || wrong(fault, is, "there is no recording, and it doesn't say so");
	bool empty = false;
	FILE *file = fopen("hc", "r");
	if (file) {
		empty = fgetc(file) == EOF;
		fclose(file);
	}
	if (empty)
		return none_said || fault->on || wrong(fault, is, "the recording is empty, and it doesn't say so");
	if (!read_recording(is))
		return wrong(fault, is, "the recording can't be read");
	if (is->damaged)
		return wrong(fault, is, "the recording has %ld damaged places", is->damaged);
	if (is->outcome[1] > is->on_close)
		return wrong(fault, is, "it claims %ld resets, the kernel counts %ld", is->outcome[1], is->on_close);
	if (is->outcome[2] > is->on_data)
		return wrong(fault, is, "it claims %ld resets by SO_LINGER, the kernel counts %ld", is->outcome[2],
		             is->on_data);
	for (int i = 0; whole && !loosely && i < CLAIMS; i++)
		if (is->outcome[i] > whole->outcome[i])
			return wrong(fault, is, "it says %s %ld times, and %ld without the fault", outcomes[i],
			             is->outcome[i], whole->outcome[i]);
	is->recorded = true;
	return true;
}

static bool check(const struct fault *fault, struct result *is, const struct result *bare, const struct result *whole)
{
	static char rest[2][SPACE];
	char line[200];
	unsigned none;
	if (is->status != bare->status)
		return wrong(fault, is, "status %d, not %d", is->status, bare->status);
	if (strcmp(is->out, bare->out))
		return wrong(fault, is, "says '%s'", difference(bare->out, is->out, line));
	strip(bare->errors, rest[0], &none);
	strip(is->errors, rest[1], &is->maps);
	if (strcmp(rest[0], rest[1]))
		return wrong(fault, is, "on standard error '%s'", difference(rest[0], rest[1], line));
	if (whole && !loosely && is->maps > whole->maps + 2)
		return wrong(fault, is, "%u mappings, not %u", is->maps, whole->maps);
	if (!loosely && is->on_close != bare->on_close)
		return wrong(fault, is, "the kernel counts %ld resets, not %ld", is->on_close, bare->on_close);
	return check_recording(fault, is, whole);
}

static void inject(const struct fault *fault, const struct result *bare, const struct result *whole)
{
	static struct result is;
	run_host(faulty, fault, &is);
	/* threads and times make the number of calls differ a little */
	if (is.fired)
		check(fault, &is, bare, whole);
	if (wordy) {
		describe(fault, &is);
		printf("%u refused, %s; fin %ld unread %ld linger %ld backlog %ld none %ld shared %ld unknown %ld\n", is.fired,
		       is.recorded ? "recorded" : "no recording", is.outcome[0], is.outcome[1], is.outcome[2], is.outcome[3],
		       is.outcome[4], is.outcome[5], is.outcome[6]);
	}
}

static void inject_rule(const char *rule, const struct result *whole)
{
	static struct result bare, is;
	struct fault fault = { .on = true, .rule = rule };
	for (int i = 0; i < ERRORS; i++)
		if (!strncmp(strerrorname_np(errors[i]), rule, strcspn(rule, " ")))
			fault.error = errors[i];
	if (!fault.error)
		errx(2, "a rule begins with an error");
	run_host(NULL, &fault, &bare);
	if (bare.status == 127 || bare.status >= 128)
		errx(2, "'%s': the host does not start bare", rule);
	run_host(ordinary, &fault, &is);
	check(&fault, &is, &bare, whole);
	if (wordy) {
		describe(&fault, &is);
		printf("%s; bare %d; fin %ld unread %ld linger %ld backlog %ld none %ld shared %ld unknown %ld\n",
		       is.recorded ? "recorded" : "no recording", bare.status, is.outcome[0], is.outcome[1], is.outcome[2],
		       is.outcome[3], is.outcome[4], is.outcome[5], is.outcome[6]);
	}
}

/* Every name and every call, each with every error, the calls in both modes. */
static void inject_all(const struct result *bare, const struct result *whole)
{
	for (unsigned i = 0; i < NAMES * ERRORS; i++) {
		struct fault fault = { .at = 1, .error = errors[i / NAMES], .on = true, .only = names[i % NAMES] };
		inject(&fault, bare, whole);
	}
	for (unsigned i = 0; i < 2 * ERRORS * whole->calls; i++) {
		struct fault fault = { .at = i / 2 / ERRORS + 1, .error = errors[i / 2 % ERRORS], .on = i % 2 };
		inject(&fault, bare, whole);
	}
}

/* `most` of them. Where that is enough for it: every name, and every call that is
 * made while the program starts; the rest anywhere behind. */
static void inject_some(unsigned most, unsigned seed, const struct result *bare, const struct result *whole)
{
	unsigned start = most > NAMES + STARTING && whole->calls > 2 * STARTING ? STARTING : 0;
	unsigned behind = whole->calls - start, done = start ? NAMES + start : 0;
	for (unsigned i = 0; start && i < NAMES; i++) {
		struct fault fault = { .at = 1, .error = errors[(i + seed) % ERRORS], .on = true, .only = names[i] };
		inject(&fault, bare, whole);
	}
	for (unsigned i = 0; i < start; i++) {
		struct fault fault = { .at = i + 1, .error = errors[(i + seed) % ERRORS] };
		inject(&fault, bare, whole);
	}
	for (unsigned i = 0; done + i < most; i++) {
		unsigned at = (unsigned)((uint64_t)behind * i / (most - done) + seed * 17) % behind;
		struct fault fault = { .at = start + at + 1, .error = errors[(i + seed) % ERRORS], .on = i % 4 == 3 };
		inject(&fault, bare, whole);
	}
}

static struct fault read_fault(char *text)
{
	struct fault fault = { .at = (unsigned)strtoul(text, &text, 10) };
	char *part = strtok(*text ? text + 1 : text, ":");
	for (int i = 0; part && i < ERRORS; i++)
		if (!strcmp(strerrorname_np(errors[i]), part))
			fault.error = errors[i];
	while ((part = strtok(NULL, ":")))
		if (!strcmp(part, "on"))
			fault.on = true;
		else
			fault.only = part;
	if (!fault.at || !fault.error)
		errx(2, "a fault is AT:ERROR[:on][:NAME]");
	return fault;
}

int main(int argc, char **argv)
{
	static struct result bare, whole;
	struct fault one = { 0 }, none = { .error = EPERM };
	unsigned most = 0, seed = 1;
	const char *rules[100];
	int option, n_rules = 0;
	while ((option = getopt(argc, argv, "+ln:s:f:r:e:v")) != -1) {
		if (option == 'l')
			loosely = true;
		else if (option == 'n')
			most = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 's')
			seed = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'f')
			one = read_fault(optarg);
		else if (option == 'r' && n_rules < 100)
			rules[n_rules++] = optarg;
		else if (option == 'e' && n_settings < 4)
			settings[n_settings++] = optarg;
		else if (option == 'v')
			wordy = true;
		else
			return 2;
	}
	const char *build = getenv("BUILD");
	host = argv + optind;
	if (!*host || !build)
		errx(2, "usage: BUILD=DIRECTORY inject [-n RUNS] [-s SEED] [-f FAULT] [-e SETTING] [-v] HOST [ARGUMENT…]");
	snprintf(faulty, sizeof faulty, "%s/fault/libhalfclose.so", build);
	snprintf(ordinary, sizeof ordinary, "%s/libhalfclose.so", build);
	snprintf(command, sizeof command, "%s/halfclose", build);
	int fd = open("note", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 4096))
		err(2, "note");
	note = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (note == MAP_FAILED)
		err(2, "note");

	setvbuf(stdout, NULL, _IOLBF, 0);
	run_host(NULL, NULL, &bare);
	run_host(faulty, &none, &whole);
	if (!whole.calls)
		errx(2, "the faulty build makes no calls");
	check(&none, &whole, &bare, NULL);
	if (one.at) {
		inject(&one, &bare, &whole);
	} else if (n_rules) {
		for (int i = 0; i < n_rules; i++)
			inject_rule(rules[i], &whole);
	} else if (most) {
		inject_some(most, seed, &bare, &whole);
	} else {
		inject_all(&bare, &whole);
	}
	if (failures > SHOWN && !wordy)
		printf("  … and %u more\n", failures - SHOWN);
	printf("%u calls of its own, %u runs, %u wrong\n", whole.calls, runs, failures);
	return failures ? 1 : 0;
}
