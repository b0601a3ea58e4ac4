#!/usr/bin/env bash
# Verifies every bundle in a folder that is not the same in another one, each in a container without network.
#   verify.sh FOLDER KNOWN      FARFIELD="farfield" uses a command instead of the container
set -euo pipefail
folder="$1"
known="$2"
report="${GITHUB_STEP_SUMMARY:-/dev/stdout}"
code=0
verify() {
  if [ -n "${FARFIELD:-}" ]; then
    $FARFIELD verify "$@"
  else
    docker run --rm --network none --read-only --tmpfs /tmp:exec --cap-drop ALL --security-opt no-new-privileges \
      --memory 12g --pids-limit 512 --volume "$(realpath "$folder"):$(realpath "$folder"):ro" farfield-verify verify "$@"
  fi
}
# who hands in may name a link that leads elsewhere
if [ -L "$folder" ]; then
  echo "$folder is a link" >&2
  exit 2
fi
for file in "$folder"/*.json; do
  if [ -L "$file" ] || [ ! -f "$file" ]; then continue; fi
  cmp --silent "$file" "$known/$(basename "$file")" && continue
  verify "$(realpath "$file")" --no-run --format markdown >>"$report" || { code=1; continue; }
  verify "$(realpath "$file")" --yes --format markdown >>"$report" || code=1
done
exit "$code"
