// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import FoundationEssentials

/// KeyTable is in charge of the table that `waxwing keys list` prints: one line a key, the columns as wide as their
/// contents.
enum KeyTable {
    private static let head = ["DOMAIN", "SELECTOR", "ALGORITHM", "STATE", "SINCE", "LAST USED", "DNS", "NEXT"]

    static func text(_ keys: [KeyDocument]) -> String {
        let rows = [head] + keys.map(row)
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                guard row[(column + 1)...].contains(where: { !$0.isEmpty }) else { break }
                line += String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            return line
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ key: KeyDocument) -> [String] {
        guard key.algorithm != "unknown" else { return [key.domain, key.selector, "", "damaged", "", "", "", ""] }
        return [
            key.domain, key.selector, key.algorithm, state(key), key.isReadOnly == true ? "-" : Moments.day(key.since),
            key.lastUsed.map { Moments.day($0) } ?? "-", verdict(key), next(key),
        ]
    }

    private static func state(_ key: KeyDocument) -> String {
        if key.isReadOnly == true { return "active (read-only)" }
        if key.isUnproven { return "active (unproven, forced)" }
        if key.suspension != nil { return "active (suspended)" }
        return key.purpose == .standby ? "\(key.state.rawValue) (standby)" : key.state.rawValue
    }

    private static func verdict(_ key: KeyDocument) -> String {
        guard let look = key.look else { return "-" }
        return key.isAsWanted || key.state == .generated ? look.verdict.rawValue : "\(look.verdict.rawValue)!"
    }

    private static func next(_ key: KeyDocument) -> String {
        guard let step = key.next else { return "" }
        return step.text + (step.at.map { " on \(Moments.text($0))" } ?? "")
    }
}
