#include "findings.h"

#include <string.h>

#include "fingerprint.h"
#include "recording.h"

static void finding_free(void *data)
{
	struct finding *finding = data;

	g_array_unref(finding->site);
	g_free(finding->place);
	g_free((char *)finding->key.site);
	g_free(finding->fingerprint);
	connection_copy_free(finding->example.connection);
	g_free(finding);
}

static guint key_hash(gconstpointer data)
{
	const struct finding_key *key = data;

	return g_str_hash(key->site) ^ g_direct_hash(key->rule);
}

static gboolean key_equal(gconstpointer left, gconstpointer right)
{
	const struct finding_key *a = left, *b = right;

	return a->rule == b->rule && a->how == b->how && !strcmp(a->site, b->site) && !strcmp(a->program, b->program);
}

struct findings *findings_new(const struct processes *processes)
{
	struct findings *findings = g_new0(struct findings, 1);

	findings->list = g_ptr_array_new_with_free_func(finding_free);
	findings->by_site = g_hash_table_new(key_hash, key_equal);
	findings->stacks = stacks_new();
	findings->processes = processes;
	return findings;
}

void findings_free(struct findings *findings)
{
	g_ptr_array_unref(findings->list);
	g_hash_table_unref(findings->by_site);
	stacks_free(findings->stacks);
	g_free(findings);
}

static const char *how_of(const struct event *close)
{
	const char *how = value_name(FIELD_how, close->close.how);

	return how ? how : "an unknown call";
}

static struct finding *find_or_add(struct findings *findings, const struct rule *rule,
                                   const struct connection *connection, const struct site *site)
{
	struct finding_key wanted = { rule, connection->program, connection->close->close.how, site->key };
	struct finding *finding = g_hash_table_lookup(findings->by_site, &wanted);

	if (finding)
		return finding;
	finding = g_new0(struct finding, 1);
	finding->rule = rule;
	finding->program = connection->program;
	finding->site = g_array_ref(site->folded);
	finding->place = g_strdup(site->place);
	if (!finding->place)
		finding->place = g_strdup_printf("%s (no stack was recorded)", how_of(connection->close));
	finding->key = wanted;
	finding->key.site = g_strdup(site->key);
	g_hash_table_insert(findings->by_site, &finding->key, finding);
	g_ptr_array_add(findings->list, finding);
	return finding;
}

static uint64_t bytes_of(const struct rule *rule, const struct connection *connection)
{
	return rule->bytes ? rule->bytes(connection) : 0;
}

uint64_t example_received(const struct example *example)
{
	const struct event *close = example->connection->close;
	const struct connection *other = example->connection->other;
	uint64_t received = other && other->close ? other->close->close.received : UINT64_MAX;

	/* after a reset the kernel may have counted our FIN as a byte */
	return known64(received) && known64(close->close.sent) ? MIN(received, close->close.sent) : received;
}

static void add(struct findings *findings, const struct rule *rule, const struct connection *connection)
{
	const struct site *site = stacks_site(findings->stacks, findings->processes, connection->close);
	const struct hc_close *close = &connection->close->close;
	uint64_t bytes = bytes_of(rule, connection);
	struct finding *finding;

	if (findings->suppressions && suppressions_match(findings->suppressions, rule, connection, site->frames))
		return;
	finding = find_or_add(findings, rule, connection, site);
	finding->count++;
	add_up(&finding->bytes, bytes);
	add_up(&finding->unread, known_or_zero(close->unread));
	if (close->waiting != UINT32_MAX)
		finding->waiting += close->waiting;
	if (!finding->example.connection || bytes > finding->example.bytes) {
		connection_copy_free(finding->example.connection);
		finding->example.connection = connection_copy(connection);
		finding->example.bytes = bytes;
	}
	if (findings->found)
		findings->found(finding, connection, bytes, findings->found_data);
}

void findings_add(struct findings *findings, const struct connection *connection)
{
	if (!connection->close)
		return;
	for (const struct rule *rule = rules; rule->id; rule++)
		if (rule->applies(connection))
			add(findings, rule, connection);
}

static int by_harm(const void *left, const void *right)
{
	const struct finding *a = *(struct finding *const *)left, *b = *(struct finding *const *)right;

	if (a->rule->severity != b->rule->severity)
		return a->rule->severity < b->rule->severity ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return strcmp(a->place, b->place);
}

void findings_sort(struct findings *findings)
{
	g_ptr_array_sort(findings->list, by_harm);
	fingerprint_all(findings);
}

unsigned findings_of(const struct findings *findings, enum severity severity)
{
	unsigned count = 0;

	for (unsigned i = 0; i < findings->list->len; i++)
		count += ((struct finding *)findings->list->pdata[i])->rule->severity == severity;
	return count;
}
