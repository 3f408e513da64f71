/*
 * Picture: a text as a QR code of plain characters.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#ifdef HAVE_QRENCODE
#include <qrencode.h>
#endif

#include "policy/reset/picture.h"

#ifdef HAVE_QRENCODE

/* Light modules around it; as "##" there is room for fewer. */
#define MARGIN_BLOCKS 2
#define MARGIN_PLAIN  1

struct modules {
    const unsigned char *data;
    int width;
    int margin;
};

/* Whether a module is light; around the code all are. */
static bool
is_light(const struct modules *modules, int row, int column)
{
    const bool is_inside = row >= 0 && row < modules->width && column >= 0 &&
                           column < modules->width;

    return !is_inside ||
           (modules->data[row * modules->width + column] & 1) == 0;
}

/* One line: of two rows of modules as half blocks, of one otherwise. */
static void
draw_line(const struct modules *modules, int row, bool is_utf8,
          char line[SR_PICTURE_LINE])
{
    static const char *const blocks[2][2] = {{" ", "\u2584"},
                                             {"\u2580", "\u2588"}};

    line[0] = '\0';
    for (int column = -modules->margin;
         column < modules->width + modules->margin; column++) {
        const bool upper = is_light(modules, row, column);

        strcat(line, !is_utf8
                         ? upper ? "##" : "  "
                         : blocks[upper][is_light(modules, row + 1, column)]);
    }
}

bool
sr_picture_is_there(void)
{
    return true;
}

bool
sr_picture(const char *text, bool is_utf8,
           void (*take)(void *context, const char *line), void *context)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    struct modules modules = {.margin = is_utf8 ? MARGIN_BLOCKS : MARGIN_PLAIN};
    char line[SR_PICTURE_LINE];
    bool fits;

    if (code == NULL)
        return false;
    modules.data = code->data;
    modules.width = code->width;
    fits = (modules.width + 2 * modules.margin) * (is_utf8 ? 1 : 2) <=
           SR_PICTURE_COLUMNS;
    for (int row = -modules.margin;
         fits && row < modules.width + modules.margin; row += is_utf8 ? 2 : 1) {
        draw_line(&modules, row, is_utf8, line);
        take(context, line);
    }
    explicit_bzero(line, sizeof(line));
    explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
    QRcode_free(code);
    return fits;
}

#else

bool
sr_picture_is_there(void)
{
    return false;
}

bool
sr_picture(const char *text, bool is_utf8,
           void (*take)(void *context, const char *line), void *context)
{
    (void)text;
    (void)is_utf8;
    (void)take;
    (void)context;
    return false;
}

#endif
