// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport

@testable import DKIM

/// A list of tags is refused, or read in one way only.
///
/// Then its tags stand in order, apart, inside the octets.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = unsafe FuzzInput(start, count).bytes
    guard let list = try? TagList(bytes) else { return 0 }
    require(!list.tags.isEmpty, "a list has a tag")
    require(Set(list.tags.map(\.name)).count == list.tags.count, "no name stands there twice")
    var position = 0
    for tag in list.tags {
        require(tag.octets.lowerBound > position || position == 0, "the tags stand apart")
        require(tag.octets.upperBound <= bytes.count, "a tag ends inside the octets")
        require(
            tag.octets.lowerBound <= tag.value.lowerBound && tag.value.upperBound <= tag.octets.upperBound,
            "a value stands inside its tag")
        require(!bytes[tag.octets].contains(UInt8(ascii: ";")), "no semicolon in a tag")
        require(list.text(tag.name) != nil && list.compactText(tag.name) != nil, "a tag is found by its name")
        require(list.elements(tag.name)?.isEmpty == false, "a value has at least one element")
        position = tag.octets.upperBound
    }
    // RFC 6376 §3.2: a semicolon may end the list.
    let hasEnd = bytes[position...].contains(UInt8(ascii: ";"))
    let ended = try? TagList(bytes + [UInt8(ascii: ";")])
    require(hasEnd ? ended == nil : ended?.tags.map(\.value) == list.tags.map(\.value), "one semicolon may follow")
    return 0
}
