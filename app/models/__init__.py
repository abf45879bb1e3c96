"""Tables: columns, constraints and relationships, nothing else. Importing this knows them all."""

from app.models import people, place, publication, scheduling, ticket

__all__ = ["people", "place", "publication", "scheduling", "ticket"]
