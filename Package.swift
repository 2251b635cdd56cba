// swift-tools-version: 6.2
import PackageDescription

let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "convc",
  products: [
    .library(name: "Convc", targets: ["Convc"]),
    .executable(name: "convc", targets: ["ConvcTool"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    // The C interface that generated code and Swift share.
    .target(name: "ConvcABI"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "ConvcTemplates", path: "Templates", exclude: ["Kernels"], sources: ["embed.c"],
      publicHeadersPath: "include"),

    // Random numbers in bulk: C, because debug builds of Swift are slow in loops over data.
    .target(name: "ConvcRandom"),

    .target(name: "ConvcIR"),
    .target(name: "ConvcReference", dependencies: ["ConvcIR"]),
    .target(name: "ConvcLayers", dependencies: ["ConvcIR", "ConvcReference"]),
    .target(name: "ConvcPasses", dependencies: ["ConvcIR"]),
    .target(name: "ConvcEmit", dependencies: ["ConvcIR", "ConvcTemplates", "ConvcABI", mustache]),
    .target(name: "ConvcRuntime", dependencies: ["ConvcIR", "ConvcABI", subprocess]),
    .target(name: "ConvcDigits", exclude: ["ATTRIBUTION.md", "digits.csv.gz"]),
    .target(name: "ConvcData", dependencies: ["ConvcIR", "CZlib", "ConvcDigits"]),
    .target(name: "ConvcModelFile", dependencies: ["ConvcIR", "ConvcLayers", yams]),
    .target(
      name: "ConvcONNX", dependencies: ["ConvcIR", "ConvcLayers", protobuf],
      exclude: ["Schema/onnx.proto", "Schema/generate.sh", "Schema/README.md"]),
    .target(name: "ConvcModels", dependencies: ["ConvcIR", "ConvcLayers"]),
    .target(
      name: "ConvcTraining", dependencies: ["ConvcIR", "ConvcData", "ConvcRandom", "ConvcRuntime"]),
    .target(
      name: "Convc",
      dependencies: [
        "ConvcIR", "ConvcReference", "ConvcLayers", "ConvcPasses", "ConvcEmit", "ConvcRuntime",
        "ConvcData", "ConvcTraining", "ConvcModels", "ConvcModelFile", "ConvcONNX",
      ]),
    .executableTarget(
      name: "TrainingExample", dependencies: ["Convc"], path: "Examples/Training"),
    .systemLibrary(
      name: "CPNG", path: "Examples/Detection/CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"])]),
    .executableTarget(
      name: "DetectionExample", dependencies: ["Convc", "CPNG"], path: "Examples/Detection",
      exclude: ["CPNG"]),
    .executableTarget(
      name: "LayerBenchmark", dependencies: ["Convc"], path: "Benchmarks/Layers"),
    .executableTarget(
      name: "MemoryBenchmark", dependencies: ["Convc"], path: "Benchmarks/Memory"),
    .executableTarget(
      name: "ConvcTool", dependencies: ["Convc", "ConvcReference", argumentParser]),

    .target(
      name: "ConvcTestSupport", dependencies: ["Convc", "ConvcReference"],
      path: "Tests/ConvcTestSupport"),
    .testTarget(name: "ConvcIRTests", dependencies: ["ConvcIR", "ConvcLayers"]),
    .testTarget(name: "ConvcLayersTests", dependencies: ["Convc", "ConvcTestSupport"]),
    .testTarget(name: "ConvcModelFileTests", dependencies: ["Convc", "ConvcTestSupport"]),
    .testTarget(
      name: "ConvcONNXTests", dependencies: ["ConvcONNX", "ConvcTestSupport", protobuf]),
    .testTarget(name: "ConvcPassesTests", dependencies: ["Convc", "ConvcTestSupport"]),
    .testTarget(name: "ConvcEmitTests", dependencies: ["Convc", "ConvcTestSupport"]),
    .testTarget(name: "ConvcReferenceTests", dependencies: ["Convc", "ConvcTestSupport"]),
    .testTarget(name: "ConvcRuntimeTests", dependencies: ["ConvcRuntime", "ConvcTestSupport"]),
    .testTarget(name: "ConvcDataTests", dependencies: ["ConvcData", "ConvcIR", "CZlib"]),
    .testTarget(
      name: "ConvcTrainingTests",
      dependencies: ["ConvcTraining", "ConvcRandom", "ConvcTestSupport"]),
    .testTarget(
      name: "ConvcTests",
      dependencies: [
        "Convc", "ConvcEmit", "ConvcPasses", "ConvcTestSupport", "TrainingExample",
        "DetectionExample",
      ]),
    .testTarget(name: "ConvcToolTests", dependencies: ["ConvcTool", "ConvcTestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
