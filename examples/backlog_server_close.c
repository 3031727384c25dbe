/*
 * Wrong: stops by closing the listener. The connections that wait in its queue
 * are established for the clients; each of them is reset.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);

	wait_queue(listener, 3);
	close(listener);
	return 0;
}
