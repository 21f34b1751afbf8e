// An array of plain values apart from the program's heap. Takes no lock.

import Glibc

/// Plain values in private memory, up to a fixed count; pages that nothing was written to take no
/// memory.
@safe
struct PrivateArray<Element: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Element>
  /// The limit of values.
  let capacity: Int
  /// The count of values.
  private(set) var count = 0

  /// Creates an empty array; `nil` when there is no memory.
  init?(capacity: Int) {
    let bytes = capacity * MemoryLayout<Element>.stride
    guard let memory = unsafe PrivateMemory.map(bytes) else { return nil }
    unsafe base = memory.bindMemory(to: Element.self, capacity: capacity)
    self.capacity = capacity
  }

  deinit { unsafe munmap(base, capacity * MemoryLayout<Element>.stride) }

  /// The value at an index, which must be below `count`.
  subscript(index: Int) -> Element {
    @inline(__always) get {
      assert(index >= 0 && index < count)
      return unsafe base[index]
    }
    @inline(__always) set {
      assert(index >= 0 && index < count)
      unsafe base[index] = newValue
    }
  }

  /// Adds a value.
  ///
  /// - Returns: false when there is no room.
  @discardableResult
  mutating func append(_ element: Element) -> Bool {
    guard count < capacity else { return false }
    unsafe (base + count).initialize(to: element)
    count += 1
    return true
  }

  /// Fills an empty array through a function that writes at most as many values as it is told, and
  /// returns their count.
  mutating func fill(_ body: (UnsafeMutablePointer<Element>, Int) -> Int) {
    count = unsafe min(capacity, body(base, capacity))
  }

  /// Fills the array with one value.
  mutating func fill(with element: Element) {
    unsafe base.initialize(repeating: element, count: capacity)
    count = capacity
  }

  /// The first value's address.
  var start: UnsafeMutablePointer<Element> {
    @inline(__always) get { unsafe base }
  }

  /// Removes the values from an index on.
  mutating func removeAll(from index: Int = 0) { count = min(count, index) }

  /// Sorts the values, in place.
  ///
  /// - Complexity: O(n log n). The library's sort takes memory from the heap.
  mutating func sort(by precedes: (Element, Element) -> Bool) {
    var start = count / 2
    while start > 0 {
      start -= 1
      sink(start, below: count, precedes)
    }
    var end = count
    while end > 1 {
      end -= 1
      swap(0, end)
      sink(0, below: end, precedes)
    }
  }

  /// Moves a value down a heap to where none of its children comes behind it.
  private mutating func sink(
    _ start: Int, below end: Int, _ precedes: (Element, Element) -> Bool
  ) {
    var parent = start
    while 2 * parent + 1 < end {
      var child = 2 * parent + 1
      if child + 1 < end, precedes(self[child], self[child + 1]) { child += 1 }
      if !precedes(self[parent], self[child]) { return }
      swap(parent, child)
      parent = child
    }
  }

  private mutating func swap(_ one: Int, _ other: Int) {
    let value = self[one]
    self[one] = self[other]
    self[other] = value
  }
}
