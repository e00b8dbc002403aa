// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Logging
internal import Mail
internal import NIOCore
internal import NIOPosix
internal import Spooling

/// What every part of Forwarding needs from outside.
struct ForwardingEnvironment: Sendable {
    /// Its routes and retry schedule are the first ones; those in force are `Dispatcher`'s and `retry`.
    let configuration: ForwarderConfiguration
    let retry: RetrySetting
    let eventLoopGroup: any EventLoopGroup
    /// Signs, reads content files, writes captured messages: whatever may block.
    let threadPool: NIOThreadPool
    let clock: WallClock
    let randomness: Randomness
    let events: EventSink
    let logger: Logger
    let signer: any DepartureSigner
    let intake: any Intake
    let finder: MXFinder
    let tls: TLSContexts
    let queue: QueueAccess
    var capture = CaptureSetting()
}

/// What Forwarding tells the spool about claimed messages.
struct QueueAccess: Sendable {
    typealias Completion = @Sendable (Result<Void, SpoolError>) -> Void

    let record: @Sendable (AttemptRecord, @escaping Completion) -> Void
    /// Nothing was tried.
    let release: @Sendable (QueueID) -> Void
}
