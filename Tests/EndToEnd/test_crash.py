# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""SIGKILL at random moments under steady submission: every message that was answered 250 arrives at least once."""

import collections
import random
import re
import smtplib
import threading
import time

from support.next_hops import SmtpSink
from support.smtp import message, submit_on


class Submitter(threading.Thread):
    """Hands in one message after the other, whatever happens to the relay, and remembers what was answered 250."""

    def __init__(self, port: int, number: int, stopping: threading.Event):
        super().__init__(daemon=True)
        self.port, self.number, self.stopping = port, number, stopping
        self.accepted: list[str] = []
        self.unexpected: list[str] = []

    def run(self) -> None:
        count = 0
        while not self.stopping.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
                    client.ehlo("app.example")
                    while not self.stopping.is_set():
                        count += 1
                        name = f"crash-{self.number}-{count}"
                        # Some are larger than what is kept inside the spool's database.
                        filler = "x" * 70 + "\r\n"
                        body = filler * (4500 if count % 50 == 0 else 20) + f"end of {name}\r\n"
                        submit_on(client, message(subject=name, body=body), "app@sender.example")
                        self.accepted.append(name)
            except smtplib.SMTPResponseException as error:
                # 421 and the 4yz of a relay that is going down are fair; anything else is not.
                if not 400 <= error.smtp_code < 500:
                    self.unexpected.append(str(error))
            except (smtplib.SMTPException, OSError):
                time.sleep(0.01)


def test_nothing_that_was_accepted_is_lost_by_kills(relay, is_long):
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    kills = 20 if is_long else 3
    stopping = threading.Event()
    with SmtpSink() as sink:
        sink.mark = b"\r\nend of crash-"
        relay.send_to(sink.port)
        relay.start()
        submitters = [Submitter(relay.port, number, stopping) for number in range(6)]
        for submitter in submitters:
            submitter.start()
        for _ in range(kills):
            time.sleep(moments.uniform(0.2, 2.0))
            relay.kill()
            relay.start()
        time.sleep(0.5)
        stopping.set()
        for submitter in submitters:
            submitter.join(60)
        relay.wait_until_empty(patience=180)
        assert relay.stop() == 0

        accepted = [name for submitter in submitters for name in submitter.accepted]
        arrived = collections.Counter()
        for content in sink.messages():
            if found := re.search(rb"^end of (crash-\d+-\d+)\r\n", content, re.M):
                arrived[found.group(1).decode()] += 1
    lost = [name for name in accepted if name not in arrived]
    duplicates = sum(count - 1 for count in arrived.values())
    print(f"\nseed {seed}: {kills} kills, {len(accepted)} accepted, {len(arrived)} arrived, {len(lost)} lost, {duplicates} duplicates")
    assert not lost, f"lost (seed {seed}): {lost[:20]}"
    assert not [text for submitter in submitters for text in submitter.unexpected]
    assert len(accepted) > kills * 10, "the submitters made no progress"
    spool = relay.directory / "spool"
    left = [file for file in spool.rglob("*") if file.is_file() and file.stat().st_size > 100_000 and "sqlite" not in file.name
            and not file.name.endswith(("-wal", "-shm", ".db", ".journal"))]
    assert not left, f"content files that no message owns: {left}"
