"""What gunicorn loads. The first line makes the standard library cooperative, before anything is imported."""

from gevent import monkey

monkey.patch_all()

from app.factory import create_app  # noqa: E402
from config import logs, settings  # noqa: E402

configuration = settings.load()
logs.install()
application = create_app(configuration)
