// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOCore

/// ProxyHeaderHandler is in charge of the first octets of a connection that a proxy made: it reads the header, has the
/// session made for the client that it names, and is gone.
///
/// Whatever is not a header ends the connection without a word.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// For the header to come; a proxy sends it at once.
    static let patience = TimeAmount.seconds(5)

    private let patience: TimeAmount
    private let begin: (ProxyHeader) throws -> Void
    private var input = ByteBuffer()
    private var timer: Scheduled<Void>?
    private var isDone = false

    /// - Parameter begin: adds the handlers of the session to the pipeline.
    init(patience: TimeAmount = ProxyHeaderHandler.patience, _ begin: @escaping (ProxyHeader) throws -> Void) {
        self.patience = patience
        self.begin = begin
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        var more = unwrapInboundIn(data)
        input.writeBuffer(&more)
        switch ProxyHeader.parse(input.readableBytesView) {
        case .needsMore: break
        case .malformed:
            isDone = true
            context.close(promise: nil)
        case .header(let header, let length):
            isDone = true
            input.moveReaderIndex(forwardBy: length)
            do {
                try begin(header)
            } catch {
                context.close(promise: nil)
                return
            }
            // What follows the header belongs to the session.
            if input.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(input)) }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is DrainEvent where !isDone, ChannelEvent.inputClosed where !isDone: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
