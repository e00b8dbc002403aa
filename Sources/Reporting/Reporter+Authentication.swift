// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Logging
internal import Mail

extension Reporter {
    /// Who came in, and who did not; never what was said for it.
    func reportAuthentication(_ event: RelayEvent) {
        switch event {
        case .authenticated(let application):
            counters.increment(.authentications)
            logger.debug("authenticated", metadata: ["app": "\(application)"])
        case .authenticationFailed(let application, let address):
            counters.increment(.authenticationFailures)
            logger.notice(
                "authentication failed", metadata: ["app": "\(application ?? "unknown")", "peer": "\(address)"])
        case .lockedOut(.address(let address)):
            counters.increment(.lockOuts)
            logger.warning(
                "too many failures to authenticate: the address is locked out for a while",
                metadata: ["peer": "\(address)"])
        case .lockedOut(.application(let application)):
            counters.increment(.lockOuts)
            logger.warning(
                "too many failures to authenticate: for a while the application may only do so from where it has before",
                metadata: ["app": "\(application)"])
        default:
            break
        }
    }
}
