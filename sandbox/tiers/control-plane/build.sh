#!/usr/bin/env bash
# build.sh DIR: builds the control plane's programs that DIR lacks, from Go modules alone.
# K8S_VERSION and ETCD_VERSION choose versions, PROGRAMS which to build, WORK a folder to work in. Needs go. Cold: some ten minutes on two cores.
# WATCHED: the build ends, all of its group, when its input does: when whoever started it ended, was interrupted or was killed.
#
# Kubernetes' go.mod replaces its staging modules by folders, and `go install` refuses such a module. A module of our own
# that requires it and points every staging module at its published version builds the same programs.
set -euo pipefail

version=${K8S_VERSION:-1.36.3}
etcd_version=${ETCD_VERSION:-3.6.8}
programs=${PROGRAMS:-kube-apiserver kube-scheduler kube-controller-manager kubectl etcd}
mkdir -p "${1:?folder for the programs}"
out=$(cd "$1" && pwd)
export GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=0

if [ -n "${WATCHED:-}" ]; then
  exec 3<&0 </dev/null
  (cat <&3; kill -KILL -- "-$$") >/dev/null 2>&1 &
  watch=$!
  exec 3<&-
fi
work=${WORK:-$(mktemp -d)}
export GOTMPDIR=$work
mkdir -p "$work/out"
trap 'rm -rf "$work"; [ -z "${watch:-}" ] || kill -KILL "$watch"' EXIT

# A program appears under its name only when it is whole, so that a build cut short leaves nothing that looks ready.
build() {
  local name=$1 package=$2 ldflags=$3
  echo "building $name" >&2
  go build -trimpath -ldflags "-s -w $ldflags" -o "$work/out/$name" "$package"
  mv "$work/out/$name" "$out/.$name.$$" && mv "$out/.$name.$$" "$out/$name"
}

kubernetes_module() {
  local minor=${version#*.} source module
  minor=${minor%%.*}
  mkdir "$work/kubernetes" && cd "$work/kubernetes"
  go mod init seatrial.invalid/kubernetes 2>/dev/null
  source=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  go mod edit -require="k8s.io/kubernetes@v$version"
  sed -n 's,^[[:space:]]*\(k8s.io/[^ ]*\) => ./staging/.*,\1,p' "$source/go.mod" | while read -r module; do
    go mod edit -replace="$module=$module@v0.${version#1.}"
  done
  stamp="-X k8s.io/component-base/version.gitVersion=v$version -X k8s.io/component-base/version.gitMajor=1"
  stamp="$stamp -X k8s.io/component-base/version.gitMinor=$minor"
}

etcd_module() {
  mkdir "$work/etcd" && cd "$work/etcd"
  go mod init seatrial.invalid/etcd 2>/dev/null
  cat > main.go <<'GO'
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
GO
  go get "go.etcd.io/etcd/server/v3@v$etcd_version" >&2
}

for name in $programs; do
  [ -x "$out/$name" ] && continue
  if [ "$name" = etcd ]; then
    [ -d "$work/etcd" ] || etcd_module
    cd "$work/etcd"
    build etcd . ""
  else
    [ -d "$work/kubernetes" ] || kubernetes_module
    cd "$work/kubernetes"
    go get "k8s.io/kubernetes/cmd/$name" >&2
    build "$name" "k8s.io/kubernetes/cmd/$name" "$stamp"
  fi
done
