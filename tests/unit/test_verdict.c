/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later */
int
main(void)
{
    return 0;
}
