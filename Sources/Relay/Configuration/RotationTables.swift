// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS
package import Signing

/// When an active key is replaced without anybody saying so.
package enum RotationInterval: Hashable, Sendable {
    /// Only when somebody says so.
    case never
    case seconds(Int64)

    init(_ seconds: Int64?) {
        self = seconds.map(RotationInterval.seconds) ?? .never
    }

    var seconds: Int64? {
        if case .seconds(let seconds) = self { seconds } else { nil }
    }
}

/// What a place of the configuration says about the keys of a domain over time; nil: what a wider place says.
package struct RotationOverrides: Hashable, Sendable {
    package var interval: RotationInterval?
    package var keepsStandby: Bool?
    package var selectors: SelectorTemplate?
    package var drift: RotationSettings.DriftPolicy?
    /// The name of a `[[publisher]]`, or `PublisherTable.byHand`.
    package var publisher: String?

    package init() {}

    /// Nothing is left as it is.
    package init(_ settings: RotationSettings) {
        interval = RotationInterval(settings.interval)
        keepsStandby = settings.keepsStandby
        selectors = settings.selectors
        drift = settings.drift
        publisher = settings.publisher ?? PublisherTable.byHand
    }
}

extension RotationSettings {
    func overridden(by overrides: RotationOverrides) -> RotationSettings {
        var settings = self
        if let interval = overrides.interval { settings.interval = interval.seconds }
        settings.keepsStandby = overrides.keepsStandby ?? keepsStandby
        settings.selectors = overrides.selectors ?? selectors
        settings.drift = overrides.drift ?? drift
        if let publisher = overrides.publisher {
            settings.publisher = publisher == PublisherTable.byHand ? nil : publisher
        }
        return settings
    }
}

/// The table `[rotation]`.
package struct RotationTable: Hashable, Sendable {
    /// What a `[[domain]]` may say otherwise.
    package var rotation = RotationOverrides(RotationSettings())
    /// Everything else.
    package var common = RotationSettings()
}

/// One table `[[publisher]]`, as it is written.
package struct PublisherTable: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case rfc2136, command, cname
    }

    /// Stands for a publisher where there is none: the operator publishes.
    package static let byHand = "manual"
    static let standardTimeLimit: Int64 = 30

    package var name = ""
    /// Nil: nothing is said.
    package var kind: Kind?
    /// Empty: none.
    package var server = ""
    package var zone = ""
    package var keyName = ""
    /// Nil: what the file of the secret says, else hmac-sha256.
    package var keyAlgorithm: TSIGKey.Algorithm?
    /// A path, or `credential:NAME`; empty: no TSIG.
    package var secretFile = ""
    package var command: [String] = []
    /// In seconds; nil: `standardTimeLimit`.
    package var timeLimit: Int64?
    /// Nil: the standard ones.
    package var rsaSelectors: [String]?
    package var ed25519Selectors: [String]?

    var effectiveRSASelectors: [String] { rsaSelectors ?? ["ww1", "ww2"] }
    var effectiveEd25519Selectors: [String] { ed25519Selectors ?? ["wwe1", "wwe2"] }
}
