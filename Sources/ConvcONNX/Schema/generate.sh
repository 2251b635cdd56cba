#!/bin/sh
# Makes onnx.proto and onnx.pb.swift again. Needs python3 with pip, unzip, swift, and a protoc (PROTOC names another command).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
package=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m pip download -q --no-deps --only-binary :all: -d "$work" onnx==1.23.2
unzip -q -o "$work"/onnx-1.23.2-*.whl onnx/onnx.proto -d "$work"
cp "$work/onnx/onnx.proto" "$here/onnx.proto"

# The plugin of the version that the package is built with.
swift package --package-path "$package" resolve
plugin="$package/.build/checkouts/swift-protobuf"
swift build --package-path "$plugin" --scratch-path "$work/plugin" --product protoc-gen-swift
${PROTOC:-protoc} --plugin="$work/plugin/debug/protoc-gen-swift" --proto_path="$here" \
  --swift_opt=Visibility=Package --swift_out="$here" "$here/onnx.proto"
