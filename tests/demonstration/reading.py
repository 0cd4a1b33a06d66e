"""What a page of results says, read back out of its HTML."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """The texts of the panels, labels left out, and the marks in them.

    Attributes:
        texts: the text of each panel.
        marks: of each panel ``(text, what the label says, data-detail)``.
        tags: every tag with its attributes.
        table: the rows of the table as lists of their cells' words.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.marks: list[list[tuple[str, str, str]]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.table: list[list[str]] = []
        self._inside: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "p" and found.get("class") == "text":
            self._inside = ["text"]
            self.texts.append("")
            self.marks.append([])
        elif tag == "tr":
            self.table.append([])
        elif tag in ("th", "td"):
            self._inside = ["cell"]
            self.table[-1].append("")
        elif self._inside == ["cell"]:
            self.table[-1][-1] += " " if tag != "wbr" else ""
        elif self._inside and tag in ("mark", "i"):
            self._inside.append(tag)
            if tag == "mark":
                self.marks[-1].append(("", "", found["data-detail"] or ""))

    def handle_endtag(self, tag: str) -> None:
        if self._inside == ["cell"] and tag in ("th", "td"):
            self.table[-1][-1] = " ".join(self.table[-1][-1].split())
        if tag in ("p", "th", "td"):
            self._inside = []
        elif self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside == ["cell"]:
            self.table[-1][-1] += data
        elif "i" in self._inside:
            text, label, detail = self.marks[-1][-1]
            self.marks[-1][-1] = (text, label + data, detail)
        elif self._inside:
            self.texts[-1] += data
            if "mark" in self._inside:
                text, label, detail = self.marks[-1][-1]
                self.marks[-1][-1] = (text + data, label, detail)
