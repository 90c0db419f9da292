"""The factory of cohorts, as a fixture: tests cannot import one another's modules by name."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cohorts(module_at):
    """The module `cohorts.py` that stands beside this file."""
    return module_at(Path(__file__).resolve().with_name("cohorts.py"))


@pytest.fixture(scope="session")
def read():
    """Read a page into its elements: a list of tags with attributes and the text within each."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__(convert_charrefs=True)
            self.tags, self.text = [], ""

        def handle_starttag(self, tag, attrs):
            self.tags.append((tag, dict(attrs)))

        def handle_data(self, data):
            self.text += data

    def make(html):
        reader = Reader()
        reader.feed(html)
        return reader

    return make
