# shellcheck shell=bash disable=SC2034  # for those that source it
# Sourced by the scripts that pack: a release build of this tree, its version and its time.
# Wants: install (options of packaging/dependencies), a current directory at the top.

# The commit's time, so that two builds of a commit have the same; a tree without git has to be told.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) ||
    { echo "This tree is no git clone: set SOURCE_DATE_EPOCH to the seconds of its release." >&2; exit 1; }
fi
export SOURCE_DATE_EPOCH
export TZ=UTC LC_ALL=C.UTF-8
umask 022
version=$(sed -n 's/^project(nexus VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)

# build_release DIRECTORY: what tests/run has built there is taken as it is.
build_release() {
  [ -f "$1/build.ninja" ] || cmake -S . -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DNEXUS_TESTS=OFF >/dev/null
  cmake --build "$1" --target nexus nexus-cli nexus-remote nexus-jq nexusd
}
