/* Makes three connections at once. All three succeed, whatever comes of them. */
#include "common.h"

int main(int argc, char **argv)
{
	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = connect_to(argc, argv);
	for (int i = 0; i < 3; i++) {
		struct input answer = read_all(fd[i], DEADLINE_MS);

		printf("client %d: got %zu bytes, then %s\n", i + 1, answer.bytes, answer.end);
		close(fd[i]);
	}
	return 0;
}
