import Foundation
import Testing

/// `status` and `audit` as a whole, in a network namespace of their own.
@Suite struct WatchTests {
  private static let policy = """
    owner web { contact "web@example.com" }
    service site { owner web; purpose "The site"; port 8443/tcp; expose to internet as 443/tcp }
    host web1 { address 192.0.2.10; runs site }
    """

  /// Runs `script` in a sandbox with a policy, whose namespace `$N` has its ruleset loaded.
  private func run(_ script: String) throws -> Sandbox.Outcome {
    let box = try Sandbox()
    try box.write(WatchTests.policy, to: "policies/main.port")
    return try box.shell(
      """
      N=portcullis-$$-watch
      ip netns add $N && trap "ip netns del $N" EXIT && ip -n $N link set lo up || exit 9
      $P compile --host web1 --to nftables > ruleset.nft && ip netns exec $N nft -f ruleset.nft || exit 9
      portcullis() { ip netns exec $N $P "$@"; }
      \(script)
      """)
  }

  @Test func `status tells text, JSON and metrics`() throws {
    let result = try run(
      """
      portcullis status --host web1 || exit 1
      portcullis status --host web1 --format json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["format"], d["version"], d["loaded"], d["current"], len(d["lines"]), d["lines"][0]["unused"])' || exit 2
      portcullis status --host web1 --format prometheus | promtool check metrics || exit 3
      """)
    #expect(result.code == 0, "\(result)")
    #expect(result.output.hasPrefix("Host web1: the kernel has the rules of this policy.\nMeaning: pm1-"))
    #expect(result.output.hasSuffix("portcullis-status 1 True True 1 True\n"))
  }

  @Test func `a file is replaced at once, and readable for collectors`() throws {
    let result = try run(
      """
      umask 077; mkdir out; chmod 755 out
      portcullis status --host web1 --format prometheus --output out/s.prom && stat -c '%a %n' out/*; ls -A out
      cp out/s.prom first; chmod 640 out/s.prom; ln -s s.prom out/link
      portcullis status --host web1 --format prometheus --output out/link && stat -c '%a %F' out/s.prom out/link
      cmp first out/s.prom || exit 1
      portcullis status --host web1 --format prometheus --output missing/s.prom; echo $?
      portcullis status --host web1 --format prometheus --output out; echo $?
      """)
    #expect(result.code == 0, "\(result)")
    #expect(result.output == "644 out/s.prom\ns.prom\n640 regular file\n777 symbolic link\n2\n2\n")
  }

  @Test func `a host without rules is told, and one without the right to see them is an error`() throws {
    let result = try run(
      """
      ip netns exec $N nft flush ruleset
      portcullis status --host web1 | head -1
      chmod 755 . policies; chmod 644 policies/main.port
      ip netns exec $N setpriv --bounding-set=-net_admin --inh-caps=-net_admin $P status --host web1; echo $?
      portcullis status --host nobody; echo $?
      portcullis status --host web1 --within -1d; echo $?
      """)
    #expect(result.output == "Host web1: the kernel has no rules of portcullis.\n2\n2\n2\n", "\(result)")
    #expect(result.error.contains("this needs the capability CAP_NET_ADMIN; run it as root"))
    #expect(result.error.contains("`nobody` is no host of the policy"))
  }

  @Test func `audit fails where host and policy disagree`() throws {
    let result = try run(
      """
      portcullis audit --host web1; echo $?
      ip netns exec $N python3 -c 'import socket,time; s=socket.socket(); s.bind(("0.0.0.0",8443)); s.listen(); print("r",flush=True); time.sleep(60)' > ready &
      server=$!
      for i in $(seq 100); do [ -s ready ] && break; sleep 0.1; done
      portcullis audit --host web1; echo $?
      portcullis audit --host web1 --format json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["format"], d["version"], len(d["findings"]))'
      portcullis audit --host web1 --format prometheus | promtool check metrics; echo $?
      kill -9 $server; wait $server 2> /dev/null; true
      """)
    #expect(
      result.output == """
        warning[silent-service]: Nothing listens on 8443/tcp for service site.
          --> policies/main.port:3:33

        Host web1: 0 sockets looked at, 1 warning.
        1
        Host web1: 1 socket looked at, all of them declared.
        0
        portcullis-audit 1 0
        0

        """, "\(result)")
  }
}
