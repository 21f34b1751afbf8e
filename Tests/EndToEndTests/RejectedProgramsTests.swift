import Foundation
import Testing

/// Programs that break a rule with Swift's types: the compiler rejects each, for the reason that
/// its first line states.
@Suite struct RejectedProgramsTests {
  static let folder = Built.root.appending(path: "Tests/Scenarios/rejected")

  static let programs =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()

  private func compile(_ file: URL) throws -> Command {
    let modules = try Scenario.moduleFlags("BSTR").filter { $0.hasPrefix("-I") }
    // Ownership is checked on the way to SIL.
    return try Command.run(
      ["swiftc", "-emit-sil", "-o", "/dev/null", "-I\(Built.headers)", file.path] + modules)
  }

  @Test(arguments: programs)
  func isRejected(_ name: String) throws {
    let file = Self.folder.appending(path: name)
    let first = try String(contentsOf: file, encoding: .utf8).prefix { $0 != "\n" }
    try #require(first.hasPrefix("// error: "))
    let command = try compile(file)
    #expect(command.status != 0)
    #expect(command.errors.contains("error: \(first.dropFirst(10))"), "\(command.errors)")
    let errors = command.errors.split(separator: "\n").count { $0.contains(": error: ") }
    #expect(errors == 1, "\(command.errors)")
  }

  /// What is rejected above is so for its mistake, not for the way in which it is compiled.
  @Test func correctedProgramsAreAccepted() throws {
    #expect(Self.programs.count >= 6)
    for name in ["rule1_swift_fixed", "rule2_swift_fixed", "rule3_swift_fixed"] {
      let command = try compile(Scenario.file(named: "\(name).swift"))
      #expect(command.status == 0, "\(command.errors)")
    }
  }
}
