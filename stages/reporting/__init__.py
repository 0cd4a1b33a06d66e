"""Tables, pictures and pages that people read."""
