// Who pinned a string, or freed it while it was pinned.

/// A pin, or a free that waits for the pins.
struct PinEvent {
  /// The BSTR; 0 in a free slot.
  var bstr: UInt = 0
  /// Whether it is a free that waits.
  var isRelease = false
  /// Where, by which thread and when.
  var context = EventContext()
}
