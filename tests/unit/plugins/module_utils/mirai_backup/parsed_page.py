"""Reads a page strictly: every element is closed where it must be, and only known ones occur."""

from html.parser import HTMLParser

_VOID = {"br", "input", "link", "meta"}
_KNOWN = set(
    "html head title style body header main footer section div p span strong small code h1 h2 h3 ul li dl dt dd label"
    " table caption thead tbody tr th td details summary figure figcaption"
    " svg symbol use title text tspan path circle rect line".split()
)


class Page(HTMLParser):
    """``text`` is what a reader sees (style sheets aside), ``ids`` all ids, ``elements`` (name, attributes)."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.ids: list = []
        self.elements: list = []
        self._open: list = []
        self.feed(source)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        assert tag in _KNOWN | _VOID, f"foreign element {tag}"
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"an attribute twice: {attrs}"
        assert not [name for name in attributes if name.startswith("on")], attrs
        self.elements.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"comment {data!r}")

    def handle_pi(self, data):
        raise AssertionError(f"processing instruction {data!r}")

    def named(self, name: str) -> list:
        """The attributes of all elements of this name."""
        return [attributes for tag, attributes in self.elements if tag == name]
