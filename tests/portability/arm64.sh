#!/usr/bin/env bash
# Tests on ARM64 Linux, emulated: on a Debian or Ubuntu machine of another kind, in 10 to 25 minutes.
#
#   sudo apt-get install debootstrap qemu-user-static
#   sudo tests/portability/arm64.sh [FOLDER] [PYTEST ARGUMENT...]
#
# It makes a Debian for ARM64 in FOLDER (/tmp/convlens-arm64 where none is named), puts the pinned packages beside it,
# and runs there what PYTEST ARGUMENTS name, or else the tests that depend on the processor. Then `convlens verify`
# compares the weights of small trainings with those of other processors. What is made once is found again.
#
# PYTHON names the interpreter of this machine that downloads the packages; Debian's in FOLDER is of the same version.
set -euo pipefail

root=${1:-/tmp/convlens-arm64}
tests=("${@:2}")
if [ ${#tests[@]} -eq 0 ]; then
    tests=(tests/fast tests/portability tests/train/test_fingerprint.py tests/engine/test_engines.py)
fi
source_tree=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-$source_tree/.venv/bin/python}

stop() {
    echo "arm64.sh: $1" >&2
    exit 2
}

[ "$(id -u)" = 0 ] || stop "a chroot needs root: run it with sudo"
for command in debootstrap qemu-aarch64-static unshare; do
    command -v "$command" >/dev/null || stop "$command is missing: apt-get install debootstrap qemu-user-static"
done
"$python" -m pip --version >/dev/null || stop "$python has no pip: run 'make test' once, or name another with PYTHON"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in # the lock's markers are read by this machine's Python, so it must be the emulated Debian's version
    3.11) release=bookworm ;;
    3.13) release=trixie ;;
    *) stop "Python $version is in no Debian release that is known here: name a Python 3.11 or 3.13 with PYTHON" ;;
esac

# The kernel hands ARM64 programs to the emulator (F: also those in a chroot, where the emulator is not).
formats=/proc/sys/fs/binfmt_misc
[ -e $formats/register ] || mount -t binfmt_misc none $formats || stop "this kernel cannot hand programs to an emulator"
[ -e $formats/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$formats/register

if [ ! -e "$root/made" ]; then
    echo "Debian $release for ARM64 in $root ..."
    debootstrap --arch=arm64 --variant=minbase --include=python3,libpython3-stdlib "$release" "$root" >"$root.log" 2>&1 ||
        stop "debootstrap failed: see $root.log"
    touch "$root/made"
fi

# pip unpacks ARM64's wheels at this machine's own speed; nothing has to be built.
wanted=$(sha256sum "$source_tree/requirements.lock" | cut -d ' ' -f 1)
if [ "$(cat "$root/packages/.lock" 2>/dev/null)" != "$wanted" ]; then
    echo "the pinned packages ..."
    rm -rf "$root/packages"
    platforms=()
    for glibc in 36 35 34 31 28 27 26 24 17; do
        platforms+=(--platform "manylinux_2_${glibc}_aarch64")
    done
    "$python" -m pip install --quiet --disable-pip-version-check --target "$root/packages" --require-hashes --no-deps \
        --only-binary=:all: --implementation cp --python-version "$version" \
        "${platforms[@]}" --platform manylinux2014_aarch64 -r "$source_tree/requirements.lock"
    echo "$wanted" >"$root/packages/.lock"
fi

rm -rf "$root/convlens"
mkdir "$root/convlens"
(cd "$source_tree" && tar --create --exclude=./.git --exclude='./.venv*' --exclude=./out --exclude=__pycache__ .) |
    tar --extract --no-same-owner --directory "$root/convlens"

cat >"$root/run.sh" <<'END'
set -eu
cd /convlens
echo /packages >"$(python3 -c 'import site; print(site.getsitepackages()[0])')/packages.pth" # also for what tests start
export PYTHONPATH=/convlens/src HOME=/root PATH=/usr/bin:/bin CONVLENS_CACHE=/root/cache PYTHONDONTWRITEBYTECODE=1
python3 -c 'import platform; print("emulated:", platform.machine(), "Python", platform.python_version())'
status=0
python3 -m pytest -q -p no:cacheprovider -m "not slow" "$@" || status=$?
if python3 -m convlens verify --help >/dev/null 2>&1; then
    python3 -m convlens verify || status=$?
else
    echo "there is no 'convlens verify' in this version"
fi
exit $status
END
# The mounts are in a namespace of their own: they end with it, however that happens.
exec unshare --mount --fork bash -euc '
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" /bin/sh /run.sh "$@"
' _ "$root" "${tests[@]}"
