// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FoundationEssentials
package import Mail

extension WallClock {
    /// The machine's own clock.
    package static let system = WallClock {
        Timestamp(milliseconds: Int64((Date.now.timeIntervalSince1970 * 1000).rounded(.down)))
    }
}
