// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import CSystemd
import Glibc

/// `PassedSockets` is in charge of the sockets that the service manager opened for this process and passed in
/// (sd_listen_fds_with_names(3)).
package enum PassedSockets {
    /// The descriptors by their names, as `FileDescriptorName=` of the socket units says.
    ///
    /// They can be taken once: the variables that tell of them are removed, so that no child takes them for its own.
    package static func take() -> [String: [Int32]] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = nil
        let count = unsafe sd_listen_fds_with_names(1, &names)
        guard count > 0, let names = unsafe names else { return [:] }
        defer { unsafe free(names) }
        var sockets: [String: [Int32]] = [:]
        for index in 0..<count {
            guard let name = unsafe names[Int(index)] else { break }
            let text = unsafe String(cString: name)
            unsafe free(name)
            // SD_LISTEN_FDS_START
            sockets[text, default: []].append(3 + index)
        }
        return sockets
    }
}
