// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// RecordFormat is in charge of writing key records the way that name servers, providers and tools read them.
///
/// All records of a call make one document.
package enum RecordFormat: String, Codable, Hashable, Sendable, CaseIterable {
    /// The name, a space and the text, a line each: what `waxwing verify --keys` reads.
    case plain
    /// Entries of a zone file (RFC 1035 §5.1).
    case bind
    /// A script for BIND's `nsupdate`, which finds the primary server of a zone by itself.
    case nsupdate
    /// For `aws route53 change-resource-record-sets --change-batch file://…`.
    case route53
    /// For a POST to `/zones/{zone_id}/dns_records/batch` of Cloudflare.
    case cloudflare
    /// For `gcloud dns record-sets import`.
    case google
    /// For `az deployment group create --template-file`.
    case azure
    /// Resources of the AWS provider for Terraform and OpenTofu.
    case terraform
    /// A zone of octoDNS' YAML provider.
    case octodns
    /// `dnsconfig.js` of DNSControl.
    case dnscontrol
    /// Lines for `tinydns-data`.
    case tinydns
    /// Waxwing's own, for scripts.
    case json

    package func text(of records: [TextRecord]) -> String {
        switch self {
        case .plain: records.map { "\($0.name) \($0.text)\n" }.joined()
        case .bind: ZoneFile.entries(records)
        case .nsupdate: UpdateScript.text(records)
        case .route53: ProviderDocument.route53(records)
        case .cloudflare: ProviderDocument.cloudflare(records)
        case .google: ProviderDocument.google(records)
        case .azure: ProviderDocument.azure(records)
        case .terraform: Terraform.text(records)
        case .octodns: OctoDNS.text(records)
        case .dnscontrol: DNSControl.text(records)
        case .tinydns: TinyDNS.text(records)
        case .json: RecordDocument.text(records)
        }
    }
}
