// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// AddedFields is in charge of the fields that an application's message gets from its templates, and of whether
/// recipients can unsubscribe with one click then.
///
/// A field that the message brought is left alone.
struct AddedFields {
    private(set) var octets: [UInt8] = []
    /// See `AdmittedHeader`.
    private(set) var oneClickFault: String?

    init(
        of application: ApplicationFields?, to header: HeaderSection, survey: HeaderSurvey,
        values: FieldTemplate.Values
    ) {
        var unsubscribe = survey.listUnsubscribe.map { header.value(of: $0) }
        var post = survey.listUnsubscribePost.map { header.value(of: $0) }
        if let application {
            if unsubscribe.isEmpty, let value = application.listUnsubscribe?.filled(with: values) {
                if add("List-Unsubscribe", value) { unsubscribe = [value] }
            }
            // RFC 8058 §3.1: it says something of the HTTPS URI in List-Unsubscribe.
            if application.listUnsubscribePost, post.isEmpty, let value = unsubscribe.first, OneClick.hasHTTPS(value) {
                if add("List-Unsubscribe-Post", OneClick.postValue) { post = [OneClick.postValue] }
            }
            if !survey.hasFeedbackID, let value = application.feedbackID?.filled(with: values) {
                _ = add("Feedback-ID", value)
            }
        }
        guard !unsubscribe.isEmpty || !post.isEmpty else { return }
        oneClickFault = OneClick.fault(listUnsubscribe: unsubscribe, post: post)
    }

    /// False if a placeholder made the line too long to be sent.
    private mutating func add(_ name: String, _ value: String) -> Bool {
        guard let field = FieldEncoder.fold(Array("\(name): \(value)\r\n".utf8)[...]) else { return false }
        octets += field
        return true
    }
}
