import Glibc

/// A list that grows and is never copied, for the inner loops of the packet-set arena.
///
/// It is the one place of this room with unsafe pointers: arrays would pay for uniqueness and exclusivity checks at each
/// of the hundreds of millions of accesses of a proof. Positions are the arena's own, never a caller's; debug builds
/// check them. No access to a property outlasts a method, none of which calls anybody: so exclusivity goes unchecked.
@safe final class Storage<Element: BitwiseCopyable> {
  @exclusivity(unchecked) private var elements: UnsafeMutablePointer<Element>
  @exclusivity(unchecked) private var size = 0
  @exclusivity(unchecked) private var capacity: Int

  /// The number of elements.
  @inline(__always) var count: Int { unsafe size }

  /// Creates an empty list with room for `capacity` elements.
  init(capacity: Int) {
    let capacity = max(capacity, 1)
    unsafe elements = Storage.resized(nil, to: capacity)
    unsafe self.capacity = capacity
  }

  /// Creates a list of `count` times `element`.
  convenience init(repeating element: Element, count: Int) {
    self.init(capacity: count)
    fill(with: element, count: count)
  }

  deinit { unsafe free(elements) }

  /// The element at `position`.
  @inline(__always) subscript(position: Int) -> Element {
    get {
      assert(position >= 0 && position < count)
      return unsafe elements[position]
    }
    set {
      assert(position >= 0 && position < count)
      unsafe elements[position] = newValue
    }
  }

  /// Adds `element` at the end.
  @inline(__always) func append(_ element: Element) {
    if unsafe size == capacity { reserve(count + 1) }
    unsafe elements[size] = element
    unsafe size &+= 1
  }

  /// Adds at the end what `other` holds at `positions`.
  func append(_ other: Storage<Element>, at positions: Range<Int>) {
    assert(positions.lowerBound >= 0 && positions.upperBound <= other.count && other !== self)
    reserve(count + positions.count)
    unsafe (elements + size).initialize(from: other.elements + positions.lowerBound, count: positions.count)
    unsafe size += positions.count
  }

  /// Adds `element` at the end until there are `count` elements.
  func fill(with element: Element, count: Int) {
    guard count > self.count else { return }
    reserve(count)
    unsafe (elements + size).initialize(repeating: element, count: count - self.count)
    unsafe size = count
  }

  /// Forgets what is behind the first `count` elements.
  @inline(__always) func truncate(to count: Int) {
    assert(count >= 0 && count <= self.count)
    unsafe size = count
  }

  /// Makes room for `wanted` elements in all.
  private func reserve(_ wanted: Int) {
    guard unsafe wanted > capacity else { return }
    let larger = unsafe max(wanted, capacity * 2)
    unsafe elements = Storage.resized(elements, to: larger)
    unsafe capacity = larger
  }

  /// Returns the memory `elements`, or new memory, with room for `capacity` elements.
  ///
  /// The kernel moves large lists by their pages: to copy them into fresh ones would take as long as to fill them.
  private static func resized(
    _ elements: UnsafeMutablePointer<Element>?, to capacity: Int
  ) -> UnsafeMutablePointer<Element> {
    precondition(MemoryLayout<Element>.alignment <= 16, "malloc(3) gives no more")
    guard let memory = unsafe realloc(elements, capacity * MemoryLayout<Element>.stride) else {
      preconditionFailure("no memory for a set of packets")
    }
    return unsafe memory.bindMemory(to: Element.self, capacity: capacity)
  }
}
