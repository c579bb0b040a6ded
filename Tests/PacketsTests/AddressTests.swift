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
