"""E-mail by SMTP: text and HTML, and a calendar file where there is a day to keep.

A message is in doubt only between the end of its data and the server's answer; SMTP cannot be asked afterwards, so
that such a one is not sent again: it is reported.
"""

import html
import smtplib
import ssl
from datetime import datetime, timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

from app.channels.base import Doubtful, Message, NotSent, Outcome, Taken
from app.domain.delivery import Channel, Limits, Text


class SmtpEmail:
    """``url``: ``smtp://user:password@host:port/?from=address``; ``smtps://`` for TLS from the first byte."""

    name = Channel.EMAIL
    receipts, repeatable = False, False

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        found = urlsplit(url)
        given = dict(pair.partition("=")[::2] for pair in found.query.split("&") if "=" in pair)
        self._secure, self._host = found.scheme == "smtps", found.hostname or "localhost"
        self._port = found.port or (465 if self._secure else 587)
        self._user, self._password = unquote(found.username or ""), unquote(found.password or "")
        self._sender = unquote(given.get("from", "")) or self._user or f"madoguchi@{self._host}"
        self._seconds, self.timeout = timeout, timedelta(seconds=6 * timeout)

    def price(self, _message: Text, _limits: Limits) -> tuple[int, int]:
        """An e-mail costs nothing."""
        return 1, 0

    def compose(self, message: Message) -> EmailMessage:
        """The e-mail as it leaves; the same message has the same Message-ID whenever it does."""
        made = EmailMessage()
        domain = self._sender.rpartition("@")[2] or "localhost"
        made["Subject"] = message.text.subject
        made["From"] = Address(display_name=message.sender, addr_spec=self._sender)
        made["To"] = message.to
        made["Date"] = format_datetime(message.at)
        made["Message-ID"] = f"<madoguchi-{message.id}@{domain}>" if message.id else make_msgid(domain=domain)
        made["Auto-Submitted"] = "auto-generated"
        made["Content-Language"] = "ja" if message.language == "ja-Hira" else message.language
        words = message.text.long or message.text.short
        made.set_content(words)
        made.add_alternative(_html(words, message), subtype="html")
        if message.text.calendar:
            made.add_attachment(
                calendar(message), maintype="text", subtype="calendar", filename="yoyaku.ics",
                params={"method": "PUBLISH", "charset": "utf-8"},
            )  # fmt: skip
        return made

    def send(self, message: Message) -> Outcome:
        """One conversation with the server; its answer to the data decides."""
        made = self.compose(message)
        try:
            with self._connect() as server:
                return self._hand_over(server, made, message)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ssl.SSLError):
            return NotSent(reason="account", retry_after=timedelta(seconds=60))
        except (OSError, smtplib.SMTPException):
            return NotSent(reason="no_connection")

    def _connect(self) -> smtplib.SMTP:
        if self._secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._seconds, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._seconds)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
        if self._user:
            server.login(self._user, self._password)
        return server

    def _hand_over(self, server: smtplib.SMTP, made: EmailMessage, message: Message) -> Outcome:
        """MAIL, RCPT and DATA one by one: only what follows the data can be in doubt."""
        server.ehlo_or_helo_if_needed()
        code, said = server.mail(self._sender)
        if code == 250:
            code, said = server.rcpt(_path(message.to))
        if code not in (250, 251):
            return _refused(code, said)
        try:
            code, said = server.data(made.as_bytes(policy=policy.SMTP))
        except smtplib.SMTPDataError as error:
            return _refused(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return Doubtful(reason=type(error).__name__)
        return Taken(provider_id=f"smtp-{message.id}", word="accepted") if code == 250 else _refused(code, said)


def _path(address: str) -> str:
    """The address for RCPT: what carriers gave out with two dots in a row must stand in quotes there."""
    local, _, domain = address.rpartition("@")
    if ".." in local or local.startswith(".") or local.endswith("."):
        return f'<"{local}"@{domain}>'
    return address


def _refused(code: int, _said: bytes | str) -> NotSent:
    if code in (550, 551, 553, 501):
        return NotSent(reason="bad_address", permanent=True)
    if 500 <= code < 600:
        return NotSent(reason=f"smtp_{code}", permanent=True)
    return NotSent(reason=f"smtp_{code}", retry_after=timedelta(seconds=60))


def _html(words: str, message: Message) -> str:
    """The same words with the link to press; nothing is loaded from anywhere."""
    safe, link = html.escape(words.strip()), html.escape(message.link)
    if link:
        safe = safe.replace(link, f'<a href="{link}">{link}</a>')
    body = safe.replace("\n", "<br>\n")
    lang = "ja" if message.language == "ja-Hira" else message.language
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(message.text.subject)}'
        f"</title></head><body><p>{body}</p></body></html>\n"
    )


def calendar(message: Message) -> bytes:
    """The day as a calendar file (RFC 5545): begin and end in UTC, the office, an alarm a day before."""
    from icalendar import Alarm, Calendar, Event

    said = message.text.calendar
    begins, ends = datetime.fromisoformat(said["begins"]), datetime.fromisoformat(said["ends"])
    entry = Event()
    entry.add("uid", said["uid"])
    entry.add("sequence", int(said.get("sequence", "0")))
    entry.add("dtstamp", message.since)
    entry.add("dtstart", begins)
    entry.add("dtend", ends)
    entry.add("summary", said["summary"])
    entry.add("location", said.get("place", ""))
    if message.link:
        entry.add("url", message.link)
    if said.get("status"):
        entry.add("status", said["status"])
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", said["summary"])
    alarm.add("trigger", timedelta(days=-1))
    entry.add_component(alarm)
    book = Calendar()
    book.add("prodid", "-//Madoguchi//JA")
    book.add("version", "2.0")
    book.add("method", "PUBLISH")
    book.add_component(entry)
    return bytes(book.to_ical())
