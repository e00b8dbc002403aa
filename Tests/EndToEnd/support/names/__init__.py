# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""A DNS of the tests' own on loopback addresses: real name servers, and one that lies."""

from .bind import Bind
from .fixed import NameServer
from .internet import Internet
from .knot import Knot
from .nsd import NSD
from .questions import OPERATOR, UPDATER, WRONG, Key, ask, serial, texts
from .scripted import Scripted

__all__ = ["Bind", "Internet", "Key", "Knot", "NSD", "NameServer", "OPERATOR", "Scripted", "UPDATER", "WRONG", "ask", "serial", "texts"]
