/*
 * The recording: what the library writes and `halfclose` reads.
 *
 * A recording is one file, mapped shared by every process that writes into it:
 *
 *   header (HC_HEADER_SIZE bytes), then slots of HC_SLOT_SIZE bytes
 *
 * A record takes one or more whole slots. A writer takes its slots by one
 * atomic addition to header.used, fills them, and stores the mark last; so a
 * process that is killed at any instruction leaves at most slots whose first
 * word is no valid mark. A reader steps over those one slot at a time.
 *
 * Everything is in the byte order of the machine that wrote it. All text is
 * what the program said, in no promised encoding and without a terminating NUL.
 *
 * What is not promised: that records lie in the order of their times (they do
 * but for the few that threads write at once), that each field is known, or
 * that a reader of another version understands the file: it must say so.
 */
#ifndef HALFCLOSE_RECORDING_H
#define HALFCLOSE_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#define HC_MAGIC "halfclose\r\n\032\n" /* 13 bytes and a NUL: a text-mode copy damages it visibly */
#define HC_VERSION 1
#define HC_BYTE_ORDER 0x01020304u
#define HC_HEADER_SIZE 4096u
#define HC_SLOT_SIZE 32u
#define HC_RECORD_MAX (HC_SLOT_SIZE * 512u) /* a longer record is damage */

struct hc_header {
	char magic[16];
	uint32_t version;
	uint32_t byte_order;
	uint32_t header_size;
	uint32_t slot_size;
	uint64_t limit;            /* the file's size; no record goes beyond it */
	uint64_t start_monotonic;  /* one moment on both clocks, ns: the pair that */
	uint64_t start_realtime;   /* turns a record's t into a time of day */
	char host[64];             /* uname's nodename, NUL-terminated */
	char boot_id[40];          /* t of two recordings can be compared where this is equal */
	uint32_t processes;        /* atomic: numbers given to processes, from 1 */
	uint32_t reserved;
	uint64_t used;             /* atomic: bytes after the header that were taken, perhaps beyond limit */
	uint64_t lost;             /* atomic: events that could not be written */
};
_Static_assert(sizeof(struct hc_header) <= HC_HEADER_SIZE, "the header has a page");

/* The mark of a record that starts in the given slot (0 is the first after the
 * header): no two slots share one, so that no text forges a record by chance. */
static inline uint32_t hc_mark(uint64_t slot)
{
	return ((uint32_t)slot * 2654435761u) ^ 0x48436c31u;
}

/* Every record begins with this. */
struct hc_record {
	uint32_t mark;  /* hc_mark() of its slot; stored last */
	uint16_t event; /* enum hc_event */
	uint16_t slots; /* how many it takes */
	uint64_t t;     /* CLOCK_MONOTONIC, ns */
	uint32_t pid;
	uint32_t tid;   /* ~0: not known */
};

/* Every event of kind SOCKET goes on with this. */
struct hc_socket {
	uint64_t sock;   /* unique in the file: the process's number << 32 | a count */
	uint64_t cookie; /* SO_COOKIE, or ~0 where it was not asked for */
	int32_t fd;
	uint16_t family; /* AF_INET, AF_INET6 or AF_UNIX */
	uint16_t reserved;
};

/* An internet address; family 0 is "not known". */
struct hc_address {
	uint16_t family;
	uint16_t port;  /* in host order */
	uint32_t scope; /* IPv6 */
	uint8_t ip[16]; /* IPv4: the first 4 */
};

/* Where in the record a text or a stack lies: bytes from the record's start. */
struct hc_span {
	uint32_t offset;
	uint32_t size; /* in bytes; 0: not known */
};

/* One return address. */
struct hc_frame {
	uint64_t module; /* of an earlier module event; 0: in no file */
	uint64_t offset; /* from the module's first mapped byte; without a module the address itself */
};

struct hc_build_id {
	uint8_t size; /* 0: none */
	uint8_t bytes[23];
};

typedef uint64_t hc_type_u64, hc_type_sock;
typedef uint64_t hc_type_id; /* a name without a meaning of its own */
typedef uint32_t hc_type_u32, hc_type_error; /* error: 0 or an errno */
typedef uint8_t hc_type_start, hc_type_via, hc_type_state, hc_type_side, hc_type_how, hc_type_outcome;
typedef uint32_t hc_type_flags;
typedef struct hc_span hc_type_text, hc_type_stack; /* stack: an array of struct hc_frame */
typedef struct hc_address hc_type_address;
typedef struct hc_build_id hc_type_build;

enum hc_event {
	HC_EVENT_NULL,
#define EVENT(name, kind, meaning) HC_EVENT_##name,
#define FIELD(type, name, unit, meaning)
#define END_EVENT(name)
#include <halfclose/events.def>
	HC_EVENTS
};

#define HC_COMMON_PROCESS struct hc_record record;
#define HC_COMMON_SOCKET struct hc_record record; struct hc_socket socket;
#define EVENT(name, kind, meaning) struct hc_##name { HC_COMMON_##kind
#define FIELD(type, name, unit, meaning) hc_type_##type name;
#define END_EVENT(name) };
#include <halfclose/events.def>

enum hc_how {
	HC_HOW_unknown,
#define CALL(returns, name, parameters)
#define END(returns, name, parameters) HC_HOW_##name,
#include <halfclose/calls.def>
	HC_HOW_exec, /* a descriptor with close-on-exec ends when its program is replaced */
	HC_HOW_return, /* main returned */
	HC_HOWS
};

enum hc_state {
#define STATE(name, text, tcp) HC_STATE_##name = (tcp),
#include <halfclose/names.def>
	HC_STATES
};
enum hc_outcome {
#define OUTCOME(name, text, meaning) HC_OUTCOME_##name,
#include <halfclose/names.def>
	HC_OUTCOMES
};
enum hc_side {
#define SIDE(name, text) HC_SIDE_##name,
#include <halfclose/names.def>
	HC_SIDES
};
enum hc_start {
#define START(name, text) HC_START_##name,
#include <halfclose/names.def>
	HC_STARTS
};
enum hc_via {
#define VIA(name, text) HC_VIA_##name,
#include <halfclose/names.def>
	HC_VIAS
};
enum hc_result {
#define RESULT(name, text, meaning) HC_RESULT_##name,
#include <halfclose/names.def>
	HC_RESULTS
};
enum hc_by {
#define BY(name, text, meaning) HC_BY_##name,
#include <halfclose/names.def>
	HC_BYS
};
enum hc_flag_bit {
#define FLAG(name, text, meaning) HC_FLAG_BIT_##name,
#include <halfclose/names.def>
	HC_FLAGS
};
enum hc_flag {
#define FLAG(name, text, meaning) HC_FLAG_##name = 1 << HC_FLAG_BIT_##name,
#include <halfclose/names.def>
};

#endif
