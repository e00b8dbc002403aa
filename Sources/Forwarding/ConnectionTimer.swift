// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOCore

/// A deadline that moves with every command and is almost never reached.
///
/// Moving it later costs nothing: the one task that is scheduled looks, when it runs, whether it has come too early.
///
/// `@unchecked Sendable`, because
/// 1. it is touched on its event loop alone, where its task runs too.
final class ConnectionTimer: @unchecked Sendable {
    /// Called on the event loop once the time is up.
    var fire: (() -> Void)?

    private let eventLoop: any EventLoop
    private var deadline: NIODeadline?
    private var scheduledFor: NIODeadline?
    private var task: Scheduled<Void>?

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Lets the time be up once `amount` has passed without another call of `arm` or `cancel`.
    func arm(_ amount: TimeAmount) {
        let deadline = NIODeadline.now() + amount
        self.deadline = deadline
        if let scheduledFor, scheduledFor <= deadline { return }
        task?.cancel()
        schedule(deadline)
    }

    func cancel() {
        deadline = nil
        scheduledFor = nil
        task?.cancel()
        task = nil
    }

    private func schedule(_ time: NIODeadline) {
        scheduledFor = time
        task = eventLoop.scheduleTask(deadline: time) { self.ran() }
    }

    private func ran() {
        scheduledFor = nil
        task = nil
        guard let deadline else { return }
        if NIODeadline.now() < deadline { return schedule(deadline) }
        self.deadline = nil
        fire?()
    }
}
