#include "server/query/counters.h"

const uint8_t counters_question_of_type[COUNTERS_TYPE_LIMIT] = {
#define QUESTION_OF_TYPE(name) [TYPE_##name] = COUNTERS_TYPE_##name,
    COUNTERS_TYPES(QUESTION_OF_TYPE)
#undef QUESTION_OF_TYPE
};

const char *const counters_qtype_names[COUNTERS_TYPE_COUNT] = {[COUNTERS_TYPE_OTHER] = "other",
#define TYPE_NAME(name) [COUNTERS_TYPE_##name] = #name,
                                                               COUNTERS_TYPES(TYPE_NAME)
#undef TYPE_NAME
};

enum { OPCODES_QUERY, OPCODES_NOTIFY, OPCODES_UPDATE, OPCODES_OTHER };

const char *const counters_opcode_names[COUNTERS_OPCODES] = {
    [OPCODES_QUERY] = "QUERY",
    [OPCODES_NOTIFY] = "NOTIFY",
    [OPCODES_UPDATE] = "UPDATE",
    [OPCODES_OTHER] = "other",
};

const char *const counters_rcode_names[COUNTERS_OUTCOMES] = {
    [RCODE_NOERROR] = "NOERROR",    [RCODE_FORMERR] = "FORMERR",      [RCODE_SERVFAIL] = "SERVFAIL",
    [RCODE_NXDOMAIN] = "NXDOMAIN",  [RCODE_NOTIMP] = "NOTIMP",        [RCODE_REFUSED] = "REFUSED",
    [COUNTERS_BADVERS] = "BADVERS", [COUNTERS_RCODE_OTHER] = "other",
};

const char *const counters_drop_names[COUNTERS_DROPS] = {
    [COUNTERS_DROP_RESPONSE] = "response",
    [COUNTERS_DROP_SHORT] = "short",
    [COUNTERS_DROP_UNSENDABLE] = "unsendable",
    [COUNTERS_DROP_CRASHED] = "crashed",
    [COUNTERS_DROP_RATE_LIMITED] = "rate_limited",
};

const char *const counters_width_names[COUNTERS_WIDTHS] = {"1", "2", "4", "8", "16", "32", "64"};

static unsigned opcode_of(unsigned question)
{
    switch (question) {
    case COUNTERS_NOTIFY:
        return OPCODES_NOTIFY;
    case COUNTERS_UPDATE:
        return OPCODES_UPDATE;
    case COUNTERS_OPCODE_OTHER:
        return OPCODES_OTHER;
    default:
        return OPCODES_QUERY;
    }
}

static void sum_answers(struct counters_sums *sums, const struct counters *counters)
{
    for (unsigned question = 0; question < COUNTERS_QUESTIONS; question++)
        for (unsigned outcome = 0; outcome < COUNTERS_OUTCOMES; outcome++) {
            uint64_t count = counters_read(&counters->answers[question][outcome]);
            if (question < COUNTERS_TYPE_COUNT)
                sums->qtypes[question] += count;
            sums->opcodes[opcode_of(question)] += count;
            sums->rcodes[outcome] += count;
        }
    for (unsigned set = 0; set < COUNTERS_FEATURE_SETS; set++) {
        uint64_t count = counters_read(&counters->features[set]);
        sums->edns += (set & COUNTERS_EDNS) != 0 ? count : 0;
        sums->dnssec_ok += (set & COUNTERS_DNSSEC_OK) != 0 ? count : 0;
        sums->truncated += (set & COUNTERS_TRUNCATED) != 0 ? count : 0;
    }
}

void counters_sum(struct counters_sums *sums, const struct counters *counters)
{
    sum_answers(sums, counters);
    for (unsigned i = 0; i < COUNTERS_DROPS; i++)
        sums->dropped[i] += counters_read(&counters->dropped[i]);
    for (unsigned i = 0; i < COUNTERS_WIDTHS; i++) {
        uint64_t count = counters_read(&counters->batch_width[i]);
        sums->batch_width[i] += count;
        sums->batches += count;
    }
    sums->slipped += counters_read(&counters->slipped);
    for (unsigned i = 0; i < COUNTERS_COOKIES; i++)
        sums->cookies[i] += counters_read(&counters->cookies[i]);
    sums->cut_off += counters_read(&counters->cut_off);
    /* Read first, so that it is not more than all of them. */
    sums->wakeups_empty += counters_read(&counters->wakeups_empty);
    sums->wakeups += counters_read(&counters->wakeups);
    sums->tcp_connections += counters_read(&counters->tcp_connections);
    sums->tcp_open += counters_read(&counters->tcp_open);
    sums->tcp_turned_away += counters_read(&counters->tcp_turned_away);
    sums->tcp_timeouts += counters_read(&counters->tcp_timeouts);
}
