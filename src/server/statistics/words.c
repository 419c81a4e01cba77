#include "server/statistics/words.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *words_duration(long long seconds, char to[WORDS_MAX])
{
    static const struct {
        long long seconds;
        const char *name;
        const char *lesser;
    } units[] = {{86400, "d", "h"}, {3600, "h", "min"}, {60, "min", "s"}};
    static const long long lesser_seconds[] = {3600, 60, 1};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        long long rest = seconds % units[i].seconds / lesser_seconds[i];
        if (seconds < units[i].seconds)
            continue;
        if (rest == 0)
            snprintf(to, WORDS_MAX, "%lld %s", seconds / units[i].seconds, units[i].name);
        else
            snprintf(to, WORDS_MAX, "%lld %s %lld %s", seconds / units[i].seconds, units[i].name,
                     rest, units[i].lesser);
        return to;
    }
    snprintf(to, WORDS_MAX, "%lld s", seconds);
    return to;
}

const char *words_size(long long octets, char to[WORDS_MAX])
{
    static const char *const units[] = {"octets", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)octets;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(to, WORDS_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return to;
}

const char *words_grouped(double number, char to[WORDS_MAX])
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", number);
    char *end = to;

    for (int i = 0; i < length; i++) {
        *end++ = digits[i];
        if ((length - i) % 3 == 1 && i + 1 < length)
            *end++ = ',';
    }
    *end = '\0';
    return to;
}

const char *words_number(double number, char to[WORDS_MAX])
{
    static const char units[] = "MGTPE";
    double value = number / 1e6;
    size_t unit = 0;

    if (!(number > 0))
        number = 0;
    if (number < 99999999.5)
        return words_grouped(number, to);
    while (value >= 999.95 && unit + 2 < sizeof units) {
        value /= 1e3;
        unit++;
    }
    snprintf(to, WORDS_MAX, value < 9.9995 ? "%.3f %c" : "%.1f %c", value, units[unit]);
    return to;
}

const char *words_share(double share, char to[WORDS_MAX])
{
    double value = share * 100;

    snprintf(to, WORDS_MAX, value > 0 && value < 9.95 ? "%.1f %%" : "%.0f %%", value);
    return to;
}
