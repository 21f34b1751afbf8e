// Adds lines of source to findings.

extension Report {
  /// Adds the excerpts for the findings' owners.
  mutating func addExcerpts(of sources: SourceFiles) {
    var sources = sources
    // Many stacks end in one line of one owner.
    struct Key: Hashable {
      var owner: Frame
      var frees: [Frame]
    }
    var excerpts: [Key: SourceExcerpt?] = [:]
    for process in processes.indices {
      for index in processes[process].findings.indices {
        let ownership = processes[process].findings[index].ownership
        guard let owner = ownership.owner else { continue }
        let key = Key(owner: owner, frees: ownership.frees)
        let excerpt =
          excerpts[key] ?? sources.excerpt(owner: owner, frees: ownership.frees)
        excerpts[key] = .some(excerpt)
        processes[process].findings[index].source = excerpt
      }
    }
  }
}
