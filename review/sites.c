#include "sites.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

static const char *const systems[] = {
#define SYSTEM(pattern) pattern,
#include "places.def"
};

static const struct interpreter {
	const char *name, *language, *pattern;
} interpreters[] = {
#define INTERPRETER(name, language, pattern) { name, language, pattern },
#include "places.def"
};

static const struct {
	const char *language, *pattern;
} wrappers[] = {
#define WRAPPER(language, pattern) { language, pattern },
#include "places.def"
};

static const struct {
	const char *name, *function, *what;
} meanings[] = {
#define MEANS(name, function, what) { name, function, what },
#include "places.def"
};

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static bool is_system(const struct frame *frame)
{
	const char *name = base_name(frame->module);

	for (unsigned i = 0; name && i < G_N_ELEMENTS(systems); i++)
		if (!fnmatch(systems[i], name, 0))
			return true;
	return false;
}

static const struct interpreter *interpreter_of(const struct frame *frame)
{
	const char *name = base_name(frame->module);

	for (unsigned i = 0; name && i < G_N_ELEMENTS(interpreters); i++)
		if (!fnmatch(interpreters[i].pattern, name, 0))
			return &interpreters[i];
	return NULL;
}

static const char *meaning_of(const struct interpreter *interpreter, const char *function)
{
	for (unsigned i = 0; function && i < G_N_ELEMENTS(meanings); i++)
		if (!strcmp(meanings[i].name, interpreter->name) && !strcmp(meanings[i].function, function))
			return meanings[i].what;
	return NULL;
}

static struct frame *frame_at(const GArray *frames, unsigned i)
{
	return &g_array_index(frames, struct frame, i);
}

/* Of the frames [first, last) of one interpreter: the one that its users know,
 * else the innermost. Not the nearest with a name: that may be any caller's. */
static unsigned telling_frame(const GArray *frames, const struct interpreter *is, unsigned first, unsigned last)
{
	for (unsigned i = first; i < last; i++)
		if (meaning_of(is, frame_at(frames, i)->function))
			return i;
	return first;
}

static bool is_wrapper(const struct frame *frame)
{
	for (unsigned i = 0; frame->file && i < G_N_ELEMENTS(wrappers); i++)
		if (!strcmp(wrappers[i].language, frame->language) && !fnmatch(wrappers[i].pattern, frame->file, 0))
			return true;
	return false;
}

/* Takes the scripts' frames out, which stand behind the others; the wrappers among them
 * only where there is something else. */
static GArray *take_scripts(GArray *frames)
{
	GArray *scripts = g_array_new(FALSE, FALSE, sizeof(struct frame));
	unsigned kept = 0, first = 0;

	for (unsigned i = 0; i < frames->len; i++) {
		if (!frame_at(frames, i)->language)
			*frame_at(frames, kept++) = *frame_at(frames, i);
		else
			g_array_append_val(scripts, *frame_at(frames, i));
	}
	g_array_set_size(frames, kept);
	while (first < scripts->len && is_wrapper(frame_at(scripts, first)))
		first++;
	if (first < scripts->len)
		g_array_remove_range(scripts, 0, first);
	return scripts;
}

/* Where an interpreter runs them: its first frame that is left. A person looks for the
 * script first, unless it is the order of calls that counts. */
static void put_scripts(GArray *frames, const GArray *scripts, bool in_order)
{
	unsigned place = 0;

	while (place < frames->len) {
		const struct interpreter *is = interpreter_of(frame_at(frames, place));

		if (is && scripts->len && !g_ascii_strcasecmp(is->language, frame_at(scripts, 0)->language))
			break;
		place++;
	}
	if (place == frames->len)
		place = 0;
	else if (in_order)
		place++;
	g_array_insert_vals(frames, place, scripts->data, scripts->len);
}

static void fold_machine_code(GArray *frames, bool keep_system)
{
	unsigned kept = 0, next;

	for (unsigned i = 0; i < frames->len; i = next) {
		const struct interpreter *is = interpreter_of(frame_at(frames, i));

		next = i + 1;
		if (is_system(frame_at(frames, i)) && !keep_system)
			continue;
		while (is && next < frames->len) {
			const struct interpreter *outer = interpreter_of(frame_at(frames, next));

			/* code in no file is what a compiler made at run time */
			if (frame_at(frames, next)->module && !is_system(frame_at(frames, next)) &&
			    (!outer || strcmp(outer->name, is->name) != 0))
				break;
			next++;
		}
		*frame_at(frames, kept++) = *frame_at(frames, is ? telling_frame(frames, is, i, next) : i);
	}
	if (kept) /* a stack of nothing but the C library is better than none */
		g_array_set_size(frames, kept);
}

static void fold(GArray *frames, bool all)
{
	GArray *scripts = take_scripts(frames);

	fold_machine_code(frames, all);
	put_scripts(frames, scripts, all);
	g_array_unref(scripts);
}

void site_fold(GArray *frames)
{
	fold(frames, false);
}

void site_interleave(GArray *frames)
{
	for (unsigned i = 0; i < frames->len; i++) {
		if (frame_at(frames, i)->language) {
			fold(frames, true);
			return;
		}
	}
}

/* The last two parts of a source path: enough to find it. */
static const char *short_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	while (g_str_has_prefix(path, "./") || g_str_has_prefix(path, "../"))
		path = strchr(path, '/') + 1;
	while (slash > path && slash[-1] != '/')
		slash--;
	return slash && *path == '/' ? slash : path;
}

static char *where(const struct frame *frame)
{
	if (frame->file && frame->line)
		return g_strdup_printf("%s:%u", short_path(frame->file), frame->line);
	if (frame->language)
		return g_strdup(frame->file ? short_path(frame->file) : "?");
	if (frame->module)
		return g_strdup_printf("%s+0x%" PRIx64, base_name(frame->module), frame->offset);
	return g_strdup_printf("0x%" PRIx64, frame->offset);
}

char *site_frame(const struct frame *frame)
{
	const char *language = frame->language ? frame->language : "", *colon = frame->language ? ": " : "";
	char *place = where(frame), *text;

	if (frame->function)
		text = g_strdup_printf("%s%s%s (%s)", language, colon, frame->function, place);
	else
		text = g_strdup_printf("%s%s%s", language, colon, place);
	g_free(place);
	return text;
}

char *site_place(const GArray *site)
{
	const struct frame *frame;
	const struct interpreter *is;
	const char *what;
	char *place, *text;

	if (!site->len)
		return NULL;
	frame = frame_at(site, 0);
	is = interpreter_of(frame);
	if (!is)
		return site_frame(frame);
	what = meaning_of(is, frame->function);
	place = where(frame);
	if (what)
		text = g_strdup_printf("%s's %s (%s, %s), called from %s code whose line is not visible from C",
		                       is->name, what, frame->function, place, is->language);
	else
		text = g_strdup_printf("%s (%s%s%s), called from %s code whose line is not visible from C", is->name,
		                       frame->function ? frame->function : "", frame->function ? ", " : "", place,
		                       is->language);
	g_free(place);
	return text;
}

char *site_key(const GArray *site)
{
	GString *key = g_string_new(NULL);

	for (unsigned i = 0; i < site->len && i < SITE_KEY_FRAMES; i++) {
		const struct frame *frame = frame_at(site, i);

		if (frame->file && frame->line)
			g_string_append_printf(key, "%s|%s:%u|", frame->function ? frame->function : "", frame->file,
			                       frame->line);
		else
			g_string_append_printf(key, "%s+%" PRIx64 "|", frame->module ? frame->module : "",
			                       frame->offset);
	}
	return g_string_free(key, FALSE);
}

char *site_identity(const GArray *site)
{
	GString *text = g_string_new(NULL);

	for (unsigned i = 0; i < site->len && i < SITE_KEY_FRAMES; i++) {
		const struct frame *frame = frame_at(site, i);

		if (frame->function)
			g_string_append_printf(text, "%s\n", frame->function);
		else if (frame->module) /* an address without a module is another in each run */
			g_string_append_printf(text, "%s+0x%" PRIx64 "\n", base_name(frame->module), frame->offset);
		else if (frame->file)
			g_string_append_printf(text, "%s\n", base_name(frame->file));
		else
			g_string_append(text, "?\n");
	}
	return g_string_free(text, FALSE);
}
