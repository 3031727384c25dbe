/* The rows that deal with sockets; a part of calls.c. */

static struct sockaddr *bad = (struct sockaddr *)1;

static int null_device(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int tcp(int flags)
{
	return socket(AF_INET, SOCK_STREAM | flags, 0);
}

void test_socket(void)
{
	int fd = p_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	TRY(fcntl(fd, F_GETFL));
	TRY(fcntl(fd, F_GETFD));
	close(fd);
	TRY(fd = p_socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
	TRY(fcntl(fd, F_GETFL));
	TRY(fcntl(fd, F_GETFD));
	close(fd);
	TRY(fd = p_socket(AF_INET, SOCK_DGRAM, 0));
	close(fd);
	TRY(p_socket(-1, SOCK_STREAM, 0));
	TRY(p_socket(AF_INET, 77, 0));
	TRY(p_socket(AF_INET, SOCK_STREAM, 9999));
	TRY(p_socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	TRY(p_socket(AF_INET, SOCK_STREAM | 1 << 20, 0));
	FULL(TRY(p_socket(AF_INET, SOCK_STREAM, 0)));
}

void test_socketpair(void)
{
	int pair[2] = { -1, -1 };
	TRY(p_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	TRY(fcntl(pair[0], F_GETFD));
	close(pair[0]), close(pair[1]);
	TRY(p_socketpair(AF_INET, SOCK_STREAM, 0, pair));
	TRY(p_socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)(void *)bad));
	TRY(p_socketpair(AF_UNIX, SOCK_STREAM, 0, NULL));
	FULL(TRY(p_socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
	say("  %d %d\n", pair[0], pair[1]);
}

/* If connect has begun, which ENOTCONN says that it has not: what connect says
 * of a socket that does not wait is another thing at first and when it goes on. */
static bool wait_no_more(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN && !fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* A queue that is full, so that connect waits. */
static void connects_that_wait(void)
{
	struct meeting full = meeting(0, 0);
	struct sockaddr *to = (void *)&full.address;
	socklen_t size = sizeof full.address;
	struct timeval limit = { 0, 30000 };
	int first = tcp(0), fd = tcp(SOCK_NONBLOCK);
	must(!connect(first, to, size), "connect");
	TRY(p_connect(fd, to, size));
	TRY(p_connect(fd, to, size));
	close(fd), fd = tcp(0);
	INTERRUPTED(TRY(p_connect(fd, to, size)));
	must(!fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
	TRY(p_connect(fd, to, size));
	close(fd), fd = tcp(0);
	RESTARTED(TRY(p_connect(fd, to, size)), wait_no_more, fd);
	close(fd), fd = tcp(0);
	must(!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "setsockopt");
	TRY(p_connect(fd, to, size));
	close(fd), close(first), close(full.listener);
}

void test_connect(void)
{
	struct sockaddr_in far = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201), .sin_port = 9 };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = 9 };
	struct sockaddr_in nobody = { .sin_family = AF_INET };
	struct meeting at = meeting(5, 0), gone = meeting(5, 0);
	socklen_t size = sizeof at.address;
	struct sockaddr *to = (void *)&at.address, nowhere = { .sa_family = AF_UNSPEC };
	int fd = tcp(0), null = null_device();
	close(gone.listener);
	TRY(p_connect(-1, to, size));
	TRY(p_connect(null, to, size));
	TRY(p_connect(fd, NULL, size));
	TRY(p_connect(fd, bad, size));
	TRY(p_connect(fd, to, 1));
	TRY(p_connect(fd, to, 0));
	TRY(p_connect(fd, to, (socklen_t)-1));
	TRY(p_connect(fd, to, 4096));
	TRY(p_connect(fd, (void *)&gone.address, size));
	TRY(p_connect(fd, to, size));
	TRY(p_connect(fd, to, size));
	TRY(p_connect(fd, &nowhere, sizeof nowhere));
	close(fd);
	fd = tcp(SOCK_NONBLOCK);
	TRY_IF(!p_connect(fd, to, size) || errno == EINPROGRESS ? (errno = 77) : 0);
	close(fd), fd = tcp(0);
	TRY(p_connect(fd, (void *)&far, sizeof far));
	TRY(p_connect(fd, (void *)&six, sizeof six));
	TRY(p_connect(fd, (void *)&nobody, sizeof nobody));
	TRY(p_connect(at.listener, to, size));
	close(fd), close(null), close(at.listener);
	connects_that_wait();
}

void test_listen(void)
{
	int fd = tcp(0), null = null_device(), udp = socket(AF_INET, SOCK_DGRAM, 0);
	TRY(p_listen(fd, 5));
	TRY(p_listen(fd, 6));
	TRY(p_listen(-1, 5));
	TRY(p_listen(null, 5));
	TRY(p_listen(udp, 5));
	close(fd), close(null), close(udp);
}

static struct sockaddr_in meeting_place;
static bool connect_to_it(int fd) { return !connect(fd, (void *)&meeting_place, sizeof meeting_place); }

static int take_by_accept(int fd, struct sockaddr *peer, socklen_t *size) { return p_accept(fd, peer, size); }
static int take_by_accept4(int fd, struct sockaddr *peer, socklen_t *size) { return p_accept4(fd, peer, size, 0); }

static void accepts(int (*take)(int fd, struct sockaddr *peer, socklen_t *size))
{
	struct meeting at = meeting(20, SOCK_NONBLOCK);
	struct { struct sockaddr_in6 address; char behind[64]; } peer;
	socklen_t size = sizeof peer.address, small = 2, none = 0, minus = (socklen_t)-1;
	int null = null_device(), fresh = tcp(0), got, client[8];
	struct sockaddr *into = (void *)&peer.address;

	TRY(take(at.listener, NULL, NULL));
	TRY(take(-1, NULL, NULL));
	TRY(take(null, NULL, NULL));
	TRY(take(fresh, NULL, NULL));
	for (int i = 0; i < 8; i++) {
		client[i] = tcp(0);
		must(!connect(client[i], (void *)&at.address, sizeof at.address), "connect");
	}
	memset(&peer, 'x', sizeof peer);
	TRY(got = take(at.listener, into, &size));
	TRY(fcntl(got, F_GETFD)); TRY(fcntl(got, F_GETFL));
	say("  %d %d %.8s\n", size, into->sa_family, peer.behind), close(got);
	TRY(got = take(at.listener, into, &small)); say("  %d\n", small); close(got);
	TRY(got = take(at.listener, into, &none)); say("  %d\n", none); close(got);
	TRY(got = take(at.listener, NULL, &size)); close(got);
	TRY(got = take(at.listener, into, &minus));
	TRY(got = take(at.listener, bad, &size));
	TRY(got = take(at.listener, into, (socklen_t *)bad));
	int waits = tcp(0);
	must(!connect(waits, (void *)&at.address, sizeof at.address), "connect");
	FULL(TRY(take(at.listener, into, &size)));
	TRY(got = take(at.listener, NULL, NULL)); close(got), close(waits);
	must(!fcntl(at.listener, F_SETFL, 0), "fcntl");
	INTERRUPTED(TRY(take(at.listener, into, &size)));
	meeting_place = at.address;
	waits = tcp(0);
	RESTARTED(TRY(got = take(at.listener, NULL, NULL)), connect_to_it, waits); close(got), close(waits);
	must(!shutdown(at.listener, SHUT_RD), "shutdown");
	TRY(take(at.listener, NULL, NULL));
	for (int i = 0; i < 8; i++)
		close(client[i]);
	close(null), close(fresh), close(at.listener);
}

/* Room for a part of the address, and not a byte of memory behind it. */
static void accepts_at_the_edge(int (*take)(int fd, struct sockaddr *peer, socklen_t *size))
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t whole = sizeof v6, size;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct meeting at = meeting(5, 0);
	int six = socket(AF_INET6, SOCK_STREAM, 0), client, got;

	must(page != MAP_FAILED && !mprotect(page + 4096, 4096, PROT_NONE), "mmap");
	if (bind(six, (void *)&v6, whole)) {
		say("  no IPv6\n");
	} else {
		must(!listen(six, 5) && !getsockname(six, (void *)&v6, &whole), "listen");
		client = socket(AF_INET6, SOCK_STREAM, 0);
		must(!connect(client, (void *)&v6, sizeof v6), "connect");
		size = 16;
		TRY(got = take(six, (void *)(page + 4096 - 16), &size));
		say("  %d\n", size), close(got), close(client);
	}
	client = tcp(0);
	must(!connect(client, (void *)&at.address, sizeof at.address), "connect");
	size = 2;
	TRY(got = take(at.listener, (void *)(page + 4096 - 2), &size));
	say("  %d\n", size), close(got), close(client);
	close(six), close(at.listener), munmap(page, 8192);
}

void test_accept(void)
{
	accepts(take_by_accept);
	accepts_at_the_edge(take_by_accept);
}

void test_accept4(void)
{
	struct meeting at = meeting(5, 0);
	int client = tcp(0), fd;
	accepts(take_by_accept4);
	accepts_at_the_edge(take_by_accept4);
	must(!connect(client, (void *)&at.address, sizeof at.address), "connect");
	TRY(p_accept4(at.listener, NULL, NULL, 1 << 30));
	TRY(fd = p_accept4(at.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, F_GETFL));
	close(fd), close(client), close(at.listener);
}

void test_shutdown(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = meet(&at);
	int null = null_device(), fresh = tcp(0);
	TRY(p_shutdown(-1, SHUT_WR));
	TRY(p_shutdown(null, SHUT_WR));
	TRY(p_shutdown(fresh, SHUT_WR));
	TRY(p_shutdown(p.mine, 7));
	TRY(p_shutdown(p.mine, -1));
	TRY(p_shutdown(p.mine, SHUT_RD));
	TRY(p_shutdown(p.mine, SHUT_WR));
	TRY(p_shutdown(p.mine, SHUT_RDWR));
	close(null), close(fresh), close(p.mine), close(p.peer), close(at.listener);
}

void test_setsockopt(void)
{
	struct linger linger = { 1, 0 };
	int fd = tcp(0), null = null_device();
	TRY(p_setsockopt(-1, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	TRY(p_setsockopt(null, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	TRY(p_setsockopt(fd, SOL_SOCKET, SO_LINGER, NULL, sizeof linger));
	TRY(p_setsockopt(fd, SOL_SOCKET, SO_LINGER, bad, sizeof linger));
	TRY(p_setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, 3));
	TRY(p_setsockopt(fd, SOL_SOCKET, 9999, &linger, sizeof linger));
	TRY(p_setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	close(fd), close(null);
}
