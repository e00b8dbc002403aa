// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB

/// DatabaseFile is in charge of opening the queue's SQLite file so that a commit means "on disk" and the file can
/// shrink again.
///
/// One connection writes and checkpoints, ever: SQLite 3.7.0 to 3.51.2 can corrupt a WAL database when two of
/// them do (sqlite.org/wal.html, "WAL-reset bug"). It is the daemon's, under the directory's lock. All other
/// connections only read. Hence a `DatabaseQueue` and not GRDB's `DatabasePool`, which moreover sets
/// `synchronous = NORMAL` behind one's back.
enum DatabaseFile {
    /// The one connection that writes.
    static func openWriter(_ directory: SpoolDirectory) throws(SpoolError) -> DatabaseQueue {
        try directory.prepareDatabaseFile()
        do {
            var configuration = Configuration()
            configuration.foreignKeysEnabled = false
            configuration.label = "spool"
            let queue = try DatabaseQueue(path: directory.database, configuration: configuration)
            try queue.writeWithoutTransaction { database in try prepare(database) }
            let migrator = migrator
            if try queue.read(migrator.hasBeenSuperseded) {
                throw SpoolError(.unusable, "\(directory.database) was made by a newer version of Waxwing")
            }
            try migrator.migrate(queue)
            return queue
        } catch {
            throw .from(error, doing: "Can't open \(directory.database)")
        }
    }

    /// A connection that only reads, beside a daemon or without one.
    ///
    /// The spool may be one that an earlier version made and this one's daemon has not opened yet.
    static func openReader(_ directory: SpoolDirectory) throws(SpoolError) -> (DatabaseQueue, Schema) {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.foreignKeysEnabled = false
            // Readers of a WAL file wait only while it is being recovered or truncated.
            configuration.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: directory.database, configuration: configuration)
            let (isEmpty, isNewer, applied) = try queue.read { database in
                (
                    try !database.tableExists("totals"), try migrator.hasBeenSuperseded(database),
                    try migrator.appliedIdentifiers(database)
                )
            }
            if isNewer { throw SpoolError(.unusable, "\(directory.database) was made by a newer version of Waxwing") }
            if isEmpty { throw SpoolError(.unusable, "\(directory.database) is not a spool yet") }
            return (
                queue,
                Schema(
                    hasRepairs: applied.contains("2"), hasKeys: applied.contains("3"), hasOptions: applied.contains("4")
                )
            )
        } catch {
            throw .from(error, doing: "Can't read \(directory.database)")
        }
    }

    private static func prepare(_ database: Database) throws {
        // Counts only before the first table and before WAL: afterwards the file would keep its size for good.
        try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
            throw SpoolError(.unusable, "The file system of the spool can't hold a WAL database")
        }
        // FULL: every commit is synced before it returns. That is what a 250 stands on.
        try database.execute(sql: "PRAGMA synchronous = FULL")
        // Debian's SQLite overwrites what it deletes; that doubles the writing of a queue.
        try database.execute(sql: "PRAGMA secure_delete = OFF")
        // In KiB. The queue's hot pages are few; contents only pass through.
        try database.execute(sql: "PRAGMA cache_size = -6144")
        // Pages: 16 MiB of log before it is carried into the file, so that pages written twice are carried once.
        try database.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
        try database.execute(sql: "PRAGMA journal_size_limit = 33554432")
        try database.execute(sql: "PRAGMA temp_store = MEMORY")
        guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2,
            try Int.fetchOne(database, sql: "PRAGMA auto_vacuum") == 2
        else {
            throw SpoolError(.unusable, "The spool's database would not sync its commits or could not shrink")
        }
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in try database.execute(sql: firstSchema) }
        migrator.registerMigration("2") { database in try database.execute(sql: secondSchema) }
        migrator.registerMigration("3") { database in try database.execute(sql: thirdSchema) }
        migrator.registerMigration("4") { database in try database.execute(sql: fourthSchema) }
        return migrator
    }

    /// A message that is delivered at once costs two insertions and two deletions in B-trees: what changes at a
    /// deferral (`due`, `recipients`, `kept_fields`) is apart from what doesn't (`messages` with its content).
    private static let firstSchema = """
        -- Never changed while the message is in the queue, except held. Times are milliseconds since 1970.
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY,
            arrival INTEGER NOT NULL,
            expiry INTEGER NOT NULL,
            held INTEGER NOT NULL DEFAULT 0,   -- the operator said wait; then it has no row in due
            reverse_path TEXT NOT NULL,        -- empty: <>
            recipients TEXT NOT NULL,          -- one a line, in the order of RCPT
            recipient_count INTEGER NOT NULL,
            eight_bit INTEGER NOT NULL,
            author_domain TEXT NOT NULL,
            body_hashes BLOB NOT NULL,         -- each: canonicalization (1 octet), SHA-256
            length INTEGER NOT NULL,
            header_length INTEGER NOT NULL,
            file TEXT,                         -- below content/; NULL: the content is here
            content BLOB
        );
        CREATE INDEX message_files ON messages (file) WHERE file IS NOT NULL;

        -- When each message is looked at next.
        CREATE TABLE due (
            next_attempt INTEGER NOT NULL,
            message_id INTEGER NOT NULL,
            PRIMARY KEY (next_attempt, message_id)
        ) WITHOUT ROWID;

        -- Recipients that were tried. One without a row is queued.
        CREATE TABLE recipients (
            message_id INTEGER NOT NULL,
            ordinal INTEGER NOT NULL,
            state INTEGER NOT NULL,            -- 1 deferred, 2 delivered, 3 failed
            attempts INTEGER NOT NULL,
            next_attempt INTEGER,              -- of a deferred one
            reply_code INTEGER,
            status TEXT NOT NULL,
            text TEXT NOT NULL,
            remote TEXT,
            command TEXT,
            owner TEXT NOT NULL,
            PRIMARY KEY (message_id, ordinal)
        ) WITHOUT ROWID;

        -- Signature fields to use again.
        CREATE TABLE kept_fields (
            message_id INTEGER PRIMARY KEY,
            fields BLOB NOT NULL
        );

        -- One row, so that opening a long queue counts nothing.
        CREATE TABLE totals (
            messages INTEGER NOT NULL,
            deferred INTEGER NOT NULL,
            octets INTEGER NOT NULL
        );
        INSERT INTO totals VALUES (0, 0, 0);
        """

    /// SQLite keeps such a default in the schema: no row is rewritten, however long the queue.
    private static let secondSchema = """
        -- What intake changed in the message: words with spaces between them.
        ALTER TABLE messages ADD COLUMN repairs TEXT NOT NULL DEFAULT '';
        """

    /// Neither table is touched for a usual message.
    private static let thirdSchema = """
        -- When a message last left, or may have left, with a signature of each key; to the minute.
        CREATE TABLE key_uses (
            sdid TEXT NOT NULL,
            selector TEXT NOT NULL,
            last INTEGER NOT NULL,
            PRIMARY KEY (sdid, selector)
        ) WITHOUT ROWID;

        -- Messages with a recipient in state 5: deferred until there is a key.
        CREATE TABLE unsignable (
            author_domain TEXT NOT NULL,
            message_id INTEGER NOT NULL,
            PRIMARY KEY (author_domain, message_id)
        ) WITHOUT ROWID;
        """

    /// The texts are those of `OptionsText`; empty for most messages.
    private static let fourthSchema = """
        ALTER TABLE messages ADD COLUMN options TEXT NOT NULL DEFAULT '';    -- what was asked for the message
        ALTER TABLE messages ADD COLUMN notices TEXT NOT NULL DEFAULT '';    -- what its sender wants to be told
        ALTER TABLE messages ADD COLUMN principal TEXT NOT NULL DEFAULT '';  -- who handed it in

        -- Of messages that are not to be taken in twice, in the queue or not.
        CREATE TABLE idempotency_keys (
            principal TEXT NOT NULL,
            key TEXT NOT NULL,
            message_id INTEGER NOT NULL,
            expiry INTEGER NOT NULL,           -- of the row
            PRIMARY KEY (principal, key)
        ) WITHOUT ROWID;
        CREATE INDEX idempotency_expiries ON idempotency_keys (expiry);
        """
}

/// What the tables of a spool have, after the migrations that it has seen.
struct Schema: Hashable, Sendable {
    var hasRepairs: Bool
    /// The uses of keys, and what waits for one.
    var hasKeys: Bool
    /// Options, notices and principals of messages.
    var hasOptions: Bool

    static let current = Schema(hasRepairs: true, hasKeys: true, hasOptions: true)
}
