#include "server/protection/networks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int networks_open(struct networks *networks, size_t most, uint64_t seed)
{
    *networks = (struct networks){.most = most, .heads = 1, .seed = seed};
    while (networks->heads < most)
        networks->heads *= 2;
    networks->head = calloc(networks->heads, sizeof *networks->head);
    networks->list = calloc(most, sizeof *networks->list);
    if (networks->head == NULL || networks->list == NULL) {
        networks_close(networks);
        return -1;
    }
    for (size_t i = most; i-- > 0;) {
        networks->list[i].next = networks->unused;
        networks->unused = (uint32_t)i + 1;
    }
    return 0;
}

void networks_close(struct networks *networks)
{
    free(networks->head);
    free(networks->list);
    *networks = (struct networks){0};
}

/* The octets that its addresses share, and which family's they are. */
static uint64_t key_of(const struct client *client)
{
    uint8_t octets[8] = {0};
    uint64_t key;

    if (client->length == 4)
        memcpy(octets, client->address, NETWORKS_IPV4_OCTETS);
    else
        memcpy(octets, client->address, NETWORKS_IPV6_OCTETS);
    octets[7] = client->length;
    memcpy(&key, octets, sizeof key);
    return key;
}

static uint32_t *head_of(const struct networks *networks, uint64_t key)
{
    uint64_t hash = (key ^ networks->seed) * UINT64_C(0x9e3779b97f4a7c15);

    hash = (hash ^ hash >> 29 ^ networks->seed) * UINT64_C(0xbf58476d1ce4e5b9);
    return &networks->head[hash >> 32 & (networks->heads - 1)];
}

static struct network *find(const struct networks *networks, uint64_t key)
{
    for (uint32_t at = *head_of(networks, key); at != 0; at = networks->list[at - 1].next)
        if (networks->list[at - 1].key == key)
            return &networks->list[at - 1];
    return NULL;
}

const struct network *networks_find(const struct networks *networks, const struct client *client)
{
    return find(networks, key_of(client));
}

struct network *networks_add(struct networks *networks, const struct client *client)
{
    uint64_t key = key_of(client);
    struct network *network = find(networks, key);

    if (network == NULL) {
        uint32_t *head = head_of(networks, key);
        uint32_t place = networks->unused;
        assert(place != 0);
        network = &networks->list[place - 1];
        networks->unused = network->next;
        *network = (struct network){.key = key, .next = *head};
        *head = place;
    }
    network->connections++;
    return network;
}

void networks_remove(struct networks *networks, struct network *network)
{
    uint32_t place = (uint32_t)(network - networks->list) + 1;
    uint32_t *link = head_of(networks, network->key);

    assert(network->connections > 0);
    if (--network->connections > 0)
        return;
    while (*link != place)
        link = &networks->list[*link - 1].next;
    *link = network->next;
    network->next = networks->unused;
    networks->unused = place;
}

struct network *networks_heaviest(struct networks *networks)
{
    struct network *heaviest = &networks->list[0];

    for (size_t i = 1; i < networks->most; i++)
        if (networks->list[i].connections > heaviest->connections)
            heaviest = &networks->list[i];
    return heaviest->connections > 0 ? heaviest : NULL;
}
