#include "tools/spread/policy.h"

#include <stddef.h>
#include <string.h>

const struct policy policy_list[] = {
    {"hash", POLICY_FLOWS, POLICY_FLOWS},       {"query", POLICY_QUERIES, POLICY_FLOWS},
    {"cpu", POLICY_CPUS, POLICY_CPUS},          {"random", POLICY_QUERIES, POLICY_FLOWS},
    {"shared", POLICY_WAITERS, POLICY_WAITERS}, {NULL, POLICY_FLOWS, POLICY_FLOWS},
};

const struct policy policy_of_server = {"server", POLICY_FLOWS, POLICY_FLOWS};

const struct policy *policy_find(const char *name)
{
    for (const struct policy *policy = policy_list; policy->name != NULL; policy++)
        if (strcmp(policy->name, name) == 0)
            return policy;
    return NULL;
}
