/*
 * Shadow: the local shadow file, which shadow's own programs write for us.
 * They lock it, keep its owner and mode, and replace it in one step.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/local/local.h"
#include "tools/command.h"
#include "tools/output.h"
#include "tools/shadow.h"
#include "tools/spawn.h"

#define SHADOW_FILE "/etc/shadow"

/* A stream whose buffer, which saw hashes, is ours to wipe. */
struct stream {
    FILE *file;
    char buffer[4096];
    char *line;
    size_t size;
};

static void
stream_close(struct stream *stream)
{
    if (stream->file != NULL)
        fclose(stream->file);
    explicit_bzero(stream->buffer, sizeof(stream->buffer));
    if (stream->line != NULL)
        explicit_bzero(stream->line, stream->size);
    free(stream->line);
}

static int
keep(char *text, unsigned number, struct shadow_line *line)
{
    struct spwd entry;
    const char *field = sr_local_parse(text, &entry);

    if (field != NULL) {
        ctl_error("%s:%u: %s is not what shadow(5) allows.", SHADOW_FILE,
                  number, field);
        return CTL_FAILED;
    }
    line->changed = entry.sp_lstchg;
    line->hash = strdup(entry.sp_pwdp);
    if (line->hash != NULL)
        return CTL_OK;
    ctl_error("Out of memory.");
    return CTL_FAILED;
}

int
shadow_read(const char *name, struct shadow_line *line)
{
    __attribute__((cleanup(stream_close))) struct stream stream = {
        .file = fopen(SHADOW_FILE, "re")};
    size_t length = strlen(name);

    memset(line, 0, sizeof(*line));
    if (stream.file != NULL)
        setvbuf(stream.file, stream.buffer, _IOFBF, sizeof(stream.buffer));
    for (unsigned number = 1;
         stream.file != NULL &&
         getline(&stream.line, &stream.size, stream.file) > 0;
         number++) {
        if (strncmp(stream.line, name, length) != 0 ||
            stream.line[length] != ':')
            continue;
        stream.line[strcspn(stream.line, "\n")] = '\0';
        return keep(stream.line, number, line);
    }
    if (stream.file != NULL && !ferror(stream.file))
        return CTL_OK;
    ctl_error("%s: %s.", SHADOW_FILE, strerror(errno));
    return CTL_FAILED;
}

int
shadow_find(const char *name, struct shadow_line *line)
{
    const int code = shadow_read(name, line);

    if (code != CTL_OK || line->hash != NULL)
        return code;
    ctl_error("%s has no line in /etc/shadow: another module or host keeps its "
              "password.  Nothing was done.",
              name);
    return CTL_REFUSED;
}

void
shadow_free(struct shadow_line *line)
{
    if (line->hash != NULL)
        explicit_bzero(line->hash, strlen(line->hash));
    free(line->hash);
    line->hash = NULL;
}

int
shadow_set_hash(const char *name, const char *hash)
{
    const char *const argv[] = {"chpasswd", "-e", NULL};
    char input[1024];
    int status = -1;
    int size = snprintf(input, sizeof(input), "%s:%s\n", name, hash);

    if (size > 0 && (size_t)size < sizeof(input))
        status = ctl_run(argv, input);
    else
        ctl_error("The hash is too long.");
    explicit_bzero(input, sizeof(input));
    return status;
}

int
shadow_set_changed(const char *name, long day)
{
    char text[32];
    const char *const argv[] = {"chage", "-d", text, "--", name, NULL};

    snprintf(text, sizeof(text), "%ld", day);
    return ctl_run(argv, NULL);
}

long
shadow_day(sr_time when)
{
    /* Rounded down, also before 1970. */
    return (long)((when - (when % SR_DAY + SR_DAY) % SR_DAY) / SR_DAY);
}
