#include "server/supervisor/fdstore.h"

#include "server/host/notify.h"
#include "server/steering/steering.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NAME_MAX_OCTETS = ADDRESS_TEXT_MAX + 32 };

/* Of the table that is kept; 0: none. */
static uint64_t kept_generation;

/* --- names --------------------------------------------------------------------- */

/* A name has no colons. The address in it only tells one name from another. */
static const char *socket_name(char name[NAME_MAX_OCTETS], enum handover_kind kind, unsigned slot,
                               const union address *address)
{
    char text[ADDRESS_TEXT_MAX];

    address_to_text(address, text);
    for (char *at = text; *at != '\0'; at++)
        if (*at == ':')
            *at = '_';
    snprintf(name, NAME_MAX_OCTETS, "sorrel-%u-%s-%s", slot, kind == HANDOVER_UDP ? "udp" : "tcp",
             text);
    return name;
}

static const char *table_name(char name[NAME_MAX_OCTETS], uint64_t generation)
{
    snprintf(name, NAME_MAX_OCTETS, "sorrel-table-%" PRIu64, generation);
    return name;
}

/* --- receiving ------------------------------------------------------------------- */

/* What a descriptor is bound to, and how it carries DNS. */
static bool describe(int fd, union address *address, enum handover_kind *kind)
{
    socklen_t length = sizeof *address;
    int type = 0;
    socklen_t size = sizeof type;

    memset(address, 0, sizeof *address);
    if (getsockname(fd, &address->any, &length) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        (address->any.sa_family != AF_INET && address->any.sa_family != AF_INET6) ||
        (type != SOCK_DGRAM && type != SOCK_STREAM))
        return false;
    *kind = type == SOCK_DGRAM ? HANDOVER_UDP : HANDOVER_TCP;
    return true;
}

static void discard(const char *name, int fd)
{
    notify_remove(name);
    close(fd);
}

/* The newest table is the one; after a death between two steps there may be two. */
static void take_table(struct handover *handover, const char *name, uint64_t generation, int fd)
{
    char other[NAME_MAX_OCTETS];

    if (generation <= kept_generation) {
        discard(name, fd);
        return;
    }
    int former = handover_take(handover, HANDOVER_TABLE, 0, NULL);
    if (former >= 0)
        discard(table_name(other, kept_generation), former);
    if (handover_add(handover, HANDOVER_TABLE, 0, NULL, fd))
        kept_generation = generation;
    else
        discard(name, fd);
}

/* A daemon died while it drained the sockets of workers that were to be fewer. They are closed
 * before any that takes their place is bound: theirs are the last places in the group, and so the
 * others keep their numbers. */
static bool was_about_to_close(enum handover_kind kind, int fd)
{
    return kind == HANDOVER_UDP && listener_is_fenced(fd);
}

/* True if it is one of ours, by its name. */
static bool take_kept(struct handover *handover, const char *name, int fd)
{
    union address address;
    enum handover_kind kind;
    uint64_t generation;
    unsigned slot;

    if (sscanf(name, "sorrel-table-%" SCNu64, &generation) == 1) {
        take_table(handover, name, generation, fd);
        return true;
    }
    if (sscanf(name, "sorrel-%u-", &slot) != 1)
        return false;
    bool is_wanted = slot < STEERING_SLOTS_MAX && describe(fd, &address, &kind);
    if (is_wanted && was_about_to_close(kind, fd)) {
        listener_leave_group(fd);
        is_wanted = false;
    }
    if (!is_wanted || !handover_add(handover, kind, slot, &address, fd))
        discard(name, fd);
    return true;
}

static bool is_listed(const struct listener *list, size_t count, const union address *address)
{
    for (size_t i = 0; i < count; i++)
        if (address_is_equal(&list[i].address, address))
            return true;
    return false;
}

static bool take_activated(struct handover *handover, struct listener **activated, size_t *count,
                           int fd, char error[LISTENER_ERROR_MAX])
{
    union address address;
    enum handover_kind kind;

    if (!describe(fd, &address, &kind)) {
        snprintf(error, LISTENER_ERROR_MAX,
                 "the service manager passes a descriptor that is no UDP or TCP socket: sorreld "
                 "wants ListenDatagram= and ListenStream= with addresses and ports only");
        return false;
    }
    listener_prepare(fd, &address, kind == HANDOVER_UDP ? SOCK_DGRAM : SOCK_STREAM);
    bool added = handover_add(handover, kind, 0, &address, fd);
    if (added && !is_listed(*activated, *count, &address)) {
        struct listener *grown = reallocarray(*activated, *count + 1, sizeof *grown);
        added = grown != NULL;
        if (added) {
            *activated = grown;
            grown[(*count)++] = (struct listener){.address = address};
        }
    }
    if (!added)
        snprintf(error, LISTENER_ERROR_MAX, "out of memory");
    return added;
}

bool fdstore_receive(struct handover *handover, struct listener **activated, size_t *count,
                     char error[LISTENER_ERROR_MAX])
{
    char **names;
    int first, passed = notify_passed(&first, &names);
    bool sound = true;

    *activated = NULL;
    *count = 0;
    for (int i = 0; i < passed; i++)
        if (sound && !take_kept(handover, names[i], first + i))
            sound = take_activated(handover, activated, count, first + i, error);
    notify_free_names(names, passed);
    return sound;
}

/* --- keeping ----------------------------------------------------------------------- */

void fdstore_put_slot(struct slot *slot, const struct listener *listeners)
{
    if (slot->shares)
        return;
    char name[NAME_MAX_OCTETS];

    if (slot->kept)
        return;
    slot->kept = true;
    for (size_t i = 0; i < slot->listener_count; i++) {
        const union address *address = &listeners[i].address;
        notify_store(socket_name(name, HANDOVER_UDP, slot->number, address), slot->sockets[i].udp);
        notify_store(socket_name(name, HANDOVER_TCP, slot->number, address), slot->sockets[i].tcp);
    }
}

void fdstore_remove_slot(const struct slot *slot, const struct listener *listeners)
{
    char name[NAME_MAX_OCTETS];

    for (size_t i = 0; i < slot->listener_count; i++) {
        const union address *address = &listeners[i].address;
        notify_remove(socket_name(name, HANDOVER_UDP, slot->number, address));
        notify_remove(socket_name(name, HANDOVER_TCP, slot->number, address));
    }
}

void fdstore_remove_rest(struct handover *handover)
{
    char name[NAME_MAX_OCTETS];

    for (size_t i = 0; i < handover->count; i++) {
        const struct handover_record *record = &handover->records[i];
        if (handover->descriptors[i] >= 0 && handover_is_socket(record))
            notify_remove(socket_name(name, record->kind, record->slot, &record->address));
    }
    handover_discard(handover);
}

void fdstore_note_table(uint64_t generation)
{
    kept_generation = generation;
}

void fdstore_forget_table(void)
{
    char name[NAME_MAX_OCTETS];

    if (kept_generation != 0)
        notify_remove(table_name(name, kept_generation));
    kept_generation = 0;
}

void fdstore_put_table(int fd, uint64_t generation)
{
    char name[NAME_MAX_OCTETS];

    if (generation == kept_generation)
        return;
    notify_store(table_name(name, generation), fd);
    fdstore_forget_table();
    kept_generation = generation;
}
