#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_DEPTH 4 /* interpreters that are scripts: the kernel's own limit */
#define LIBRARY "libhalfclose.so"

static gboolean is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static char *not_found(const char *path, int *status, const char **problem)
{
	struct stat st;

	*status = 126;
	if (stat(path, &st) < 0) {
		*status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;
		*problem = g_strerror(errno);
	} else if (S_ISDIR(st.st_mode)) {
		*problem = "is a directory";
	} else {
		*problem = S_ISREG(st.st_mode) ? "is not executable" : "is not a regular file";
	}
	return NULL;
}

char *program_find(const char *name, int *status, const char **problem)
{
	const char *path = g_getenv("PATH");
	char **directories, *found = NULL, *unusable = NULL;

	if (strchr(name, '/'))
		return is_program(name) ? g_strdup(name) : not_found(name, status, problem);
	directories = g_strsplit(path ? path : "/bin:/usr/bin", ":", -1);
	for (char **directory = directories; *directory && !found; directory++) {
		char *candidate = g_build_filename(**directory ? *directory : ".", name, NULL);

		if (is_program(candidate))
			found = g_steal_pointer(&candidate);
		else if (!unusable && g_file_test(candidate, G_FILE_TEST_EXISTS))
			unusable = g_steal_pointer(&candidate);
		g_free(candidate);
	}
	g_strfreev(directories);
	if (!found && unusable) {
		not_found(unusable, status, problem);
	} else if (!found) {
		*status = 127;
		*problem = "no such program in PATH";
	}
	g_free(unusable);
	return found;
}

/* ---- ELF ---- */

struct shape {
	gboolean elf, loaded, go; /* loaded: by a dynamic loader; go: written in Go */
	int class, machine;
	char loader[64];
};

static void read_loader(int fd, const GElf_Phdr *segment, struct shape *shape)
{
	size_t size = MIN((size_t)segment->p_filesz, sizeof(shape->loader) - 1);

	shape->loaded = TRUE;
	if (pread(fd, shape->loader, size, (off_t)segment->p_offset) < 0)
		shape->loader[0] = '\0';
}

/* Go's linker notes its build id under a name of its own. */
static gboolean has_go_note(Elf *elf, const GElf_Phdr *segment)
{
	Elf_Data *notes = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz,
	                                       segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t at = 0, name, id;
	GElf_Nhdr note;

	while (notes && (at = gelf_getnote(notes, at, &note, &name, &id)) > 0)
		if (note.n_namesz == 4 && memcmp((const char *)notes->d_buf + name, "Go\0", 4) == 0)
			return TRUE;
	return FALSE;
}

static struct shape shape_of(const char *path)
{
	struct shape shape = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	Elf *elf;
	GElf_Ehdr header;
	size_t count;

	elf_version(EV_CURRENT);
	elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	if (elf && gelf_getehdr(elf, &header) && elf_getphdrnum(elf, &count) == 0) {
		shape.elf = TRUE;
		shape.class = header.e_ident[EI_CLASS];
		shape.machine = header.e_machine;
		for (size_t i = 0; i < count; i++) {
			GElf_Phdr segment;

			if (!gelf_getphdr(elf, (int)i, &segment))
				continue;
			if (segment.p_type == PT_INTERP)
				read_loader(fd, &segment, &shape);
			if (segment.p_type == PT_NOTE)
				shape.go = shape.go || has_go_note(elf, &segment);
		}
	}
	if (elf)
		elf_end(elf);
	if (fd >= 0)
		close(fd);
	return shape;
}

/* Where the kernel sets AT_SECURE, the loader ignores LD_PRELOAD. */
static const char *privileges_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		return "set-user-ID: the loader refuses preloaded libraries";
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid())
		return "set-group-ID: the loader refuses preloaded libraries";
	if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
		return "given file capabilities: the loader refuses preloaded libraries";
	return NULL;
}

static const char *obstacle_in_elf(const char *path, const char *library)
{
	struct shape program = shape_of(path), ours = shape_of(library);

	if (!program.elf)
		return NULL; /* what execvp gives to the shell */
	if (program.class != ours.class || program.machine != ours.machine)
		return program.class != ours.class ? "of another architecture (32 and 64 bit) than libhalfclose.so"
		                                   : "of another architecture than libhalfclose.so";
	if (program.go)
		return "written in Go: its connections are made past the C library";
	if (!program.loaded)
		return "statically linked: it has no loader that could preload a library";
	if (strstr(program.loader, "musl"))
		return "linked with another C library (musl)";
	return privileges_of(path);
}

/* The interpreter that a script's first line names, `env NAME` followed; NULL: no script. */
static char *interpreter_of(const char *path)
{
	char line[256] = "", **words, *interpreter = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), status;
	const char *problem;
	unsigned i = 1;

	if (fd < 0)
		return NULL;
	if (read(fd, line, sizeof(line) - 1) < 3 || strncmp(line, "#!", 2) != 0)
		line[0] = '\0';
	close(fd);
	if (!*line)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	words = g_strsplit_set(g_strstrip(line + 2), " \t", -1);
	if (words[0] && g_str_has_suffix(words[0], "/env")) {
		while (words[i] && (words[i][0] == '-' || words[i][0] == '\0' || strchr(words[i], '=')))
			i++;
		if (words[i])
			interpreter = program_find(words[i], &status, &problem);
	} else if (words[0] && *words[0]) {
		interpreter = g_strdup(words[0]);
	}
	g_strfreev(words);
	return interpreter;
}

char *program_obstacle(const char *path, const char *library, char **who)
{
	const char *obstacle;
	char *program = g_strdup(path);

	for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
		char *interpreter = interpreter_of(program);

		if (!interpreter)
			break;
		g_free(program);
		program = interpreter;
	}
	obstacle = obstacle_in_elf(program, library);
	*who = NULL;
	if (!obstacle) {
		g_free(program);
		return NULL;
	}
	*who = program;
	return g_strdup(obstacle);
}

/* ---- our own library ---- */

static char *first_there(char *const *candidates)
{
	for (; *candidates; candidates++)
		if (g_file_test(*candidates, G_FILE_TEST_IS_REGULAR))
			return g_canonicalize_filename(*candidates, NULL);
	return NULL;
}

/* PREFIX/lib/TRIPLET, whatever the triplet is called */
static char *in_any_subdirectory(const char *directory)
{
	GDir *dir = g_dir_open(directory, 0, NULL);
	const char *name;
	char *found = NULL;

	while (dir && !found && (name = g_dir_read_name(dir))) {
		char *candidates[] = { g_build_filename(directory, name, LIBRARY, NULL), NULL };

		found = first_there(candidates);
		g_free(candidates[0]);
	}
	if (dir)
		g_dir_close(dir);
	return found;
}

char *program_library(void)
{
	const char *chosen = g_getenv("HALFCLOSE_LIBRARY");
	char *self = g_file_read_link("/proc/self/exe", NULL);
	char *here = self ? g_path_get_dirname(self) : g_strdup("."), *lib = g_build_filename(here, "..", "lib", NULL);
	char *candidates[] = {
		g_build_filename(here, LIBRARY, NULL),
		g_build_filename(lib, LIBRARY, NULL),
		g_build_filename(lib, "halfclose", LIBRARY, NULL),
#ifdef HC_LIBDIR
		g_strdup(HC_LIBDIR "/" LIBRARY),
#endif
		NULL,
	};
	char *found = NULL;

	if (chosen && *chosen)
		found = g_file_test(chosen, G_FILE_TEST_IS_REGULAR) ? g_canonicalize_filename(chosen, NULL) : NULL;
	else
		found = first_there(candidates);
	if (!found && !(chosen && *chosen))
		found = in_any_subdirectory(lib);
	for (char **candidate = candidates; *candidate; candidate++)
		g_free(*candidate);
	g_free(lib);
	g_free(here);
	g_free(self);
	return found;
}

char *program_drain(void)
{
	char *self = g_file_read_link("/proc/self/exe", NULL), *here = self ? g_path_get_dirname(self) : g_strdup(".");
	char *found = g_build_filename(here, "halfclose-drain", NULL);

	if (!g_file_test(found, G_FILE_TEST_IS_EXECUTABLE))
		g_clear_pointer(&found, g_free);
	g_free(here);
	g_free(self);
	return found;
}
