"""A web process that serves every page it can and then names the modules it has loaded: ``python -m tests.web.loaded``.

Arguments: the database's address, the secret of a staff session. Prints JSON: answers by path, names of modules.
"""

import json
import sys

from app.db.session import Database
from app.factory import create_app
from app.web.security import STAFF_COOKIE
from config.settings import Settings

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"


def main(url: str, secret: str) -> None:
    """Ask for each page that needs no more than an office."""
    app = create_app(Settings(secret_key=SECRET, database_url=url), Database(url))
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie[STAFF_COOKIE] = secret
    answers: dict[str, int] = {}
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments <= {"office"} and "sign" not in rule.rule:
            path = rule.rule.replace("<office>", "ward")
            answers[path] = client.get(path, query_string={"office": "ward"}).status_code
    print(json.dumps({"answers": answers, "loaded": sorted({name.split(".")[0] for name in sys.modules})}))


if __name__ == "__main__":
    main(*sys.argv[1:])
