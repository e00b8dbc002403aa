// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

/// What a private key is encrypted with: always from a file, since arguments are for everybody on the machine to see.
enum Passphrase {
    static func help(_ words: String) -> ArgumentHelp {
        ArgumentHelp("\(words) The first line of the file counts; - is standard input.", valueName: "file")
    }

    static func read(_ file: String) throws -> String {
        let bytes = SecretContent.passphrase(try Input.contents(of: file))
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else {
            Output.error("\(file) holds no passphrase: write it as the first line, in UTF-8")
            throw ExitCode(ExitStatus.failure)
        }
        return text
    }
}
