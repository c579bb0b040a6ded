import Glibc

/// Why the kernel could not be asked, or what it refused.
public enum NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A call failed with a number of errno(3).
  case system(Int32, call: String)

  /// The kernel refused a step, and so the whole transaction.
  case refused(Refusal)

  /// Somebody else changed tables since the generation that the transaction was made for; nothing was changed.
  case stale

  /// No answer came in time.
  case timedOut

  /// Answers were lost, so that it is not known whether the transaction was carried out.
  case lostAnswers

  /// The tables changed again and again while they were read.
  case restless

  /// The kernel's answer is not what its headers say.
  case malformed(String)

  /// The answer is larger than what is read.
  case tooLarge(String)

  /// `true` iff the process lacks the capability to change or to see what it asked for.
  public var isLackOfPrivilege: Bool {
    switch self {
    case .system(EPERM, _), .system(EACCES, _): true
    case .refused(let refusal): refusal.number == EPERM
    default: false
    }
  }

  /// What happened, in a sentence without its full stop.
  public var description: String {
    switch self {
    case .system(let number, let call): "\(call): \(Refusal.words(number))"
    case .refused(let refusal): refusal.description
    case .stale: "the kernel's rules were changed by somebody else meanwhile; nothing was changed"
    case .timedOut: "the kernel did not answer in time"
    case .lostAnswers: "the kernel's answers were lost: it is not known whether the change was made"
    case .restless: "the kernel's rules were changed again and again while they were read"
    case .malformed(let what): "the kernel's answer is malformed: \(what)"
    case .tooLarge(let what): "the kernel's answer is too large: \(what)"
    }
  }
}

/// What the kernel said against a step of a transaction.
public struct Refusal: Hashable, Sendable, CustomStringConvertible {
  /// The number of errno(3).
  public var number: Int32

  /// The position of the step in the transaction, or nothing if it is the transaction as a whole.
  public var command: Int?

  /// What the step is about, such as `chain host, rule 3 (site policy.port:12)`; the words in parentheses are the
  /// comment, which names the line of the policy.
  public var object: String

  /// What the kernel adds in words, which is mostly nothing.
  public var message: String

  /// Creates a refusal.
  public init(number: Int32, command: Int?, object: String, message: String = "") {
    self.number = number
    self.command = command
    self.object = object
    self.message = message
  }

  /// The object and the reason.
  public var description: String {
    "\(object): \(Refusal.words(number))" + (message.isEmpty ? "" : " (\(message))")
  }

  /// Returns what `number` of errno(3) means for tables, in plain words.
  public static func words(_ number: Int32) -> String {
    switch number {
    case EPERM, EACCES: "not permitted: this needs the capability CAP_NET_ADMIN"
    case ENOENT: "no such table, chain, set, rule or element"
    case EEXIST: "there is one already"
    case EBUSY: "in use: something still leads to it"
    case EINVAL: "the kernel takes this for invalid"
    case ENOMEM, ENOBUFS: "the kernel has no memory for it"
    case ENFILE, ENOSPC: "there is no more room"
    case ELOOP: "chains are nested in a circle"
    case EMLINK: "chains are nested too deeply, or in a circle"
    case EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT: "this kernel does not know it"
    case ERANGE, EOVERFLOW: "a number is out of range"
    case E2BIG, EMSGSIZE: "too large"
    case ENOTEMPTY: "not empty"
    default: "error \(number)"
    }
  }
}
