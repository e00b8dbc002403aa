// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Signing
import Testing

@testable import Relay

/// Key requests and responses between a command and a daemon that need not be of the same age.
@Suite struct KeyMessagesTests {
    @Test func `a request and its response arrive whole`() throws {
        let request = KeyRequest(
            .rotate, domain: "example.com", selector: "s", algorithm: "ed25519", pem: "p", passphrase: "w",
            format: .bind, state: .active, isForced: true, skipsWait: true, isCompromised: true, wantsStandby: true,
            onlyContinues: true, user: "tester")
        let response = KeyResponse(
            text: "t", warnings: ["w"], hasChanged: true, changedDomains: ["example.com"], hasProblem: true,
            isFinished: false, document: "{}")
        #expect(try JSONDecoder().decode(KeyRequest.self, from: JSONEncoder().encode(request)) == request)
        #expect(try JSONDecoder().decode(KeyResponse.self, from: JSONEncoder().encode(response)) == response)
    }

    @Test func `what an older peer says is understood`() throws {
        let request = #"{"verb":"show","domain":"example.com","user":"tester"}"#
        #expect(
            try JSONDecoder().decode(KeyRequest.self, from: Data(request.utf8))
                == KeyRequest(.show, domain: "example.com", user: "tester"))
        let response = #"{"isError":false,"text":"t","warnings":[],"hasChanged":true}"#
        #expect(
            try JSONDecoder().decode(KeyResponse.self, from: Data(response.utf8))
                == KeyResponse(text: "t", hasChanged: true))
    }

    @Test func `what is not asked for is not sent, so that an older daemon understands the rest`() throws {
        let text = String(decoding: try JSONEncoder().encode(KeyRequest(.list)), as: UTF8.self)
        #expect(text == #"{"verb":"list"}"#)
    }

    @Test func `a request that is printed shows neither key nor passphrase`() {
        let request = KeyRequest(.import, domain: "example.com", selector: "s", pem: "PRIVATE", passphrase: "SESAME")
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(request)", String(reflecting: request), "\([request])", dumped] {
            #expect(!text.contains("PRIVATE") && !text.contains("SESAME"), "\(text)")
        }
        #expect("\(request)" == "keys import example.com s")
    }

    @Test func `a verb that changes nothing needs no secret, and one that publishes does`() throws {
        let configuration = try ConfigurationFile.read(
            """
            [keys]
            passphrase-file = "/nonexistent/passphrase"
            [rotation]
            publisher = "p"
            [[publisher]]
            name = "p"
            type = "rfc2136"
            server = "192.0.2.1"
            tsig-secret-file = "/nonexistent/tsig"
            """, file: "waxwing.toml", directory: "/tmp")
        let access = KeyAccess(configuration)
        let publishing: Set<KeyRequest.Verb> = [.publish, .rotate, .activate, .retire, .revoke, .remove]
        for verb in KeyRequest.Verb.allCases {
            if publishing.contains(verb) {
                #expect(!verb.onlyReads)
                #expect(throws: ConfigurationError.self) { try access.rotationPolicies(for: verb) }
                #expect(throws: ConfigurationError.self) { try access.keyPassphrase(for: verb) }
            } else {
                #expect(try access.rotationPolicies(for: verb).publishers["p"] != nil)
                if verb == .export {
                    #expect(throws: ConfigurationError.self) { try access.keyPassphrase(for: verb) }
                } else {
                    #expect(try access.keyPassphrase(for: verb) == nil)
                }
            }
        }
    }
}
