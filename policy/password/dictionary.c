/*
 * Dictionary: the files of cracklib.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <byteswap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/password/dictionary.h"

/* The head of an index, as cracklib's programs write it, and behind it for each
 * block of words where it begins in the file of words. */
struct head {
    uint32_t magic;
    uint32_t words;
    uint16_t block; /* words in a block */
    uint16_t reserved;
};

#define MAGIC 0x70775631u
#define BLOCK 16

static FILE *
open_part(const char *path, const char *ending)
{
    char *name;
    FILE *file;

    if (asprintf(&name, "%s%s", path, ending) < 0)
        return NULL;
    file = fopen(name, "re");
    free(name);
    return file;
}

/* The size of the file of words; 0 where it does not end as one does. */
static uint64_t
size_of_words(FILE *words)
{
    struct stat status;

    if (fstat(fileno(words), &status) != 0 || status.st_size <= 0 ||
        fseeko(words, -1, SEEK_END) != 0 || getc(words) != '\0')
        return 0;
    return (uint64_t)status.st_size;
}

/* Whether all blocks begin behind the one before them and within the words. */
static bool
is_index_good(FILE *index, uint32_t words, uint64_t size)
{
    const uint32_t blocks = words / BLOCK + (words % BLOCK != 0);
    uint32_t at = 0, before = 0;

    for (uint32_t i = 0; i < blocks; i++) {
        if (fread(&at, sizeof(at), 1, index) != 1 || at >= size ||
            (i > 0 && at <= before))
            return false;
        before = at;
    }
    return true;
}

/* Of another byte order, or with numbers of 64 bits. */
static bool
is_of_another_machine(const struct head *head)
{
    return bswap_32(head->magic) == MAGIC ||
           (head->magic == MAGIC && head->words == 0) ||
           (head->magic == 0 && bswap_32(head->words) == MAGIC);
}

/* `words` is NULL where they are packed. */
static bool
is_good(FILE *index, FILE *words)
{
    const uint64_t size = words == NULL ? UINT64_MAX : size_of_words(words);
    struct head head;

    if (fread(&head, sizeof(head), 1, index) != 1)
        return false;
    if (is_of_another_machine(&head))
        return true;
    return head.magic == MAGIC && head.words > 0 && head.block == BLOCK &&
           is_index_good(index, head.words, size);
}

enum sr_dictionary
sr_dictionary_look(const char *path)
{
    FILE *index = open_part(path, ".pwi");
    FILE *words = open_part(path, ".pwd");
    FILE *packed = words == NULL ? open_part(path, ".pwd.gz") : NULL;
    enum sr_dictionary found = SR_DICTIONARY_MISSING;

    if (index != NULL && (words != NULL || packed != NULL))
        found =
            is_good(index, words) ? SR_DICTIONARY_GOOD : SR_DICTIONARY_DAMAGED;
    if (index != NULL)
        fclose(index);
    if (words != NULL)
        fclose(words);
    if (packed != NULL)
        fclose(packed);
    return found;
}
