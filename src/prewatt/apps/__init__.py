"""What people and programs start: command line, HTTP API, web page, and the street in one process (`up`)."""

__all__: list[str] = []
