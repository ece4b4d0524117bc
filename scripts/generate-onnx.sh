#!/usr/bin/env bash
# Generates lib/onnx/onnx_pb.ts from lib/onnx/onnx.proto, with the generator of the version of
# @bufbuild/protobuf that is installed here. Needs protoc (Debian: protobuf-compiler).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v protoc >/dev/null || { echo "protoc is needed: apt-get install protobuf-compiler" >&2; exit 1; }
version=$(node -p 'JSON.parse(fs.readFileSync("node_modules/@bufbuild/protobuf/package.json")).version')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error \
  "@bufbuild/protoc-gen-es@$version" >/dev/null
protoc --plugin="$folder/node_modules/.bin/protoc-gen-es" -I lib/onnx \
  --es_out=lib/onnx --es_opt=target=ts onnx.proto
