// swift-tools-version: 6.3
import PackageDescription

let exports = "--version-script=\(Context.packageDirectory)/Sources/CFront/exports.map"

// Nothing of Swift's is linked into the library that every process is started with, though the
// compiler would.
let unlinked = ["swiftCore", "dispatch", "BlocksRuntime", "stdc++", "m"]
let frontFlags =
  ["-use-ld=lld", "-nostartfiles", "-no-stdlib-rpath", "-Xlinker", exports]
  + unlinked.flatMap { ["-Xlinker", "--remap-inputs=*/lib\($0).*=/dev/null"] }

let package = Package(
  name: "bstrtrace",
  products: [
    .executable(name: "bstrtrace", targets: ["bstrtrace"]),
    .library(name: "bstrtrace-preload", type: .dynamic, targets: ["CFront"]),
    .library(name: "bstrtrace-tracker", type: .dynamic, targets: ["BSTRPreload"]),
    .library(name: "bstrtrace-linked", type: .dynamic, targets: ["BSTRLinked"]),
    .library(name: "CBSTR", targets: ["CBSTR", "BSTRLinked"]),
    .library(name: "BSTRTesting", targets: ["BSTRTesting", "BSTRScopes", "BSTR", "CBSTR"]),
    .library(name: "BSTRXCTest", targets: ["BSTRXCTest", "BSTRScopes", "BSTR", "CBSTR"]),
    .library(name: "BSTR", targets: ["BSTR", "CBSTR", "BSTRLinked"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CBSTR"),
    .target(name: "CSymbols"),
    .target(
      name: "CFront", dependencies: ["CSymbols"],
      // The structures that it shares with the tracker: of that it links nothing.
      cSettings: [.headerSearchPath("../CTracker/include")],
      linkerSettings: [.unsafeFlags(frontFlags)]),
    .target(name: "CTracker", dependencies: ["CSymbols"]),
    .target(name: "CInterpose", dependencies: ["CSymbols", "CTracker"]),
    .target(name: "CLinked", dependencies: ["CTracker"]),
    .target(name: "CPreload", dependencies: ["CSymbols", "CTracker"]),
    .systemLibrary(name: "CUnwind", providers: [.apt(["libunwind-dev"])]),
    .target(name: "TraceOptions"),
    .systemLibrary(name: "CMapping"),
    .target(name: "TraceStore", dependencies: ["CMapping"]),
    .target(
      name: "BSTRAllocator",
      dependencies: [
        "CBSTR", "CInterpose", "CTracker", "CUnwind", "TraceOptions", "TraceStore",
      ],
      linkerSettings: [
        // In front of libunwind, which exports the exception ABI too: the programs that the
        // tracker is loaded into keep throwing through libgcc.
        .linkedLibrary("gcc_s"),
        .linkedLibrary("unwind"),
      ]),
    .target(
      name: "BSTRPreload",
      dependencies: ["BSTRAllocator", "CPreload", "CTracker", "TraceStore"],
      // Its symbols are not to be taken from another copy, which the loader finds first.
      linkerSettings: [.unsafeFlags(["-Xlinker", exports])]),
    .target(name: "BSTRReporter", dependencies: ["TraceOptions", "TraceStore"]),
    .target(
      name: "BSTR", dependencies: ["BSTRAllocator", "CBSTR"],
      swiftSettings: [.enableExperimentalFeature("Lifetimes")]),
    .target(
      name: "BSTRScopes",
      dependencies: ["BSTRAllocator", "BSTRReporter", "CBSTR", "TraceOptions", "TraceStore"]),
    .target(name: "BSTRTesting", dependencies: ["BSTR", "BSTRScopes", "CBSTR"]),
    .target(name: "BSTRXCTest", dependencies: ["BSTR", "BSTRScopes", "CBSTR"]),
    .target(
      name: "BSTRLinked",
      dependencies: [
        "BSTRAllocator", "BSTRReporter", "BSTRScopes", "CBSTR", "CLinked", "CTracker",
        "TraceOptions", "TraceStore",
      ]),
    .executableTarget(
      name: "bstrtrace",
      dependencies: [
        "BSTRReporter", "TraceOptions", "TraceStore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .plugin(
      name: "InstallPlugin",
      // Without permissions: what it writes beside the folder of `--prefix` is in `.build`.
      capability: .command(
        intent: .custom(
          verb: "install-bstrtrace",
          description: "Install bstrtrace for machines without Swift, or pack it.")),
      path: "Sources/InstallPlugin"),
    // Compiles the C files of its folder itself, when it runs.
    .executableTarget(
      name: "Benchmarks",
      dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")],
      exclude: ["Workloads"]),
    .executableTarget(name: "StatusText", dependencies: ["BSTRLinked", "CBSTR"]),
    .testTarget(name: "PackageTests", dependencies: ["TraceOptions"]),
    .target(name: "TestSupport", dependencies: ["TraceStore"], path: "Tests/TestSupport"),
    // The fuzz targets; swift build --sanitize=fuzzer --product StoreFuzz.
    .target(name: "FuzzMain", path: "Tests/Fuzz/FuzzMain"),
    .target(
      name: "StoreFuzzing", dependencies: ["BSTRReporter", "TraceOptions", "TraceStore"],
      path: "Tests/Fuzz/StoreFuzzing"),
    .target(
      name: "InputFuzzing", dependencies: ["BSTRReporter", "TraceOptions"],
      path: "Tests/Fuzz/InputFuzzing"),
    .target(
      name: "FrameFuzzing", dependencies: ["BSTRAllocator"], path: "Tests/Fuzz/FrameFuzzing"),
    .executableTarget(
      name: "StoreFuzz", dependencies: ["FuzzMain", "StoreFuzzing"], path: "Tests/Fuzz/StoreFuzz"),
    .executableTarget(
      name: "ElfFuzz", dependencies: ["FuzzMain", "InputFuzzing"], path: "Tests/Fuzz/ElfFuzz"),
    .executableTarget(
      name: "SourceFuzz", dependencies: ["FuzzMain", "InputFuzzing"],
      path: "Tests/Fuzz/SourceFuzz"),
    .executableTarget(
      name: "RuleFuzz", dependencies: ["FuzzMain", "InputFuzzing"], path: "Tests/Fuzz/RuleFuzz"),
    .executableTarget(
      name: "OptionFuzz", dependencies: ["FuzzMain", "InputFuzzing"],
      path: "Tests/Fuzz/OptionFuzz"),
    .executableTarget(
      name: "RunFuzz", dependencies: ["FuzzMain", "InputFuzzing"], path: "Tests/Fuzz/RunFuzz"),
    .executableTarget(
      name: "FrameFuzz", dependencies: ["FuzzMain", "FrameFuzzing"], path: "Tests/Fuzz/FrameFuzz"),
    .testTarget(name: "TraceStoreTests", dependencies: ["TestSupport", "TraceStore"]),
    .target(
      name: "CTrackerTesting", dependencies: ["CTracker", "CUnwind"],
      path: "Tests/CTrackerTesting",
      // What CTracker keeps to itself is declared beside its sources.
      cSettings: [.headerSearchPath("../../Sources/CTracker")]),
    .testTarget(
      name: "BSTRAllocatorTests",
      dependencies: [
        "BSTRAllocator", "CBSTR", "CTrackerTesting", "CTracker", "FrameFuzzing", "TestSupport",
        "TraceStore",
      ]),
    .testTarget(name: "BSTRTests", dependencies: ["BSTR", "CBSTR"]),
    .testTarget(
      name: "BSTRReporterTests",
      dependencies: [
        "BSTRReporter", "InputFuzzing", "StoreFuzzing", "TestSupport", "TraceOptions",
        "TraceStore",
      ],
      exclude: ["Golden"]),
    // BSTR: for the programs that the tests build.
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["BSTR", "BSTRReporter", "TestSupport", "TraceOptions", "TraceStore"],
      exclude: ["Golden"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11,
  cxxLanguageStandard: .cxx17
)

let pointerTargets = [
  "TraceStore", "BSTRAllocator", "BSTRPreload", "BSTRLinked", "BSTR", "BSTRScopes",
]
for target in package.targets where ![.system, .plugin, .macro].contains(target.type) {
  var settings = target.swiftSettings ?? []
  settings += [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
  if pointerTargets.contains(target.name) { settings.append(.strictMemorySafety()) }
  // Functions that check whole tables, which the model tests call after each step: in debug builds alone.
  if ["BSTRAllocator", "BSTRAllocatorTests"].contains(target.name) {
    settings.append(.define("BSTRTRACE_CHECK_INVARIANTS", .when(configuration: .debug)))
  }
  // `.ci/run` asks for it. Not for everybody: another compiler has other warnings.
  if Context.environment["BSTRTRACE_WARNINGS"] == "error" {
    settings.append(.treatAllWarnings(as: .error))
    target.cSettings = (target.cSettings ?? []) + [.treatAllWarnings(as: .error)]
    target.cxxSettings = (target.cxxSettings ?? []) + [.treatAllWarnings(as: .error)]
  }
  target.swiftSettings = settings
}
