"""Tables: columns, constraints and relationships, nothing else. Importing this knows them all."""

from app.models import forecast, people, place, publication, scheduling, ticket

__all__ = ["forecast", "people", "place", "publication", "scheduling", "ticket"]
