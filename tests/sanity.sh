#!/bin/sh
# SPDX-FileCopyrightText: 2026 the Breakwater authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ansible-test sanity on a real copy of the tree (it refuses a symlink). Usage: tests/sanity.sh BIN [TEST ...]
set -eu
bin=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/.build/sanity/ansible_collections/breakwater
rm -rf "$root/.build/sanity"
mkdir -p "$work/smb"
cd "$root"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar cf - | tar xf - -C "$work/smb"
cd "$work/smb"
rm -rf .ansible-lint-ignore
git init -q . && git add -A && git -c user.name=x -c user.email=x@localhost commit -q -m copy
PATH="$bin:$PATH"
export PATH
# ansible-test downloads pip's installer for its own environments; where it cannot, the one that Python carries serves.
cache=$HOME/.ansible/test/cache
mkdir -p "$cache"
for name in get_pip_24_2.py get_pip_25_2.py; do
    [ -e "$cache/$name" ] || printf 'import ensurepip\nensurepip.bootstrap(default_pip=True)\n' >"$cache/$name"
done
if [ -n "$(find tests/sanity -name 'ignore*' 2>/dev/null)" ]; then
    echo 'There are sanity ignore entries; mend the cause instead.' >&2
    exit 1
fi
python=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ $# -eq 0 ]; then
    "$bin/ansible-test" sanity --color no --venv --python "$python"
else
    for test in "$@"; do "$bin/ansible-test" sanity --color no --venv --python "$python" --test "$test"; done
fi
