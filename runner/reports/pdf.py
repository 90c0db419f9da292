"""A report page as PDF, by WeasyPrint: an extra, for it needs Pango from the system.

    html -> ids made unique -> the page's colours put into its pictures -> WeasyPrint, which may fetch nothing -> bytes

WeasyPrint is imported when a PDF is asked for, and only then.
"""

import re
from types import ModuleType
from typing import Final

from assessments.errors import UsageError

INSTALL: Final = (
    "a PDF needs WeasyPrint and Pango; install them with: pip install 'assay-runner[pdf]', and on Debian: "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
)
_MEDIA: Final = re.compile(r"@media ([^{]*)\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}")
_RULE: Final = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOUR: Final = re.compile(r"(--[a-z-]+):\s*([^;]+);")
_IN_PICTURES: Final = re.compile(r"\.chart\b|\.track\b|\.fill\b|\.plain \.fill\b|rect\.maybe\b|\.mark\b")
"""How selectors of what stands in pictures begin."""


def pdf(*pages: str) -> bytes:
    """One PDF of report pages, as they print, in the order given. The same pages give the same bytes on one machine.

    Nothing is fetched and no file is read but the system's fonts. Raises UsageError with what to install where
    WeasyPrint or Pango is missing, ValueError without a page.
    """
    if not pages:
        raise ValueError("a PDF needs a page")
    weasyprint = _weasyprint()
    many = len(pages) > 1
    # A page is whole in itself: whatever asks for more, by any scheme, is not ours.
    nothing = weasyprint.urls.URLFetcher(allowed_protocols=())
    documents = [
        weasyprint.HTML(string=_prepared(page, f"r{place}-" if many else ""), url_fetcher=nothing).render()
        for place, page in enumerate(pages, 1)
    ]
    whole = documents[0].copy([page for document in documents for page in document.pages])
    return bytes(whole.write_pdf())


def _weasyprint() -> ModuleType:
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        # OSError: the package is there, and a library of Pango is not.
        raise UsageError(INSTALL) from error
    module: ModuleType = weasyprint
    return module


def _prepared(page: str, prefix: str) -> str:
    # Values are escaped in a page, so a tag or an attribute with a bare quote is always the template's own.
    if prefix:
        page = re.sub(r'( id="| href="#)', rf"\g<1>{prefix}", page)
    return re.sub(r"(<svg\b[^>]*>)", rf"\g<1><style>{_picture_style(page)}</style>", page)


def _picture_style(page: str) -> str:
    """The page's rules for pictures, in the colours it prints in: WeasyPrint's pictures see no style but their own."""
    sheet = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL)[:1])
    printed = "".join(rules for media, rules in _MEDIA.findall(sheet) if media.strip() == "print")
    plain = _MEDIA.sub("", sheet)
    colours = dict(_COLOUR.findall(plain)) | dict(_COLOUR.findall(printed))
    rules = [(selector.strip(), body) for selector, body in _RULE.findall(plain + printed)]
    return "".join(
        f"{selector}{{{_resolved(body, colours)}}}"
        for selector, body in rules
        if all(_IN_PICTURES.match(each.strip()) for each in selector.split(","))
    )


def _resolved(body: str, colours: dict[str, str]) -> str:
    return re.sub(r"var\((--[a-z-]+)\)", lambda found: colours.get(found[1], "#000"), body)
