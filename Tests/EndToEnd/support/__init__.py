# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""What the end-to-end tests stand on: a relay of their own, next hops, a name server, three verifiers."""
