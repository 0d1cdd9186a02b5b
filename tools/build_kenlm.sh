#!/usr/bin/env bash
# Build KenLM's `lmplz` and `build_binary` from its source distribution on the package index.
#
#   tools/build_kenlm.sh [DIRECTORY]      (default: build/kenlm; the programs land in DIRECTORY/bin)
#
# The Python package `kenlm` only reads models; these two programs make them. They are compiled
# straight from the sources, without CMake: KenLM's own build asks for Boost's unit test library
# and for `boost_system` as a file, which recent Boost no longer has, and uses neither here.
# Needs a C++ compiler and Boost (program_options, thread). Does nothing when the programs are
# there. PYTHON names the interpreter whose pip downloads the sources; JOBS the compilers at once.
set -euo pipefail

version=0.3.0
sha256=c4628bb9fb63c8a6f9240035b8b037385cfc404cb72e933cf48878291edac1e8
max_order=6 # what the Python package reads

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${1:-$root/build/kenlm}
mkdir -p "$target"
target=$(cd "$target" && pwd) # the build changes folders
compiler=${CXX:-g++}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
python=${PYTHON:-$root/.venv/bin/python}
[ -x "$python" ] || python=python3

stop() {
    echo "build_kenlm: $*" >&2
    exit 1
}

if [ "$(cat "$target/bin/VERSION" 2>/dev/null)" = "$version" ] &&
    [ -x "$target/bin/lmplz" ] && [ -x "$target/bin/build_binary" ]; then
    echo "build_kenlm: $target/bin has lmplz and build_binary $version already"
    exit 0
fi

command -v "$compiler" >/dev/null || stop "no C++ compiler '$compiler': install one (Debian: g++, Fedora: gcc-c++, macOS: xcode-select --install)."

started=$(date +%s)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log

# Run a command with its output in the log, and show the log's end if it fails.
quietly() {
    "$@" >>"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        stop "failed: $*"
    }
}

include_flags=()
library_flags=()
if command -v brew >/dev/null && boost=$(brew --prefix boost 2>/dev/null); then
    include_flags=("-I$boost/include")
    library_flags=("-L$boost/lib")
fi
flags=(-std=c++14 -O3 -DNDEBUG "-DKENLM_MAX_ORDER=$max_order" -w -pthread ${include_flags[@]+"${include_flags[@]}"})
libraries=(${library_flags[@]+"${library_flags[@]}"} -lboost_program_options -lboost_thread)
[ "$(uname)" = Linux ] && flags+=(-DHAVE_CLOCKGETTIME) && libraries+=(-lrt)

boost_works() {
    "$compiler" "${flags[@]}" -x c++ - -o "$work/boost_check" "${libraries[@]}" >>"$log" 2>&1 <<'CODE'
#include <boost/program_options.hpp>
#include <boost/ptr_container/ptr_vector.hpp>
#include <boost/thread.hpp>
int main() {
    boost::program_options::options_description options;
    boost::thread thread([] {});
    thread.join();
}
CODE
}

debian_packages="libboost-program-options-dev libboost-thread-dev"
if ! boost_works && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "build_kenlm: installing $debian_packages"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # two words on purpose
    { apt-get update && apt-get install -y --no-install-recommends $debian_packages; } >>"$log" 2>&1 ||
        echo "build_kenlm: apt-get could not install them" >&2
fi
boost_works || stop "Boost is missing: install it (Debian and Ubuntu: apt-get install $debian_packages; Fedora: dnf install boost-devel; macOS: brew install boost) and run this again."

quietly "$python" -m pip --disable-pip-version-check download --quiet --no-deps \
    --no-binary kenlm --dest "$work" "kenlm==$version"
archive=$work/kenlm-$version.tar.gz
found=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$archive")
[ "$found" = "$sha256" ] || stop "the kenlm $version that was downloaded has sha256 $found, not $sha256."
tar -xzf "$archive" -C "$work"
cd "$work/kenlm-$version"

objects_of() { # object names of the library sources in the folders given
    find "$@" -maxdepth 1 -name '*.cc' ! -name '*_test.cc' ! -name '*_main.cc' | sed 's/\.cc$/.o/' | LC_ALL=C sort
}
library=$(objects_of util util/double-conversion util/stream lm lm/common)
builder=$(objects_of lm/builder)

compile_all() {
    printf '%s\n' $library $builder lm/builder/lmplz_main.o lm/build_binary_main.o |
        sed 's/\.o$//' | xargs -P "$jobs" -I{} "$compiler" "${flags[@]}" -I. -c {}.cc -o {}.o
}
quietly compile_all
# shellcheck disable=SC2086  # lists of names without spaces
quietly "$compiler" "${flags[@]}" lm/builder/lmplz_main.o $builder $library -o lmplz "${libraries[@]}"
# shellcheck disable=SC2086
quietly "$compiler" "${flags[@]}" lm/build_binary_main.o $library -o build_binary "${libraries[@]}"

mkdir -p "$target/bin"
for program in lmplz build_binary; do
    strip "$program"
    cp "$program" "$target/bin/.$program.$$"
    mv -f "$target/bin/.$program.$$" "$target/bin/$program"
done
cp LICENSE "$target/bin/LICENSE" # KenLM is LGPL 2.1 or later
echo "$version" >"$target/bin/VERSION"
echo "build_kenlm: lmplz and build_binary $version are in $target/bin ($(($(date +%s) - started)) s)"
