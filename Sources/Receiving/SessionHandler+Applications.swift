// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import NIOCore
internal import SMTP

/// What a session's handler does about who submits.
extension SessionHandler {
    /// Has a question of AUTH answered; until then the client waits.
    func authenticate(_ question: AuthenticationQuestion, _ context: ChannelHandlerContext) {
        let answer = environment.authenticator.answer(question, from: peer, on: context.eventLoop)
        answer.assumeIsolated().whenSuccess { [self] answer in
            // The client may have gone.
            guard phase == .serving else { return }
            lastProgress = context.eventLoop.now
            run(session.authenticationAnswered(answer), context)
            process(context)
        }
    }

    /// Whether a message may come now, from this application.
    func refusal(ofSize size: Int?, _ context: ChannelHandlerContext) -> IntakeRefusal? {
        if let refusal = environment.intake.refusal(ofSize: size) { return refusal }
        let refusal = environment.rates.admit(session.principal, now: context.eventLoop.now.uptimeNanoseconds)
        if let refusal { environment.events(.refused(refusal, authorDomain: nil)) }
        return refusal
    }

    func charge(_ kind: Rate.Kind, _ amount: Int, _ context: ChannelHandlerContext) {
        environment.rates.charge(session.principal, kind, amount, now: context.eventLoop.now.uptimeNanoseconds)
    }
}
