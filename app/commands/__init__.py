"""The commands of ``madoguchi``, one file a subject; app/cli.py lists them."""
