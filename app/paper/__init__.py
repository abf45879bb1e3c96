"""Printed matter as PDF: Typst templates beside this file, values as JSON."""
