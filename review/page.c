#include "page.h"

#include <string.h>

/* A text made of files, put in by the assembler; make runs where their paths begin. */
#define FILE_TEXT(path) ".incbin \"review/page/" path "\"\n"
#define PART(name, files) \
	__asm__(".pushsection .rodata\n.globl page_" #name "\n.hidden page_" #name "\npage_" #name ":\n" files \
	        ".byte 0\n.popsection\n"); \
	extern const char page_##name[] __attribute__((visibility("hidden")));

PART(frame, FILE_TEXT("page.html"))
PART(style, FILE_TEXT("page.css"))
PART(script,
     FILE_TEXT("values.js") FILE_TEXT("dom.js") FILE_TEXT("filter.js") FILE_TEXT("charts.js") FILE_TEXT("timeline.js")
         FILE_TEXT("ladder.js") FILE_TEXT("findings.js") FILE_TEXT("tables.js") FILE_TEXT("main.js"))

/* As a Content-Security-Policy names a script: no other one runs in the page. */
static void write_hash(FILE *out, const char *text)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize size = sizeof(digest);
	char *base64;

	g_checksum_update(sum, (const guchar *)text, -1);
	g_checksum_get_digest(sum, digest, &size);
	base64 = g_base64_encode(digest, size);
	fprintf(out, "'sha256-%s'", base64);
	g_free(base64);
	g_checksum_free(sum);
}

/* In JSON a < stands in strings only. */
static void write_json(FILE *out, const GString *json)
{
	const char *text = json->str, *mark;

	for (; (mark = strchr(text, '<')); text = mark + 1) {
		fwrite(text, 1, (size_t)(mark - text), out);
		fputs("\\u003c", out);
	}
	fputs(text, out);
}

static void write_part(FILE *out, const char *name, const GString *json)
{
	if (g_str_has_prefix(name, "style-hash"))
		write_hash(out, page_style);
	else if (g_str_has_prefix(name, "script-hash"))
		write_hash(out, page_script);
	else if (g_str_has_prefix(name, "style"))
		fputs(page_style, out);
	else if (g_str_has_prefix(name, "script"))
		fputs(page_script, out);
	else
		write_json(out, json);
}

void page_write(FILE *out, const GString *json)
{
	const char *text = page_frame, *mark;

	for (; (mark = strstr(text, "{{")); text = strstr(mark, "}}") + 2) {
		fwrite(text, 1, (size_t)(mark - text), out);
		write_part(out, mark + 2, json);
	}
	fputs(text, out);
}
