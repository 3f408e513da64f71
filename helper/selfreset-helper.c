/*
 * selfreset-helper: answers for programs that cannot check passwords by
 * themselves; one process for each connection.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper/listen.h"
#include "helper/peer.h"
#include "helper/slots.h"
#include "pam/served.h"
#include "policy/account/captive.h"
#include "policy/util/error.h"
#include "policy/util/safe_open.h"
#include "policy/wire/link.h"

#define SOCKET_PATH SR_RUNDIR "/" SR_LINK_NAME
#define RESET_PATH  SR_RUNDIR "/" SR_LINK_RESET

/* Dialogues wait long, also for people whom nobody knows: they take no slot
 * that a call needs. */
#define SLOTS_PATH       SR_RUNDIR "/connections"
#define RESET_SLOTS_PATH SR_RUNDIR "/dialogue-slots"

enum { EXIT_TROUBLE = 1, EXIT_USAGE = 64 };

static int
usage(FILE *out, int status)
{
    fputs("Usage: selfreset-helper            (the connection is standard "
          "input)\n"
          "       selfreset-helper --listen\n"
          "       selfreset-helper --help | --version\n",
          out);
    return status;
}

/*
 * Nothing of the caller's stays: no descriptor but the standard ones, no
 * environment and no core.  Where systemd has put the credentials of the
 * service is kept: see policy/reset/seal.h.
 */
static int
isolate(void)
{
    static const char name[] = "CREDENTIALS_DIRECTORY";
    static const char place[] = "/run/credentials/";
    static const struct rlimit no_core = {0, 0};
    const char *folder = secure_getenv(name);
    char kept[512] = "";

    if (folder != NULL && strncmp(folder, place, strlen(place)) == 0)
        snprintf(kept, sizeof(kept), "%s", folder);
    closefrom(3);
    if (clearenv() != 0 || (kept[0] != '\0' && setenv(name, kept, 1) != 0) ||
        sr_standard_fds_plug() < 0 || chdir("/") != 0)
        return -errno;
    umask(077);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &no_core) != 0)
        return -errno;
    return 0;
}

static const char *
admit(const char *source)
{
    return slots_take_source(RESET_SLOTS_PATH, source);
}

/* Whether the connection is one to the socket of dialogues. */
static bool
is_dialogue(int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t size = sizeof(address) - 1;

    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
           address.sun_family == AF_UNIX &&
           strcmp(address.sun_path, RESET_PATH) == 0;
}

/* Serve one connection.  A call needs no rights but those that there are; the
 * mail program of a dialogue has its own. */
static void
serve(int fd)
{
    struct peer peer;
    const char *why;

    if (!peer_find(fd, &peer))
        return;
    peer.served.is_dialogue = is_dialogue(fd);
    if (!peer.served.is_dialogue && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return;
    peer.served.admit = admit;
    why = slots_take(peer.served.is_dialogue ? RESET_SLOTS_PATH : SLOTS_PATH,
                     peer.served.uid, sr_captive_has_uid);
    if (why == NULL)
        sr_serve(fd, &peer.served);
    else
        sr_serve_refuse(fd, &peer.served, why);
    peer_end(&peer);
}

/* The connection that an init has accepted: it leaves descriptor 0. */
static int
serve_standard_input(void)
{
    int type = 0, fd;
    socklen_t size = sizeof(type);

    if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        type != SOCK_SEQPACKET)
        return usage(stderr, EXIT_USAGE);
    fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return EXIT_TROUBLE;
    close(STDIN_FILENO);
    if (sr_standard_fds_plug() < 0)
        return EXIT_TROUBLE;
    serve(fd);
    close(fd);
    return EXIT_SUCCESS;
}

static int
serve_all(void)
{
    static const char *const paths[LISTEN_PATHS] = {SOCKET_PATH, RESET_PATH};
    int result = sr_safe_make_dir(SR_RUNDIR, SR_SAFE_OF_ALL);

    /* All users must be able to reach the socket. */
    if (result == 0 && chmod(SR_RUNDIR, 0755) != 0)
        result = -errno;
    if (result == 0)
        result = helper_listen(paths, serve);
    if (result == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "selfreset-helper: its sockets in %s: %s\n", SR_RUNDIR,
            sr_strerror(-result));
    return EXIT_TROUBLE;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    bool listens = false;
    int option, result;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, EXIT_SUCCESS);
        if (option == 'V')
            return printf("%s\n", PACKAGE_STRING) > 0 ? EXIT_SUCCESS
                                                      : EXIT_TROUBLE;
        if (option != 'l')
            return usage(stderr, EXIT_USAGE);
        listens = true;
    }
    if (optind != argc)
        return usage(stderr, EXIT_USAGE);
    result = isolate();
    if (result != 0) {
        fprintf(stderr, "selfreset-helper: %s\n", sr_strerror(-result));
        return EXIT_TROUBLE;
    }
    return listens ? serve_all() : serve_standard_input();
}
