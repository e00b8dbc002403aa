# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""The first thing that anyone runs."""

import os
import re
import subprocess

from support.machine import TOP


def test_the_quickstart_shows_a_signed_message_whose_signatures_verify(binary, tmp_path):
    environment = dict(os.environ, WAXWING_BINARY=str(binary), WAXWING_DEMO=str(tmp_path))
    done = subprocess.run([TOP / "Deploy/quickstart", "--once"], env=environment, capture_output=True, text=True, timeout=300)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert "DKIM-Signature: v=1; a=rsa-sha256" in text and "DKIM-Signature: v=1; a=ed25519-sha256" in text, text
    assert len(re.findall(r"\bpass\b", text)) >= 2, text
    assert (tmp_path / "Keys").is_dir()
    again = subprocess.run([TOP / "Deploy/quickstart", "--once"], env=environment, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stdout + again.stderr
