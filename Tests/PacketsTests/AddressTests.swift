import Packets
import Testing

@Suite struct AddressTests {
  @Test(arguments: [
    "0.0.0.0", "192.0.2.10", "255.255.255.255", "::", "::1", "2001:db8::10", "2001:db8:0:1::", "fe80::1:0:0:1",
    "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8",
  ])
  func canonicalTextIsReadAndWritten(text: String) {
    #expect(Address(text)?.description == text)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", ":::", "1::2::3", "1:2:3:4:5:6:7", "12345::",
    "1:2:3:4:5:6:7:8:9", "::1.2.3", "g::", ":1::", "1:2:3:4:5:6:7::8", "1.2.3.4::", "1:", ":",
  ])
  func whatIsNoAddressIsRefused(text: String) {
    #expect(Address(text) == nil)
  }

  @Test func aRangeIsMadeOfTheFewestBlocks() {
    let range = AddressRange(from: Address("192.0.2.1")!, through: Address("192.0.2.6")!)
    #expect(range.prefixes.map(\.description) == ["192.0.2.1", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.6"])
    #expect(AddressRange.all(.ipv6).prefixes.map(\.description) == ["::/0"])
    #expect(AddressRange.all(.ipv4).prefixes.map(\.description) == ["0.0.0.0/0"])
  }
}

@Suite struct AddressTextTests {
  /// Whatever is written is read back, and one byte more or less is another address or none.
  @Test func textComesBack() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      // Some groups of zeros, so that they are shortened in every place.
      let groups = (0..<8).map { _ in
        UInt128.random(in: 0...3, using: &random) == 0 ? UInt128.random(in: 0...0xffff, using: &random) : 0
      }
      let addresses = [
        Address(.ipv4, UInt128.random(in: 0...0xffff_ffff, using: &random)),
        Address(.ipv6, groups.reduce(0) { $0 << 16 | $1 }),
      ]
      for address in addresses {
        let text = address.description
        #expect(Address(text) == address, "\(text)")
        #expect(Address(text + ":") == nil && Address(text + ".") == nil && Address("." + text) == nil)
        #expect(Address(String(text.dropLast())) != address && Address(String(text.dropFirst())) != address)
      }
    }
  }
}
