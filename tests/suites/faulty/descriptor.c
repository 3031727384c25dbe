/* A descriptor of its own stays open in the program. */
#include "faulty.h"
#include <fcntl.h>

__attribute__((constructor)) static void start(void)
{
	(void)open("/dev/null", O_WRONLY | O_CLOEXEC);
}
