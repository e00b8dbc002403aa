// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import NIOCore
internal import SMTP

/// The form in which content leaves: what goes in front, the rest, end of data.
enum ContentEncoder {
    /// Room for dots that are doubled, so that a usual message is written without a second allocation.
    private static let stuffingReserve = 64

    /// All of it, for content that is in memory anyway: one write.
    static func wireForm(front: [UInt8], rest: ArraySlice<UInt8>) throws(ContentError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: front.count + rest.count + stuffingReserve)
        var stuffer = DotStuffer()
        try write(front[...], &stuffer, &buffer)
        try write(rest, &stuffer, &buffer)
        try stuffer.finish(into: &buffer)
        return buffer
    }

    static func write(
        _ bytes: ArraySlice<UInt8>, _ stuffer: inout DotStuffer, _ buffer: inout ByteBuffer
    ) throws(ContentError) {
        var fault: ContentError?
        unsafe bytes.withUnsafeBytes { bytes in
            do throws(ContentError) { try unsafe stuffer.write(bytes, into: &buffer) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    /// Intake lets no such content in; should it be there, no attempt will ever succeed.
    static func diagnostic(_ error: ContentError) -> Diagnostic {
        Diagnostic(
            status: EnhancedStatusCode(5, 6, 0), text: "the content holds \(error) and can't be sent", owner: .sender)
    }
}
