// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because libFuzzer brings the program's `main` and counts what all of convc does.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "convc", path: "../..")],
  targets: [
    .executableTarget(
      name: "ImportFuzzer", dependencies: [.product(name: "Convc", package: "convc")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])])
  ],
  swiftLanguageModes: [.v6]
)
