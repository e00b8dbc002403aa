# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Thousands of messages at random through the real relay: every signature passes with three verifiers, and readers see
the same message that was handed in.

The seed is printed; WAXWING_SEED names one, WAXWING_MESSAGES a number of messages.
"""

import itertools
import os
import queue
import re
import subprocess
import threading
import time
from collections import Counter

from support.decoding import decoded
from support.generator import Made, make_message
from support.next_hops import SmtpSink
from support.smtp import Conversation
from support.verifiers import failures, tags_of_signatures

SESSIONS = 8
# The next hop of the second offers no 8BITMIME.
EIGHT, SEVEN = "eight.example", "seven.example"


def test_random_messages_verify_everywhere_and_say_what_they_said(relay, is_long):
    count = int(os.environ.get("WAXWING_MESSAGES") or (10_000 if is_long else 1_000))
    seed = int(os.environ.get("WAXWING_SEED") or time.time_ns() % 1_000_000)
    print(f"\nseed {seed}, {count} messages: WAXWING_SEED={seed} makes the same ones")
    made = [make_message(seed, number) for number in range(count)]
    with SmtpSink() as eight, SmtpSink("-8") as seven:
        common = {"tls": "off", "ed25519": True}
        relay.configure(route=[{"name": "seven", "to": [SEVEN], "smarthost": f"127.0.0.1:{seven.port}", **common},
                               {"name": "eight", "to": ["*"], "smarthost": f"127.0.0.1:{eight.port}", **common}])
        relay.start()
        began = time.monotonic()
        replies = submit_all(relay.port, made)
        wrong = [f"{describe(message)} answered {reply!r}, wanted {message.refusal or '250'}"
                 for message, reply in zip(made, replies) if not reply.startswith(message.refusal or "250 2.0.0 queued as")]
        assert not wrong, report("refused or taken wrongly", wrong, seed)
        taken = [message for message, reply in zip(made, replies) if reply.startswith("250")]
        for sink, domain in ((eight, EIGHT), (seven, SEVEN)):
            sink.wait_for_count(sum(domain in domains(message.number) for message in taken), patience=600)
        relay.wait_until_empty()
        print(f"{len(taken)} taken, {count - len(taken)} refused, through the relay in {time.monotonic() - began:.1f} s")
        relay.stop()
        arrived = {EIGHT: eight.messages(), SEVEN: seven.messages()}
    # The fixture has the verifiers judge whatever a next hop took; here each is judged once, and tells the seed.
    for sink in (eight, seven):
        sink.taken = []
    began = time.monotonic()
    records = relay.key_records()
    for domain, contents in arrived.items():
        by_number = {number_of(content): content for content in contents}
        wanted = {message.number: message for message in taken if domain in domains(message.number)}
        assert len(contents) == len(by_number) and by_number.keys() == wanted.keys(), f"seed {seed}: lost or repeated"
        assert all(len(tags_of_signatures(content)) == 2 for content in contents)
        problems = failures(contents, records)
        assert not problems, report("signatures that do not verify", problems, seed)
        problems = [f"{describe(wanted[number])}: {difference}" for number, content in by_number.items()
                    if (difference := harm(wanted[number], content, seven_bit=domain == SEVEN))]
        assert not problems, report("messages that no longer say what they said", problems, seed)
    print(f"verified and compared in {time.monotonic() - began:.1f} s")
    print(", ".join(f"{trait}: {times}" for trait, times in sorted(Counter(t for m in made for t in set(m.traits)).items())))


def test_the_filter_signs_random_messages_whose_lines_end_otherwise(relay):
    """No SMTP session can leave out the last line end; a pipe can. What it prints is judged as a mailer would send it."""
    seed = int(os.environ.get("WAXWING_SEED") or time.time_ns() % 1_000_000)
    print(f"\nseed {seed}")
    wholesome = (message for number in itertools.count() if not (message := make_message(seed, number)).refusal
                 and max(map(len, message.content.split(b"\r\n"))) <= 998 and message.content.partition(b"\r\n\r\n")[2])
    signed = []
    for message in itertools.islice(wholesome, 30):
        given = message.content.removesuffix(b"\r\n") if message.number % 3 else message.content
        given = given.replace(b"\r\n", b"\n") if message.number % 2 else given
        done = subprocess.run([relay.binary, "sign", "--config", relay.config], input=given, capture_output=True, timeout=60)
        assert done.returncode == 0, f"seed {seed}, {describe(message)}: {done.stderr.decode()}"
        printed = re.sub(rb"\r?\n", b"\r\n", done.stdout)
        signed.append(printed if printed.endswith(b"\r\n") else printed + b"\r\n")
    problems = failures(signed, relay.key_records())
    assert not problems, report("signatures that do not verify", problems, seed)


def domains(number: int) -> list[str]:
    """Where a message goes: every other one to the next hop without 8BITMIME, some to both."""
    return [EIGHT, SEVEN] if number % 20 == 0 else [SEVEN] if number % 2 else [EIGHT]


def submit_all(port: int, made: list[Made]) -> list[str]:
    """Hands in all messages, octet for octet, on a few sessions; the replies."""
    replies = [""] * len(made)
    waiting: queue.SimpleQueue[Made] = queue.SimpleQueue()
    for message in made:
        waiting.put(message)

    def work() -> None:
        with Conversation(port) as client:
            while not waiting.empty():
                try:
                    message = waiting.get_nowait()
                except queue.Empty:
                    return
                recipients = b"".join(b"RCPT TO:<r@%s>\r\n" % domain.encode() for domain in domains(message.number))
                client.write(b"MAIL FROM:<app@sender.example> BODY=8BITMIME\r\n" + recipients + b"DATA\r\n")
                answers = [client.reply() for _ in range(2 + len(domains(message.number)))]
                assert answers[-1].startswith("354"), f"{answers} at {describe(message)}"
                client.write(re.sub(rb"^\.", b"..", message.content, flags=re.M) + b".\r\n")
                replies[message.number] = client.reply()

    threads = [threading.Thread(target=work) for _ in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def number_of(content: bytes) -> int:
    return int(re.search(rb"^X-Number: (\d+)\r$", content, re.M | re.I).group(1))


def describe(message: Made) -> str:
    return f"message {message.number} ({', '.join(sorted(set(message.traits))) or 'plain'})"


def report(what: str, problems: list[str], seed: int) -> str:
    return f"seed {seed}: {len(problems)} {what}\n" + "\n".join(problem[:6000] for problem in problems[:5])


def harm(message: Made, content: bytes, seven_bit: bool) -> str:
    """What the relay did to a message that it may not do; empty when nothing."""
    section, body = content.split(b"\r\n\r\n", 1)
    if not section.isascii():
        return f"octets above 127 in the header section: {section!r}"
    if (longest := max(map(len, content.split(b"\r\n")))) > 998:
        return f"a line of {longest} octets"
    if seven_bit and not body.isascii():
        return "octets above 127 at a next hop without 8BITMIME"
    submitted = message.content.partition(b"\r\n\r\n")[2]
    if not message.has_long_body_line and (submitted.isascii() or not seven_bit) and body != submitted:
        return f"a body that needed no repair was changed:\n{submitted[:2000]!r}\nbecame\n{body[:2000]!r}"
    before, after = decoded(message.content), decoded(content)
    for part in before:
        if before[part] != after[part]:
            return f"{part} differ:\n{str(before[part])[:2000]}\nbecame\n{str(after[part])[:2000]}\nin\n{content[:3000]!r}"
    return ""
