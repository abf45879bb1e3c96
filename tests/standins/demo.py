"""``make demo`` with every provider's stand-in: nothing is charged and nothing reaches a telephone.

Starts the stand-ins of Stripe and Twilio on this machine, points the installation at them, and plays the busy day.
Each has a page of its own where what was "sent" and "paid" is read and pressed.
"""

import argparse
import os
import subprocess
import sys

from tests.standins import stripe, twilio
from tests.standins.stripe_events import to

STRIPE_PORT, TWILIO_PORT = 9012, 9011


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", default="20")
    speed = parser.parse_args().speed
    address = f"http://127.0.0.1:{os.environ.get('MADOGUCHI_PORT', '8000')}"
    messages = twilio.TwilioStandIn()
    messages.start(TWILIO_PORT)
    with stripe.running(STRIPE_PORT, post=to(f"{address}/api/v1/hooks/stripe")) as money:
        print(
            f"見本 SMS(Twilioではありません): {messages.url}\n見本 決済(Stripeではありません): {money.url}", flush=True
        )
        environment = os.environ | {
            "MADOGUCHI_TWILIO_ACCOUNT_SID": twilio.ACCOUNT, "MADOGUCHI_TWILIO_AUTH_TOKEN": twilio.TOKEN,
            "MADOGUCHI_TWILIO_FROM": twilio.NUMBER, "MADOGUCHI_TWILIO_API_BASE": messages.url,
            "MADOGUCHI_STRIPE_API_KEY": stripe.KEY, "MADOGUCHI_STRIPE_WEBHOOK_SECRET": stripe.SECRET,
            "MADOGUCHI_STRIPE_API_BASE": money.url,
        }  # fmt: skip
        command = [sys.executable, "-m", "app.cli", "demo", "--speed", speed]
        sys.exit(subprocess.call(command, env=environment))


if __name__ == "__main__":
    main()
