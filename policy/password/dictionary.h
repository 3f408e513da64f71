/*
 * Dictionary: the files of cracklib.
 *
 * Cracklib takes a word that it cannot read for one that is not in the
 * dictionary, and writes a line to standard error for each: it lets damage pass
 * in silence, or on the terminal of a user.  So the files are checked before it
 * reads them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_DICTIONARY_H
#define SR_POLICY_PASSWORD_DICTIONARY_H

enum sr_dictionary {
    SR_DICTIONARY_GOOD,
    SR_DICTIONARY_MISSING,
    SR_DICTIONARY_DAMAGED,
    SR_DICTIONARY_UNKNOWN, /* where it is */
};

/*
 * Whether the dictionary with the path `path`, without the endings of its
 * files, can be used: index (PATH.pwi) and words (PATH.pwd, or PATH.pwd.gz)
 * exist and can be read, the index is complete, and it leads to words only.
 * Words that were changed without a change of their length are not found.  An
 * index of another byte order or width, which cracklib converts, and packed
 * words are taken as they are.
 */
enum sr_dictionary sr_dictionary_look(const char *path);

#endif
