#include "message/rdata_names.h"

#include "message/codes.h"

struct rdata_names rdata_names_of(uint16_t type)
{
    switch (type) {
    case TYPE_NS:
    case TYPE_MD:
    case TYPE_MF:
    case TYPE_CNAME:
    case TYPE_MB:
    case TYPE_MG:
    case TYPE_MR:
    case TYPE_PTR:
        return (struct rdata_names){.count = 1, .compressible = true};
    case TYPE_MX:
        return (struct rdata_names){.before = 2, .count = 1, .compressible = true};
    case TYPE_SOA:
    case TYPE_MINFO:
        return (struct rdata_names){.count = 2, .compressible = true};
    case TYPE_DNAME:
        return (struct rdata_names){.count = 1};
    case TYPE_RP:
        return (struct rdata_names){.count = 2};
    case TYPE_AFSDB:
    case TYPE_RT:
    case TYPE_KX:
        return (struct rdata_names){.before = 2, .count = 1};
    case TYPE_PX:
        return (struct rdata_names){.before = 2, .count = 2};
    case TYPE_SRV:
        return (struct rdata_names){.before = 6, .count = 1};
    default:
        return (struct rdata_names){0};
    }
}
