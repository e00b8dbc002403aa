// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Forwarding
import Logging
import Mail
import NIOCore
import NIOPosix
import Receiving
import Reporting
import Signing
import Spooling
import Systemd

/// The parts of a running relay, each made once and given to those that need it.
struct Stages: Sendable {
    let startedAt: Timestamp
    let reporter: Reporter
    let spool: Spool
    let eventLoops: MultiThreadedEventLoopGroup
    /// For private key operations.
    let signingThreads: NIOThreadPool
    /// For large content on its way to the disk.
    let fileThreads: NIOThreadPool
    let keys: KeyKeeper
    let intake: RelayIntake
    let forwarder: Forwarder
    let certificates: TLSKeeper
    let receiving: ReceivingService
    let drop: DropService
    let passwords: PasswordWatch

    init(_ configuration: Configuration, logger: Logger) async throws {
        let clock = WallClock.system
        startedAt = clock.now()
        reporter = Reporter(logger: logger)
        try RuntimeDirectories.make(configuration)
        spool = try Spool.open(configuration.spoolConfiguration, clock: clock, logger: logger)

        let cores = max(2, System.coreCount)
        eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: cores)
        signingThreads = NIOThreadPool(numberOfThreads: cores)
        signingThreads.start()
        fileThreads = NIOThreadPool(numberOfThreads: 2)
        fileThreads.start()

        let resolver = try UnboundResolver(configuration.resolver, logger: logger)
        keys = try KeyKeeper(
            configuration, resolver: resolver, spool: spool, clock: clock, reporter: reporter, logger: logger)
        let signer = Signer(ring: keys.ring, clock: clock, events: reporter.sink)
        intake = RelayIntake(
            configuration: configuration.intakeConfiguration, spool: spool, keyRing: keys.ring, clock: clock,
            events: reporter.sink, logger: logger)

        var limits = ForwardingLimits()
        limits.shutdownGraceSeconds = Daemon.forwardingGraceSeconds
        forwarder = Forwarder(
            configuration: ForwarderConfiguration(
                hostname: configuration.hostname, routes: configuration.routingTable,
                retry: configuration.retrySchedule, limits: limits),
            spool: spool, signer: signer, intake: intake, resolver: resolver, eventLoopGroup: eventLoops,
            threadPool: signingThreads, clock: clock, events: reporter.sink, logger: logger)
        certificates = try TLSKeeper(configuration, logger: logger)
        receiving = ReceivingService(
            configuration: configuration.receiving(drainTime: Daemon.receivingDrain), tls: certificates.tls,
            passedIn: PassedSockets.take(), intake: intake, group: eventLoops, threadPool: fileThreads,
            events: reporter.sink, logger: logger)
        passwords = try PasswordWatch(configuration, receiving: receiving, logger: logger)
        drop = DropService(
            directory: DropDirectory(path: configuration.dropDirectory), intake: intake,
            admission: { [receiving] user, recipients, octets in
                receiving.admission(ofUser: user, recipients: recipients, octets: octets)
            },
            limits: configuration.receivingLimits, threads: fileThreads, clock: clock, logger: logger)
        keys.whenReleased { [forwarder] in forwarder.retryUnsignable() }
        // A port that can't be had is found out before anything runs.
        _ = try await receiving.bind()
    }

    /// After everything else has stopped.
    func stopThreads() async throws {
        try await signingThreads.shutdownGracefully()
        try await fileThreads.shutdownGracefully()
        try await eventLoops.shutdownGracefully()
    }
}
