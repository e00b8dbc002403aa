// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS

extension Publisher {
    /// RFC 2136: asks the primary server of the zone for the change.
    func perform(
        _ change: RecordChange, at name: String, _ settings: DynamicUpdateSettings, publisher: String
    ) async -> PublicationResult {
        let updater = DynamicUpdater(server: settings.server, zone: settings.zone, key: settings.key)
        let update = TextUpdate(
            name: name, wanted: change.wanted, replaceable: change.replaceable, ttl: .init(clamping: change.ttl))
        do throws(UpdateError) {
            let answer = try await updater.perform(update)
            return .submitted(PrintableText.line("publisher \"\(publisher)\" (\(settings.server)): \(answer)"))
        } catch {
            return .failed(PrintableText.lines("publisher \"\(publisher)\": \(error.description)"))
        }
    }
}
