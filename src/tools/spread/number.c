#include "tools/spread/number.h"

#include <stdio.h>

const char *number_thousands(double n, char text[NUMBER_MAX])
{
    char digits[NUMBER_MAX / 2];
    int length = snprintf(digits, sizeof digits, "%.0f", n);
    char *end = text;

    for (int i = 0; i < length && i < (int)sizeof digits - 1; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return text;
}

const char *number_decimal(double n, int digits, char text[NUMBER_MAX])
{
    if (n < 0)
        return "-";
    snprintf(text, NUMBER_MAX, "%.*f", digits, n);
    return text;
}
