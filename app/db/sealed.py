"""Values that a stolen database must not tell: sealed by AES-GCM, found again by a keyed hash.

The keys come from the installation's secret (outside the database) by HKDF, one for values and one for blind
indexes, so that neither helps with the other. What is sealed is bound to the place it stands in (``aad``: purpose
and a token of the row): moved to another row or column it does not open. A sealed text names the key it was
sealed with; after a change of the secret the former one still opens what it sealed, and ``stale`` finds it.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class CannotOpen(Exception):
    """The sealed text was altered, moved to another place, or sealed with a secret nobody has any more."""


class _Keys:
    """What one secret gives: the name of its keys, the key for values, the key for blind indexes."""

    def __init__(self, secret: bytes) -> None:
        self.name = _derived(secret, b"madoguchi/sealed/name", 4).hex()
        self.value = AESGCM(_derived(secret, b"madoguchi/sealed/value", 32))
        self.index = _derived(secret, b"madoguchi/sealed/index", 32)


def _derived(secret: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(secret)


class Sealer:
    """Seals, opens and indexes with the keys of one secret; ``former`` secrets only open and find.

    Derives keys when made (under a millisecond): make one per process, not one per value. ``chance`` gives so many
    random bytes.
    """

    def __init__(
        self, secret: bytes, *, former: Sequence[bytes] = (), chance: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._keys = _Keys(secret)
        self._known = {keys.name: keys for keys in (*(_Keys(each) for each in former), self._keys)}
        self._chance = chance

    def seal(self, value: str, aad: str) -> str:
        """``value`` as ASCII text that only this place (``aad``) opens; equal values seal differently."""
        nonce = self._chance(_NONCE)
        raw = nonce + self._keys.value.encrypt(nonce, value.encode(), aad.encode())
        return f"{self._keys.name}.{base64.b64encode(raw).decode()}"

    def open(self, sealed: str, aad: str) -> str:
        """The value again; raises CannotOpen."""
        name, _, packed = sealed.partition(".")
        keys = self._known.get(name)
        if keys is None:
            raise CannotOpen(name)
        try:
            raw = base64.b64decode(packed, validate=True)
            return keys.value.decrypt(raw[:_NONCE], raw[_NONCE:], aad.encode()).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen(name) from None

    def stale(self, sealed: str) -> bool:
        """Sealed with a former secret: to be sealed again."""
        return not sealed.startswith(f"{self._keys.name}.")

    def index(self, kind: str, normalised: str) -> str:
        """What a value of one kind (``phone``, ``name``) is found by: equal values, equal hashes; 64 hex digits."""
        return _blind(self._keys, kind, normalised)

    def indexes(self, kind: str, normalised: str) -> list[str]:
        """``index`` under every known secret, for a look-up that also finds what a former one wrote."""
        return [_blind(keys, kind, normalised) for keys in self._known.values()]


def _blind(keys: _Keys, kind: str, normalised: str) -> str:
    # The kind's length stands first: no kind and value run together into those of another.
    kind_ = kind.encode()
    return hmac.digest(keys.index, len(kind_).to_bytes(2) + kind_ + normalised.encode(), hashlib.sha256).hex()


__all__ = ["CannotOpen", "Sealer"]
