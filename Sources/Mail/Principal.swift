// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Who hands a message in, once it is known that it may (RFC 6409 §4.3).
package struct Principal: Hashable, Sendable {
    /// The name of the application in the configuration; nil for a program of this machine that no table is about.
    package var application: String?
    /// For logs and the trace field: the application's name, or what else tells who it is.
    package var name: String
    /// By AUTH or by a certificate, which the trace field tells as ESMTPA or ESMTPSA (RFC 3848).
    package var isAuthenticated: Bool

    package init(application: String?, name: String, isAuthenticated: Bool) {
        self.application = application
        self.name = name
        self.isAuthenticated = isAuthenticated
    }
}
