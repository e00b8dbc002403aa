# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors
#
# Sourced by the scripts beside it, after packages.sh: builds Waxwing from this checkout.

# What every build has in common. A target that imports a module it does not name is an error.
build_options=(--package-path "$top" --explicit-target-dependency-import-check error)

# Of the release. Nothing loads symbols from the program: without exporting them the linker can drop what is unused.
# Relocations that are packed leave fewer pages to be written at start. Together: a tenth less resident memory.
release_options=(
    -c release --static-swift-stdlib -Xswiftc -use-ld=lld
    -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs
)

need_swift() {
    command -v swift >/dev/null || die "no swift on the PATH: install Swift 6.2 or newer from https://www.swift.org/install/linux/"
    install_packages "${build_packages[@]}"
}

# build_release: sets $waxwing to the release binary, which carries the Swift runtime within itself.
# WAXWING_BINARY names one that is built already.
build_release() {
    if [ -n "${WAXWING_BINARY:-}" ]; then
        waxwing=$WAXWING_BINARY
        [ -x "$waxwing" ] || die "WAXWING_BINARY is not a program: $waxwing"
        return 0
    fi
    need_swift
    say "building the release (the first time takes minutes)"
    swift build "${build_options[@]}" "${release_options[@]}" --product waxwing >&2
    waxwing=$(swift build "${build_options[@]}" "${release_options[@]}" --show-bin-path)/waxwing
}
