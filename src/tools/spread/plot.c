#include "tools/spread/plot.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_CAIRO

#include "tools/spread/picture.h"

#include <cairo-svg.h>
#include <errno.h>
#include <unistd.h>

/* Pixels of a PNG for each unit of the picture: sharp on dense screens, too. */
static const double png_scale = 2;

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path), wanted = strlen(end);

    return length > wanted && strcmp(path + length - wanted, end) == 0;
}

/* Before minutes are spent on what is to be drawn. */
static bool is_writable(const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX] = ".";

    if (access(path, F_OK) == 0)
        return access(path, W_OK) == 0;
    if (slash != NULL)
        snprintf(directory, sizeof directory, "%.*s", (int)(slash - path + 1), path);
    return access(directory, W_OK) == 0;
}

bool plot_can_draw(const char *path, char error[PLOT_ERROR_MAX])
{
    if (!ends_with(path, ".svg") && !ends_with(path, ".png"))
        snprintf(error, PLOT_ERROR_MAX, "give a name that ends in .svg or .png");
    else if (!is_writable(path))
        snprintf(error, PLOT_ERROR_MAX, "%s", strerror(errno));
    else
        return true;
    return false;
}

static cairo_surface_t *open_surface(const char *path, const struct picture_size *size)
{
    if (ends_with(path, ".svg"))
        return cairo_svg_surface_create(path, size->width, size->height);
    return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(size->width * png_scale),
                                      (int)(size->height * png_scale));
}

bool plot_draw(const struct cells *cells, const char *path, char error[PLOT_ERROR_MAX])
{
    struct picture_size size = picture_measure(cells);
    cairo_surface_t *surface = open_surface(path, &size);
    cairo_t *cairo = cairo_create(surface);
    bool is_svg = ends_with(path, ".svg");

    if (!is_svg)
        cairo_scale(cairo, png_scale, png_scale);
    picture_draw(cairo, &size, cells);
    cairo_status_t status = cairo_status(cairo);
    cairo_destroy(cairo);
    if (status == CAIRO_STATUS_SUCCESS && !is_svg)
        status = cairo_surface_write_to_png(surface, path);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        snprintf(error, PLOT_ERROR_MAX, "%.150s: %s", path, cairo_status_to_string(status));
    return status == CAIRO_STATUS_SUCCESS;
}

#else

bool plot_can_draw(const char *path, char error[PLOT_ERROR_MAX])
{
    (void)path;
    snprintf(error, PLOT_ERROR_MAX, "this sorrel-spread was built without cairo, and cannot draw");
    return false;
}

bool plot_draw(const struct cells *cells, const char *path, char error[PLOT_ERROR_MAX])
{
    (void)cells;
    return plot_can_draw(path, error);
}

#endif
