# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Certificates made with OpenSSL, for one test each."""

import subprocess
from pathlib import Path


def openssl(*words) -> str:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path, name: str = "authority"):
        self.directory = directory
        self.name = name
        self.certificate = directory / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign", "-keyout", self.key(name),
                "-out", self.certificate)

    def key(self, name: str) -> Path:
        return self.directory / f"{name}.key"

    def issue(self, name: str, names: str, use: str = "serverAuth", days: int = 1) -> tuple[Path, Path]:
        """A certificate and its key. `names` as subjectAltName takes them, such as `DNS:a.example,email:a@b.example`."""
        certificate, request = self.directory / f"{name}.pem", self.directory / f"{name}.csr"
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage={use}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", self.key(name), "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key(self.name),
                "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", certificate)
        self.key(name).chmod(0o600)
        return certificate, self.key(name)
