#include "track.h"

#define FIRST_UNIT 1000u /* ns */

static unsigned bin_of(const struct clock *clock, uint64_t order)
{
	uint64_t bin = order > clock->first ? (order - clock->first) / clock->unit : 0;

	return (unsigned)MIN(bin, TRACK_BINS - 1);
}

unsigned clock_reach(struct clock *clock, uint64_t order)
{
	unsigned halvings = 0;

	if (!clock->unit)
		clock->unit = FIRST_UNIT;
	while (order > clock->first && (order - clock->first) / clock->unit >= TRACK_BINS) {
		clock->unit *= 2;
		halvings++;
	}
	return halvings;
}

static void halve(uint32_t *bins)
{
	for (unsigned i = 0; i < TRACK_BINS; i++)
		bins[i] = i < TRACK_BINS / 2 ? bins[2 * i] + bins[2 * i + 1] : 0;
}

void track_halve(struct track *track)
{
	for (unsigned phase = 0; phase < PHASES; phase++) {
		halve(track->in[phase]);
		halve(track->out[phase]);
	}
}

uint64_t track_end(const struct connection *connection)
{
	uint64_t end = MAX(connection->born, connection->shut_at);

	if (connection->close)
		end = MAX(end, connection->close->order);
	return MAX(end, connection->drain.at);
}

void track_add(struct track *track, const struct clock *clock, const struct connection *connection)
{
	uint64_t shut = connection->shut_at, close = connection->close ? connection->close->order : 0;
	bool draining = close && connection->teardown == TEARDOWN_drained;

	track->in[PHASE_OPEN][bin_of(clock, connection->born)]++;
	if (shut) {
		track->out[PHASE_OPEN][bin_of(clock, shut)]++;
		track->in[PHASE_HALF_CLOSED][bin_of(clock, shut)]++;
	}
	if (close)
		track->out[shut ? PHASE_HALF_CLOSED : PHASE_OPEN][bin_of(clock, close)]++;
	if (draining)
		track->in[PHASE_DRAINING][bin_of(clock, close)]++;
	if (draining && connection->drain.at)
		track->out[PHASE_DRAINING][bin_of(clock, connection->drain.at)]++;
}

void track_merge(struct track *into, const struct track *from)
{
	for (unsigned phase = 0; phase < PHASES; phase++) {
		for (unsigned i = 0; i < TRACK_BINS; i++) {
			into->in[phase][i] += from->in[phase][i];
			into->out[phase][i] += from->out[phase][i];
		}
	}
}
