import Foundation
import Testing

/// A program or library of others that some tests need, and that need not be installed.
struct Client: Sendable {
  /// A file of it.
  var path: String
  /// What installs it.
  var package: String

  var isInstalled: Bool { FileManager.default.fileExists(atPath: path) }

  static let sevenZip = Client(path: "/usr/bin/7z", package: "p7zip-full")
  static let googleTest = Client(path: "/usr/include/gtest/gtest.h", package: "libgtest-dev")
  static let catch2 = Client(path: "/usr/include/catch2/catch.hpp", package: "catch2")
  static let jsonSchema = Client(
    path: "/usr/lib/python3/dist-packages/jsonschema", package: "python3-jsonschema")
  /// The standard's schema, which is not of this project: in a folder beside the checkout.
  static let sarifSchema = Client(
    path: Built.root.appending(path: "../shared/schemas/sarif-schema-2.1.0.json")
      .standardizedFileURL.path,
    package: "the schema of SARIF 2.1.0 (OASIS)")
  /// From the Python index: `.ci/clients` installs it.
  static let codeChecker = Client(
    path: Built.root.appending(path: ".build/clients/codechecker/codechecker_report_converter")
      .path,
    package: "codechecker of the Python index")
  /// Two readers of Valgrind's XML, from the Python index: `.ci/clients` installs them.
  static let valgrindReaders = Client(
    path: Built.root.appending(path: ".build/clients/valgrind/valgrind_codequality").path,
    package: "valgrind-codequality and ValgrindCI of the Python index")
  /// The reader of profiles, as Debian's Go has it.
  static let pprof = Client(
    path: "/usr/lib/go-1.19/pkg/tool/linux_amd64/pprof", package: "golang-1.19-go")
  /// A browser that Selenium drives.
  static let browser = Client(path: "/usr/bin/chromedriver", package: "chromium-driver")
  static let selenium = Client(
    path: "/usr/lib/python3/dist-packages/selenium", package: "python3-selenium")
  static let make = Client(path: "/usr/bin/make", package: "make")
  static let perl = Client(path: "/usr/bin/perl", package: "perl")
}

extension Trait where Self == ConditionTrait {
  /// Skips the tests where a client is absent, and names its package.
  static func needs(_ client: Client) -> Self {
    .enabled(if: client.isInstalled, "\(client.package) is not installed")
  }
}
