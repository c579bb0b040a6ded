/// A list that grows and is never copied, for the inner loops of the packet-set arena.
///
/// It is the one place of this room with unsafe pointers: arrays would pay for uniqueness and exclusivity checks at each
/// of the hundreds of millions of accesses of a proof. Positions are the arena's own, never a caller's; debug builds
/// check them.
@safe struct Storage<Element: BitwiseCopyable>: ~Copyable {
  private var elements: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  /// Creates an empty list with room for `capacity` elements.
  init(capacity: Int) {
    unsafe elements = UnsafeMutablePointer.allocate(capacity: max(capacity, 1))
    self.capacity = max(capacity, 1)
  }

  /// Creates a list of `count` times `element`.
  init(repeating element: Element, count: Int) {
    self.init(capacity: count)
    unsafe elements.initialize(repeating: element, count: count)
    self.count = count
  }

  deinit { unsafe elements.deallocate() }

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
  @inline(__always) mutating func append(_ element: Element) {
    if count == capacity { reserve(count + 1) }
    unsafe elements[count] = element
    count &+= 1
  }

  /// Adds at the end what `other` holds at `positions`.
  mutating func append(_ other: borrowing Storage<Element>, at positions: Range<Int>) {
    assert(positions.lowerBound >= 0 && positions.upperBound <= other.count)
    reserve(count + positions.count)
    unsafe (elements + count).initialize(from: other.elements + positions.lowerBound, count: positions.count)
    count += positions.count
  }

  /// Forgets what is behind the first `count` elements.
  @inline(__always) mutating func truncate(to count: Int) {
    assert(count >= 0 && count <= self.count)
    self.count = count
  }

  /// Makes room for `wanted` elements in all.
  private mutating func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    var larger = capacity
    while larger < wanted { larger *= 2 }
    let moved = UnsafeMutablePointer<Element>.allocate(capacity: larger)
    unsafe moved.initialize(from: elements, count: count)
    unsafe elements.deallocate()
    unsafe elements = moved
    capacity = larger
  }
}
