// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail

/// Settings of one place that say how signatures are made.
protocol SignatureOverriding: Sendable {
    var signatures: SignatureOverrides { get set }
}

extension SigningSettings: SignatureOverriding {}
extension DomainSettings: SignatureOverriding {}
extension RouteSettings: SignatureOverriding {}

extension SignatureOverriding {
    /// The same settings for all mail, for a domain and for a route.
    ///
    /// - Parameter place: what the settings stand in place of, as a sentence; for all mail none.
    static func settings(insteadOf place: String? = nil) -> [Setting<Self>] {
        func words(_ full: String) -> String { place ?? full }
        return [
            .choice(
                "canonicalization", \.signatures.canonicalization, example: .relaxed,
                words(
                    "How header section and body are brought into the form that is signed. simple is fragile: for the header section it breaks when a relay folds a field anew, and behind some verifiers even untouched; for the body, when white space at line ends goes."
                )),
            .fields(
                "sign", \.signatures.signedFields, example: .minimal,
                words(
                    "The fields that are signed where they occur. standard: those of RFC 6376 and the List-, Feedback-ID, CFBL-, Auto-Submitted and Autocrypt fields. minimal: what a reader sees, how the body is shown, and one-click unsubscription. From is always signed."
                )),
            .fields(
                "oversign", \.signatures.oversignedFields, example: .from,
                words(
                    "Of the signed fields, those that nobody can add another of. from: only From. standard: what a reader sees and how the body is shown. strict: all, and then a mailing list that adds its fields breaks the signature. Names in a list are signed, too. From is always oversigned."
                )),
            .seconds(
                "expiry", \.signatures.lifetime, 3600...(365 * 86_400), example: 3 * 86_400,
                words("From t= to x= of a signature: at least as long as next hops may queue.")),
            .choice(
                "existing-signatures", \.signatures.existingSignatures, example: .strip,
                words(
                    "DKIM-Signature fields that a message came in with: keep leaves them, strip-own removes those of the domain that signs, strip removes all."
                )),
        ]
    }
}

extension Setting {
    /// One of the words of an enumeration; absent stands for what is decided elsewhere.
    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, _ path: any Path<Choice?>, example: Choice, _ words: String
    ) -> Setting {
        let all = Choice.allCases.map(\.rawValue)
        return Setting(
            key: key, kind: .word(all), words: words, example: TOMLText.quoted(example.rawValue),
            text: { values in values[keyPath: path].map { TOMLText.quoted($0.rawValue) } },
            set: { (values, node) throws(SettingFault) in
                guard case .text(let text) = node else {
                    throw mismatch(node, .word(all), TOMLText.quoted(example.rawValue))
                }
                guard let choice = Choice(rawValue: text) else {
                    throw SettingFault(
                        problem: "\"\(text)\" is not one of the words this setting knows",
                        remedy: "Write " + SettingKind.word(all).summary)
                }
                values[keyPath: path] = choice
            })
    }

    /// Header fields, by the name of a set or one by one.
    static func fields<Named: RawRepresentable<String> & CaseIterable & Hashable & Sendable>(
        _ key: String, _ path: any Path<FieldList<Named>?>, example: Named, _ words: String
    ) -> Setting {
        let kind = SettingKind.wordOrList(Named.allCases.map(\.rawValue))
        return Setting(
            key: key, kind: kind, words: words, example: TOMLText.quoted(example.rawValue),
            text: { values in
                switch values[keyPath: path] {
                case nil: nil
                case .set(let set): TOMLText.quoted(set.rawValue)
                case .names(let names): TOMLText.list(names)
                }
            },
            set: { (values, node) throws(SettingFault) in
                switch node {
                case .text(let text):
                    guard let set = Named(rawValue: text) else {
                        throw SettingFault(
                            problem: "\"\(text)\" is not one of the words this setting knows",
                            remedy: "Write \(kind.summary), such as [\"From\", \"Subject\"]")
                    }
                    values[keyPath: path] = .set(set)
                case .list(let nodes):
                    var names: [String] = []
                    for element in nodes {
                        guard case .text(let name) = element else { throw mismatch(element, .text, "[\"Subject\"]") }
                        names.append(name)
                    }
                    values[keyPath: path] = .names(names)
                default:
                    throw mismatch(node, kind, TOMLText.quoted(example.rawValue))
                }
            })
    }

    /// A time in whole seconds; absent stands for what is decided elsewhere.
    static func seconds(
        _ key: String, _ path: any Path<Int64?>, _ range: ClosedRange<Int>, example: Int, _ words: String
    ) -> Setting {
        Setting(
            key: key, kind: .duration(range), words: words, example: TOMLText.quoted(Quantity.duration.text(example)),
            text: { values in values[keyPath: path].map { TOMLText.quoted(Quantity.duration.text(Int($0))) } },
            set: { (values, node) throws(SettingFault) in
                values[keyPath: path] = Int64(try quantity(node, .duration(range)))
            })
    }
}
