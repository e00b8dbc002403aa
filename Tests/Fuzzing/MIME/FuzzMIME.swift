// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport
import Mail

/// A rendition is what its goal asks for, the same for all cuts, no larger than its encoding explains, and needs no
/// rendition itself.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe FuzzInput(start, count)
    let options = input.choice()
    let seed = input.choice()
    let goal: RenditionGoal = options & 1 == 0 ? .shortLines : .sevenBit
    // As intake leaves it: CRLF line ends alone, no NUL, fields that can be told apart.
    let message = withLineEnds(input.bytes, repetitions: options & 2 == 0 ? 1 : 40)
    let separator = message.indices.first { message[$0...].starts(with: [13, 10, 13, 10]) }
    let headerSection = separator.map { Array(message[..<($0 + 2)]) } ?? []
    let body = separator.map { Array(message[($0 + 4)...]) } ?? message
    guard (try? HeaderSection(headerSection)) != nil else { return 0 }

    let cut = pieces(of: body, seed: seed)
    let whole = plan(headerSection, goal, [body[...]])
    require(whole == plan(headerSection, goal, cut), "cuts don't change the plan")
    guard case .success(let rendition?) = whole else {
        if case .success = whole { require(isFit(body, for: goal), "what needs no rendition is fit as it is") }
        return 0
    }
    let output = encode(rendition, [body[...]])
    require(output == encode(rendition, cut), "cuts don't change the output")
    require(output == encode(rendition, pieces(of: body, seed: 0)), "octets one by one make the same output")
    require(isFit(output, for: goal), "the rendition is fit")
    // An octet becomes three of quoted-printable at most, a line gets an end of three more.
    require(output.count <= 4 * body.count + 4096, "\(body.count) octets don't become \(output.count)")
    require((try? HeaderSection(rendition.headerSection)) != nil, "its header section is one")
    let again = plan(rendition.headerSection, goal, [output[...]])
    require(again == .success(nil), "a rendition needs none itself")
    return 0
}

private func plan(
    _ headerSection: [UInt8], _ goal: RenditionGoal, _ body: [ArraySlice<UInt8>]
) -> Result<Rendition?, RenditionError> {
    do {
        let plan = try Rendition.plan(headerSection: headerSection, goal: goal) { consume in
            for piece in body { try consume(piece) }
        }
        return .success(plan)
    } catch let error as RenditionError {
        require(error.status.statusClass == 5 && error.status.subject == 6, "the content is at fault")
        require(error.text.utf8.allSatisfy { (32...126).contains($0) }, "the text is printable: \(error.text)")
        return .failure(error)
    } catch {
        require(false, "nothing else is thrown: \(error)")
        return .success(nil)
    }
}

private func encode(_ rendition: Rendition, _ body: [ArraySlice<UInt8>]) -> [UInt8] {
    var encoder = rendition.makeEncoder()
    var output: [UInt8] = []
    for piece in body { encoder.append(piece, to: &output) }
    encoder.finish(to: &output)
    return output
}

private func isFit(_ body: [UInt8], for goal: RenditionGoal) -> Bool {
    // RFC 5322 §2.1.1: 998 octets without CRLF.
    var length = 0
    for byte in body {
        if goal == .sevenBit, byte > 127 { return false }
        length = byte == 10 ? 0 : length + 1
        // The CR counts here.
        if length > 999 { return false }
    }
    return true
}

/// Octets with every CR and LF part of a CRLF, without NUL.
///
/// - Parameter repetitions: how many `x` stand for a tilde: so that an input of libFuzzer's size has
///   lines over 998 octets.
private func withLineEnds(_ bytes: [UInt8], repetitions: Int) -> [UInt8] {
    var output: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
        switch byte {
        case 0: continue
        case 13: if index + 1 < bytes.count, bytes[index + 1] == 10 { continue } else { output += [13, 10] }
        case 10: output += [13, 10]
        case UInt8(ascii: "~"): output += repeatElement(UInt8(ascii: "x"), count: repetitions)
        default: output.append(byte)
        }
    }
    return output
}
