// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// WebForm is in charge of what people need who type a record into a form in their browser.
enum WebForm {
    /// What goes into which field, and how to look whether it worked.
    static func hint(_ record: TextRecord) -> String {
        """
        \(name(record))
        Type:   TXT
        TTL:    \(record.ttl)
        Value:  \(record.text)

        \(value(record))
        \(check(record.name))

        """
    }

    /// The name with and without the zone: which of them a form wants, only the form knows.
    static func name(_ record: TextRecord) -> String {
        let apex = record.apex
        var text = """
            Name:   \(record.host)
                    in a form for the zone \(apex), which adds the zone itself; where the full name is wanted:
                    \(record.name)
            """
        if !record.isZoneKnown, let above = above(apex) {
            text += """

                        (If the zone is not \(apex) but \(above), the first of them is \(record.host(in: above)))
                """
        }
        return text
    }

    /// The domain above; nil when that can be no zone of the operator's.
    private static func above(_ domain: String) -> String? {
        guard let dot = domain.firstIndex(of: ".") else { return nil }
        let above = String(domain[domain.index(after: dot)...])
        return above.contains(".") ? above : nil
    }

    private static func value(_ record: TextRecord) -> String {
        var text = """
            Paste the value as one line, as it stands: no quotation marks or parentheses around it, no line breaks or
            spaces added. (Only a zone file has quotation marks and parentheses.)
            """
        if record.strings.count > 1 {
            text += """

                Should the form refuse more than \(TextRecord.stringOctets) characters, give it these strings instead:
                        \(ZoneFile.line(record))
                """
        }
        return text
    }

    /// Asks a server of the zone: resolvers would remember for long that there was no record (RFC 2308 §5).
    static func check(_ name: String) -> String {
        "Check:  dig +short TXT \(name) @SERVER   (SERVER: a name server of the zone, never a resolver)"
    }
}

extension TextRecord {
    /// For people who type the record into a form in their browser.
    package var webFormHint: String { WebForm.hint(self) }

    /// For people, whichever way they publish: the fields of a form, and the entry of a zone file.
    package var forms: String {
        """
        \(webFormHint)
        In a zone file:
        \(ZoneFile.entry(self))
        """
    }
}
