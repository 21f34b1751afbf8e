// The event of a pin, or of a free while the string was pinned.

/// A pin, or a free that is deferred because of pins.
struct PinEvent {
  /// The BSTR; 0 in a free slot.
  var bstr: UInt = 0
  /// Whether it is a deferred free.
  var isDeferredFree = false
  /// The stack, thread and time of it.
  var context = EventContext()
}
