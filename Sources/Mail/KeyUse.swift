// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// That a message left, or may have left, with a signature of some key.
///
/// A key's record has to stay published as long as verifiers may still ask for it: so somebody must know when it was
/// last used.
package struct KeyUse: Hashable, Sendable {
    /// How much later than a recorded use the key may have been used again without a record of that.
    ///
    /// Whoever reads a use adds it.
    package static let granularitySeconds: Int64 = 60

    package var sdid: Domain
    package var selector: String
    package var time: Timestamp

    package init(sdid: Domain, selector: String, time: Timestamp) {
        self.sdid = sdid
        self.selector = selector
        self.time = time
    }
}
