// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Hummingbird
package import Logging
package import NIOCore
import ServiceLifecycle

/// Where the control socket stands and who may use it.
package struct ControlConfiguration: Hashable, Sendable {
    /// At most 107 octets: what the kernel takes for a Unix socket.
    package var socketPath: String
    /// The group whose members may use it; nil: only root and the relay's user.
    package var groupID: UInt32?

    package init(socketPath: String, groupID: UInt32? = nil) {
        self.socketPath = socketPath
        self.groupID = groupID
    }
}

/// `ControlService` is in charge of the control socket: HTTP and JSON on a Unix socket for the command line,
/// for curl, and for whatever else the operator lets in.
package struct ControlService: Service {
    private let configuration: ControlConfiguration
    private let handlers: ControlHandlers
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger

    package init(
        _ configuration: ControlConfiguration, handlers: ControlHandlers, eventLoopGroup: any EventLoopGroup,
        logger: Logger
    ) {
        self.configuration = configuration
        self.handlers = handlers
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
    }

    package func run() async throws {
        let path = configuration.socketPath
        guard path.utf8.count <= 107 else { throw ControlError.pathTooLong(path) }
        var quiet = logger
        // Hummingbird tells of every start and stop at info; the relay has said so itself.
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: ControlAPI.router(handlers, admission: ControlAdmission(groupID: configuration.groupID)),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: path), serverName: "waxwing"),
            onServerRunning: { [self] _ in restrict(path) },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: quiet)
        // Between bind and chmod the mode comes from the umask; admission is checked for every request anyway.
        try await application.run()
        unsafe unlink(path)
    }

    private func restrict(_ path: String) {
        let mode: mode_t = configuration.groupID == nil ? 0o600 : 0o660
        if unsafe chmod(path, mode) != 0 {
            logger.warning("can't set the mode of the control socket", metadata: ["path": "\(path)"])
        }
        if let groupID = configuration.groupID, unsafe chown(path, uid_t.max, groupID) != 0 {
            logger.warning(
                "can't give the control socket to its group: the relay's user must be a member",
                metadata: ["path": "\(path)", "gid": "\(groupID)"])
        }
    }
}

/// Why the control socket can't be served or used.
package enum ControlError: Error, CustomStringConvertible {
    case pathTooLong(String)
    /// Nobody listens: the daemon is down, or runs with another configuration.
    case noDaemon(path: String)
    case noPermission(path: String)
    case noAnswer(path: String, reason: String)
    /// The daemon said no, and why.
    case refused(String)

    package var description: String {
        switch self {
        case .pathTooLong(let path):
            "the control socket's path has over 107 octets: \(path); give [control] socket a shorter one"
        case .noDaemon(let path):
            "no daemon listens at \(path); start it with `waxwing run`, or name its configuration with --config"
        case .noPermission(let path):
            "no permission to use \(path); run this as root, as the relay's user, or as a member of [control] group"
        case .noAnswer(let path, let reason): "the daemon at \(path) did not answer: \(reason)"
        case .refused(let text): text
        }
    }
}
