#include "server/metrics/snapshot.h"

#include "server/control/envelope.h"
#include "server/statistics/tally.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum { PATIENCE_SECONDS = 5 };

/* Seconds that an answer is new. The zones may be many. */
static const double stats_age = 0.5, status_age = 2;

/* Rates are told over at least so many seconds: over less they are noise. */
static const double rate_seconds = 1;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* `payload` is of `length` octets. */
static enum snapshot_outcome ask(struct snapshot *snapshot, enum protocol_type type,
                                 const char *payload, size_t length, json_t **answer)
{
    struct envelope_writer writer;
    struct envelope_reader reader;

    *answer = NULL;
    envelope_writer_start(&writer, type, payload, length);
    if (envelope_write(&writer, snapshot->connection) != ENVELOPE_WHOLE)
        return SNAPSHOT_LOST;
    envelope_reader_start(&reader, PROTOCOL_REPLY_MAX, false);
    /* An answer that comes late would be taken for that to the next question. */
    bool has_come = envelope_read(&reader, snapshot->connection) == ENVELOPE_WHOLE;
    if (has_come && reader.header.type == PROTOCOL_DONE)
        *answer = json_loadb((const char *)reader.payload, reader.header.length, 0, NULL);
    envelope_reader_clear(&reader);
    if (!has_come)
        return SNAPSHOT_LOST;
    return *answer != NULL ? SNAPSHOT_FRESH : SNAPSHOT_REFUSED;
}

static enum snapshot_outcome refresh_status(struct snapshot *snapshot)
{
    char limit[16];
    int length = snprintf(limit, sizeof limit, "%d", SNAPSHOT_ZONES_MAX);
    json_t *status;
    enum snapshot_outcome outcome =
        ask(snapshot, PROTOCOL_STATUS, limit, (size_t)length + 1, &status);

    if (outcome != SNAPSHOT_FRESH)
        return outcome;
    json_decref(snapshot->status);
    snapshot->status = status;
    snapshot->status_at = now();
    return outcome;
}

static enum snapshot_outcome refresh_stats(struct snapshot *snapshot)
{
    json_t *stats;
    enum snapshot_outcome outcome = ask(snapshot, PROTOCOL_STATS, NULL, 0, &stats);

    if (outcome != SNAPSHOT_FRESH)
        return outcome;
    json_decref(snapshot->stats);
    snapshot->stats = stats;
    snapshot->stats_at = now();
    if (snapshot->mark == NULL || tally_seconds(stats, snapshot->mark) >= rate_seconds) {
        json_decref(snapshot->earlier);
        snapshot->earlier = snapshot->mark;
        snapshot->mark = json_incref(stats);
    }
    return outcome;
}

void snapshot_init(struct snapshot *snapshot, int connection)
{
    const struct timeval limit = {.tv_sec = PATIENCE_SECONDS};

    *snapshot = (struct snapshot){.connection = connection};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

enum snapshot_outcome snapshot_refresh(struct snapshot *snapshot)
{
    enum snapshot_outcome outcome = SNAPSHOT_FRESH;

    if (snapshot->stats == NULL || now() - snapshot->stats_at >= stats_age)
        outcome = refresh_stats(snapshot);
    if (outcome == SNAPSHOT_FRESH &&
        (snapshot->status == NULL || now() - snapshot->status_at >= status_age))
        outcome = refresh_status(snapshot);
    return outcome;
}

void snapshot_clear(struct snapshot *snapshot)
{
    json_decref(snapshot->stats);
    json_decref(snapshot->mark);
    json_decref(snapshot->earlier);
    json_decref(snapshot->status);
    *snapshot = (struct snapshot){.connection = -1};
}
