#!/usr/bin/env bash
# Puts what runs on a machine with a GPU into a folder, and that into an archive beside it. Needs Go and gcc; neither a GPU nor CUDA.
#
#	bench/gpu/build.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
to=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
[ -z "$(ls -A "$to")" ] || { echo "$to is not empty" >&2; exit 1; }

mkdir -p "$to"/{backend/cuda/testdata,bench/peers,gflownet/mle/recorded,gflownet/mle/testdata}
CGO_ENABLED=0 go build -o "$to/gpu" ./bench/gpu
export CGO_ENABLED=1
go build -o "$to/weir" ./cmd/weir
go test -c -o "$to/backend/cuda/cuda.test" ./backend/cuda
go test -c -o "$to/gflownet/mle/recorded/recorded.test" ./gflownet/mle/recorded

# What the tests and the peers read lies where it lies here.
cp -r backend/cuda/kernels "$to/backend/cuda/"
cp -r backend/cuda/testdata/programs "$to/backend/cuda/testdata/"
cp -r gflownet/mle/testdata/cases "$to/gflownet/mle/testdata/"
cp bench/peers/{steps,torch_step,torch_kernels,torchgfn_step}.py "$to/bench/peers/"

tar -czf "$to.tar.gz" -C "$(dirname "$to")" "$(basename "$to")"
echo "$to.tar.gz"
