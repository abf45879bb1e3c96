"""Which channels there are, and which of them have what they need. Without keys a channel is off and says why."""

from app.channels.base import Channel, Ways
from app.channels.console import Console
from app.channels.email_smtp import SmtpEmail
from app.channels.line import LinePush
from app.channels.sms_twilio import TwilioSms
from app.channels.webpush import WebPush
from app.domain.delivery import Channel as Name
from config.settings import Settings


def _sms(settings: Settings) -> Channel | str:
    if not (settings.twilio_account_sid and settings.twilio_auth_token and settings.twilio_from):
        return "MADOGUCHI_TWILIO_ACCOUNT_SID, MADOGUCHI_TWILIO_AUTH_TOKEN, MADOGUCHI_TWILIO_FROM"
    return TwilioSms(
        account=settings.twilio_account_sid, token=settings.twilio_auth_token, sender=settings.twilio_from,
        base=settings.twilio_api_base,
    )  # fmt: skip


def _email(settings: Settings) -> Channel | str:
    return SmtpEmail(settings.smtp_url) if settings.smtp_url else "MADOGUCHI_SMTP_URL"


def _line(settings: Settings) -> Channel | str:
    if not (settings.line_channel_token and settings.line_channel_secret):
        return "MADOGUCHI_LINE_CHANNEL_TOKEN, MADOGUCHI_LINE_CHANNEL_SECRET"
    return LinePush(token=settings.line_channel_token, base=settings.line_api_base)


def _push(settings: Settings) -> Channel | str:
    # Browsers accept a service worker only from a secure address.
    if not settings.address.startswith("https://"):
        return "MADOGUCHI_PUBLIC_URL (https)"
    return WebPush(secret=settings.secret_key.encode(), contact=settings.address)


_MAKERS = {Name.SMS: _sms, Name.EMAIL: _email, Name.LINE: _line, Name.PUSH: _push}


def ways(settings: Settings) -> Ways:
    """Every channel that can be used with these settings; ``off`` names the settings the others lack."""
    found = Ways()
    for name, make in _MAKERS.items():
        made = make(settings)
        if not isinstance(made, str):
            found.channels[name] = made
        elif settings.message_console:
            found.channels[name] = Console(name)
        else:
            found.off[name] = made
    return found
