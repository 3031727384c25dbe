/* What a suppression asks for; between reading and matching them alone. */
#ifndef REVIEW_SUPPRESSION_KEYS_H
#define REVIEW_SUPPRESSION_KEYS_H

#include <halfclose/recording.h>

enum key { KEY_rule, KEY_program, KEY_how, KEY_port, KEY_peer, KEY_function, KEY_module, KEY_file, KEYS };

#define FIRST_OF_STACK KEY_function

struct condition {
	enum key key;
	char *pattern;          /* of all but port and peer; owned */
	unsigned least, most;   /* port */
	struct hc_address peer; /* as in a connection */
	unsigned bits;          /* of it that must be equal */
};

#endif
