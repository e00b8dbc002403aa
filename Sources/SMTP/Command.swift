// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// Command is in charge of the meaning of one command line (RFC 5321 §4.1.1): octets without their CRLF in, a value
/// out.
///
/// It knows no session: whether a command is legal now is not its question.
package enum Command: Hashable, Sendable {
    /// The argument, printable ASCII without spaces.
    case hello(name: String)
    case extendedHello(name: String)
    case mail(ReversePath, MailParameters)
    case recipient(Forward, RecipientNotice = RecipientNotice())
    case data
    /// BDAT; `Int.max` for what does not fit.
    case chunk(octets: Int, isLast: Bool)
    case reset
    case noop
    case verify
    case help
    case quit
    /// RFC 3207
    case startTLS
    /// The mechanism in upper case; the response in base64, nil if there is none.
    case authenticate(mechanism: String, initialResponse: [UInt8]?)
    /// Commands of RFCs that this server does not offer.
    case notImplemented(Unimplemented)

    /// The argument of RCPT.
    package enum Forward: Hashable, Sendable {
        case mailbox(Mailbox)
        case postmaster(String)
    }

    package enum Unimplemented: Hashable, Sendable {
        case expand
    }
}

/// The parameters of MAIL.
package struct MailParameters: Hashable, Sendable {
    /// SIZE= (RFC 1870); `Int.max` for what does not fit.
    package var size: Int?
    /// BODY= (RFC 6152).
    package var isEightBit: Bool
    /// RET= and ENVID= (RFC 3461).
    package var notices = DeliveryNotices.none
    /// Whether there was any parameter at all.
    package var isEmpty: Bool

    package init(size: Int? = nil, isEightBit: Bool = false, isEmpty: Bool = true) {
        self.size = size
        self.isEightBit = isEightBit
        self.isEmpty = isEmpty
    }
}

/// Why a line is not a command.
package enum CommandError: Error, Hashable, Sendable {
    /// A control character or an octet above 127 where no address stands; a bare CR or LF above all.
    case illegalOctet
    case unknown
    /// Not SMTP at all: HTTP, TLS, or a header field. Whoever speaks has not noticed whom to.
    case foreignProtocol
    /// The argument is missing, or there is one too many; carries the syntax.
    case syntax(String)
    case helloSyntax(String)
    /// A BDAT without a length: where the next command begins can't be told.
    case chunkSyntax
    case reversePath(PathError)
    case forwardPath(PathError)
    case nullForwardPath
    /// RFC 5321 §4.1.1.11: a parameter that this server does not know.
    case unknownParameter
    /// A parameter that it knows, with a value that it does not take.
    case badParameter(String)
}

extension Command {
    /// Octets of the argument of HELO and EHLO (RFC 5321 §4.5.3.1.2).
    package static let maximumHelloOctets = 255

    /// - Parameter local: what local-parts alone become; nil: they are refused.
    package init(_ line: ArraySlice<UInt8>, local: LocalNames? = nil) throws(CommandError) {
        var scanner = ByteScanner(line)
        scanner.local = local
        let verb = scanner.take { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        if Command.isForeign(verb) { throw .foreignProtocol }
        // RFC 5321 §2.3.8: CR and LF stand nowhere but in a CRLF. NUL and their like are in no command.
        guard !line.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") || $0 == 0x7F }) else {
            throw .illegalOctet
        }
        self = try Command.command(verb: verb, &scanner)
    }

    private static func command(verb: ArraySlice<UInt8>, _ scanner: inout ByteScanner) throws(CommandError) -> Command {
        // In the order of their frequency.
        if verb.isEqual(anyCase: "RCPT") { return try recipient(&scanner) }
        if verb.isEqual(anyCase: "MAIL") { return try mail(&scanner) }
        if verb.isEqual(anyCase: "DATA") { return try withoutArgument(.data, "DATA", &scanner) }
        if verb.isEqual(anyCase: "EHLO") { return .extendedHello(name: try helloName("EHLO", &scanner)) }
        if verb.isEqual(anyCase: "HELO") { return .hello(name: try helloName("HELO", &scanner)) }
        if verb.isEqual(anyCase: "RSET") { return try withoutArgument(.reset, "RSET", &scanner) }
        if verb.isEqual(anyCase: "QUIT") { return try withoutArgument(.quit, "QUIT", &scanner) }
        if verb.isEqual(anyCase: "NOOP") { return .noop }
        if verb.isEqual(anyCase: "HELP") { return .help }
        if verb.isEqual(anyCase: "VRFY") {
            skipSpaces(&scanner)
            guard !scanner.isAtEnd else { throw .syntax("VRFY address") }
            return .verify
        }
        if verb.isEqual(anyCase: "STARTTLS") { return try withoutArgument(.startTLS, "STARTTLS", &scanner) }
        if verb.isEqual(anyCase: "AUTH") { return try authenticate(&scanner) }
        if verb.isEqual(anyCase: "BDAT") { return try chunk(&scanner) }
        if verb.isEqual(anyCase: "EXPN") { return .notImplemented(.expand) }
        throw .unknown
    }

    /// Whether the first word of a line tells that the client speaks another protocol: a browser that a web
    /// page sent here must not get a single one of its lines taken for a command.
    private static func isForeign(_ verb: ArraySlice<UInt8>) -> Bool {
        // The handshake record of TLS 1.0 to 1.3 (RFC 8446 §5.1).
        if verb.starts(with: [0x16, 0x03]) { return true }
        // `Host:`, `User-Agent:` and other header fields; no command ends its verb like that.
        if verb.count > 1, verb.last == UInt8(ascii: ":") { return true }
        let methods: [StaticString] = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH"]
        return methods.contains { verb.isEqual(anyCase: $0) }
    }

    private static func skipSpaces(_ scanner: inout ByteScanner) {
        _ = scanner.take { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private static func withoutArgument(
        _ command: Command, _ syntax: String, _ scanner: inout ByteScanner
    ) throws(CommandError) -> Command {
        skipSpaces(&scanner)
        guard scanner.isAtEnd else { throw .syntax(syntax) }
        return command
    }

    /// RFC 3030 §2: `BDAT` and a length, and `LAST` behind the last one.
    private static func chunk(_ scanner: inout ByteScanner) throws(CommandError) -> Command {
        skipSpaces(&scanner)
        let digits = scanner.take { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let octets = MailParameters.size(digits) else { throw .chunkSyntax }
        let isSeparate = scanner.peek == UInt8(ascii: " ") || scanner.peek == UInt8(ascii: "\t")
        skipSpaces(&scanner)
        let isLast = isSeparate && scanner.skip(anyCase: "LAST")
        skipSpaces(&scanner)
        guard scanner.isAtEnd else { throw .chunkSyntax }
        return .chunk(octets: octets, isLast: isLast)
    }

    private static func helloName(_ verb: String, _ scanner: inout ByteScanner) throws(CommandError) -> String {
        skipSpaces(&scanner)
        let name = scanner.take { (0x21...0x7E).contains($0) }
        skipSpaces(&scanner)
        guard !name.isEmpty, name.count <= maximumHelloOctets, scanner.isAtEnd else {
            throw .helloSyntax("\(verb) hostname")
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static func mail(_ scanner: inout ByteScanner) throws(CommandError) -> Command {
        skipSpaces(&scanner)
        guard scanner.skip(anyCase: "FROM:") else { throw .syntax("MAIL FROM:<address>") }
        // RFC 5321 §4.1.1.2 has no space here; much software sends one.
        _ = scanner.skip(UInt8(ascii: " "))
        let path: Path
        do throws(PathError) { path = try scanner.path(completion: scanner.local?.domain) } catch {
            throw .reversePath(error)
        }
        let parameters = try MailParameters(&scanner)
        switch path {
        case .null: return .mail(.null, parameters)
        case .mailbox(let mailbox): return .mail(.mailbox(mailbox), parameters)
        case .postmaster(let localPart):
            guard let local = scanner.local else { throw .reversePath(.domainMissing) }
            return .mail(.mailbox(Mailbox(localPart: localPart, host: .domain(local.domain))), parameters)
        }
    }

    private static func recipient(_ scanner: inout ByteScanner) throws(CommandError) -> Command {
        skipSpaces(&scanner)
        guard scanner.skip(anyCase: "TO:") else { throw .syntax("RCPT TO:<address>") }
        _ = scanner.skip(UInt8(ascii: " "))
        let path: Path
        do throws(PathError) { path = try scanner.path(completion: scanner.local?.host) } catch {
            throw .forwardPath(error)
        }
        var notice = RecipientNotice()
        while let (keyword, value) = try scanner.parameter(syntax: "RCPT TO:<address>") {
            guard try NoticeParameters.take(keyword, value, into: &notice) else { throw .unknownParameter }
        }
        switch path {
        case .null: throw .nullForwardPath
        case .mailbox(let mailbox): return .recipient(.mailbox(mailbox), notice)
        case .postmaster(let localPart): return .recipient(.postmaster(localPart), notice)
        }
    }
}

extension MailParameters {
    /// Digits of a SIZE value (RFC 1870 §3).
    private static let maximumSizeDigits = 20

    fileprivate init(_ scanner: inout ByteScanner) throws(CommandError) {
        self.init()
        var hasBody = false
        while let (keyword, value) = try scanner.parameter(syntax: "MAIL FROM:<address> [SIZE=n] [BODY=8BITMIME]") {
            isEmpty = false
            if keyword.isEqual(anyCase: "SIZE") {
                guard size == nil, let octets = MailParameters.size(value) else {
                    throw .badParameter("SIZE takes a number of octets, once")
                }
                size = octets
            } else if keyword.isEqual(anyCase: "BODY") {
                guard !hasBody else { throw .badParameter("BODY may stand once") }
                hasBody = true
                isEightBit = value.isEqual(anyCase: "8BITMIME")
                guard isEightBit || value.isEqual(anyCase: "7BIT") else {
                    throw .badParameter("BODY takes 7BIT or 8BITMIME")
                }
            } else if keyword.isEqual(anyCase: "AUTH") {
                guard MailParameters.isSubmitter(value) else {
                    throw .badParameter("AUTH takes a mailbox or <>, as xtext")
                }
            } else if try !NoticeParameters.take(keyword, value, into: &notices) {
                throw .unknownParameter
            }
        }
    }

    /// Up to 20 digits, which may be more than an `Int` holds: such a size is as good as infinite.
    fileprivate static func size(_ value: ArraySlice<UInt8>) -> Int? {
        guard (1...maximumSizeDigits).contains(value.count) else { return nil }
        var octets = 0
        for byte in value {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tens, tensOverflow) = octets.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            octets = tensOverflow || sumOverflow ? .max : sum
        }
        return octets
    }
}

extension ByteScanner {
    /// Passes the next parameter of MAIL or RCPT; nil at the end of the line.
    mutating func parameter(
        syntax: String
    ) throws(CommandError) -> (keyword: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
        while !isAtEnd {
            guard skip(UInt8(ascii: " ")) || skip(UInt8(ascii: "\t")) else { throw .syntax(syntax) }
            let parameter = take { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
            guard !parameter.isEmpty else { continue }
            let keyword = parameter.prefix { $0 != UInt8(ascii: "=") }
            return (keyword, parameter.dropFirst(keyword.count + 1))
        }
        return nil
    }
}
