// Closes with a byte unread, three inlined calls below main: in a class of a
// namespace, so that the report has a C++ name and a place for each of them.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace web {
template <typename Socket> struct Answer {
	Socket socket;
	__attribute__((always_inline)) inline void refuse() const
	{
		close(socket); // the line
	}
};

__attribute__((noinline)) int serve(int client)
{
	const Answer<int> answer = { client };
	answer.refuse();
	return client + 1; // not a tail call: the frame stays
}
} // namespace web

int main()
{
	sockaddr_in address = {};
	socklen_t size = sizeof address;
	char bytes[2];
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, reinterpret_cast<sockaddr *>(&address), size) || listen(listener, 1) ||
	    getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size) ||
	    connect(client, reinterpret_cast<sockaddr *>(&address), size) || send(client, "xy", 2, 0) != 2)
		return 1;
	int server = accept(listener, nullptr, nullptr);
	if (recv(server, bytes, 2, MSG_PEEK | MSG_WAITALL) != 2)
		return 1;
	return web::serve(server) == 0;
}
