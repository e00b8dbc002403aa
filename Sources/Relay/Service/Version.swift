// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The version of the program, as `waxwing --version` and the status tell it.
package enum Version {
    package static let text = "0.1.0"
}
