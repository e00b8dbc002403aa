// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import Mail

/// All that a signature's tags depend on beside key, message and time.
///
/// There are as many as there are combinations of a domain's and a route's settings, so a key keeps a template of each.
struct SignatureForm: Hashable, Sendable {
    var canonicalization = CanonicalizationPair.relaxed
    var signedFields = FieldList.set(SignedFieldSet.standard)
    var oversignedFields = FieldList.set(OversignedFieldSet.standard)
    /// Its rules say what can't be signed.
    var profile = RouteProfile.generic
    var auid: String?

    init(_ settings: SignatureSettings = SignatureSettings(), profile: RouteProfile = .generic, auid: String? = nil) {
        canonicalization = settings.canonicalization
        signedFields = settings.signedFields
        oversignedFields = settings.oversignedFields
        self.profile = profile
        self.auid = auid
    }

    func template(sdid: String, selector: String, key: SigningKey) throws(SigningError) -> SignatureTemplate {
        try SignatureTemplate(
            sdid: sdid, selector: selector, key: key,
            canonicalization: MessageCanonicalization(
                header: Canonicalization(canonicalization.header), body: Canonicalization(canonicalization.body)),
            signedFields: fields, auid: auid)
    }

    /// What `h=` lists: never what the next hop writes anew, whoever asks for it.
    var fields: SignedFields {
        let signed: SignedFields =
            switch signedFields {
            case .set(.standard): .standard
            case .set(.minimal): .minimal
            case .names(let names): SignedFields(oversigned: [], once: names)
            }
        let oversigned =
            switch oversignedFields {
            case .set(.from): signed.oversigning(.from)
            case .set(.standard): signed.oversigning(.standard)
            case .set(.strict): signed.oversigning(.strict)
            case .names(let names): signed.oversigning(names)
            }
        return oversigned.removing(profile.rules.rewrittenFields)
    }
}

extension Canonicalization {
    init(_ canonicalization: BodyHash.Canonicalization) {
        switch canonicalization {
        case .simple: self = .simple
        case .relaxed: self = .relaxed
        }
    }
}
