"""The factory of cohorts, as a fixture: tests cannot import one another's modules by name."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cohorts():
    """The module `cohorts.py` that stands beside this file."""
    spec = importlib.util.spec_from_file_location("report_cohorts", Path(__file__).with_name("cohorts.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
