// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import HTTPTypes
import Hummingbird
import Logging
package import Mail
import NIOCore
package import Signing

/// What the control socket can ask of the relay.
package struct ControlHandlers: Sendable {
    package var status: @Sendable () async -> StatusDocument
    package var reload: @Sendable () async -> ReloadDocument
    /// A page of at most `limit` messages behind `after`, oldest first.
    package var queue: @Sendable (_ limit: Int, _ after: QueueID?) async throws -> QueueDocument
    /// Nil: no such message.
    package var queueEntry: @Sendable (QueueID) async throws -> QueueEntryDocument?
    package var keys: @Sendable (KeyRequest) async -> KeyResponse
    /// The key directory was changed by someone else: read it again.
    package var reloadKeys: @Sendable () async -> Void

    package init(
        status: @escaping @Sendable () async -> StatusDocument,
        reload: @escaping @Sendable () async -> ReloadDocument,
        queue: @escaping @Sendable (_ limit: Int, _ after: QueueID?) async throws -> QueueDocument,
        queueEntry: @escaping @Sendable (QueueID) async throws -> QueueEntryDocument?,
        keys: @escaping @Sendable (KeyRequest) async -> KeyResponse,
        reloadKeys: @escaping @Sendable () async -> Void
    ) {
        self.status = status
        self.reload = reload
        self.queue = queue
        self.queueEntry = queueEntry
        self.keys = keys
        self.reloadKeys = reloadKeys
    }
}

/// `ControlAPI` is in charge of the paths of the control socket; what they do is the handlers' business.
///
///     GET  /v1/status
///     POST /v1/reload
///     GET  /v1/queue?limit=100&after=<queue ID>
///     GET  /v1/queue/<queue ID>
///     POST /v1/keys            a KeyRequest
///     POST /v1/keys/reload
enum ControlAPI {
    static let maximumPage = 1000
    static let defaultPage = 100
    static let maximumBodyOctets = 256 * 1024

    static func router(_ handlers: ControlHandlers, admission: ControlAdmission) -> Router<ControlContext> {
        let router = Router(context: ControlContext.self)
        router.add(middleware: AdmissionMiddleware(admission: admission))
        let api = router.group("v1")
        api.get("status") { _, _ in try json(await handlers.status()) }
        api.post("reload") { _, _ in
            let document = await handlers.reload()
            return try json(document, status: document.applied ? .ok : .unprocessableContent)
        }
        api.get("queue") { request, _ in try await queue(request, handlers) }
        api.get("queue/:id") { _, context in try await queueEntry(context, handlers) }
        api.post("keys") { request, context in try await keys(request, context, handlers) }
        api.post("keys/reload") { _, _ in
            await handlers.reloadKeys()
            return Response(status: .noContent)
        }
        return router
    }

    private static func queue(_ request: Request, _ handlers: ControlHandlers) async throws -> Response {
        let parameters = request.uri.queryParameters
        let limit = parameters["limit"].map { Int($0) ?? 0 } ?? defaultPage
        guard (1...maximumPage).contains(limit) else {
            return try error(.badRequest, "limit must be a number from 1 to \(maximumPage)")
        }
        var after: QueueID?
        if let text = parameters["after"] {
            guard let id = QueueID(text) else { return try error(.badRequest, "after must be a queue ID") }
            after = id
        }
        return try json(try await handlers.queue(limit, after))
    }

    private static func queueEntry(_ context: ControlContext, _ handlers: ControlHandlers) async throws -> Response {
        guard let text = context.parameters.get("id"), let id = QueueID(text) else {
            return try error(
                .badRequest,
                "a queue ID has \(QueueID.textLength) letters and digits, as `waxwing queue list` prints it")
        }
        guard let entry = try await handlers.queueEntry(id) else {
            return try error(.notFound, "no message \(id) in the queue: it has been delivered, failed or never was")
        }
        return try json(entry)
    }

    private static func keys(
        _ request: Request, _ context: ControlContext, _ handlers: ControlHandlers
    ) async throws -> Response {
        let body = try await request.body.collect(upTo: maximumBodyOctets)
        do {
            var keyRequest = try JSONDecoder().decode(KeyRequest.self, from: Data(body.readableBytesView))
            // Who may control the relay need not be one who may have its keys.
            guard keyRequest.verb != .export else {
                return try error(
                    .forbidden, "no private key is handed out here: `waxwing keys export` reads the key directory")
            }
            // The history says who asked: as the kernel knows it, not as somebody says.
            keyRequest.user = await ControlPeer.of(context.channel)?.userName ?? keyRequest.user
            return try json(await handlers.keys(keyRequest))
        } catch is DecodingError {
            return try error(
                .badRequest, "the body must be a key request in JSON that this version of Waxwing knows")
        }
    }

    private static func json(_ document: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes = ByteBuffer(bytes: try encoder.encode(document))
        bytes.writeInteger(UInt8(ascii: "\n"))
        return Response(
            status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: bytes))
    }

    fileprivate static func error(_ status: HTTPResponse.Status, _ text: String) throws -> Response {
        try json(ControlErrorDocument(error: text), status: status)
    }
}

/// A request together with the connection that it came on.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Lets nobody past who is not admitted, whatever the socket's mode says.
private struct AdmissionMiddleware: RouterMiddleware {
    let admission: ControlAdmission

    typealias Context = ControlContext

    @concurrent func handle(
        _ request: Request, context: ControlContext,
        next: @concurrent (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        guard let peer = await ControlPeer.of(context.channel), admission.admits(peer) else {
            return try ControlAPI.error(
                .forbidden, "only root, the relay's own user and the group of [control] may use this socket")
        }
        return try await next(request, context)
    }
}
