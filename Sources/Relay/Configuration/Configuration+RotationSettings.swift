// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Signing

/// A place that says how keys come and go.
protocol RotationOverriding: Sendable {
    var rotation: RotationOverrides { get set }
}

extension RotationTable: RotationOverriding {}
extension DomainSettings: RotationOverriding {}

extension RotationOverriding {
    /// The same settings for all domains and for one.
    ///
    /// - Parameter place: what the settings stand in place of, as a sentence; for all domains none.
    static func rotationSettings(insteadOf place: String? = nil) -> [Setting<Self>] {
        func words(_ full: String) -> String { place ?? full }
        return [
            .interval(
                "interval", \.rotation.interval, 1...(3650 * 86_400), example: 180 * 86_400,
                words(
                    "The age at which an active key is replaced by a fresh one by itself. never: only when somebody runs `waxwing keys rotate`. Half a year is what M3AAWG advises."
                )),
            .flag(
                "standby", \.rotation.keepsStandby, example: true,
                words(
                    "Keep a second key of each kind published, so that another one can sign at once when the active one is compromised."
                )),
            .template(
                "selector", \.rotation.selectors, example: "s{date}{letter}",
                words(
                    "How fresh keys are named in DNS: {date} stands for the day, {letter} for the first of a to z that makes a name never used before, {algorithm} for rsa or e."
                )),
            .choice(
                "drift", \.rotation.drift, example: .continue,
                words(
                    "What happens to mail when no key of its domain can be seen in DNS any more. defer: it is accepted and waits for a key. continue: it goes on being signed, and receivers may refuse it."
                )),
            .name(
                "publisher", \.rotation.publisher, example: "primary",
                words(
                    "The [[publisher]] that puts the records of keys into DNS. manual: you do; Waxwing prints what to publish and waits until every name server shows it."
                )),
        ]
    }
}

extension Configuration {
    static let rotationTable = SettingTable(
        "rotation", \.rotation, defaults: RotationTable(),
        "How keys come and go: a key signs once every name server of its domain shows its record, and its record stays until no mail signed with it can be under way. A [[domain]] may say otherwise.",
        RotationTable.rotationSettings(),
        [
            .seconds(
                "wait", \.common.wait, 0...(7 * 86_400),
                "The least time from the proof that a key is published to its first signature. Longer by itself where the zone lets resolvers keep answers for longer."
            ),
            .seconds(
                "retention", \.common.retention, 0...(365 * 86_400),
                "The least time from a key's last signature to its revocation. Receivers verify a message when they get it and some again days later: below 7 d this breaks signatures of mail that has left. Longer by itself where the queue or x= asks for it."
            ),
            .seconds(
                "revoked-for", \.common.revokedTime, 0...(3650 * 86_400),
                "From a key's revocation, when its record has an empty p=, to the removal of the record."),
            .flag(
                "disclose", \.common.disclosesKeys,
                "Keep the private key for everybody to read once its record is gone, so that old mail proves nothing any more. Otherwise it is destroyed."
            ),
            .seconds(
                "check-interval", \.common.checkInterval, 1...(7 * 86_400),
                "How often the records of keys in use are looked at, at every name server."),
            .seconds(
                "record-ttl", \.common.recordTTL, 1...(7 * 86_400),
                "How long resolvers may keep records that Waxwing publishes itself."),
        ])

    static let publisherTable = SettingTable(
        each: "publisher", \.publishers, effective: { $0.publishers }, defaults: PublisherTable(),
        "A way for the records of keys into DNS, chosen by `publisher` in [rotation] or in a [[domain]].",
        [
            .text("name", \.name, example: "primary", "What `publisher` calls it. Required, each different."),
            .choice(
                "type", \.kind, example: .rfc2136,
                """
                Required.
                rfc2136: Waxwing updates the zone at its primary server.
                command: a program of yours does what is needed.
                cname: the record names are aliases (CNAME) that you publish once and for all; they lead to a zone that Waxwing writes to, by either of these ways.
                """),
            .text(
                "server", \.server, example: "192.0.2.53",
                "Who takes updates: an address, with an optional @port. Needs a TSIG key unless it is on loopback."),
            .text(
                "zone", \.zone, example: "example.com",
                "With rfc2136, the zone to update; left out, it is found by its SOA record. With cname, the zone that the aliases lead to, where the records stand at SELECTOR.DOMAIN.ZONE; required."
            ),
            .text(
                "tsig-name", \.keyName, example: "waxwing", "The name of the TSIG key; left out, it is in the file."),
            .choice(
                "tsig-algorithm", \.keyAlgorithm, example: .hmacSHA256,
                "Left out: as the file says, else hmac-sha256."),
            .text(
                "tsig-secret-file", \.secretFile, as: .path, example: "credential:tsig",
                "A file that only its owner may read, with what tsig-keygen prints, or with the secret alone in base64; or credential:NAME for a credential of the systemd unit."
            ),
            .list(
                "command", \.command, example: ["/usr/local/sbin/publish-key"],
                "The program, by its absolute path, and its arguments. No shell is between."),
            .seconds(
                "time-limit", \.timeLimit, 1...3600, example: 30,
                "The program is ended after so long. Left out: 30 s."),
            .names(
                "selectors", \.rsaSelectors, example: ["ww1", "ww2"],
                "With cname, the two selectors of RSA keys, used in turn. Left out: as shown."),
            .names(
                "ed25519-selectors", \.ed25519Selectors, example: ["wwe1", "wwe2"],
                "The same for Ed25519 keys."),
        ])
}
