// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Receiving

extension Configuration {
    /// Who may submit, with the verifiers of those that have passwords.
    ///
    /// - Throws: when the file of passwords is open to others, or a line of it makes no sense.
    func receivingApplications() throws(ConfigurationError) -> Applications {
        Applications(
            applications.filter(\.isKnown).map(\.application), passwords: try passwords(),
            allowsLocalPeers: access.allowsLocalPeers)
    }

    /// Those of the file; none if there is no such file yet.
    func passwords() throws(ConfigurationError) -> PasswordTable {
        guard applications.contains(where: \.usesPassword) else { return PasswordTable() }
        return try PasswordFile(self).read()
    }
}

extension ApplicationSettings {
    var application: Application {
        Application(
            name: name, usesPassword: usesPassword,
            userIDs: Set(users.compactMap { UserDatabase.identifier(of: $0) }),
            networks: networks.compactMap { NetworkPrefix($0) }, certificateNames: certificateNames,
            maximumMessageOctets: messageOctets == 0 ? nil : messageOctets,
            maximumRecipients: recipients == 0 ? nil : recipients, rates: rates.compactMap { try? Rate($0) })
    }
}
