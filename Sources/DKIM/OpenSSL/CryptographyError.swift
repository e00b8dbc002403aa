// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import COpenSSL

/// A failure inside OpenSSL: what was being done, and what its error queue said.
public struct CryptographyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was attempted, such as "RSA signature".
    public let operation: String
    /// The error queue of the thread, oldest first.
    ///
    /// Empty when OpenSSL gave no reason.
    public let reasons: [String]

    /// One line: the operation and its reasons.
    public var description: String {
        reasons.isEmpty ? "\(operation) failed" : "\(operation) failed: \(reasons.joined(separator: "; "))"
    }

    /// Takes everything out of the calling thread's error queue: what stays there would be blamed on the
    /// next operation of this thread.
    init(draining operation: String) {
        self.init(operation, codes: Self.drainedCodes())
    }

    /// What `drainedCodes` took out of the queue.
    init(_ operation: String, codes: [UInt]) {
        self.operation = operation
        self.reasons = codes.map { code in
            var text = [CChar](repeating: 0, count: 256)
            unsafe text.withUnsafeMutableBufferPointer { buffer in
                unsafe ERR_error_string_n(code, buffer.baseAddress, buffer.count)
            }
            let octets = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return String(decoding: octets, as: UTF8.self)
        }
    }

    /// The codes of the queue, which is empty afterwards.
    static func drainedCodes() -> [UInt] {
        var codes: [UInt] = []
        while case let code = ERR_get_error(), code != 0 { codes.append(code) }
        return codes
    }
}
