/* A 32-bit program that needs no header and no library of that kind: ends with 6. */
__attribute__((noreturn)) void _start(void)
{
	static const char text[] = "32 bits\n";
	int written;
	__asm__ volatile("int $0x80" : "=a"(written) : "0"(4), "b"(1), "c"(text), "d"(sizeof text - 1) : "memory");
	__asm__ volatile("int $0x80" :: "a"(1), "b"(6));
	__builtin_unreachable();
}
