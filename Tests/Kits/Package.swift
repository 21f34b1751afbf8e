// swift-tools-version: 6.3
// Suites that fail on purpose, as somebody else's package would have them: KitTests builds and runs
// them.
import PackageDescription

let package = Package(
  name: "Kits",
  dependencies: [.package(name: "bstrtrace", path: "../..")],
  targets: [
    .testTarget(
      name: "LeakyTests", dependencies: [.product(name: "BSTRTesting", package: "bstrtrace")]),
    .testTarget(
      name: "LeakyXCTests", dependencies: [.product(name: "BSTRXCTest", package: "bstrtrace")]),
  ],
  swiftLanguageModes: [.v6]
)
