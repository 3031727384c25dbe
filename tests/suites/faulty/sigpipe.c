/* A signal of the program is ignored, for the sake of its own writes. */
#include "faulty.h"
#include <signal.h>

__attribute__((constructor)) static void start(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
}
