// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail

/// Publisher is in charge of carrying changes of key records into DNS in the one way that its settings name; it never
/// looks whether they arrived.
///
/// Carrying out a change that was carried out before changes nothing.
package struct Publisher: Sendable {
    let settings: PublisherSettings?
    /// Whose owner runs the operator's programs when this process is root.
    let keyDirectory: String

    /// - Parameter settings: nil: the operator publishes by hand.
    package init(_ settings: PublisherSettings?, keyDirectory: String) {
        self.settings = settings
        self.keyDirectory = keyDirectory
    }

    package func carryOut(_ change: RecordChange) async -> PublicationResult {
        guard let settings else { return .byHand(ByHand.text(change)) }
        let name = recordName(of: change)
        // RFC 1035 §2.3.4: the delegated name is longer than the one that the selector was checked for.
        guard Domain(name) != nil else {
            return .failed(
                "\(PrintableText.line(name)) is too long for a name in DNS: give publisher "
                    + "\"\(PrintableText.line(settings.name))\" a shorter delegation zone")
        }
        switch settings.method {
        case .rfc2136(let update):
            return await perform(change, at: name, update, publisher: settings.name)
        case .command(let hook):
            let input = HookInput(change, name: name)
            return await HookRun(hook, publisher: settings.name, keyDirectory: keyDirectory).result(of: input)
        }
    }

    /// Where the record is written: at its own name, or at the one that its own is an alias of.
    package func recordName(of change: RecordChange) -> String {
        // A key that was made before its domain was delegated has a name of its own.
        guard let delegation = settings?.delegation,
            (delegation.rsaSelectors + delegation.ed25519Selectors).contains(change.selector)
        else { return change.name }
        return delegation.target(of: change.selector, in: change.domain)
    }
}
