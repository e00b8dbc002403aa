// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Spooling

/// What was asked for a message of the queue, in `GET /v1/queue/<queue ID>`.
///
/// What nobody asked for is left out.
package struct QueueOptionsDocument: Codable, Hashable, Sendable {
    /// Who handed the message in.
    package var principal: String?
    /// Seconds since the Unix epoch.
    package var release: Int64?
    package var expiry: Int64?
    package var priority: Int?
    package var tags: [String]?
    package var route: String?
    package var isTest: Bool?
    package var idempotencyKey: String?
    package var requiresTLS: Bool?
    /// RET and ENVID of MAIL, as they came (RFC 3461).
    package var returned: String?
    package var envelopeID: String?

    package init() {}

    /// Nil when there is nothing to tell.
    init?(_ detail: QueueDetail) {
        let (options, notices) = (detail.options, detail.envelope.notices)
        principal = detail.principal?.name
        release = options.release?.seconds
        expiry = options.expiry?.seconds
        priority = options.priority == 0 ? nil : options.priority
        tags = options.tags.isEmpty ? nil : options.tags
        route = options.route
        isTest = options.isTest ? true : nil
        idempotencyKey = options.idempotencyKey
        requiresTLS = options.requiresTLS ? true : nil
        returned = notices.returned?.rawValue
        envelopeID = notices.envelopeID
        if self == QueueOptionsDocument() { return nil }
    }
}
