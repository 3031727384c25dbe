#include "options.h"
#include "only.h"
#include "text.h"

#include <string.h>

#define PREFIX "HALFCLOSE_"

struct hc_options hc_options;

struct row {
	const char *name, *fallback, *values;
	bool (*read)(const char *value, const char *values, void *into);
	size_t at;
};

static bool read_flag(const char *value, const char *values, void *into)
{
	(void)values;
	*(bool *)into = !strcmp(value, "1");
	return !*value || !strcmp(value, "0") || !strcmp(value, "1");
}

static bool read_text(const char *value, const char *values, void *into)
{
	(void)values;
	*(const char **)into = *value ? value : NULL;
	return true;
}

static bool read_choice(const char *value, const char *values, void *into)
{
	size_t length = strlen(value);
	for (int i = 0; *values; i++) {
		size_t n = strcspn(values, "|");
		if (n == length && !strncmp(values, value, n)) {
			*(int *)into = i;
			return true;
		}
		values += n + (values[n] == '|');
	}
	return false;
}

/* values: "least..most" */
static bool read_count(const char *value, const char *values, void *into)
{
	const char *end;
	uint64_t number, least, most;
	if (!hc_read_digits(value, &end, &number) || *end || !hc_read_digits(values, &end, &least) ||
	    !hc_read_digits(end + 2, &end, &most) || number < least || number > most)
		return false;
	*(uint64_t *)into = number;
	return true;
}

static bool read_size(const char *value, const char *values, void *into)
{
	const char *end, *unit;
	uint64_t number;
	(void)values;
	if (!hc_read_digits(value, &end, &number))
		return false;
	if (*end) {
		static const char units[] = "KMGT";
		unit = strchr(units, *end & ~0x20);
		int shift = unit && *unit ? (int)(unit - units + 1) * 10 : 64;
		if (shift > 40 || end[1] || number > UINT64_MAX >> shift)
			return false;
		number <<= shift;
	}
	if (!number || number > (uint64_t)INT64_MAX)
		return false;
	*(uint64_t *)into = number;
	return true;
}

/* values: "off|all|word,word[,word]": a bit for each word; all is those before [ */
static unsigned bits_of(const char *word, size_t length, const char *values)
{
	const char *is = values + sizeof "off|all|" - 1;
	unsigned bit = 1;
	bool all = length == 3 && !strncmp(word, "all", 3);
	for (size_t n; *is; is += n, bit <<= 1) {
		n = strcspn(is, ",[]");
		if (n == length && !strncmp(word, is, n))
			return bit;
		if (all && is[n] == '[')
			return (bit << 1) - 1;
		n += strspn(is + n, ",[]");
	}
	return 0;
}

static bool read_list(const char *value, const char *values, void *into)
{
	unsigned *bits = into;
	*bits = 0;
	/* behind a semicolon comes what inherit.c reads */
	if (!strncmp(value, "off", 3) && (!value[3] || value[3] == ';'))
		return true;
	for (size_t n;; value += n + 1) {
		n = strcspn(value, ",;");
		unsigned some = bits_of(value, n, values);
		*bits |= some;
		if (!some || value[n] != ',')
			return some;
	}
}

static bool read_duration(const char *value, const char *values, void *into)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "ms", 1000000 }, { "s", 1000000000 }, { "m", UINT64_C(60000000000) } };
	const char *end;
	uint64_t number;
	(void)values;
	if (!hc_read_digits(value, &end, &number))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(end, units[i].unit) && number <= (uint64_t)INT64_MAX / 8 / units[i].ns) {
			*(uint64_t *)into = number * units[i].ns;
			return true;
		}
	return false;
}

static const struct row rows[] = {
#define OPTION(name, type, fallback, values, meaning) \
	{ #name, fallback, values, read_##type, offsetof(struct hc_options, name) },
#include <halfclose/options.def>
};
enum { ROWS = sizeof rows / sizeof *rows };

/* How many letters must change to make one of the other (Levenshtein). */
static unsigned distance(const char *a, size_t a_size, const char *b)
{
	unsigned line[64];
	size_t b_size = strlen(b);
	if (a_size >= 64 || b_size >= 64)
		return 99;
	for (size_t j = 0; j <= b_size; j++)
		line[j] = (unsigned)j;
	for (size_t i = 0; i < a_size; i++) {
		unsigned corner = line[0];
		line[0] = (unsigned)i + 1;
		for (size_t j = 0; j < b_size; j++) {
			unsigned swap = corner + (a[i] != b[j]);
			corner = line[j + 1];
			unsigned least = corner < line[j] ? corner + 1 : line[j] + 1;
			line[j + 1] = swap < least ? swap : least;
		}
	}
	return line[b_size];
}

static void complain_value(const struct row *row, const char *value, void (*complain)(const char *))
{
	struct hc_text line = { 0 };
	hc_put(&line, PREFIX);
	hc_put(&line, row->name);
	hc_put(&line, "=");
	hc_put_bytes(&line, value, strnlen(value, 80));
	hc_put(&line, ": not ");
	hc_put(&line, row->values);
	hc_put(&line, "; ");
	hc_put(&line, *row->fallback ? row->fallback : "nothing");
	hc_put(&line, " is used");
	complain(line.bytes);
}

static void complain_name(const char *name, size_t size, void (*complain)(const char *))
{
	struct hc_text line = { 0 };
	const struct row *nearest = NULL;
	unsigned least = 4;
	for (size_t i = 0; i < ROWS; i++) {
		unsigned far = distance(name, size, rows[i].name);
		if (far < least) {
			least = far;
			nearest = &rows[i];
		}
	}
	hc_put(&line, PREFIX);
	hc_put_bytes(&line, name, size < 80 ? size : 80);
	hc_put(&line, ": no such option");
	if (nearest) {
		hc_put(&line, "; the nearest is " PREFIX);
		hc_put(&line, nearest->name);
	}
	complain(line.bytes);
}

/* Set for other programs of this project, and none of the library's business. */
static bool is_not_ours(const char *name, size_t size)
{
	return size == 7 && !strncmp(name, "LIBRARY", 7);
}

static const struct row *find_row(const char *name, size_t size)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strlen(rows[i].name) == size && !strncmp(rows[i].name, name, size))
			return &rows[i];
	return NULL;
}

/* NAME=VALUE of HALFCLOSE_NAME=VALUE, or NULL. */
static const char *own_variable(const char *variable)
{
	return strncmp(variable, PREFIX, sizeof PREFIX - 1) ? NULL : variable + sizeof PREFIX - 1;
}

/* The one text that is read again later. Programs that write their title over
 * their arguments and environment would write over it. */
static void keep_only(void (*complain)(const char *))
{
	static char kept[512];
	const char *only = hc_options.ONLY;
	hc_options.ONLY = NULL;
	if (!only)
		return;
	if (strlen(only) >= sizeof kept || !hc_only_is_readable(only)) {
		complain_value(find_row("ONLY", 4), only, complain);
		return;
	}
	strcpy(kept, only);
	hc_options.ONLY = kept;
}

void hc_options_read(char *const envp[], void (*complain)(const char *))
{
	for (size_t i = 0; i < ROWS; i++)
		rows[i].read(rows[i].fallback, rows[i].values, (char *)&hc_options + rows[i].at);
	for (; envp && *envp; envp++) {
		const char *name = own_variable(*envp);
		size_t size = name ? strcspn(name, "=") : 0;
		if (!name || !name[size] || is_not_ours(name, size))
			continue;
		const struct row *row = find_row(name, size);
		const char *value = name + size + 1;
		if (!row)
			complain_name(name, size, complain);
		else if (*value && !row->read(value, row->values, (char *)&hc_options + row->at)) {
			row->read(row->fallback, row->values, (char *)&hc_options + row->at);
			complain_value(row, value, complain);
		}
	}
	keep_only(complain);
}

size_t hc_options_text(char *const envp[], char *text, size_t size)
{
	size_t used = 0;
	for (; envp && *envp; envp++) {
		const char *name = own_variable(*envp);
		size_t length = name ? strlen(name) : 0;
		if (!name || used + length + 1 > size)
			continue;
		if (used)
			text[used++] = ' ';
		memcpy(text + used, name, length);
		used += length;
	}
	return used;
}
