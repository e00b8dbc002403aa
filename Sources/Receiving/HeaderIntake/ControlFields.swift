// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// ControlFields is in charge of what the control fields of one message ask for (see `ControlField`).
///
/// A field that makes no sense refuses the message: who asks for ten minutes must not get five days.
package struct ControlFields: Hashable, Sendable {
    package static let maximumTags = 10
    package static let maximumTagOctets = 64
    package static let maximumKeyOctets = 255
    /// How far `Send-At` and `Expires` may lie ahead, in seconds: as far as the longest `[retry] lifetime`.
    package static let maximumSecondsAhead: Int64 = 30 * 86_400

    /// Nil: nothing is said of it.
    package private(set) var release: Timestamp?
    package private(set) var expiry: Timestamp?
    package private(set) var priority: Int?
    package private(set) var tags: [String] = []
    package private(set) var route: String?
    package private(set) var isTest: Bool?
    package private(set) var idempotencyKey: String?

    package init() {}

    /// - Parameters:
    ///   - fields: those of a header section whose names start with `X-Waxwing`.
    ///   - routes: the names that `Route` may have.
    init(
        _ fields: [HeaderSection.Field], in header: HeaderSection, arrival: Timestamp, routes: [String]
    ) throws(IntakeRefusal) {
        var seen: Set<ControlField> = []
        // A duration counts from the moment when the message may leave, which another field says.
        var expires: String?
        for place in fields {
            guard let field = ControlField(name: header.name(of: place)) else {
                throw .unknownControlField(header.name(of: place))
            }
            guard seen.insert(field).inserted || field == .tag else { throw .repeatedControlField(field) }
            let value = header.value(of: place)
            switch field {
            case .tag: try addTags(value)
            case .expires: expires = value
            case .sendAt: try setRelease(value, arrival)
            case .priority: priority = try ControlFields.priority(value)
            case .idempotencyKey:
                guard (1...ControlFields.maximumKeyOctets).contains(value.utf8.count),
                    value.utf8.allSatisfy({ (33...126).contains($0) })
                else { throw .controlValue(field, value) }
                idempotencyKey = value
            case .route:
                guard routes.contains(value) else { throw .unknownRoute(value, known: routes) }
                route = value
            case .test: isTest = try ControlFields.flag(field, value)
            }
        }
        if let expires { try setExpiry(expires, arrival) }
    }

    /// Adds what the fields say to what the envelope said.
    ///
    /// Of two bounds the narrower one holds; of two priorities that of the field.
    package func apply(to options: inout MessageOptions) {
        if let release { options.release = max(release, options.release ?? release) }
        if let expiry { options.expiry = min(expiry, options.expiry ?? expiry) }
        if let priority { options.priority = priority }
        options.tags += tags.filter { !options.tags.contains($0) }
        if let route { options.route = route }
        if let isTest { options.isTest = isTest }
        if let idempotencyKey { options.idempotencyKey = idempotencyKey }
    }

    private mutating func addTags(_ value: String) throws(IntakeRefusal) {
        for word in value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let tag = String(Substring(word)).trimmed
            guard (1...ControlFields.maximumTagOctets).contains(tag.utf8.count),
                tag.utf8.allSatisfy(ControlFields.isTagOctet)
            else { throw .controlValue(.tag, value) }
            guard !tags.contains(tag) else { continue }
            guard tags.count < ControlFields.maximumTags else { throw .tooManyTags }
            tags.append(tag)
        }
    }

    private static func isTagOctet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// A date that has passed asks for nothing: the message may leave.
    private mutating func setRelease(_ value: String, _ arrival: Timestamp) throws(IntakeRefusal) {
        guard let moment = MailDate.moment(value) else { throw .controlValue(.sendAt, value) }
        guard moment <= arrival.advanced(bySeconds: ControlFields.maximumSecondsAhead) else {
            throw .tooFarAhead(.sendAt)
        }
        if moment > arrival { release = moment }
    }

    private mutating func setExpiry(_ value: String, _ arrival: Timestamp) throws(IntakeRefusal) {
        let start = release ?? arrival
        let moment: Timestamp
        if let seconds = ControlFields.seconds(value) {
            guard seconds <= ControlFields.maximumSecondsAhead else { throw .tooFarAhead(.expires) }
            moment = start.advanced(bySeconds: seconds)
        } else if let date = MailDate.moment(value) {
            guard date <= start.advanced(bySeconds: ControlFields.maximumSecondsAhead) else {
                throw .tooFarAhead(.expires)
            }
            moment = date
        } else {
            throw .controlValue(.expires, value)
        }
        guard moment > start else { throw .expiredBeforehand(isDelayed: release != nil) }
        expiry = moment
    }

    /// A whole number and a unit, in seconds; nil if it is something else.
    private static func seconds(_ value: String) -> Int64? {
        let digits = value.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let unit = String(Substring(value.utf8.dropFirst(digits.count))).trimmed
        let factors: [String: Int64] = ["s": 1, "min": 60, "h": 3600, "d": 86_400]
        guard !digits.isEmpty, let factor = factors[unit.lowercased()] else { return nil }
        // What no number holds is too far ahead all the same.
        let number = Int64(Substring(digits)) ?? .max
        let (seconds, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? .max : seconds
    }

    private static func priority(_ value: String) throws(IntakeRefusal) -> Int {
        // RFC 6710 §5 and X.420: non-urgent, normal and urgent are -4, 0 and 4.
        let words = ["low": -4, "normal": 0, "high": 4]
        if let priority = words[value.lowercased()] { return priority }
        guard value.utf8.count <= 2, let number = Int(value), (-9...9).contains(number) else {
            throw .controlValue(.priority, value)
        }
        return number
    }

    private static func flag(_ field: ControlField, _ value: String) throws(IntakeRefusal) -> Bool {
        switch value.lowercased() {
        case "yes", "true", "1": true
        case "no", "false", "0": false
        default: throw .controlValue(field, value)
        }
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    fileprivate var trimmed: String {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let start = utf8.drop(while: isBlank)
        guard let end = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(Substring(start[...end]))
    }
}
