#include "zone/additional.h"

#include "message/codes.h"
#include "message/wire.h"

/* RFC 9460 §4.1: TargetName; `.` is the owner in ServiceMode, nothing in AliasMode (§2.5.1). */
static bool svcb_target(const uint8_t *rdata, size_t length, size_t *offset, bool *is_owner)
{
    *offset = 2;
    *is_owner = length > 2 && rdata[2] == 0;
    return !*is_owner || wire_read_u16(rdata) != 0;
}

bool additional_target(uint16_t type, const uint8_t *rdata, size_t length, size_t *offset,
                       bool *is_owner)
{
    *is_owner = false;
    switch (type) {
    case TYPE_NS:
    case TYPE_MD:
    case TYPE_MF:
    case TYPE_MB:
        *offset = 0;
        return true;
    case TYPE_MX:
    case TYPE_AFSDB:
    case TYPE_RT:
    case TYPE_KX:
        *offset = 2;
        return true;
    case TYPE_SRV:
        *offset = 6;
        return true;
    case TYPE_SVCB:
    case TYPE_HTTPS:
        return svcb_target(rdata, length, offset, is_owner);
    default:
        return false;
    }
}
