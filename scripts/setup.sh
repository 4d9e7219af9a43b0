#!/bin/sh
# Installs what a make target needs, once: Debian packages and the locked npm packages.
# Usage: scripts/setup.sh build|native|run|qemu|test|bench      Says what it does; a second call finds all in place.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-build}

build=""
run="nftables mosquitto dnsmasq-base iproute2 iputils-ping curl busybox procps chromium python3"
native="g++ binutils xz-utils"
counting="libcapstone4 libglib2.0-0 libgnutls30 libnuma1 liburing2" # of the emulator that counts instructions
qemu="$native qemu-system-arm squashfs-tools e2fsprogs cpio kmod curl openssl"
test="$run $qemu libfaketime fonts-noto-core fonts-noto-cjk shellcheck signify-openbsd $counting"
bench="$run $qemu $counting opennds iptables"
case "$purpose" in
  build) packages=$build ;;
  native) packages=$native ;;
  run) packages="$run $native" ;;
  qemu) packages=$qemu ;;
  test) packages=$test ;;
  bench) packages=$bench ;;
  *) echo "setup: unknown purpose '$purpose'; allowed: build, native, run, qemu, test, bench" >&2; exit 2 ;;
esac

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }

missing=""
for package in $packages; do
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    say "Debian packages missing:$missing"
    say "not root, so they are not installed; as root: apt-get install$missing"
    [ "$purpose" = run ] || exit 1
  else
    say "installing Debian packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # A service that a package starts by itself (openNDS) has no business running on this machine.
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.meshbox && chmod 755 /usr/sbin/policy-rc.d.meshbox
    own_policy=0
    if [ ! -e /usr/sbin/policy-rc.d ]; then mv /usr/sbin/policy-rc.d.meshbox /usr/sbin/policy-rc.d; own_policy=1; else rm /usr/sbin/policy-rc.d.meshbox; fi
    # shellcheck disable=SC2086  # a list of package names on purpose
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } > "$log" 2>&1; then
      [ "$own_policy" = 1 ] && rm -f /usr/sbin/policy-rc.d
      tail -n 20 "$log" >&2
      echo "setup: apt-get could not install:$missing (its last words above)" >&2
      exit 1
    fi
    [ "$own_policy" = 1 ] && rm -f /usr/sbin/policy-rc.d
    rm -f "$log"
  fi
fi

command -v npm > /dev/null || { echo "setup: npm is missing; install Node 20 or newer with npm" >&2; exit 1; }
stamp=node_modules/.meshbox-lock
if ! cmp -s package-lock.json "$stamp"; then
  say "installing npm packages from package-lock.json (Node 22 among them; about half a minute)"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi
node_modules/.bin/node -e 'if (Number(process.versions.napi) < 10) { console.error("setup: Node 22.14 or newer expected, found " + process.version); process.exit(1) }'
