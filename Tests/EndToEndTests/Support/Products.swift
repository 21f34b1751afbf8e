import Foundation
import Testing

/// The tool and the libraries of one configuration: what a test is about.
struct Products: Sendable {
  /// The configuration's name, which is that of the folder.
  var name: String
  /// Where they are.
  var folder: URL

  /// Whether programs that are linked with the library record without being asked to.
  var recordsByDefault: Bool { name != "release" }

  /// Those of the test bundle's own configuration: they were built with it.
  static let own: Products = {
    let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    return Products(name: folder.lastPathComponent, folder: folder)
  }()

  /// The release products, or why they cannot be tested.
  static let release: Result<Products, PreparationFailure> = {
    let folder = own.folder.deletingLastPathComponent().appending(path: "release")
    let names = [
      "bstrtrace", "libbstrtrace-linked.so", "libbstrtrace-preload.so", "libbstrtrace-tracker.so",
      "StatusText",
    ]
    let built = names.map { modified(folder.appending(path: $0)) }
    let advice = "`swift build -c release` builds them"
    guard let newest = built.compactMap(\.self).max(), !built.contains(nil) else {
      return .failure(PreparationFailure(description: "there are no release products: \(advice)"))
    }
    let source = newestSource()
    if source.date > newest {
      let text = "the release products are older than \(source.name): \(advice)"
      return .failure(PreparationFailure(description: text))
    }
    return .success(Products(name: "release", folder: folder))
  }()

  /// All that can be tested.
  static let available: [Products] = {
    guard own.name != "release", let release = try? release.get() else { return [own] }
    return [own, release]
  }()

  /// Those that the running test is about.
  @TaskLocal static var current = own

  private static func modified(_ file: URL) -> Date? {
    try? FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
  }

  /// The file that the products are built from and that was changed last.
  private static func newestSource() -> (name: String, date: Date) {
    let root = Built.root.appending(path: "Sources")
    var newest = (name: "", date: Date.distantPast)
    for case let name as String in FileManager.default.enumerator(atPath: root.path) ?? .init() {
      guard !["Benchmarks", "StatusText"].contains(name.prefix { $0 != "/" }),
        !URL(filePath: name).pathExtension.isEmpty,
        let date = modified(root.appending(path: name)), date > newest.date
      else { continue }
      newest = ("Sources/\(name)", date)
    }
    return newest
  }
}

/// Runs each test once for each configuration's products, and says of an issue which ones it is
/// with.
struct ProductsTrait: SuiteTrait, TestTrait, TestScoping {
  /// So that tests are repeated, and not their suite.
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    for products in Products.available {
      await Products.$current.withValue(products) {
        do {
          try await function()
        } catch is ExpectationFailedError {
          // Recorded where it was.
        } catch {
          // Ends the test of this configuration, not of the next.
          Issue.record(error)
        }
      }
    }
  }
}

extension Trait where Self == ProductsTrait {
  /// Runs each test over debug and release products.
  static var overAllProducts: Self { Self() }
}

extension Trait where Self == IssueHandlingTrait {
  /// Says of each issue which products it is with.
  static var namingProducts: Self {
    .compactMapIssues { issue in
      // Once, though the suite's trait is each test's, too.
      let comment: Comment = "with the \(Products.current.name) products"
      guard !issue.comments.contains(comment) else { return issue }
      var issue = issue
      issue.comments.append(comment)
      return issue
    }
  }
}

/// Which products the suites run over.
@Suite struct ProductsTests {
  static let reason = Comment(
    rawValue: "all suites run over debug products only: \(description)")

  private static var description: String {
    do { return try Products.release.get().name } catch { return "\(error)" }
  }

  @Test(.enabled(if: (try? Products.release.get()) != nil, Self.reason))
  func theReleaseProductsAreTested() throws {
    #expect(Products.available.map(\.name).contains("release"))
  }
}
