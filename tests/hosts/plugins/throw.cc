// A plugin that throws, whose objects close descriptors while the stack unwinds.
#include <stdexcept>
#include <unistd.h>

namespace {
struct descriptor {
	int fd;
	~descriptor() { close(fd); }
};

void deeper(int fd, int depth)
{
	descriptor d = { depth ? dup(fd) : fd };
	if (!depth)
		throw std::runtime_error("enough");
	deeper(fd, depth - 1);
}
}

extern "C" int run_plugin(int fd)
{
	try {
		deeper(fd, 3);
	} catch (const std::runtime_error &) {
		return 0;
	}
	return 1;
}
