#!/usr/bin/env bash
# Installs what is missing, builds the exporter and runs it on this machine's kernel. Arguments go to the exporter:
#   packaging/run.sh --web.listen-address=127.0.0.1:10054
#   packaging/run.sh --stack   the exporter, Prometheus with the rules and eight weeks of demonstration history,
#                              Alertmanager, replayed hosts, and Grafana where installed, all on loopback, with a start page
# Ctrl-C stops it. The second run only starts it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
sets=(build)
[ "${1:-}" != --stack ] || sets+=(stack)
packaging/install-packages.sh "${sets[@]}"
httplib=()
packaging/fetch-sources.sh .build/deps cpp-httplib || {
  echo "cpp-httplib comes as its author released it; what it then lacks is in packaging/SECURITY.md" >&2
  httplib=(-DKMEM_HTTPLIB_UPSTREAM=ON)
}
if [ ! -e .build/run/build.ninja ]; then
  cmake -S . -B .build/run -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DKMEM_DEPS_DIR="$root/.build/deps" "${httplib[@]}" \
    > .build/run-configure.log || { cat .build/run-configure.log >&2; exit 1; }
fi
[ -e .build/run/exporter/kmem_exporter ] || echo "building, which takes minutes the first time ..."
targets=(kmem_exporter)
[ "${1:-}" != --stack ] || targets+=(made_capture aged_state)
cmake --build .build/run --target "${targets[@]}" -- --quiet
if [ "${1:-}" = --stack ]; then
  shift
  exec python3 -B packaging/stack/stack.py up --exporter "$root/.build/run/exporter/kmem_exporter" --tools "$root/.build/run/stack" \
    --data "$root/.build/stack" "$@"
fi
# Without a place of the user's own, what is learnt over weeks is kept beside the build.
case " $* " in
  *" --storage.path"* | *" --config.file"*) ;;
  *) set -- "--storage.path=$root/.build/state" "$@" ;;
esac
exec .build/run/exporter/kmem_exporter "$@"
