#include "proof.h"

#include "message/codes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PER_SHAPE = 3,    /* replies of a shape that are judged, of each zone */
    TAKEN_APART = 1,  /* of those, how many are also judged with each record missing in turn */
    SHAPES_MAX = 64,
    SLOTS = 4,        /* validators at work at once; each takes 35 ms, mostly to start */
    OUTPUT_MAX = 4096,
    FORGED_MAX = 16384,
    VALIDATOR_SECONDS = 20,
};

/* A reply whose proof is judged: the part of it that concerns the last name of a CNAME chain. */
struct subject {
    const struct zone *zone; /* whose NSEC or NSEC3 records deny something */
    struct name qname;       /* the last name */
    uint16_t qtype;
    bool chained;            /* records of the links before it may remain */
    bool referral;           /* its proof is judged as that of the answer to DS at the cut */
    ldns_pkt *packet;
};

enum opinion { BOGUS, INSECURE, SECURE };

/* One run of the validator. */
struct slot {
    pid_t pid;          /* 0: free */
    int socket, output; /* the forger's, and the validator's stdout and stderr */
    time_t started;
    uint8_t forged[FORGED_MAX];
    size_t forged_length;
    char text[OUTPUT_MAX];
    size_t text_length;
    const struct subject *subject;
    char *left_out;     /* the record that is missing, as text; NULL: none */
};

static struct {
    const struct server *server;
    const char *anchors;
    struct slot slots[SLOTS];
    size_t judged, bad;
} run;

/* Is it of this type, or a signature of such? */
static bool is_of_type(const ldns_rr *record, uint16_t type)
{
    ldns_rr_type own = ldns_rr_get_type(record);

    if (own == LDNS_RR_TYPE_RRSIG)
        own = ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(record));
    return own == (ldns_rr_type)type;
}

static bool is_denial(const ldns_rr *record)
{
    return is_of_type(record, TYPE_NSEC) || is_of_type(record, TYPE_NSEC3);
}

static const ldns_rr *first_denial_signature(const ldns_pkt *packet)
{
    const ldns_rr_list *authority = ldns_pkt_authority(packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *record = ldns_rr_list_rr(authority, i);

        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG && is_denial(record))
            return record;
    }
    return NULL;
}

/* Moves the question to the end of the CNAME chain in the answer; false if that goes round. */
static bool follow_chain(struct subject *subject)
{
    const ldns_rr_list *answer = ldns_pkt_answer(subject->packet);
    bool moved = true;

    for (size_t links = 0; moved && links <= ldns_rr_list_rr_count(answer); links++) {
        moved = false;
        for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
            const ldns_rr *record = ldns_rr_list_rr(answer, i);
            struct name owner = zones_name(ldns_rr_owner(record));

            if (ldns_rr_get_type(record) != LDNS_RR_TYPE_CNAME || subject->qtype == TYPE_CNAME
                || name_compare(&owner, &subject->qname) != 0)
                continue;
            subject->qname = zones_name(ldns_rr_rdf(record, 0));
            subject->chained = moved = true;
            break;
        }
    }
    return !moved;
}

/* If the reply refers, whether at once or at the end of a chain. */
static void turn_to_cut(struct subject *subject, const struct name *apex)
{
    const ldns_rr_list *authority = ldns_pkt_authority(subject->packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *record = ldns_rr_list_rr(authority, i);
        struct name owner = zones_name(ldns_rr_owner(record));

        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_NS && name_compare(&owner, apex) != 0) {
            subject->qname = owner;
            subject->qtype = TYPE_DS;
            subject->referral = true;
        }
    }
}

/* ANY, RRSIG and the like are answered with whatever is there, and validators know it. */
static bool is_asked_for_proof(const struct query *query)
{
    return query->dnssec_ok && query->qtype != TYPE_ANY && query->qtype != TYPE_RRSIG
           && query->qtype != TYPE_NSEC && query->qtype != TYPE_NSEC3;
}

/* Sets what the proof is about; false if it is about nothing that can be judged alone. */
static bool subject_aim(struct subject *subject, const ldns_rr *signature,
                        const struct zone_set *zones)
{
    struct name signer = zones_name(ldns_rr_rrsig_signame(signature));

    if (ldns_pkt_aa(subject->packet) && !follow_chain(subject))
        return false;
    turn_to_cut(subject, &signer);
    subject->zone = subject->qtype == TYPE_DS ? zones_find_parent(zones, &subject->qname)
                                              : zones_find(zones, &subject->qname);
    return subject->zone && name_compare(&subject->zone->origin, &signer) == 0;
}

static bool subject_make(struct subject *subject, const struct query *query,
                         const struct reply *reply, const struct zone_set *zones)
{
    const ldns_rr *signature;

    *subject = (struct subject){ .qname = query->qname, .qtype = query->qtype };
    if (!is_asked_for_proof(query) || !reply->wire
        || ldns_wire2pkt(&subject->packet, reply->wire, reply->length) != LDNS_STATUS_OK)
        return false;
    signature = first_denial_signature(subject->packet);
    if (signature && !ldns_pkt_tc(subject->packet) && subject_aim(subject, signature, zones))
        return true;
    ldns_pkt_free(subject->packet);
    return false;
}

/* Replies of one shape exercise the same code: which records there are, not whose. */
static unsigned shape_of(const struct subject *subject)
{
    const ldns_rr_list *authority = ldns_pkt_authority(subject->packet);
    unsigned denials = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++)
        denials += is_denial(ldns_rr_list_rr(authority, i));
    return denials << 9 | (unsigned)subject->referral << 8
           | (unsigned)ldns_pkt_get_rcode(subject->packet) << 4
           | (unsigned)subject->chained << 3 | (unsigned)(subject->qtype == TYPE_DS) << 2
           | (unsigned)(ldns_pkt_ancount(subject->packet) > 0) << 1;
}

struct shapes {
    unsigned seen[SHAPES_MAX];
    size_t count;
};

/* How many of this shape came before; PER_SHAPE if no more are wanted. */
static size_t count_shape(struct shapes *shapes, unsigned shape)
{
    size_t seen = 0;

    for (size_t i = 0; i < shapes->count; i++)
        seen += shapes->seen[i] == shape;
    if (seen >= PER_SHAPE || shapes->count == SHAPES_MAX)
        return PER_SHAPE;
    shapes->seen[shapes->count++] = shape;
    return seen;
}

static bool is_left_out(const ldns_rr *record, const ldns_rr *left_out)
{
    if (!left_out || record == left_out)
        return left_out;
    /* of a zone signed with two algorithms, one RRSIG suffices: all go together */
    return ldns_rr_get_type(left_out) == LDNS_RR_TYPE_RRSIG
           && ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG
           && ldns_rdf_compare(ldns_rr_rrsig_typecovered(left_out),
                               ldns_rr_rrsig_typecovered(record)) == 0
           && ldns_dname_compare(ldns_rr_owner(left_out), ldns_rr_owner(record)) == 0;
}

static void copy_section(ldns_pkt *to, const struct subject *subject, ldns_pkt_section section,
                         const ldns_rr *left_out)
{
    const ldns_rr_list *records = section == LDNS_SECTION_ANSWER
                                      ? ldns_pkt_answer(subject->packet)
                                      : ldns_pkt_authority(subject->packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(records, i);
        struct name owner = zones_name(ldns_rr_owner(record));

        if (is_left_out(record, left_out))
            continue;
        if (section == LDNS_SECTION_ANSWER
            && (name_compare(&owner, &subject->qname) != 0 || !is_of_type(record, subject->qtype)))
            continue;
        if (subject->referral && ldns_rr_get_type(record) == LDNS_RR_TYPE_NS)
            continue;
        ldns_pkt_push_rr(to, section, ldns_rr_clone(record));
    }
}

/* What makes a referral's proof a negative answer. */
static void copy_soa(ldns_pkt *to, const struct zone *zone)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        if (is_of_type(record, TYPE_SOA))
            ldns_pkt_push_rr(to, LDNS_SECTION_AUTHORITY, ldns_rr_clone(record));
    }
}

static bool forge(struct slot *slot, const struct subject *subject, const ldns_rr *left_out)
{
    ldns_pkt *packet = ldns_pkt_new();
    ldns_rr *question = ldns_rr_new();
    uint8_t *wire = NULL;
    size_t length = 0;

    ldns_rr_set_question(question, true);
    ldns_rr_set_owner(question, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, subject->qname.length,
                                                      subject->qname.octets));
    ldns_rr_set_type(question, (ldns_rr_type)subject->qtype);
    ldns_rr_set_class(question, LDNS_RR_CLASS_IN);
    ldns_pkt_set_qr(packet, true);
    ldns_pkt_set_aa(packet, true);
    ldns_pkt_set_rcode(packet, (uint8_t)ldns_pkt_get_rcode(subject->packet));
    ldns_pkt_set_edns_udp_size(packet, 1232);
    ldns_pkt_set_edns_do(packet, true);
    ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, question);
    copy_section(packet, subject, LDNS_SECTION_ANSWER, left_out);
    copy_section(packet, subject, LDNS_SECTION_AUTHORITY, left_out);
    if (subject->referral)
        copy_soa(packet, subject->zone);
    if (ldns_pkt2wire(&wire, packet, &length) == LDNS_STATUS_OK && length <= FORGED_MAX) {
        memcpy(slot->forged, wire, length);
        slot->forged_length = length;
    } else {
        slot->forged_length = 0;
    }
    free(wire);
    ldns_pkt_free(packet);
    return slot->forged_length > 0;
}

static bool is_forged_question(const struct slot *slot, const uint8_t *query, size_t length)
{
    const struct subject *subject = slot->subject;
    struct name qname;
    size_t taken = length > 12 ? name_read(&qname, query + 12, length - 12) : 0;

    return taken != 0 && 12 + taken + 4 <= length && name_compare(&qname, &subject->qname) == 0
           && (query[12 + taken] << 8 | query[13 + taken]) == subject->qtype;
}

/* Everything but the question at issue (the keys, above all) is relayed to the server. */
static void forger_answer(struct slot *slot)
{
    static uint8_t reply[65535];
    uint8_t query[1024];
    struct sockaddr_in from;
    socklen_t from_length = sizeof from;
    ssize_t length = recvfrom(slot->socket, query, sizeof query, 0, (struct sockaddr *)&from,
                              &from_length);
    size_t reply_length;

    if (length < 12)
        return;
    if (is_forged_question(slot, query, (size_t)length)) {
        memcpy(reply, slot->forged, slot->forged_length);
        memcpy(reply, query, 2);
        memcpy(reply + 12, query + 12, slot->subject->qname.length);
        reply_length = slot->forged_length;
    } else {
        reply_length = ask_once(run.server, query, (size_t)length, reply, sizeof reply, 1000);
    }
    if (reply_length > 0)
        sendto(slot->socket, reply, reply_length, 0, (struct sockaddr *)&from, from_length);
}

static uint16_t open_forger(struct slot *slot)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    slot->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(slot->socket, (struct sockaddr *)&address, sizeof address) != 0
        || getsockname(slot->socket, (struct sockaddr *)&address, &length) != 0) {
        perror("interop: cannot bind a port for the forger");
        exit(1);
    }
    return ntohs(address.sin_port);
}

/* The zone's own keys are the trust anchor, in the form of named.conf. */
static void write_anchors(const struct zone *zone)
{
    FILE *file = fopen(run.anchors, "w");

    if (!file) {
        perror(run.anchors);
        exit(1);
    }
    fprintf(file, "trust-anchors {\n");
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->keys); i++) {
        const ldns_rr *key = ldns_rr_list_rr(zone->keys, i);
        char *base64 = ldns_rdf2str(ldns_rr_dnskey_key(key));

        fprintf(file, "\"%s\" static-key %u 3 %u \"%s\";\n", zone->text,
                ldns_rdf2native_int16(ldns_rr_dnskey_flags(key)),
                ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(key)), base64);
        free(base64);
    }
    fprintf(file, "};\n");
    fclose(file);
}

_Noreturn static void become_validator(const struct slot *slot, const char *program,
                                       uint16_t port, int output)
{
    const struct subject *subject = slot->subject;
    char name[NAME_TEXT_MAX], at[16], root[NAME_TEXT_MAX + 8], type[16];

    snprintf(at, sizeof at, "%u", port);
    snprintf(root, sizeof root, "+root=%s", subject->zone->text);
    snprintf(type, sizeof type, "TYPE%u", subject->qtype);
    name_to_text(&subject->qname, name);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(program, "delv", "@127.0.0.1", "-p", at, "-a", run.anchors, root, "-t", type, "-q",
          name, (char *)NULL);
    _exit(127);
}

static void slot_start(struct slot *slot, const struct subject *subject, const ldns_rr *left_out)
{
    const char *program = server_find_program("delv");
    int ends[2];
    uint16_t port;

    slot->subject = subject;
    slot->text_length = 0;
    if (!forge(slot, subject, left_out))
        return;
    slot->left_out = left_out ? ldns_rr2str(left_out) : NULL;
    port = open_forger(slot);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        perror("interop: pipe");
        exit(1);
    }
    slot->started = time(NULL);
    slot->pid = fork();
    if (slot->pid == 0)
        become_validator(slot, program, port, ends[1]);
    close(ends[1]);
    slot->output = ends[0];
}

static enum opinion read_opinion(const struct slot *slot)
{
    if (strstr(slot->text, "fully validated"))
        return SECURE;
    return strstr(slot->text, "unsigned answer") ? INSECURE : BOGUS;
}

/* Opt-out: names below may be delegated insecurely, so their denial proves nothing (RFC 5155
 * §9.2). */
static bool has_opt_out(const ldns_pkt *packet)
{
    const ldns_rr_list *authority = ldns_pkt_authority(packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++)
        if (ldns_rr_get_type(ldns_rr_list_rr(authority, i)) == LDNS_RR_TYPE_NSEC3
            && ldns_nsec3_optout(ldns_rr_list_rr(authority, i)))
            return true;
    return false;
}

static void complain(const struct slot *slot, const char *what)
{
    char name[NAME_TEXT_MAX];
    char *packet = ldns_pkt2str(slot->subject->packet);

    printf("! %s %s TYPE%u: %s%s\n%s  delv: %s\n", slot->subject->zone->text,
           name_to_text(&slot->subject->qname, name), slot->subject->qtype, what,
           slot->left_out ? slot->left_out : "\n", packet, slot->text);
    free(packet);
    run.bad++;
}

static void slot_finish(struct slot *slot)
{
    const struct subject *subject = slot->subject;
    enum opinion opinion;

    slot->text[slot->text_length] = '\0';
    waitpid(slot->pid, NULL, 0);
    slot->pid = 0;
    close(slot->socket);
    close(slot->output);
    opinion = read_opinion(slot);
    run.judged++;
    if (opinion == INSECURE && has_opt_out(subject->packet))
        ; /* all that can be proved, with or without one of the records */
    else if (slot->left_out && opinion != BOGUS)
        complain(slot, "the validator accepts the reply without ");
    else if (!slot->left_out && opinion != SECURE)
        complain(slot, "the validator refuses the reply");
    free(slot->left_out);
    slot->left_out = NULL;
}

static void slot_read(struct slot *slot)
{
    char rest[OUTPUT_MAX];
    size_t room = OUTPUT_MAX - 1 - slot->text_length;
    ssize_t length = room > 0 ? read(slot->output, slot->text + slot->text_length, room)
                              : read(slot->output, rest, sizeof rest);

    if (length <= 0)
        slot_finish(slot);
    else if (room > 0)
        slot->text_length += (size_t)length;
}

/* Serves all validators at work until something happened. */
static void slots_step(void)
{
    struct pollfd pollers[2 * SLOTS];

    for (size_t i = 0; i < SLOTS; i++) {
        bool busy = run.slots[i].pid > 0;

        pollers[2 * i] = (struct pollfd){ busy ? run.slots[i].socket : -1, POLLIN, 0 };
        pollers[2 * i + 1] = (struct pollfd){ busy ? run.slots[i].output : -1, POLLIN, 0 };
    }
    if (poll(pollers, 2 * SLOTS, 1000) < 0)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &run.slots[i];

        if (pollers[2 * i].revents)
            forger_answer(slot);
        if (pollers[2 * i + 1].revents)
            slot_read(slot);
        if (slot->pid > 0 && time(NULL) - slot->started > VALIDATOR_SECONDS)
            kill(slot->pid, SIGKILL);
    }
}

static bool some_slot_is_busy(void)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (run.slots[i].pid > 0)
            return true;
    return false;
}

static struct slot *wait_for_slot(void)
{
    for (;;) {
        for (size_t i = 0; i < SLOTS; i++)
            if (run.slots[i].pid == 0)
                return &run.slots[i];
        slots_step();
    }
}

static void wait_for_all(void)
{
    while (some_slot_is_busy())
        slots_step();
}

/* The proof whole, then without each of its records in turn. A chain's proof may hold records for
 * its earlier links, which the last one does not need. */
static void judge_subject(const struct subject *subject, bool taken_apart)
{
    const ldns_rr_list *authority = ldns_pkt_authority(subject->packet);

    slot_start(wait_for_slot(), subject, NULL);
    for (size_t i = 0; i < ldns_rr_list_rr_count(authority) && taken_apart; i++)
        if (is_denial(ldns_rr_list_rr(authority, i)) && !ask_interrupted)
            slot_start(wait_for_slot(), subject, ldns_rr_list_rr(authority, i));
    wait_for_all();
}

void proof_check_all(const struct server *server, const char *directory,
                     const struct query_list *queries, const struct reply *replies,
                     const struct zone_set *zones, size_t *proofs, size_t *bad)
{
    const struct zone *anchored = NULL;
    struct shapes shapes = { .count = 0 };
    char anchors[4096];

    if (!server_find_program("delv"))
        return;
    snprintf(anchors, sizeof anchors, "%s/anchors", directory);
    run.server = server;
    run.anchors = anchors;
    run.judged = run.bad = 0;
    for (size_t i = 0; i < queries->count && !ask_interrupted; i++) {
        struct subject subject;
        size_t seen;

        if (!subject_make(&subject, &queries->items[i], &replies[i], zones))
            continue;
        seen = count_shape(&shapes, shape_of(&subject));
        if (seen < PER_SHAPE) {
            if (subject.zone != anchored)
                write_anchors(subject.zone);
            anchored = subject.zone;
            judge_subject(&subject, seen < TAKEN_APART && !subject.chained);
        }
        ldns_pkt_free(subject.packet);
    }
    *proofs += run.judged;
    *bad += run.bad;
}
