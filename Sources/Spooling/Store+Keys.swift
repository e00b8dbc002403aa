// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB
internal import Mail

/// When keys were used, and which messages wait for one.
extension Store {
    func write(_ use: KeyUse) throws {
        try beforeWrite?(.writeKeyUse)
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO key_uses (sdid, selector, last) VALUES (?, ?, ?)")
            .execute(arguments: [use.sdid.name, use.selector, use.time.milliseconds])
    }

    func keyUses() throws -> [KeyUse] {
        guard schema.hasKeys else { return [] }
        return try Row.fetchAll(database, sql: "SELECT sdid, selector, last FROM key_uses ORDER BY sdid, selector")
            .compactMap { row in
                guard let sdid = Domain(row[0] as String) else { return nil }
                return KeyUse(sdid: sdid, selector: row[1], time: Timestamp(milliseconds: row[2]))
            }
    }

    func deleteKeyUses(before time: Timestamp) throws {
        try database.execute(sql: "DELETE FROM key_uses WHERE last < ?", arguments: [time.milliseconds])
    }

    func insertUnsignable(_ id: Int64, authorDomain: Domain) throws {
        try beforeWrite?(.insertUnsignable)
        try database.cachedStatement(sql: "INSERT OR IGNORE INTO unsignable (author_domain, message_id) VALUES (?, ?)")
            .execute(arguments: [authorDomain.name, id])
    }

    func deleteUnsignable(_ id: Int64, authorDomain: Domain) throws {
        try beforeWrite?(.deleteUnsignable)
        try database.cachedStatement(sql: "DELETE FROM unsignable WHERE author_domain = ? AND message_id = ?")
            .execute(arguments: [authorDomain.name, id])
    }

    /// Messages of an author domain that wait for a key, in the order of their arrival.
    func unsignable(of authorDomain: Domain, after id: Int64, limit: Int) throws -> [Int64] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT message_id FROM unsignable WHERE author_domain = ? AND message_id > ?
                ORDER BY message_id LIMIT ?
                """)
        return try Int64.fetchAll(statement, arguments: [authorDomain.name, id, limit])
    }

    /// The author domains of all of them; one search each, however many messages they have.
    func unsignableDomains() throws -> Set<Domain> {
        let statement = try database.cachedStatement(
            sql: "SELECT author_domain FROM unsignable WHERE author_domain > ? ORDER BY author_domain LIMIT 1")
        var domains: Set<Domain> = []
        var last = ""
        while let name = try String.fetchOne(statement, arguments: [last]) {
            if let domain = Domain(name) { domains.insert(domain) }
            last = name
        }
        return domains
    }
}
