// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

/// The key that a command is about.
struct NamedKey: ParsableArguments {
    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(help: "Which key.", completion: Completion.selectors)
    var selector: String

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
    }
}

/// The keys that a command shows: all, or those of a domain, or one.
struct ShownKeys: ParsableArguments {
    @Argument(help: "Only this domain's keys.", completion: Completion.domains)
    var domain: String?

    @Option(help: "Only this key; with a domain.", completion: Completion.selectors)
    var selector: String?

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
        if selector != nil, domain == nil { throw ValidationError("--selector needs a domain") }
    }
}
