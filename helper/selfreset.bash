# Completion: bash completes the commands of selfreset.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

complete -W "reset enroll status codes remove report accept confirm decline --help --version" selfreset
