// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Signing

/// What can be meant, but seldom is: it is told and keeps nothing from running.
extension Configuration {
    /// In the order of the file.
    package var warnings: [ConfigurationFault] {
        var checker = ConfigurationChecker(configuration: self, locator: locator)
        checker.warnOfTimes()
        checker.warnOfPublishers()
        checker.warnOfDomains()
        return checker.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }
}

extension ConfigurationChecker {
    private static let day: Int64 = 86_400

    fileprivate mutating func warnOfTimes() {
        let rotation = configuration.rotation
        func text(_ seconds: Int64) -> String { Quantity.duration.text(Int(seconds)) }
        // M3AAWG's best practices for rotation: a week or more.
        if rotation.common.retention < 7 * Self.day {
            add(
                [.key("rotation"), .key("retention")],
                "keys are revoked \(text(rotation.common.retention)) after their last signature, and mail is verified for longer",
                "Write at least \"7 d\", except to try things out")
        }
        if rotation.common.checkInterval < 60 {
            add(
                [.key("rotation"), .key("check-interval")],
                "every name server is asked every \(text(rotation.common.checkInterval))",
                "Write at least \"1 min\", except to try things out")
        }
        warnOfInterval(rotation.rotation, at: [.key("rotation")])
        for (index, domain) in configuration.domains.enumerated() {
            warnOfInterval(domain.rotation, at: [.key("domain"), .index(index)])
        }
    }

    private mutating func warnOfInterval(_ overrides: RotationOverrides, at path: [KeyLocator.Step]) {
        guard let interval = overrides.interval?.seconds, interval < 7 * Self.day else { return }
        add(
            path + [.key("interval")],
            "keys are replaced every \(Quantity.duration.text(Int(interval))), and as many records pile up until they are removed",
            "Write at least \"7 d\", except to try things out; half a year (\"180 d\") is usual")
    }

    fileprivate mutating func warnOfPublishers() {
        let general = configuration.rotation.rotation.publisher
        let used = Set([general] + configuration.domains.map(\.rotation.publisher))
        for (index, publisher) in configuration.publishers.enumerated() where !used.contains(publisher.name) {
            add(
                [.key("publisher"), .index(index)], "nobody uses the publisher \"\(publisher.name)\"",
                "Write publisher = \"\(publisher.name)\" in [rotation] or in a [[domain]], or remove the table")
        }
    }

    fileprivate mutating func warnOfDomains() {
        let policies = configuration.rotationSettings
        warnOfDelegation(policies.general, at: [.key("rotation"), .key("interval")])
        for (index, table) in configuration.domains.enumerated() {
            let path: [KeyLocator.Step] = [.key("domain"), .index(index)]
            if table.isUnsigned, table.rotation != RotationOverrides() {
                add(
                    path + [.key("unsigned")],
                    "mail of \(table.name) leaves unsigned, and the table says how its keys come and go",
                    "Remove one of the two")
            }
            guard let domain = Domain(table.name) else { continue }
            let settings = policies.settings(of: domain)
            if table.rotation.selectors != nil, delegates(settings) {
                add(
                    path + [.key("selector")],
                    "the selectors of \(domain) are those of its publisher \"\(settings.publisher ?? "")\", so this is never used",
                    "Remove it")
            }
            if table.rotation.interval != nil || table.rotation.publisher != nil {
                warnOfDelegation(settings, at: path + [.key("interval")])
            }
        }
    }

    /// Two selectors take turns: the third key can't come before the first is gone.
    private mutating func warnOfDelegation(_ settings: RotationSettings, at path: [KeyLocator.Step]) {
        guard let interval = settings.interval, delegates(settings) else { return }
        let life = settings.wait + settings.retirement(recordTTL: settings.recordTTL) + settings.revokedTime
        guard interval < life else { return }
        let days = (life + Self.day - 1) / Self.day
        add(
            path,
            "keys are to be replaced every \(Quantity.duration.text(Int(interval))), and the two selectors of \"\(settings.publisher ?? "")\" take turns only every \(days) d, by wait, retention and revoked-for",
            "Write an interval of \"\(days) d\" or more")
    }

    private func delegates(_ settings: RotationSettings) -> Bool {
        configuration.publishers.contains { $0.name == settings.publisher && $0.kind == .cname }
    }
}
